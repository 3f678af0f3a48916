//! The limits that protect other visitors, the machine and the file.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::Server;

fn refused(client: &mut Client, sql: &str, why: &str) {
    let answer = client.post("/api/query", &json!({ "sql": sql }));
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    assert!(
        answer.status == 400 && detail.contains(why),
        "{sql:.99}: {} {:.200}",
        answer.status,
        answer.body.to_string()
    );
}

#[test]
fn settings_other_files_and_code_are_refused() {
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    let everything = bob.rows("SELECT count(*) FROM airports");
    for sql in [
        "PRAGMA hard_heap_limit = 1",
        "PRAGMA soft_heap_limit(1)",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA temp_store_directory",
        "PRAGMA temp_store = memory",
        "PRAGMA cache_size = -99999999",
        "PRAGMA mmap_size = 1099511627776",
        "PRAGMA max_page_count = 1",
        "PRAGMA JOURNAL_MODE = DELETE",
        "PRAGMA main.locking_mode = EXCLUSIVE",
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = 1",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA database_list",
        "SELECT * FROM pragma_database_list",
        "ATTACH 'x.db' AS x",
        "ATTACH 'x' || '.db' AS x",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO 'x.db'",
        "CREATE VIRTUAL TABLE temp.words USING fts5(word)",
        "SELECT load_extension('x')",
        "EXPLAIN SELECT load_extension('x')",
    ] {
        refused(
            &mut ann,
            sql,
            "a statement reaches no other file, no setting",
        );
    }
    for who in [&mut ann, &mut bob, &mut Client::new(&server)] {
        assert_eq!(who.rows("SELECT count(*) FROM airports"), everything);
    }
    server.stop();
}

#[test]
fn tables_can_be_looked_at_and_changed() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    for sql in [
        "PRAGMA table_info(airports)",
        "PRAGMA Table_List",
        "SELECT name FROM pragma_table_info('airports')",
        "PRAGMA user_version",
        "PRAGMA foreign_keys",
        "EXPLAIN QUERY PLAN SELECT * FROM airports",
        "SELECT value FROM json_each('[1]')",
    ] {
        assert_ne!(client.rows(sql), json!([]), "{sql}");
    }
    client.rows(
        "CREATE TABLE i (x PRIMARY KEY, y AS (upper(x))); CREATE INDEX j ON i (y); ALTER TABLE i RENAME TO k;
         ANALYZE; SAVEPOINT s; INSERT INTO k VALUES (1); UPDATE k SET x = 2; RELEASE s; DROP TABLE k",
    );
    server.stop();
}

#[test]
fn no_step_is_long() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    refused(
        &mut client,
        "SELECT instr(zeroblob(4000000), cast(zeroblob(1999000) || x'01' AS blob))",
        "string or blob too big",
    );
    refused(
        &mut client,
        "SELECT 'a' LIKE printf('%.*c', 1000, '_')",
        "pattern too complex",
    );
    let calls = |calls| {
        let calls = vec!["abs(latitude)"; calls].join(" + ");
        format!("SELECT {calls} FROM airports LIMIT 1")
    };
    client.rows(&calls(100));
    refused(&mut client, &calls(101), "calls up to 100 functions");
    client.rows(&"SELECT abs(1);".repeat(200));

    // SQLite's own `trim` would take a quarter of a minute.
    let longest =
        "SELECT length(trim(printf('%.*c', 65000, 'b'), printf('%.*c', 65000, 'a') || 'b'))";
    assert_eq!(client.rows(longest), json!([[0]]));
    assert_eq!(
        client.rows("SELECT trim('xaxbyx', 'yx'), ltrim('éaé', 'é'), rtrim('aab', 'b'), trim(121, 1), trim(NULL, 'a'), trim('a', NULL), trim(' a ')"),
        json!([["axb", "aé", "aa", "2", null, null, "a"]])
    );
    server.stop();
}

#[test]
fn a_table_works_out_little_by_itself() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let calls = |calls| vec!["abs(x)"; calls].join(" + ");
    for sql in [
        format!("CREATE TABLE t (x, y AS ({}))", calls(5)),
        format!("CREATE TEMP TABLE t (x, CHECK ({} < 9))", calls(5)),
        format!("CREATE TABLE t (x); CREATE INDEX i ON t ({})", calls(5)),
        // SQLite reports these neither when the table is changed nor when it is read.
        format!(
            "CREATE TABLE u (x); ALTER TABLE u ADD COLUMN y AS ({})",
            calls(5)
        ),
    ] {
        refused(&mut client, &sql, "computes too much by itself");
    }
    client.rows(&format!(
        "CREATE TABLE v (x, y AS ({}), z VARCHAR(10))",
        calls(4)
    ));
    client.rows("ALTER TABLE v ADD COLUMN w AS (upper(x)); ALTER TABLE v RENAME COLUMN w TO ww");
    let once = format!(
        "CREATE TABLE w AS SELECT {} FROM (SELECT 1 AS x)",
        calls(20)
    );
    client.rows(&once);
    server.stop();
}

#[test]
fn the_text_of_all_tables_and_the_list_of_them_are_bounded() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let long_name = |number: usize| format!("{number}{}", "x".repeat(20_000));
    let create = |number| format!("CREATE TABLE \"{}\" (x)", long_name(number));
    let mut made = 0;
    let refusal = loop {
        let answer = client.post("/api/query", &json!({ "sql": create(made) }));
        if answer.status != 200 {
            break answer.body.to_string();
        }
        made += 1;
    };
    assert!(refusal.contains("up to 1 MiB of text"), "{refusal:.300}");
    assert!((25..100).contains(&made), "{made}");
    let tables = Client::new(&server).get("/api/tables").body;
    assert_eq!(tables["more"], true);
    assert!(tables.to_string().len() < 600_000);
    // The existing tables still work, and can be dropped.
    client.rows(&format!("DROP TABLE \"{}\"", long_name(0)));
    client.rows("CREATE TABLE small (x)");
    server.stop();
}

#[test]
fn a_sort_does_not_fill_the_disk() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let sort = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, zeroblob(60000) FROM n ORDER BY -i";
    refused(&mut client, sort, "disk");
    assert_eq!(client.rows("SELECT 1"), json!([[1]]));
    server.stop();
}

#[test]
fn the_text_of_a_query_that_failed_is_not_kept() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let sql = format!("SELECT nope; --{}", "x".repeat(100_000));
    refused(&mut client, &sql, "no such column");
    let kept = client.state()["runners"][0]["sql"].to_string();
    assert!(
        kept.starts_with("\"SELECT nope;") && kept.len() < 600,
        "{kept:.600}"
    );
    server.stop();
}

#[test]
fn memory_and_disk_are_bounded() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let wide = |columns| {
        let columns = vec!["z"; columns].join(", ");
        format!("SELECT {columns} FROM (SELECT zeroblob(65536) AS z)")
    };
    refused(&mut client, &wide(200), "a row is larger than 512 KiB");
    refused(&mut client, &wide(201), "too many columns");
    refused(
        &mut client,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT group_concat(i) FROM n",
        "string or blob too big",
    );
    for table in ["TEMP TABLE", "TABLE"] {
        refused(
            &mut client,
            &format!(
                "CREATE {table} t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                 SELECT zeroblob(65000) FROM n"
            ),
            "database or disk is full",
        );
    }
    assert_eq!(client.rows("SELECT 1"), json!([[1]]));
    assert!(
        server.peak_memory() < 96 << 10,
        "{} KiB",
        server.peak_memory()
    );
    server.stop();
}

#[test]
fn a_wide_table_that_was_given_can_be_read() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("wide.csv");
    let names: Vec<_> = (0..300).map(|number| format!("c{number}")).collect();
    let csv = format!("{}\n{}\n", names.join(","), vec!["1"; 300].join(","));
    fs::write(&path, csv).expect("there is room");
    let server = Server::start(&[path.to_str().expect("it is text")]);
    let mut client = Client::new(&server);
    // Another connection's change of the schema makes this one read it again.
    client.rows("SELECT 1");
    Client::new(&server).rows("CREATE TABLE t (x)");
    let row = client.rows("SELECT * FROM wide")[0].clone();
    assert_eq!(row.as_array().map(Vec::len), Some(300));
    server.stop();
}

#[test]
fn a_table_that_changes_between_prepare_and_step_is_read_as_it_is() {
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (Client::new(&server), Client::new(&server));
    ann.rows("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let sql = json!({ "sql": "ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b" });
            while !done.load(Ordering::Relaxed) {
                bob.post("/api/query", &sql);
            }
        });
        let width = |value: &Value| value.as_array().map(Vec::len);
        let sql = json!({ "sql": "SELECT * FROM t;".repeat(3000) });
        let answers: Vec<_> = (0..20).map(|_| ann.post("/api/query", &sql)).collect();
        done.store(true, Ordering::Relaxed);
        for answer in answers.iter().filter(|answer| answer.status != 503) {
            let body = &answer.body;
            assert_eq!(answer.status, 200, "{body}");
            assert_eq!(width(&body["columns"]), width(&body["rows"][0]), "{body}");
        }
    });
    assert_eq!(ann.state()["session"], true);
    server.stop();
}

#[test]
fn a_name_that_is_not_this_machines_is_refused() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let port = server.address.port();
    for host in ["evil.example", "127.0.0.1.evil.example:3000", "10.0.0.1"] {
        client.host = host.to_owned();
        let answer = client.post("/api/query", &json!({ "sql": "SELECT 1" }));
        assert_eq!((answer.status, &answer.body["status"]), (421, &json!(421)));
        assert!(
            answer
                .head
                .contains("content-type: application/problem+json")
        );
        assert_eq!(client.cookie, None);
    }
    for host in [format!("localhost:{port}"), format!("[::1]:{port}")] {
        client.host = host;
        assert_eq!(client.rows("SELECT 1"), json!([[1]]));
    }
    server.stop();
}

/// Each of these views is within SQLite's own bound. Expanded into each other they would overflow the stack.
fn views_in_views(kind: &str, depth: usize, plus: usize) -> String {
    let sum = "+1".repeat(plus);
    let first = format!("CREATE {kind} VIEW v0 AS SELECT 1 x");
    let others = (1..=depth).map(|number| {
        let before = number - 1;
        format!("CREATE {kind} VIEW v{number} AS SELECT (SELECT x FROM v{before}){sum} x")
    });
    let views: Vec<_> = std::iter::once(first).chain(others).collect();
    views.join("; ")
}

#[test]
fn nesting_does_not_overflow_the_stack() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    for kind in ["TEMP", ""] {
        for (depth, plus) in [(60, 900), (60, 90), (300, 90), (990, 40)] {
            // Refused at once, or when they are read. Both are fine.
            client.post(
                "/api/query",
                &json!({ "sql": views_in_views(kind, depth, plus) }),
            );
            let look = format!("SELECT x FROM v{depth}");
            let answer = client.post("/api/query", &json!({ "sql": look }));
            assert_eq!(answer.status, 400, "{kind} {depth} {plus}: {}", answer.body);
            // The list of tables looks at every view, also for a visitor without a session.
            assert_eq!(Client::new(&server).get("/api/tables").status, 200);
            assert_eq!(client.get("/api/tables").status, 200);
            let drops: Vec<_> = (0..=depth)
                .map(|number| format!("DROP VIEW IF EXISTS v{number}"))
                .collect();
            client.post("/api/query", &json!({ "sql": drops.join(";") }));
        }
    }
    let flat = format!("SELECT {}", vec!["1"; 90].join("+"));
    assert_eq!(
        client.rows(&flat),
        json!([[90]]),
        "what people write is fine"
    );
    server.stop();
}

#[test]
fn a_request_is_bounded_since_statements_are_kept() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let sql = format!("SELECT 1 --{}", "x".repeat(200_000));
    let answer = client.post("/api/query", &json!({ "sql": sql }));
    assert_eq!(
        (answer.status, answer.head.contains("set-cookie")),
        (413, false)
    );
    server.stop();
}

//! The limits that protect other visitors, the machine and the file.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use session_test::Browser;
use tokio::join;

use crate::inside::{COOKIE, Workbench};
use crate::kit::problem::problem;
use crate::kit::visitor::Visitor as _;
use crate::server::Server;

async fn refused(visitor: &Browser, sql: &str, why: &str) {
    let detail = problem(&visitor.query(sql).await, 400);
    assert!(detail.contains(why), "{sql:.99}: {detail:.200}");
}

#[tokio::test]
async fn settings_other_files_and_code_are_refused() {
    let workbench = Workbench::new();
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    let count = "SELECT count(*) FROM airports";
    let everything = bob.rows(count).await;
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
        let why = "a statement reaches no other file, no setting";
        refused(&ann, sql, why).await;
    }
    for visitor in [ann, bob, workbench.visitor()] {
        assert_eq!(visitor.rows(count).await, everything);
    }
    workbench.close().await;
}

#[tokio::test]
async fn tables_can_be_looked_at_and_changed() {
    let (workbench, ann) = Workbench::visited();
    for sql in [
        "PRAGMA table_info(airports)",
        "PRAGMA Table_List",
        "SELECT name FROM pragma_table_info('airports')",
        "PRAGMA user_version",
        "PRAGMA foreign_keys",
        "EXPLAIN QUERY PLAN SELECT * FROM airports",
        "SELECT value FROM json_each('[1]')",
    ] {
        assert_ne!(ann.rows(sql).await, json!([]), "{sql}");
    }
    ann.rows(
        "CREATE TABLE i (x PRIMARY KEY, y AS (upper(x))); CREATE INDEX j ON i (y); ALTER TABLE i RENAME TO k;
         ANALYZE; SAVEPOINT s; INSERT INTO k VALUES (1); UPDATE k SET x = 2; RELEASE s; DROP TABLE k",
    ).await;
    workbench.close().await;
}

#[tokio::test]
async fn no_step_is_long() {
    let (workbench, ann) = Workbench::visited();
    let long = "SELECT instr(zeroblob(4000000), cast(zeroblob(1999000) || x'01' AS blob))";
    refused(&ann, long, "string or blob too big").await;
    let pattern = "SELECT 'a' LIKE printf('%.*c', 1000, '_')";
    refused(&ann, pattern, "pattern too complex").await;
    let calls = |calls| {
        let calls = vec!["abs(latitude)"; calls].join(" + ");
        format!("SELECT {calls} FROM airports LIMIT 1")
    };
    ann.rows(&calls(100)).await;
    refused(&ann, &calls(101), "calls up to 100 functions").await;
    ann.rows(&"SELECT abs(1);".repeat(200)).await;

    // SQLite's own `trim` would take a quarter of a minute.
    let longest =
        "SELECT length(trim(printf('%.*c', 65000, 'b'), printf('%.*c', 65000, 'a') || 'b'))";
    assert_eq!(ann.rows(longest).await, json!([[0]]));
    assert_eq!(
        ann.rows("SELECT trim('xaxbyx', 'yx'), ltrim('éaé', 'é'), rtrim('aab', 'b'), trim(121, 1), trim(NULL, 'a'), trim('a', NULL), trim(' a ')").await,
        json!([["axb", "aé", "aa", "2", null, null, "a"]])
    );
    workbench.close().await;
}

#[tokio::test]
async fn a_table_works_out_little_by_itself() {
    let (workbench, ann) = Workbench::visited();
    let calls = |calls| vec!["abs(x)"; calls].join(" + ");
    let (four, five, twenty) = (calls(4), calls(5), calls(20));
    for sql in [
        format!("CREATE TABLE t (x, y AS ({five}))"),
        format!("CREATE TEMP TABLE t (x, CHECK ({five} < 9))"),
        format!("CREATE TABLE t (x); CREATE INDEX i ON t ({five})"),
        // SQLite reports these neither when the table is changed nor when it is read.
        format!("CREATE TABLE u (x); ALTER TABLE u ADD COLUMN y AS ({five})"),
    ] {
        refused(&ann, &sql, "computes too much by itself").await;
    }
    for sql in [
        &*format!("CREATE TABLE v (x, y AS ({four}), z VARCHAR(10))"),
        "ALTER TABLE v ADD COLUMN w AS (upper(x)); ALTER TABLE v RENAME COLUMN w TO ww",
        &*format!("CREATE TABLE w AS SELECT {twenty} FROM (SELECT 1 AS x)"),
    ] {
        ann.rows(sql).await;
    }
    workbench.close().await;
}

#[tokio::test]
async fn the_text_of_all_tables_and_the_list_of_them_are_bounded() {
    let (workbench, ann) = Workbench::visited();
    let long_name = |number: usize| format!("{number}{}", "x".repeat(20_000));
    let create = |number| format!("CREATE TABLE \"{}\" (x)", long_name(number));
    let mut made = 0;
    let refusal = loop {
        let answer = ann.query(&create(made)).await;
        if answer.status() != 200 {
            break problem(&answer, 400);
        }
        made += 1;
    };
    assert!(refusal.contains("up to 1 MiB of text"), "{refusal:.300}");
    assert!((25..100).contains(&made), "{made}");
    let tables = workbench.visitor().get("/api/tables").await;
    assert_eq!(tables.json::<Value>()["more"], true);
    assert!(tables.bytes().len() < 600_000);
    // The existing tables still work, and can be dropped.
    ann.rows(&format!("DROP TABLE \"{}\"", long_name(0))).await;
    ann.rows("CREATE TABLE small (x)").await;
    workbench.close().await;
}

#[tokio::test]
async fn a_sort_does_not_fill_the_disk() {
    let server = Server::start(&[]).await;
    let ann = server.visitor();
    let sort = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, zeroblob(60000) FROM n ORDER BY -i";
    refused(&ann, sort, "disk").await;
    assert_eq!(ann.rows("SELECT 1").await, json!([[1]]));
    server.stop().await;
}

#[tokio::test]
async fn the_text_of_a_query_that_failed_is_not_kept() {
    let (workbench, ann) = Workbench::visited();
    let sql = format!("SELECT nope; --{}", "x".repeat(100_000));
    refused(&ann, &sql, "no such column").await;
    let kept = ann.state().await["runners"][0]["sql"].to_string();
    assert!(
        kept.starts_with("\"SELECT nope;") && kept.len() < 600,
        "{kept:.600}"
    );
    workbench.close().await;
}

#[tokio::test]
async fn memory_and_disk_are_bounded() {
    let server = Server::start(&[]).await;
    let ann = server.visitor();
    let wide = |columns| {
        let columns = vec!["z"; columns].join(", ");
        format!("SELECT {columns} FROM (SELECT zeroblob(65536) AS z)")
    };
    refused(&ann, &wide(200), "a row is larger than 512 KiB").await;
    refused(&ann, &wide(201), "too many columns").await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)";
    let text = format!("{many} SELECT group_concat(i) FROM n");
    refused(&ann, &text, "string or blob too big").await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    for table in ["TEMP TABLE", "TABLE"] {
        let fill = format!("CREATE {table} t AS {endless} SELECT zeroblob(65000) FROM n");
        refused(&ann, &fill, "database or disk is full").await;
    }
    assert_eq!(ann.rows("SELECT 1").await, json!([[1]]));
    let peak = server.program.peak_memory();
    assert!(peak < 96 << 10, "{peak} KiB");
    server.stop().await;
}

#[tokio::test]
async fn a_wide_table_that_was_given_can_be_read() {
    let names: Vec<_> = (0..300).map(|number| format!("c{number}")).collect();
    let csv = format!("{}\n{}\n", names.join(","), vec!["1"; 300].join(","));
    let workbench = Workbench::given_csv("wide.csv", &csv);
    let ann = workbench.visitor();
    // Another connection's change of the schema makes this one read it again.
    ann.rows("SELECT 1").await;
    workbench.visitor().rows("CREATE TABLE t (x)").await;
    let row = ann.rows("SELECT * FROM wide").await[0].clone();
    assert_eq!(row.as_array().map(Vec::len), Some(300));
    workbench.close().await;
}

#[tokio::test]
async fn a_table_that_changes_between_prepare_and_step_is_read_as_it_is() {
    let workbench = Workbench::new();
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    ann.rows("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)")
        .await;
    let done = AtomicBool::new(false);
    let changes = async {
        while !done.load(Ordering::Relaxed) {
            bob.query("ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b")
                .await;
        }
    };
    let reads = async {
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(ann.query(&"SELECT * FROM t;".repeat(3000)).await);
        }
        done.store(true, Ordering::Relaxed);
        answers
    };
    let ((), answers) = join!(changes, reads);
    let width = |value: &Value| value.as_array().map(Vec::len);
    for answer in answers.iter().filter(|answer| answer.status() != 503) {
        assert_eq!(answer.status(), 200, "{answer}");
        let body: Value = answer.json();
        assert_eq!(width(&body["columns"]), width(&body["rows"][0]), "{body}");
    }
    assert_eq!(ann.state().await["session"], true);
    workbench.close().await;
}

#[tokio::test]
async fn a_name_that_is_not_this_machines_is_refused() {
    let (workbench, ann) = Workbench::visited();
    let query = |host: &str| {
        let query = ann.post("/api/query").header("host", host);
        query.json(&json!({ "sql": "SELECT 1" }))
    };
    for host in ["evil.example", "127.0.0.1.evil.example:3000", "10.0.0.1"] {
        problem(&query(host).await, 421);
        assert_eq!(ann.cookie(COOKIE), None);
    }
    for host in ["localhost:3000", "[::1]:3000"] {
        let answer = query(host).await.assert_status(200);
        assert_eq!(answer.json::<Value>()["rows"], json!([[1]]));
    }
    workbench.close().await;
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

#[tokio::test]
async fn nesting_does_not_overflow_the_stack() {
    let (workbench, ann) = Workbench::visited();
    for kind in ["TEMP", ""] {
        for (depth, plus) in [(60, 900), (60, 90), (300, 90), (990, 40)] {
            // Refused at once, or when they are read. Both are fine.
            ann.query(&views_in_views(kind, depth, plus)).await;
            let answer = ann.query(&format!("SELECT x FROM v{depth}")).await;
            assert_eq!(answer.status(), 400, "{kind} {depth} {plus}: {answer}");
            // The list of tables looks at every view, also for a visitor without a session.
            for visitor in [workbench.visitor(), ann.tab()] {
                visitor.get("/api/tables").await.assert_status(200);
            }
            let drops = (0..=depth).map(|number| format!("DROP VIEW IF EXISTS v{number};"));
            ann.query(&drops.collect::<String>()).await;
        }
    }
    let flat = format!("SELECT {}", vec!["1"; 90].join("+"));
    let sum = ann.rows(&flat).await;
    assert_eq!(sum, json!([[90]]), "what people write is fine");
    workbench.close().await;
}

#[tokio::test]
async fn a_request_is_bounded_since_statements_are_kept() {
    let (workbench, ann) = Workbench::visited();
    let sql = format!("SELECT 1 --{}", "x".repeat(200_000));
    problem(&ann.query(&sql).await, 413);
    assert_eq!(ann.cookie(COOKIE), None);
    workbench.close().await;
}

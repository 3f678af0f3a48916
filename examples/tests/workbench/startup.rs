//! The program's input.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use session_test::Browser;

use crate::inside::Workbench;
use crate::kit::visitor::Visitor as _;
use crate::server::{Server, command};

#[tokio::test]
async fn csv_files_become_tables_named_after_them() {
    let directory = tempfile::tempdir().expect("there is room");
    let write = |name, csv| {
        let path = directory.path().join(name);
        fs::write(&path, csv).expect("there is room");
        path.to_str().expect("it is text").to_owned()
    };
    let plants = "name,height,code\nfern,0.5,007\n\"oak, old\",,12\n";
    let (one, two) = (write("my-plants.csv", plants), write("2024.txt", "n\n1\n"));
    let server = Server::start(&[&one, &two]).await;
    let ann = server.visitor();
    assert_eq!(
        ann.rows("SELECT * FROM my_plants").await,
        json!([["fern", 0.5, "007"], ["oak, old", null, "12"]])
    );
    assert_eq!(ann.rows("SELECT n FROM _2024").await, json!([[1]]));
    assert_eq!(tables(&ann).await, ["_2024", "my_plants"], "no sample data");
    server.stop().await;
}

#[tokio::test]
async fn a_sqlite_database_is_opened_in_place() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("given.db");
    let database = || Connection::open(&path).expect("it is there");
    database()
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .expect("it is SQL");
    let server = Server::start(&[path.to_str().expect("it is text")]).await;
    let ann = server.visitor();
    assert_eq!(ann.rows("SELECT x FROM t").await, json!([[1]]));
    ann.rows("INSERT INTO t VALUES (2)").await;
    server.stop().await;
    let rows: i64 = database()
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .expect("it is SQL");
    assert_eq!(rows, 2, "what was committed stays");
}

#[tokio::test]
async fn a_given_database_may_have_what_visitors_may_not_make() {
    // With a table as left by a program with its own module.
    let workbench = Workbench::given(&format!(
        "CREATE TABLE long (x /* {} */);
         PRAGMA writable_schema = 1;
         INSERT INTO sqlite_schema VALUES ('table', 'odd', 'odd', 0, 'CREATE VIRTUAL TABLE odd USING nosuch(x)')",
        "x".repeat(200_000)
    ));
    let (ann, bob) = (workbench.visitor(), workbench.visitor());
    ann.rows("INSERT INTO long VALUES (1)").await;
    // Another session's change of the schema makes this one read it again.
    bob.rows("CREATE TABLE t (x)").await;
    let count = ann.rows("SELECT count(*) FROM long").await;
    assert_eq!(count, json!([[1]]));
    assert_eq!(tables(&ann).await, ["long", "odd", "t"]);
    workbench.close().await;
}

/// The names in the visitor's list of tables.
async fn tables(visitor: &Browser) -> Vec<String> {
    let list: Value = visitor.get("/api/tables").await.json();
    let tables = list["tables"].as_array().expect("it is a list").iter();
    let names = tables.map(|table| table["name"].as_str().expect("it is text").to_owned());
    names.collect()
}

#[tokio::test]
async fn a_path_is_never_taken_for_a_uri() {
    let directory = tempfile::tempdir().expect("there is room");
    let name = "file:given.db?mode=memory";
    Connection::open(directory.path().join(name))
        .and_then(|db| db.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)"))
        .expect("it is made");
    let server = Server::start_in(directory.path(), &[name]).await;
    let rows = server.visitor().rows("SELECT x FROM t").await;
    assert_eq!(rows, json!([[7]]));
    server.stop().await;
}

#[test]
fn wrong_input_is_one_clear_line_and_exit_code_2() {
    let directory = tempfile::tempdir().expect("there is room");
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, content).expect("there is room");
        path.to_str().expect("it is text").to_owned()
    };
    let good = file("good.csv", b"a\n1\n");
    let sqlite = directory.path().join("good.db");
    Connection::open(&sqlite)
        .and_then(|db| db.execute_batch("CREATE TABLE t (x)"))
        .expect("it is made");
    let sqlite = sqlite.to_str().expect("it is text");
    let missing = format!("{good}.gone");
    for (args, told) in [
        (vec![&*missing], "No such file or directory"),
        (
            vec![directory.path().to_str().expect("it is text")],
            "Is a directory",
        ),
        (
            vec![&*file("ragged.csv", b"a,b\n1,2\n3\n")],
            "found record with 1 fields",
        ),
        (
            vec![&*file("open.csv", b"a,b\n1,2\n3,\"4\n5,6\n")],
            "line 3: a quote is opened",
        ),
        (
            vec![&*file(
                "picture.png",
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe",
            )],
            "invalid UTF-8",
        ),
        (
            vec![&*file("zeros.csv", b"a\0b\n1\n")],
            "unrecognized token",
        ),
        (vec![&*file("empty.csv", b"")], "the file is empty"),
        (
            vec![&*file("twice.csv", b"a,a\n1,2\n")],
            "duplicate column name: a",
        ),
        (
            vec![&*file("broken.db", b"SQLite format 3\0 and then no more")],
            "as a SQLite database",
        ),
        (vec![&*good, &*good], "already exists"),
        (vec![&*good, sqlite], "not both"),
        (vec!["--listen", "here"], "--listen takes an address"),
        (vec!["--wrong"], "unknown option `--wrong`"),
    ] {
        let output = command()
            .args(&args)
            .env("TMPDIR", directory.path())
            .output()
            .expect("the program starts");
        let message = String::from_utf8(output.stderr).expect("it is text");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(
            message.contains(told) && message.lines().count() == 1,
            "{args:?}: {message}"
        );
        assert!(output.stdout.is_empty());
    }
    assert_no_temporary_directory(directory.path());
}

#[tokio::test]
async fn help_is_not_an_error_and_a_taken_port_is_reported() {
    let help = command()
        .arg("--help")
        .output()
        .expect("the program starts");
    assert!(help.status.success() && help.stdout.starts_with(b"Serves a live SQL workbench"));

    let server = Server::start(&[]).await;
    let taken = server.address.to_string();
    let second = command()
        .args(["--listen", &taken])
        .env("TMPDIR", server.temp.path())
        .output();
    let second = second.expect("the program starts");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains(&format!("cannot listen on {taken}")));
    server.stop().await;
}

fn assert_no_temporary_directory(directory: &Path) {
    let names = fs::read_dir(directory)
        .expect("it is ours")
        .map(|entry| entry.expect("it reads").file_name());
    let left: Vec<_> = names
        .filter(|name| name.to_string_lossy().starts_with("workbench-"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

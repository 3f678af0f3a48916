//! The program's input.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};
use session_test::Browser;

use crate::inside::{Workbench, directory, make_database};
use crate::kit::program::assert_refused;
use crate::kit::visitor::Visitor as _;
use crate::server::{Server, assert_empty, command};

#[tokio::test]
async fn csv_files_become_tables_named_after_them() {
    let directory = directory();
    let plants = "name,height,code\nfern,0.5,007\n\"oak, old\",,12\n";
    for (name, csv) in [("my-plants.csv", plants), ("2024.txt", "n\n1\n")] {
        fs::write(directory.path().join(name), csv).expect("there is room");
    }
    let server = Server::start_in(directory.path(), &["my-plants.csv", "2024.txt"]).await;
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
    let directory = directory();
    let path = directory.path().join("given.db");
    make_database(&path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    let server = Server::start(&[path.to_str().expect("it is text")]).await;
    let ann = server.visitor();
    assert_eq!(ann.rows("SELECT x FROM t").await, json!([[1]]));
    ann.rows("INSERT INTO t VALUES (2)").await;
    server.stop().await;
    let database = Connection::open(&path).expect("it is there");
    let rows = database.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
    assert_eq!(rows, Ok(2), "what was committed stays");
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
    let directory = directory();
    let name = "file:given.db?mode=memory";
    let sql = "CREATE TABLE t (x); INSERT INTO t VALUES (7)";
    make_database(&directory.path().join(name), sql);
    let server = Server::start_in(directory.path(), &[name]).await;
    let rows = server.visitor().rows("SELECT x FROM t").await;
    assert_eq!(rows, json!([[7]]));
    server.stop().await;
}

#[test]
fn wrong_input_is_one_clear_line_and_exit_code_2() {
    let (files, temp) = (directory(), directory());
    for (name, content) in [
        ("good.csv", &b"a\n1\n"[..]),
        ("ragged.csv", b"a,b\n1,2\n3\n"),
        ("open.csv", b"a,b\n1,2\n3,\"4\n5,6\n"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe"),
        ("zeros.csv", b"a\0b\n1\n"),
        ("empty.csv", b""),
        ("twice.csv", b"a,a\n1,2\n"),
        ("broken.db", b"SQLite format 3\0 and then no more"),
    ] {
        fs::write(files.path().join(name), content).expect("there is room");
    }
    make_database(&files.path().join("good.db"), "CREATE TABLE t (x)");
    for (args, told) in [
        (&["missing.csv"][..], "No such file or directory"),
        (&["."], "Is a directory"),
        (&["ragged.csv"], "found record with 1 fields"),
        (&["open.csv"], "line 3: a quote is opened"),
        (&["picture.png"], "invalid UTF-8"),
        (&["zeros.csv"], "unrecognized token"),
        (&["empty.csv"], "the file is empty"),
        (&["twice.csv"], "duplicate column name: a"),
        (&["broken.db"], "as a SQLite database"),
        (&["good.csv", "good.csv"], "already exists"),
        (&["good.csv", "good.db"], "not both"),
        (&["--listen", "here"], "--listen takes an address"),
        (&["--wrong"], "unknown option `--wrong`"),
    ] {
        let mut command = command();
        command.args(args).env("TMPDIR", temp.path());
        assert_refused(command.current_dir(&files), 2, told);
    }
    assert_empty(&temp);
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
    let mut second = command();
    second.args(["--listen", &taken]);
    second.env("TMPDIR", server.temp.path());
    assert_refused(&mut second, 1, &format!("cannot listen on {taken}"));
    server.stop().await;
}

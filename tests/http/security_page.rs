//! The tests that the page on security names exist.

use std::fs;
use std::path::Path;

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *found += &fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn every_test_that_the_page_on_security_names_is_there() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../session-axum/security.md")).unwrap();
    let mut tests = String::new();
    sources(&here.join("contract"), &mut tests);
    sources(&here.join("http"), &mut tests);
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut named = 0;
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        if last == "the application's" || last == "nothing to test" {
            continue;
        }
        for name in last.split(", ").map(|name| name.trim_matches('`')) {
            assert!(tests.contains(&format!("fn {name}(")), "{name}: {row}");
            named += 1;
        }
    }
    assert!(named > 20);
}

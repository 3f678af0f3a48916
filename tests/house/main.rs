//! The module order: imports of a crate's own modules run one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// session-core's floors, the lowest first. A file imports from its own floor and from those below.
const FLOORS: [&[&str]; 9] = [
    &["sync", "error", "id", "settings"],
    &["values"],
    &["store"],
    &["life"],
    &["sessions"],
    &["properties", "manager"],
    &["local", "private"],
    &["lib"],
    &["models"],
];

/// A module's path, and its imports from its own crate.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_import_of_session_core_runs_up() {
    let floor = |module: &str| {
        let room = module.split("::").next().unwrap_or_default();
        let floor = FLOORS.iter().position(|floor| floor.contains(&room));
        floor.unwrap_or_else(|| panic!("`{room}` is on no floor"))
    };
    let room = |module: &str| module.split("::").next().map(str::to_owned);
    for (module, imported) in imports("session-core") {
        for other in imported {
            let is_below = floor(&other) < floor(&module);
            assert!(
                is_below || room(&other) == room(&module) || floor(&module) == 0,
                "`{module}` imports `{other}`, which is not below it"
            );
        }
    }
}

#[test]
fn no_imports_go_in_a_circle() {
    for package in [
        "session-core",
        "session-axum",
        "session-macros",
        "session-cluster",
        "session-rmcp",
        "session-test",
    ] {
        let mut imports = imports(package);
        // A module that imports no remaining one can't be in a cycle.
        while let Some(module) = imports
            .iter()
            .find(|(_, imported)| imported.iter().all(|other| !imports.contains_key(other)))
            .map(|(module, _)| module.clone())
        {
            imports.remove(&module);
        }
        let left: Vec<_> = imports.keys().collect();
        assert!(
            left.is_empty(),
            "{package}: in a circle, or above one: {left:?}"
        );
    }
}

fn imports(package: &str) -> Imports {
    let src = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(package)
        .join("src");
    let files = files_in(&src);
    let name = |path: &Path| {
        let path = path
            .strip_prefix(&src)
            .expect("it is in there")
            .with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("::")
    };
    let texts: Vec<_> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("it was just listed");
            (name(file), text)
        })
        .collect();
    let tests: Vec<_> = texts
        .iter()
        .flat_map(|(own, text)| {
            let declared = text.split("#[cfg(test)]\nmod ").skip(1);
            let declared = declared.filter_map(|rest| rest.split_once(';'));
            declared.map(move |(test, _)| format!("{own}::{test}"))
        })
        .collect();
    let modules: BTreeSet<_> = texts.iter().map(|(own, _)| own.clone()).collect();
    assert!(modules.len() > 10, "{package} is not where it was");
    texts
        .into_iter()
        .filter(|(own, _)| !tests.iter().any(|test| own.starts_with(test)))
        .map(|(own, text)| {
            // Tests, which come last, use the crate as its users do.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.split("#[cfg(all(test").next().unwrap_or_default();
            let imported = code
                .lines()
                .filter_map(|line| line.trim_start().strip_prefix("use crate::"))
                .map(|path| module_of(path, &modules))
                .filter(|other| *other != own);
            let imported = imported.collect();
            (own, imported)
        })
        .collect()
}

/// The longest prefix of the path that is a module. The crate's root imports all.
fn module_of(path: &str, modules: &BTreeSet<String>) -> String {
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let mut path = path[..end.unwrap_or(path.len())].trim_end_matches("::");
    loop {
        if modules.contains(path) {
            return path.to_owned();
        }
        match path.rsplit_once("::") {
            Some((before, _)) => path = before,
            None => return "lib".to_owned(),
        }
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("tests run in their package") {
        let path = entry.expect("it is there").path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

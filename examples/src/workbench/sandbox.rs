//! The bounds of a visitor's SQL: it works with tables, in bounded memory, in steps that a cancellation need not wait
//! long for. They keep visitors from each other's way by mistake; they are no sandbox for SQL of strangers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// The bytes of a value. SQLite looks for a text in another in one step, whose time is the product of their
/// lengths: 40 ms at this one, minutes at a few MiB.
const VALUE_BYTES: i32 = 64 << 10;
/// What all connections together may take of memory.
const MEMORY_BYTES: i64 = 512 << 20;
/// The pages of 4 KiB that a session's temp tables may take of the disk.
const TEMP_PAGES: i64 = 64 << 10;
/// Function calls in one statement. They can follow each other with no moment between that looks at the
/// cancellation.
pub(crate) const CALLS: u32 = 100;

/// How deep an expression may be nested, and how deep views in views. SQLite follows both on the thread's stack, the one
/// multiplied by the other: at its usual 1,000 a few views overflow it, and the process is gone.
const NESTING: i32 = 120;

/// These describe tables, whatever they are asked.
const DESCRIPTIONS: [&str; 7] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];
/// These may be read. All others are settings of the process or of the file, or tell of the machine.
const READABLE: [&str; 5] = [
    "data_version",
    "foreign_keys",
    "page_count",
    "page_size",
    "user_version",
];
/// These can run for long in one step, or load code.
const FUNCTIONS: [&str; 4] = ["json_patch", "jsonb_patch", "load_extension", "unhex"];

/// Bounds what SQL can ask of a connection. `columns` is a table's width, `pages` the size of the file.
pub(crate) fn confine(connection: &Connection, columns: i32, pages: i64) -> Result<()> {
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, NESTING),
        (Limit::SQLITE_LIMIT_COLUMN, columns),
        (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    connection.set_db_config(SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let set =
        |schema, name, value| connection.pragma_update_and_check(schema, name, value, |_| Ok(()));
    set(None, "hard_heap_limit", MEMORY_BYTES)?;
    set(Some("temp"), "max_page_count", TEMP_PAGES)?;
    set(Some("main"), "max_page_count", pages)?;
    linear_trims(connection)
}

/// Says what a statement may do, while SQLite prepares it. `calls` counts its function calls.
pub(crate) fn authorizer(
    calls: Arc<AtomicU32>,
) -> impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static {
    let is = |name: &str, names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    move |context| {
        let allowed = match context.action {
            AuthAction::Pragma {
                pragma_name: name,
                pragma_value: value,
            } => is(name, &DESCRIPTIONS) || (value.is_none() && is(name, &READABLE)),
            AuthAction::Function { function_name } => {
                calls.fetch_add(1, Ordering::Relaxed) < CALLS && !is(function_name, &FUNCTIONS)
            }
            // `Unknown` is an `ATTACH` whose file is an expression.
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::CreateVtable { .. }
            | AuthAction::Unknown { .. } => false,
            _ => true,
        };
        if allowed {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

/// SQLite's own `trim(text, set)` and its kin take the product of both lengths too, and far longer: 17 s.
fn linear_trims(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, start, end) in [
        ("trim", true, true),
        ("ltrim", true, false),
        ("rtrim", false, true),
    ] {
        connection.create_scalar_function(name, 2, flags, move |call| {
            let (Some(whole), Some(set)) = (text(call.get_raw(0)), text(call.get_raw(1))) else {
                return Ok(None);
            };
            let set: HashSet<_> = set.chars().collect();
            let mut left = &*whole;
            if start {
                left = left.trim_start_matches(|c| set.contains(&c));
            }
            if end {
                left = left.trim_end_matches(|c| set.contains(&c));
            }
            Ok(Some(left.to_owned()))
        })?;
    }
    Ok(())
}

/// A value as text; `None` for `NULL`.
fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Real(number) => Some(format!("{number:?}").into()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
    }
}

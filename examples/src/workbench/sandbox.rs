//! The bounds of a visitor's SQL: it works with tables, in bounded memory, in steps short enough for a quick
//! cancellation. They keep a visitor's mistake from the others. They are not a sandbox for the SQL of strangers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Statement};

/// The bytes of a value, or of the longest text that creates a given table. SQLite searches one text in another in one
/// step, whose time is the product of their lengths: 40 ms at this length, minutes at a few MiB.
const VALUE_BYTES: i32 = 64 << 10;
/// The bytes of a row in the list of tables, beside the text that creates the table and twice its name.
const ROW_BYTES: i32 = 64;
/// The memory of all connections together.
const MEMORY_BYTES: i64 = 512 << 20;
/// The pages of 4 KiB that a session's temp tables may take on disk.
const TEMP_PAGES: i64 = 64 << 10;
/// How much visitors may add to the file.
const GROWTH_BYTES: i64 = 256 << 20;
/// The size of a file of the process, or the final size of the given one if that is larger.
const FILE_BYTES: i64 = 512 << 20;
/// The columns of a table, or of the widest given one.
const COLUMNS: i32 = 200;
/// The text that creates all tables, beside the given ones.
const TEXT_OF_TABLES: i64 = 1 << 20;
/// Function calls in one statement. They can follow each other without a check for the cancellation between them.
pub(crate) const CALLS: u32 = 100;
/// The function calls in what a table computes by itself: generated columns, checks, defaults, indexes on expressions.
/// A later statement computes them beside its own.
pub(crate) const SCHEMA_CALLS: usize = 4;

/// The depth of an expression, and of views in views. SQLite recurses into both on the thread's stack, one multiplied
/// by the other. At its usual 1,000 a few views overflow the stack and end the process.
const NESTING: i32 = 120;

/// Pragmas that describe tables, whatever their argument.
const DESCRIPTIONS: [&str; 7] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];
/// Pragmas that may be read. All others are settings of the process or of the file, or describe the machine.
const READABLE: [&str; 5] = [
    "data_version",
    "foreign_keys",
    "page_count",
    "page_size",
    "user_version",
];
/// Functions that can run for long in one step, or load code.
const FUNCTIONS: [&str; 4] = ["json_patch", "jsonb_patch", "load_extension", "unhex"];

/// The bounds that depend on the given tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    columns: i32,
    pages: i64,
    value_bytes: i32,
    pub(crate) text_of_tables: i64,
    pub(crate) file_bytes: u64,
}

impl Bounds {
    /// Returns the bounds for these given tables.
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        let (longest, pages, page_size): (i32, i64, i64) = connection.query_row(
            "SELECT (SELECT coalesce(max(octet_length(sql) + 2 * octet_length(name)), 0) FROM sqlite_schema), page_count, page_size
             FROM pragma_page_count, pragma_page_size",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut tables =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let mut width = connection.prepare("SELECT count(*) FROM pragma_table_xinfo(?1)")?;
        let mut columns = COLUMNS;
        let mut names = tables.query([])?;
        while let Some(row) = names.next()? {
            // A virtual table whose module is missing can be neither described nor read.
            let width = width.query_row([row.get::<_, String>(0)?], |row| row.get(0));
            columns = columns.max(width.unwrap_or(0));
        }
        let most = (pages * page_size + GROWTH_BYTES).max(FILE_BYTES);
        Ok(Self {
            columns,
            pages: pages + GROWTH_BYTES / page_size,
            value_bytes: VALUE_BYTES.max(longest.saturating_add(ROW_BYTES)),
            text_of_tables: text_of_tables(connection)? + TEXT_OF_TABLES,
            file_bytes: most.unsigned_abs(),
        })
    }

    /// Bounds the SQL of a connection.
    pub(crate) fn confine(&self, connection: &Connection) -> Result<()> {
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, self.value_bytes),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, NESTING),
            (Limit::SQLITE_LIMIT_COLUMN, self.columns),
            (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
        ] {
            connection.set_limit(limit, most)?;
        }
        connection.set_db_config(SQLITE_DBCONFIG_DEFENSIVE, true)?;
        let set = |schema, name, value| {
            connection.pragma_update_and_check(schema, name, value, |_| Ok(()))
        };
        set(None, "hard_heap_limit", MEMORY_BYTES)?;
        set(Some("temp"), "max_page_count", TEMP_PAGES)?;
        set(Some("main"), "max_page_count", self.pages)?;
        linear_trims(connection)
    }
}

/// The bytes of the text that creates the tables that this connection knows.
pub(crate) fn text_of_tables(connection: &Connection) -> Result<i64> {
    let total = "SELECT (SELECT coalesce(sum(octet_length(sql)), 0) FROM main.sqlite_schema)
                      + (SELECT coalesce(sum(octet_length(sql)), 0) FROM sqlite_temp_schema)";
    connection.query_row(total, [], |row| row.get(0))
}

/// The observations on a statement while SQLite prepares it. Relaxed: the authorizer is called on the preparing thread.
#[derive(Debug)]
pub(crate) struct Watch {
    has_room_for_tables: bool,
    calls: AtomicU32,
    creates: AtomicBool,
    alters: AtomicBool,
    selects: AtomicBool,
}

impl Watch {
    pub(crate) fn new(has_room_for_tables: bool) -> Self {
        Self {
            has_room_for_tables,
            calls: AtomicU32::new(0),
            creates: AtomicBool::new(false),
            alters: AtomicBool::new(false),
            selects: AtomicBool::new(false),
        }
    }

    /// Called before the next statement is prepared.
    pub(crate) fn begin(&self) {
        self.calls.store(0, Ordering::Relaxed);
        for seen in [&self.creates, &self.alters, &self.selects] {
            seen.store(false, Ordering::Relaxed);
        }
    }

    /// Whether a prepared statement may run. One that creates or changes a table may add only a few calls that the
    /// table computes by itself.
    pub(crate) fn lets_run(&self, statement: &Statement<'_>) -> bool {
        // For an `ALTER`, SQLite reports only its own calls. Each other call has a parenthesis.
        if self.alters.load(Ordering::Relaxed) {
            let sql = statement.expanded_sql().unwrap_or_default();
            return sql.matches('(').count() <= SCHEMA_CALLS;
        }
        // `CREATE TABLE .. AS SELECT` calls them itself, once.
        let makes = self.creates.load(Ordering::Relaxed) && !self.selects.load(Ordering::Relaxed);
        !makes || self.calls.load(Ordering::Relaxed) as usize <= SCHEMA_CALLS
    }

    fn make(&self, seen: &AtomicBool) -> bool {
        seen.store(true, Ordering::Relaxed);
        self.has_room_for_tables
    }
}

/// Decides what a statement may do, while SQLite prepares it.
pub(crate) fn authorizer(
    watch: Arc<Watch>,
) -> impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static {
    let is = |name: &str, names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    move |context| {
        let allowed = match context.action {
            AuthAction::Pragma {
                pragma_name: name,
                pragma_value: value,
            } => is(name, &DESCRIPTIONS) || (value.is_none() && is(name, &READABLE)),
            AuthAction::Function { function_name } => {
                watch.calls.fetch_add(1, Ordering::Relaxed) < CALLS
                    && !is(function_name, &FUNCTIONS)
            }
            AuthAction::CreateTable { .. }
            | AuthAction::CreateTempTable { .. }
            | AuthAction::CreateIndex { .. }
            | AuthAction::CreateTempIndex { .. }
            | AuthAction::CreateView { .. }
            | AuthAction::CreateTempView { .. }
            | AuthAction::CreateTrigger { .. }
            | AuthAction::CreateTempTrigger { .. } => watch.make(&watch.creates),
            AuthAction::AlterTable { .. } => watch.make(&watch.alters),
            AuthAction::Select => {
                watch.selects.store(true, Ordering::Relaxed);
                true
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

/// SQLite's own `trim(text, set)` and its kin also take the product of both lengths, and far longer: 17 s.
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

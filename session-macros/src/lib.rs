//! The derive of [session-core](https://docs.rs/session-core), which re-exports it: see
//! [`SessionProperties`](macro@SessionProperties) for all that it understands.
//!
//! A set goes through four phases, a file each: `parse` reads the attributes and keeps the user's tokens,
//! `check` applies the rules between them (those on code are in `callable`), `model` fills in the defaults,
//! `expand` prints, with the accessors in `accessor` and the calls of the user's code in `call`. Mistakes
//! go to one place (`errors`) and stop nothing, so that all of them are reported in one go, and code that
//! uses the set compiles as if there were none.

mod accessor;
mod call;
mod callable;
mod cell_type;
mod check;
mod docs;
mod errors;
mod expand;
mod keys;
mod model;
mod parse;
mod span;
#[cfg(test)]
mod tests;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::errors::Errors;

/// Makes a property set of a struct: implements the trait of the same name, and gives each cell an
/// accessor.
///
/// ```
/// use session_core::{Exclusive, InitContext, LocalSession, Property, SessionManager, SessionProperties};
/// # use std::io;
/// # struct App { database: Database }
/// # struct Database;
/// # impl Database { async fn open(&self) -> io::Result<Connection> { Ok(Connection) } }
/// # struct Connection;
/// # impl Connection { fn execute(&mut self, _: &str) -> u64 { 1 } }
/// # async fn rollback(_: Connection) -> io::Result<()> { Ok(()) }
/// # #[derive(Default)] struct Running;
/// # impl Running { fn count(&self) -> usize { 0 } }
///
/// #[derive(SessionProperties)]
/// #[session(state = App)]
/// pub struct Workbench {
///     /// Opened on first use, lent to one request at a time, rolled back when the session ends.
///     #[property(try_async_init = open, close = rollback)]
///     connection: Exclusive<Connection>,
///
///     /// The queries that run: shared.
///     #[property(default)]
///     running: Property<Running>,
///
///     /// Put there by the log-in.
///     user: Property<String>,
/// }
///
/// async fn open(cx: &InitContext<App>) -> io::Result<Connection> {
///     cx.state().database.open().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = SessionManager::builder().state(App { database: Database }).build()?;
/// # let session = sessions.create()?;
/// let bench = session.props::<Workbench>()?;
/// bench.connection().await?.execute("select 1");
/// assert_eq!(bench.running()?.count(), 0);
/// assert!(bench.user().is_none());
/// bench.set_user("ada".to_owned())?;
/// # Ok(())
/// # }
/// ```
///
/// In its attributes a string is text that people read, a bare word is a choice, and a path or a closure is
/// code. Mistakes are compile errors at the word in question, all of them in one go.
///
/// # Cells
///
/// Every field is a cell, known by the last segment of its path. A `Property<T>` is shared: its accessor
/// gives `&PropertyRef<T>`. An `Exclusive<T>` is lent to one caller at a time: its accessor is always async
/// and gives an `ExclusiveGuard<T>`. The accessor has the field's name, its visibility and its docs.
///
/// | in `#[property(...)]` | the value | the accessor of a `Property<T>` gives |
/// |---|---|---|
/// | `default` | `T::default()` | `Result<&PropertyRef<T>, PropertyError>` |
/// | `init = f` | what `f` gives | the same |
/// | `try_init = f` | what `f` gives in an `Ok` | the same |
/// | `async_init = f` | what the future of `f` gives | a future of the same |
/// | `try_async_init = f` | what the future of `f` gives in an `Ok` | the same |
/// | none of these | is set by hand, once, with `set_` and the name | `Option<&PropertyRef<T>>` |
///
/// The same keys on an `Exclusive<T>` lead to a future of `Result<ExclusiveGuard<T>, PropertyError>`, or,
/// without an initialiser, of `Result<Option<ExclusiveGuard<T>>, PropertyError>`.
///
/// An initialiser is a path or a closure that takes nothing or `&InitContext`: `Running::new`,
/// `|| Running::new(8)`, `|cx| cx.state().running()`, `async |cx| ..`, `|cx| async move { .. }`. It runs on
/// first use, once, however many callers race. The error of one that can fail is anything that `?` puts
/// into a `Box<dyn Error + Send + Sync>`. An async one runs as a task of its session, so its future is
/// `Send + 'static`. There is no `self` in it: it gets at other properties through its context,
/// `cx.session().props::<Workbench>()`.
///
/// Three more keys go with all of them:
///
/// - `close = f` names what closes the value when the session ends: a path or a closure that takes it by
///   value, sync or async, and gives `()` or a `Result` whose error is `Debug`.
/// - `name = "..."` is the name in listings and reports; without it, the field's.
/// - `vis = pub(crate)` is the visibility of the accessor; without it, the field's.
///
/// # The set
///
/// Above the struct, `#[session(...)]` takes:
///
/// - `scope = group`: the set lives in session groups. Its initialisers take
///   `&InitContext<S, SessionGroup>`, and to ask a session for it does not compile. Without it, or with
///   `scope = session`, it lives in sessions.
/// - `state = App`: initialisers take `&InitContext<App>` and see the manager's state. `props()` fails on a
///   manager that was built with another. Without it they take `&InitContext`.
/// - `name = "..."`: the name in listings; without it, the struct's.
/// - `crate = ::path`: where session-core is, for those who have it through a re-export.
///
/// ```
/// # use session_core::{InitContext, LocalSession, Property, SessionGroup, SessionManager, SessionProperties};
/// # use std::sync::atomic::{AtomicU32, Ordering};
/// mod framework {
///     pub use session_core as sessions;
/// }
///
/// #[derive(SessionProperties)]
/// #[session(scope = group, name = "what a user's sessions share", crate = crate::framework::sessions)]
/// struct Shared {
///     #[property(init = |cx| AtomicU32::new(u32::from(cx.group().is_completed())), name = "open documents")]
///     open: Property<AtomicU32>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = SessionManager::builder().build()?;
/// let session = sessions.create_in("user:42".into())?;
/// let shared = session.group().props::<Shared>()?;
/// assert_eq!(shared.open()?.fetch_add(1, Ordering::Relaxed), 0);
/// # Ok(())
/// # }
/// ```
///
/// A set may have type and const parameters; the bounds are those that the struct has, and they have to
/// make the values `Send`, `Sync` and `'static`. It has no lifetimes, for a session outlives every borrow.
///
/// # Names
///
/// Accessors are called through `Props<Set>`, which is a handle like `Arc`: its own trait methods come
/// first. So a property is not called `clone`, `into`, `borrow` or the like; the derive refuses such names.
#[proc_macro_derive(SessionProperties, attributes(session, property))]
pub fn derive_session_properties(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// From the struct to what is printed beside it.
fn derive(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = Errors::new();
    let syntax = parse::set(input, &mut errors);
    check::set(&syntax, &mut errors);
    expand::set(&model::Set::new(syntax), errors)
}

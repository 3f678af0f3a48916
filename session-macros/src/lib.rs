//! The derive of [session-core](https://docs.rs/session-core), which re-exports it. See
//! [`SessionProperties`](macro@SessionProperties) for its grammar.
//!
//! A set goes through four phases, one file each. `parse` reads the attributes and keeps the user's tokens,
//! `check` applies the rules between them (those on code are in `callable`), `model` fills in the defaults,
//! `expand` prints, with the accessors in `accessor` and the calls of the user's code in `call`. Mistakes
//! are collected in `errors` and stop nothing, so that all of them are reported at once, and code that uses
//! the set compiles as if there were none.

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

#[doc = include_str!("../guide.md")]
#[proc_macro_derive(SessionProperties, attributes(session, property))]
pub fn derive_session_properties(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Expands the struct to the code that is printed beside it.
fn derive(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = Errors::new();
    let syntax = parse::set(input, &mut errors);
    check::set(&syntax, &mut errors);
    expand::set(&model::Set::new(syntax), errors)
}

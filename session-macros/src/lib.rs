//! Placeholder.

mod accessor;
mod call;
mod check;
mod docs;
mod errors;
mod expand;
mod keys;
mod model;
mod parse;
#[cfg(test)]
mod snapshots;
mod span;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::errors::Errors;

/// Makes a property set of a struct.
#[proc_macro_derive(SessionProperties, attributes(session, property))]
pub fn derive_session_properties(input: TokenStream) -> TokenStream {
    expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Parse, check, model, expand: mistakes go to `errors`, and nothing stops at one.
fn expand(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = Errors::new();
    let syntax = parse::set(input, &mut errors);
    check::set(&syntax, &mut errors);
    expand::set(&model::Set::new(syntax), errors)
}

//! Spans of generated code. It is located at the user's code, so that the compiler blames that code if it does not
//! fit, while the names of generated code stay invisible there.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A span at `place` for code whose local names, including `self`, the user's code can't see.
pub(crate) fn hidden_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// The start and end of some code. (Stable Rust cannot join the two; the compiler does it when it reads the
/// expansion.)
pub(crate) fn ends(code: impl ToTokens) -> (Span, Span) {
    let mut spans = code
        .into_token_stream()
        .into_iter()
        .map(|token| hidden_at(token.span()));
    let start = spans.next().unwrap_or_else(Span::mixed_site);
    let end = spans.last().unwrap_or(start);
    (start, end)
}

/// The same path, located elsewhere. Its names keep their context, since `$crate` means nothing without it.
pub(crate) fn locate(place: Span, path: impl ToTokens) -> TokenStream {
    path.into_token_stream()
        .into_iter()
        .map(|mut token| {
            let span = if let TokenTree::Ident(name) = &token {
                name.span().located_at(place)
            } else {
                place
            };
            token.set_span(span);
            token
        })
        .collect()
}

//! Where generated code stands in the eyes of the compiler: located at the user's code, so that this is
//! blamed where it does not fit, while its names stay invisible there.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;

/// For code that stands at `place`, and whose local names, `self` too, the user's code can't see.
pub(crate) fn hidden_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Where some code starts and ends. (Joining the two is not to be had on stable; the compiler does it when
/// it reads the expansion.)
pub(crate) fn ends(code: impl ToTokens) -> (Span, Span) {
    let mut spans = code
        .into_token_stream()
        .into_iter()
        .map(|token| hidden_at(token.span()));
    let start = spans.next().unwrap_or_else(Span::mixed_site);
    let end = spans.last().unwrap_or(start);
    (start, end)
}

/// The same path, located elsewhere. Its names keep their context, for `$crate` means nothing without it.
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

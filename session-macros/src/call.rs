//! Prints the calls of the user's code, located at that code.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use crate::model::{Callable, Cell, Code, Initializer, Set};
use crate::span;

/// The closure that creates a value.
pub(crate) fn initializer(
    set: &Set<'_>,
    cell: &Cell<'_>,
    initializer: &Initializer,
) -> TokenStream {
    let krate = &set.krate;
    let ty = cell.ty;
    let local_session = set.local_session();
    let Code::Call(Callable { expr, is_closure }) = &initializer.code else {
        return quote! {
            |_: &#krate::InitContext<(), #local_session>| {
                ::core::result::Result::Ok(<#ty as ::core::default::Default>::default())
            }
        };
    };
    let state = set
        .state
        .as_ref()
        .map_or_else(|| quote!(()), ToTokens::to_token_stream);
    let context = quote!(#krate::InitContext<#state, #local_session>);
    let (start, end) = span::ends(expr);
    let gives = if initializer.fallible {
        quote_spanned!(end=> result)
    } else {
        quote_spanned!(end=> value)
    };
    let call = match (is_closure, initializer.asynchronous) {
        (false, false) => quote_spanned!(end=> call(__cx, #expr).#gives::<#ty>()),
        (false, true) => quote_spanned!(end=> call_async(&__cx, #expr).await.#gives::<#ty>()),
        (true, false) => quote_spanned!(end=> Closure::<#ty>::#gives(__cx, #expr)),
        (true, true) => {
            quote_spanned!(end=> AsyncClosure::<#ty>::#gives(&__cx, #expr).await)
        }
    };
    let private = span::locate(start, quote!(#krate::__private::));
    if initializer.asynchronous {
        let block = quote_spanned!(start=> async move { #private #call });
        quote_spanned!(start=> |__cx: #context| #block)
    } else {
        quote_spanned!(start=> |__cx: &#context| #private #call)
    }
}

/// The function that creates the hook, so that nothing is built before it is needed.
pub(crate) fn hook(set: &Set<'_>, cell: &Cell<'_>) -> TokenStream {
    let krate = &set.krate;
    let ty = cell.ty;
    let Some(Callable { expr, is_closure }) = &cell.close else {
        return quote!(#krate::__private::no_hook);
    };
    let (start, end) = span::ends(expr);
    let (name, generics) = if *is_closure {
        (quote!(hook_closure), quote_spanned!(end=> ::<#ty, _, _>))
    } else {
        (quote!(hook), quote_spanned!(end=> ::<#ty, _>))
    };
    let function = span::locate(start, quote!(#krate::__private::#name));
    let arguments = quote_spanned!(end=> (#expr));
    quote!(|| #function #generics #arguments)
}

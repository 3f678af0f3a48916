//! Prints the calls of the user's code, located at that code.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use crate::model::{Callable, Cell, Code, Initialiser, Set};
use crate::span;

/// The closure that makes a value.
pub(crate) fn initialiser(
    set: &Set<'_>,
    cell: &Cell<'_>,
    initialiser: &Initialiser,
) -> TokenStream {
    let krate = &set.krate;
    let ty = cell.ty;
    let local_session = set.local_session();
    let state = set
        .state
        .as_ref()
        .map_or_else(|| quote!(()), ToTokens::to_token_stream);
    let context = quote!(#krate::InitContext<#state, #local_session>);
    let Callable { expr, takes_one } = match &initialiser.code {
        Code::Call(callable) => callable,
        Code::Default => {
            return quote! {
                |_: &#context| { ::core::result::Result::Ok(<#ty as ::core::default::Default>::default()) }
            };
        }
    };
    let (start, end) = span::ends(expr);
    let name = if *takes_one {
        quote!(call_closure)
    } else {
        quote!(call)
    };
    let function = span::locate(start, quote!(#krate::__private::#name));
    let arguments = if initialiser.asynchronous {
        quote_spanned!(end=> (&cx, #expr).await)
    } else {
        quote_spanned!(end=> (cx, #expr))
    };
    let made = if initialiser.fallible {
        quote_spanned! {start=>
            let value: ::core::result::Result<#ty, _> = #function #arguments;
            value.map_err(::core::convert::Into::into)
        }
    } else {
        quote_spanned! {start=>
            let value: #ty = #function #arguments;
            ::core::result::Result::Ok(value)
        }
    };
    if initialiser.asynchronous {
        let block = quote_spanned!(start=> async move { #made });
        quote_spanned!(start=> |cx: #context| #block)
    } else {
        quote_spanned!(start=> |cx: &#context| { #made })
    }
}

/// What makes the hook: it is a function, so that nothing is built before it is needed.
pub(crate) fn hook(set: &Set<'_>, cell: &Cell<'_>) -> TokenStream {
    let krate = &set.krate;
    let ty = cell.ty;
    let Some(Callable { expr, takes_one }) = &cell.close else {
        return quote!(#krate::__private::no_hook);
    };
    let (start, end) = span::ends(expr);
    let (name, generics) = if *takes_one {
        (quote!(hook_closure), quote_spanned!(end=> ::<#ty, _, _>))
    } else {
        (quote!(hook), quote_spanned!(end=> ::<#ty, _>))
    };
    let function = span::locate(start, quote!(#krate::__private::#name));
    let arguments = quote_spanned!(end=> (#expr));
    quote!(|| #function #generics #arguments)
}

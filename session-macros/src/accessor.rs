//! Prints the accessors of a cell. Their signatures depend on the kind of the cell and on the source of its
//! value.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Ident, Meta};

use crate::call;
use crate::cell_type::CellKind;
use crate::docs;
use crate::model::{Cell, Set, Source};
use crate::span;

/// The getter and, for a value that is set by hand, the setter. Their bodies are left out if the set is
/// `broken`.
pub(crate) fn of(set: &Set<'_>, cell: &Cell<'_>, broken: bool) -> TokenStream {
    let (place, end) = span::ends(cell.ty);
    let krate = span::locate(place, &set.krate);
    let accessor = Accessor {
        set,
        cell,
        place,
        end,
        krate,
        broken,
    };
    let getter = accessor.getter();
    let setter = accessor.setter();
    quote!(#getter #setter)
}

struct Accessor<'a> {
    set: &'a Set<'a>,
    cell: &'a Cell<'a>,
    /// The start and end of the value's type, which is blamed if the cell can't hold it.
    place: Span,
    end: Span,
    krate: TokenStream,
    broken: bool,
}

impl Accessor<'_> {
    fn getter(&self) -> TokenStream {
        let place = self.place;
        let Cell {
            ident,
            vis,
            attributes,
            ..
        } = self.cell;
        let is_future = self.is_future();
        let mut output = self.getter_output();
        if is_future {
            output = quote_spanned! {place=>
                impl ::core::future::Future<Output = #output> + ::core::marker::Send + '_
            };
        }
        let body = match (self.broken, is_future) {
            (false, _) => self.getter_body(),
            (true, false) => quote!(::core::unreachable!()),
            (true, true) => quote!(::core::future::pending()),
        };
        let docs = docs::getter(self.set, self.cell);
        let name = span::hidden_at(ident.span());
        quote_spanned! {name=>
            #(#attributes)*
            #docs
            #[allow(dead_code)]
            #vis fn #ident(&self) -> #output {
                #body
            }
        }
    }

    /// Callers have to wait for a value that is lent, or created by an async initializer.
    fn is_future(&self) -> bool {
        match (self.cell.kind, &self.cell.source) {
            (CellKind::Exclusive, _) => true,
            (CellKind::Property, Source::Made(initializer)) => initializer.asynchronous,
            (CellKind::Property, Source::ByHand) => false,
        }
    }

    fn getter_output(&self) -> TokenStream {
        let (krate, place) = (&self.krate, self.place);
        let handle = self.handle();
        let optional = quote_spanned!(place=> ::core::option::Option<#handle>);
        let value = match (self.cell.kind, &self.cell.source) {
            // Looking for a value that may be absent is the only access that can't fail.
            (CellKind::Property, Source::ByHand) => return optional,
            (CellKind::Exclusive, Source::ByHand) => optional,
            (_, Source::Made(_)) => handle,
        };
        quote_spanned!(place=> ::core::result::Result<#value, #krate::PropertyError>)
    }

    fn getter_body(&self) -> TokenStream {
        let (krate, place) = (&self.krate, self.place);
        let field = self.field();
        match (self.cell.kind, &self.cell.source) {
            (CellKind::Property, Source::ByHand) => {
                quote_spanned!(place=> #krate::__private::get(&self.#field))
            }
            (CellKind::Exclusive, Source::ByHand) => {
                quote_spanned!(place=> #krate::__private::lend_present(&self.#field))
            }
            (kind, Source::Made(initializer)) => {
                let function = match (kind, initializer.asynchronous) {
                    (CellKind::Property, false) => quote_spanned!(place=> init),
                    (CellKind::Property, true) => quote_spanned!(place=> init_async),
                    (CellKind::Exclusive, false) => quote_spanned!(place=> lend),
                    (CellKind::Exclusive, true) => quote_spanned!(place=> lend_async),
                };
                let make = call::initializer(self.set, self.cell, initializer);
                let hook = call::hook(self.set, self.cell);
                quote_spanned!(place=> #krate::__private::#function(&self.#field, #make, #hook))
            }
        }
    }

    fn setter(&self) -> Option<TokenStream> {
        let (krate, place) = (&self.krate, self.place);
        let Cell { ident, vis, ty, .. } = self.cell;
        let field = self.field();
        let name = format_ident!("set_{}", ident);
        // A field that takes the setter's name has been blamed already.
        let is_taken = self
            .set
            .cells
            .iter()
            .any(|other| other.ident.unraw() == name);
        if is_taken || !matches!(self.cell.source, Source::ByHand) {
            return None;
        }
        let (function, output) = match self.cell.kind {
            CellKind::Property => (quote_spanned!(place=> set), self.handle()),
            CellKind::Exclusive => (quote_spanned!(place=> set_exclusive), quote!(())),
        };
        let body = if self.broken {
            quote!(::core::unreachable!())
        } else {
            let hook = call::hook(self.set, self.cell);
            quote_spanned!(place=> #krate::__private::#function(&self.#field, new_value, #hook))
        };
        // The field's docs describe the property; the setter has docs of its own.
        let attributes = self
            .cell
            .attributes
            .iter()
            .filter(|attribute| !matches!(attribute.meta, Meta::NameValue(_)));
        let docs = docs::setter(self.set, self.cell);
        Some(quote_spanned! {place=>
            #(#attributes)*
            #docs
            #[allow(dead_code, non_snake_case)]
            #vis fn #name(
                &self,
                new_value: #ty,
            ) -> ::core::result::Result<#output, #krate::Refused<#ty>> {
                #body
            }
        })
    }

    /// The type that the accessor hands to its caller.
    fn handle(&self) -> TokenStream {
        let (krate, place) = (&self.krate, self.place);
        let ty = self.cell.ty;
        match self.cell.kind {
            CellKind::Property => quote_spanned!(place=> &#krate::PropertyRef<#ty>),
            CellKind::Exclusive => quote_spanned!(place=> #krate::ExclusiveGuard<#ty>),
        }
    }

    /// The field's name, located so that the field's type is blamed as a whole.
    fn field(&self) -> Ident {
        let mut ident = self.cell.ident.clone();
        ident.set_span(ident.span().located_at(self.end));
        ident
    }
}

//! Prints the trait impls, and puts the accessors beside them.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::accessor;
use crate::cell_type::CellKind;
use crate::errors::Errors;
use crate::model::{Cell, Set};
use crate::span;

/// The whole expansion. It is printed in spite of mistakes, so that code that uses the set causes no further
/// errors; only the bodies are left out then.
pub(crate) fn set(set: &Set<'_>, errors: Errors) -> TokenStream {
    let mistakes = errors.finish();
    let properties = session_properties(set, mistakes.is_some());
    let accessors = accessors(set, mistakes.is_some());
    let without_drop = without_drop(set);
    quote! {
        #mistakes
        #properties
        #without_drop
        #accessors
    }
}

/// Refuses a set with a `Drop` of its own, which would run on whatever thread its session ends. For two conflicting
/// impls the compiler prints only the trait's name, so the name says what to write.
fn without_drop(set: &Set<'_>) -> TokenStream {
    let Set { ident, .. } = set;
    let (impl_generics, ty_generics, where_clause) = set.generics.split_for_impl();
    quote_spanned! {ident.span().resolved_at(Span::mixed_site())=>
        const _: () = {
            #[allow(non_camel_case_types)]
            trait a_property_set_has_no_Drop_but_close_hooks_on_its_properties {}
            #[allow(drop_bounds)]
            impl<T: ::core::ops::Drop> a_property_set_has_no_Drop_but_close_hooks_on_its_properties for T {}
            impl #impl_generics a_property_set_has_no_Drop_but_close_hooks_on_its_properties
                for #ident #ty_generics #where_clause {}
        };
    }
}

fn session_properties(set: &Set<'_>, broken: bool) -> TokenStream {
    let Set {
        ident,
        krate,
        name,
        phantoms,
        ..
    } = set;
    let (impl_generics, ty_generics, where_clause) = set.generics.split_for_impl();
    let home = set.local_session();
    let cell = cell(set, broken);
    let descriptions = set.cells.iter().map(|cell| describe(set, cell));
    let body = if broken {
        quote!(::core::unreachable!())
    } else {
        let check_state = set.state.as_ref().map(|state| {
            let (place, _) = span::ends(state);
            quote_spanned!(place=> __seed.check_state::<#state>()?;)
        });
        let cells = set.cells.iter().enumerate().map(|(index, cell)| {
            let Cell { ident, ty, .. } = cell;
            let index = Literal::usize_unsuffixed(index);
            let bind = match cell.kind {
                CellKind::Property => quote!(property),
                CellKind::Exclusive => quote!(exclusive),
            };
            quote_spanned!(Span::mixed_site()=> #ident: #krate::__private::#bind::<#ty>(__seed, #index))
        });
        quote! {
            #check_state
            ::core::result::Result::Ok(Self { #(#cells,)* #(#phantoms: ::core::marker::PhantomData),* })
        }
    };
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #krate::SessionProperties for #ident #ty_generics #where_clause {
            const DESCRIPTION: #krate::__private::SetDescription =
                #krate::__private::SetDescription::new(#name, &[#(#descriptions),*]);

            type Home = #home;

            fn bind(
                __seed: &#krate::__private::Seed<'_>,
            ) -> ::core::result::Result<Self, #krate::PropsError> {
                #body
            }

            #cell
        }
    }
}

/// The method that finds a cell by its place.
fn cell(set: &Set<'_>, broken: bool) -> TokenStream {
    let krate = &set.krate;
    let arms = set.cells.iter().enumerate().map(|(index, cell)| {
        let ident = cell.ident;
        let index = Literal::usize_unsuffixed(index);
        let any = match cell.kind {
            CellKind::Property => quote!(any_property),
            CellKind::Exclusive => quote!(any_exclusive),
        };
        quote_spanned!(Span::mixed_site()=>
            #index => ::core::option::Option::Some(#krate::__private::#any(&self.#ident)))
    });
    let body = if broken {
        quote!(::core::unreachable!())
    } else {
        quote_spanned! {Span::mixed_site()=>
            match __index {
                #(#arms,)*
                _ => ::core::option::Option::None,
            }
        }
    };
    quote_spanned! {Span::mixed_site()=>
        fn cell(&self, __index: u16) -> ::core::option::Option<&dyn #krate::__private::AnyCell>
        where
            Self: 'static,
        {
            #body
        }
    }
}

fn accessors(set: &Set<'_>, broken: bool) -> Option<TokenStream> {
    if set.cells.is_empty() {
        return None;
    }
    let Set {
        ident, allowances, ..
    } = set;
    let (impl_generics, ty_generics, where_clause) = set.generics.split_for_impl();
    let accessors = set.cells.iter().map(|cell| accessor::of(set, cell, broken));
    Some(quote! {
        #(#allowances)*
        impl #impl_generics #ident #ty_generics #where_clause {
            #(#accessors)*
        }
    })
}

fn describe(set: &Set<'_>, cell: &Cell<'_>) -> TokenStream {
    let krate = &set.krate;
    let Cell { name, ty, .. } = cell;
    quote!(#krate::__private::CellDescription::new(#name, ::core::any::type_name::<#ty>))
}

//! A property set as the expansion needs it: every default filled in, nothing left to decide.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, Generics, Ident, Path, Type, Visibility, parse_quote};

use crate::cell_type::CellKind;
use crate::keys::Maker;
use crate::parse::{CellSyntax, MakerSyntax, SetSyntax, shown_name};
use crate::value::{Scope, peel};

pub(crate) struct Set<'a> {
    /// Located where the user wrote it, but resolved as a name of the expansion, so that the expansion may mention
    /// a deprecated set.
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The struct's `#[allow(..)]` attributes, which its accessors share.
    pub(crate) allowances: Vec<&'a Attribute>,
    /// The path to session-core.
    pub(crate) krate: Path,
    pub(crate) scope: Scope,
    /// `None` if the set does not use the manager's state.
    pub(crate) state: Option<Type>,
    /// As listings show it.
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell<'a>>,
    pub(crate) phantoms: Vec<&'a Ident>,
}

pub(crate) struct Cell<'a> {
    pub(crate) ident: &'a Ident,
    /// The field's attributes that its accessors share.
    pub(crate) attributes: Vec<&'a Attribute>,
    /// The visibility of the accessors.
    pub(crate) vis: Visibility,
    pub(crate) kind: CellKind,
    /// The type of the value.
    pub(crate) ty: &'a Type,
    /// As listings show it.
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) close: Option<Callable>,
}

/// Where a value comes from.
pub(crate) enum Source {
    ByHand,
    Made(Initializer),
}

pub(crate) struct Initializer {
    pub(crate) code: Code,
    /// Whether it returns a `Result`.
    pub(crate) fallible: bool,
    /// Whether it returns a future.
    pub(crate) asynchronous: bool,
}

pub(crate) enum Code {
    Default,
    Call(Callable),
}

/// Code that the generated code calls.
pub(crate) struct Callable {
    pub(crate) expr: Expr,
    /// Whether it is a closure, whose types are inferred from the function that it is passed to.
    pub(crate) is_closure: bool,
}

impl<'a> Set<'a> {
    pub(crate) fn new(syntax: SetSyntax<'a>) -> Self {
        let SetSyntax {
            input,
            scope,
            state,
            name,
            krate,
            cells,
            phantoms,
        } = syntax;
        let mut ident = input.ident.clone();
        ident.set_span(ident.span().resolved_at(Span::call_site()));
        let mut generics = input.generics.clone();
        if input.generics.lifetimes().next().is_some() {
            // They have been blamed already, and this keeps the compiler from blaming them again.
            let outlives = parse_quote!(Self: 'static);
            generics.make_where_clause().predicates.push(outlives);
        }
        Self {
            ident,
            generics,
            allowances: input
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("allow"))
                .collect(),
            krate: krate.unwrap_or_else(|| parse_quote!(::session_core)),
            scope: scope.unwrap_or(Scope::Session),
            state,
            name: shown_name(name.as_ref(), &input.ident),
            cells: cells.into_iter().map(Cell::new).collect(),
            phantoms,
        }
    }
}

impl Set<'_> {
    /// The kind of local session that the set lives in.
    pub(crate) fn local_session(&self) -> TokenStream {
        let krate = &self.krate;
        match self.scope {
            Scope::Session => quote!(#krate::Session),
            Scope::Group => quote!(#krate::SessionGroup),
        }
    }
}

impl<'a> Cell<'a> {
    fn new(syntax: CellSyntax<'a>) -> Self {
        let CellSyntax {
            field,
            ident,
            kind,
            ty,
            keys,
        } = syntax;
        let name = keys.shown_name(ident);
        let source = if keys.is_set_by_hand() {
            Source::ByHand
        } else {
            Source::Made(Initializer::new(keys.makers.into_iter().next()))
        };
        Self {
            ident,
            attributes: field
                .attrs
                .iter()
                .filter(|attribute| is_shared(attribute))
                .collect(),
            vis: keys.vis.unwrap_or_else(|| field.vis.clone()),
            kind,
            ty,
            name,
            source,
            close: keys.close.map(|close| Callable::new(&close.code)),
        }
    }
}

impl Initializer {
    fn new(syntax: Option<MakerSyntax>) -> Self {
        // If no key or no code was understood, only the accessor's signature is printed.
        let (maker, code) =
            syntax.map_or((Maker::Default, None), |syntax| (syntax.maker, syntax.code));
        Self {
            code: code.map_or(Code::Default, |code| Code::Call(Callable::new(&code))),
            fallible: maker.is_fallible(),
            asynchronous: maker.is_async(),
        }
    }
}

impl Callable {
    /// Adds an ignored parameter to a closure that has none.
    fn new(expr: &Expr) -> Self {
        let mut expr = peel(expr).clone();
        let is_closure = if let Expr::Closure(closure) = &mut expr {
            if closure.inputs.is_empty() {
                closure.inputs.push(parse_quote!(_));
            }
            true
        } else {
            false
        };
        Self { expr, is_closure }
    }
}

/// Whether an attribute of a field applies to its accessors too.
fn is_shared(attribute: &Attribute) -> bool {
    ["doc", "deprecated", "allow"]
        .iter()
        .any(|name| attribute.path().is_ident(name))
}

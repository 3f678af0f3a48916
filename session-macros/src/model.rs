//! A property set as the expansion needs it: every default filled in, nothing left to decide.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Attribute, Expr, Generics, Ident, Path, Type, Visibility, WherePredicate, parse_quote};

use crate::keys::Maker;
use crate::parse::{CellKind, CellSyntax, Keyed, Scope, SetSyntax};
use crate::value::peel;

pub(crate) struct Set<'a> {
    /// Where the user wrote it, but as a name of the expansion: a set that is deprecated may be mentioned there.
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// Where session-core is found.
    pub(crate) krate: Path,
    pub(crate) scope: Scope,
    /// `None` if the set has no use for the manager's state.
    pub(crate) state: Option<Type>,
    /// As listings show it.
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell<'a>>,
}

pub(crate) struct Cell<'a> {
    pub(crate) ident: &'a Ident,
    /// Those of the field that its accessors have too.
    pub(crate) attributes: Vec<&'a Attribute>,
    /// Of the accessors.
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
    Made(Initialiser),
}

pub(crate) struct Initialiser {
    pub(crate) code: Code,
    /// It gives a `Result`.
    pub(crate) fallible: bool,
    /// It gives a future.
    pub(crate) asynchronous: bool,
}

pub(crate) enum Code {
    Default,
    Call(Callable),
}

/// Code that the generated code calls.
pub(crate) struct Callable {
    pub(crate) expr: Expr,
    /// A closure that names one parameter: its type is then told by the function it is given to.
    pub(crate) takes_one: bool,
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
        } = syntax;
        let mut ident = input.ident.clone();
        let mut generics = input.generics.clone();
        // They are blamed already: to say that they are `'static` keeps the compiler from blaming them again.
        let lifetimes: Vec<_> = input
            .generics
            .lifetimes()
            .map(|param| &param.lifetime)
            .collect();
        if !lifetimes.is_empty() {
            generics.make_where_clause().predicates.extend(
                lifetimes
                    .iter()
                    .map::<WherePredicate, _>(|lifetime| parse_quote!(#lifetime: 'static)),
            );
        }
        ident.set_span(ident.span().resolved_at(Span::call_site()));
        Self {
            ident,
            generics,
            krate: krate.map_or_else(|| parse_quote!(::session_core), value),
            scope: scope.map_or(Scope::Session, value),
            state: state.map(value),
            name: name.map_or_else(
                || input.ident.unraw().to_string(),
                |name| name.value.value(),
            ),
            cells: cells.into_iter().map(Cell::new).collect(),
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
        let source = if syntax.keys.is_set_by_hand() {
            Source::ByHand
        } else {
            // Without an initialiser that was understood, or without its code, nothing is printed but the signature.
            let (maker, code) = syntax
                .keys
                .makers
                .into_iter()
                .next()
                .map_or((Maker::Default, None), |first| (first.maker, first.code));
            Source::Made(Initialiser {
                code: code.map_or(Code::Default, |code| Code::Call(Callable::new(&code))),
                fallible: maker.is_fallible(),
                asynchronous: maker.is_async(),
            })
        };
        Self {
            ident: syntax.ident,
            attributes: syntax
                .field
                .attrs
                .iter()
                .filter(|attribute| is_shared(attribute))
                .collect(),
            vis: syntax
                .keys
                .vis
                .map_or_else(|| syntax.field.vis.clone(), value),
            kind: syntax.kind,
            ty: syntax.ty,
            name: syntax.keys.name.map_or_else(
                || syntax.ident.unraw().to_string(),
                |name| name.value.value(),
            ),
            source,
            close: syntax.keys.close.map(|close| Callable::new(&close.value)),
        }
    }
}

impl Callable {
    fn new(expr: &Expr) -> Self {
        let expr = peel(expr).clone();
        let takes_one = matches!(&expr, Expr::Closure(closure) if closure.inputs.len() == 1);
        Self { expr, takes_one }
    }
}

/// What a field says about itself holds for its accessors.
fn is_shared(attribute: &Attribute) -> bool {
    ["doc", "cfg", "deprecated"]
        .iter()
        .any(|name| attribute.path().is_ident(name))
}

fn value<T>(keyed: Keyed<T>) -> T {
    keyed.value
}

//! From syntax to attributes. Parsing does not stop at a mistake: everything that is understood is kept, with the
//! key that named it.

use proc_macro2::TokenTree;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, Field, Fields, Ident, LitStr, MacroDelimiter, Meta, Path,
    Token, Type, Visibility,
};

use crate::cell_type::{self, CellKind};
use crate::errors::Errors;
use crate::keys::{self, CellKey, Keys, Maker, SetKey};
use crate::value::{self, Scope};

/// A property set as it was written.
pub(crate) struct SetSyntax<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) scope: Option<Scope>,
    pub(crate) state: Option<Type>,
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    pub(crate) cells: Vec<CellSyntax<'a>>,
    /// The fields that only use a parameter of the set.
    pub(crate) phantoms: Vec<&'a Ident>,
}

/// A field as it was written.
pub(crate) struct CellSyntax<'a> {
    pub(crate) field: &'a Field,
    pub(crate) ident: &'a Ident,
    pub(crate) kind: CellKind,
    /// The type of the value in the cell.
    pub(crate) ty: &'a Type,
    pub(crate) keys: CellKeys,
}

/// The keys of `#[property(...)]`.
#[derive(Default)]
pub(crate) struct CellKeys {
    /// All that were written; [`check`](crate::check) refuses more than one.
    pub(crate) makers: Vec<MakerSyntax>,
    pub(crate) close: Option<HookSyntax>,
    pub(crate) name: Option<LitStr>,
    pub(crate) vis: Option<Visibility>,
    /// Whether something was not understood, and may have been meant for an initializer.
    pub(crate) unclear: bool,
}

impl CellKeys {
    pub(crate) fn is_set_by_hand(&self) -> bool {
        self.makers.is_empty() && !self.unclear
    }

    /// The name of the property in listings.
    pub(crate) fn shown_name(&self, ident: &Ident) -> String {
        shown_name(self.name.as_ref(), ident)
    }
}

/// The name in listings: the `name` key, or the identifier.
pub(crate) fn shown_name(name: Option<&LitStr>, ident: &Ident) -> String {
    name.map_or_else(|| ident.unraw().to_string(), LitStr::value)
}

pub(crate) struct MakerSyntax {
    pub(crate) key: Ident,
    pub(crate) maker: Maker,
    /// Missing for `default`, and where the value is not an expression at all.
    pub(crate) code: Option<Expr>,
}

pub(crate) struct HookSyntax {
    pub(crate) key: Ident,
    pub(crate) code: Expr,
}

pub(crate) fn set<'a>(input: &'a DeriveInput, errors: &mut Errors) -> SetSyntax<'a> {
    let mut set = SetSyntax {
        input,
        scope: None,
        state: None,
        name: None,
        krate: None,
        cells: Vec::new(),
        phantoms: Vec::new(),
    };
    for attribute in attributes::<SetKey, CellKey>(&input.attrs, errors) {
        entries(attribute, errors, |key, word, input, errors| {
            match key {
                SetKey::Scope => put(&mut set.scope, &word, value::scope(&word, input)?, errors),
                SetKey::State => put(&mut set.state, &word, value::state(&word, input)?, errors),
                SetKey::Name => put(&mut set.name, &word, value::text(&word, input)?, errors),
                SetKey::Crate => put(&mut set.krate, &word, value::path(&word, input)?, errors),
            }
            Ok(())
        });
    }
    for field in fields(input, errors).into_iter().flatten() {
        if cell_type::is_phantom(&field.ty) {
            set.phantoms.extend(phantom(field, errors));
        } else {
            set.cells.extend(cell(field, errors));
        }
    }
    set
}

/// A field that is not a property.
fn phantom<'a>(field: &'a Field, errors: &mut Errors) -> Option<&'a Ident> {
    for attribute in attributes::<CellKey, SetKey>(&field.attrs, errors) {
        errors.push(
            attribute.path(),
            "a `PhantomData` is not a property: remove the attribute",
        );
    }
    field.ident.as_ref()
}

/// The fields, if this is a struct with named fields.
fn fields<'a>(
    input: &'a DeriveInput,
    errors: &mut Errors,
) -> Option<&'a Punctuated<Field, Token![,]>> {
    const WRITE: &str = "write `struct Set { field: Property<T> }`";
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(&fields.named),
            Fields::Unnamed(fields) => {
                errors.push(
                    fields,
                    format!("the properties of a set need names for their accessors: {WRITE}"),
                );
            }
            Fields::Unit => errors.push(
                &input.ident,
                format!("a property set is a struct with named fields: {WRITE}"),
            ),
        },
        Data::Enum(data) => errors.push(
            data.enum_token,
            format!("a property set is a struct, not an enum: {WRITE}"),
        ),
        Data::Union(data) => errors.push(
            data.union_token,
            format!("a property set is a struct, not a union: {WRITE}"),
        ),
    }
    None
}

fn cell<'a>(field: &'a Field, errors: &mut Errors) -> Option<CellSyntax<'a>> {
    let ident = field.ident.as_ref().filter(|ident| *ident != "_");
    let mut keys = CellKeys {
        unclear: field
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident(SetKey::ATTRIBUTE)),
        ..CellKeys::default()
    };
    for attribute in attributes::<CellKey, SetKey>(&field.attrs, errors) {
        let understood = entries(attribute, errors, |key, word, input, errors| {
            match key {
                CellKey::Make(maker) => {
                    // Kept even if its value can't be parsed, since it decides the accessor's signature.
                    keys.makers.push(MakerSyntax {
                        key: word.clone(),
                        maker,
                        code: None,
                    });
                    let code = value::maker(maker, &word, input)?;
                    keys.makers.last_mut().expect("it was just put there").code = code;
                }
                CellKey::Close => {
                    let code = value::code(&word, input)?;
                    let key = word.clone();
                    put(&mut keys.close, &word, HookSyntax { key, code }, errors);
                }
                CellKey::Name => put(&mut keys.name, &word, value::text(&word, input)?, errors),
                CellKey::Vis => put(
                    &mut keys.vis,
                    &word,
                    value::visibility(&word, input)?,
                    errors,
                ),
            }
            Ok(())
        });
        keys.unclear |= !understood;
    }
    let (kind, ty) = cell_type::read(&field.ty, errors)?;
    Some(CellSyntax {
        field,
        ident: ident?,
        kind,
        ty,
        keys,
    })
}

/// The attributes that belong here, after an error for those that belong elsewhere.
fn attributes<'a, Here: Keys, Elsewhere: Keys>(
    all: &'a [Attribute],
    errors: &mut Errors,
) -> Vec<&'a Attribute> {
    for attribute in all
        .iter()
        .filter(|attribute| attribute.path().is_ident(Elsewhere::ATTRIBUTE))
    {
        let message = format!(
            "`#[{}(...)]` belongs {}: write `#[{}(...)]` here",
            Elsewhere::ATTRIBUTE,
            Elsewhere::PLACE,
            Here::ATTRIBUTE,
        );
        errors.push(attribute.path(), message);
    }
    all.iter()
        .filter(|attribute| attribute.path().is_ident(Here::ATTRIBUTE))
        .collect()
}

/// Goes through the comma-separated entries of one attribute. `take` reads the value of a key. Returns
/// whether every key was understood.
fn entries<K: Keys>(
    attribute: &Attribute,
    errors: &mut Errors,
    mut take: impl FnMut(K, Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> bool {
    let list = match &attribute.meta {
        Meta::Path(_) => return true,
        Meta::List(list) if matches!(list.delimiter, MacroDelimiter::Paren(_)) => list,
        Meta::List(_) | Meta::NameValue(_) => {
            errors.push(
                &attribute.meta,
                format!("write it with parentheses: `#[{}(...)]`", K::ATTRIBUTE),
            );
            return false;
        }
    };
    let mut understood = true;
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match entry(input, errors, &mut take) {
                Ok(known) => understood &= known,
                Err(error) => errors.push_error(error),
            }
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    if let Err(error) = list.parse_args_with(read) {
        errors.push_error(error);
    }
    understood
}

/// Reads one entry, up to its comma. Returns whether its key was understood.
fn entry<K: Keys>(
    input: ParseStream<'_>,
    errors: &mut Errors,
    take: &mut impl FnMut(K, Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<bool> {
    let Ok(word) = input.call(Ident::parse_any) else {
        errors.push_error(input.error(format!("this is not a key: {}", keys::valid::<K>())));
        return Ok(false);
    };
    let Some(key) = keys::resolve(&word, errors) else {
        // Its value may hold commas.
        if input.parse::<Option<Token![=]>>()?.is_some() {
            input.parse::<Expr>().ok();
        }
        return Ok(false);
    };
    take(key, word, input, errors)?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error("expected `,`"));
    }
    Ok(true)
}

/// Fills a slot, or blames the key that would fill it again.
fn put<T>(slot: &mut Option<T>, key: &Ident, value: T, errors: &mut Errors) {
    if slot.is_some() {
        errors.push(key, format!("`{key}` is written twice: keep one"));
    } else {
        *slot = Some(value);
    }
}

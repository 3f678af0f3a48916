//! The types of fields, of which a macro sees only the spelling.

use quote::ToTokens as _;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

use crate::errors::Errors;

/// `Property` or `Exclusive`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    Property,
    Exclusive,
}

/// Whether a field of this type only uses a parameter of the set.
pub(crate) fn is_phantom(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "PhantomData")
}

/// The kind of a cell, and the type of its value.
pub(crate) fn read<'a>(ty: &'a Type, errors: &mut Errors) -> Option<(CellKind, &'a Type)> {
    let Some((cell, kind)) = cell(ty) else {
        errors.push(ty, instead(ty));
        return None;
    };
    let value = value(cell);
    if value.is_none() {
        let message = format!(
            "a cell names only the type of its value: write `{}<T>`",
            cell.ident
        );
        errors.push(ty, message);
    }
    let value = value?;
    if is_unsized(value) {
        let spelled = value.to_token_stream();
        errors.push(
            value,
            format!(
                "the value has to be sized: write `{}<Box<{spelled}>>`",
                cell.ident
            ),
        );
        return None;
    }
    Some((kind, value))
}

fn is_unsized(ty: &Type) -> bool {
    match ty {
        Type::Slice(_) | Type::TraitObject(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        _ => false,
    }
}

fn cell(ty: &Type) -> Option<(&PathSegment, CellKind)> {
    let segment = last_segment(ty)?;
    let kind = match segment.ident.to_string().as_str() {
        "Property" => CellKind::Property,
        "Exclusive" => CellKind::Exclusive,
        _ => return None,
    };
    Some((segment, kind))
}

/// The message for a type that is not a cell; it says what to write instead.
fn instead(ty: &Type) -> String {
    if let Some(outer) = last_segment(ty)
        && let Some((cell, _)) = value(outer).and_then(cell)
    {
        return format!(
            "the cell comes first and wraps the rest: write `{}<{}<T>>`",
            cell.ident, outer.ident
        );
    }
    "the fields of a property set are cells: write `Property<T>`, whose value requests share, \
     or `Exclusive<T>`, whose value is lent to one request at a time"
        .to_owned()
}

fn last_segment(mut ty: &Type) -> Option<&PathSegment> {
    // A type that came through a `macro_rules!` matcher is wrapped in an invisible group.
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The one type between the angle brackets.
fn value(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(ty)), 1) => Some(ty),
        _ => None,
    }
}

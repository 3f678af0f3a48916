//! The rules between keys and between fields. A mistake within one key is found when the key is parsed.

use std::collections::HashMap;

use quote::format_ident;
use syn::Ident;
use syn::ext::IdentExt as _;

use crate::callable;
use crate::errors::Errors;
use crate::parse::{CellKeys, CellSyntax, HookSyntax, MakerSyntax, SetSyntax};

/// Methods that a call through `Props` finds before the accessors of the set, and the traits that they belong
/// to. `Props` has them from its own impls and from blanket ones; the traits are in the prelude, or often
/// imported.
const SHADOWING: &[(&str, &str)] = &[
    ("borrow", "Borrow"),
    ("borrow_mut", "BorrowMut"),
    ("clone", "Clone"),
    ("clone_from", "Clone"),
    ("clone_into", "ToOwned"),
    ("deref", "Deref"),
    ("fmt", "Debug"),
    ("into", "Into"),
    ("to_owned", "ToOwned"),
    ("try_into", "TryInto"),
    ("type_id", "Any"),
];

pub(crate) fn set(set: &SetSyntax<'_>, errors: &mut Errors) {
    // Every key is named here, so that a new one can't be forgotten.
    let SetSyntax {
        input,
        scope: _,
        state,
        name: _,
        krate: _,
        cells,
        phantoms: _,
    } = set;
    for lifetime in input.generics.lifetimes() {
        let message = format!(
            "a session outlives every borrow: remove `{}`, and let the properties own what they hold, or share it as `Arc`",
            lifetime.lifetime,
        );
        errors.push(lifetime, message);
    }
    for cell in cells {
        let CellSyntax {
            field: _,
            ident,
            kind: _,
            ty: _,
            keys,
        } = cell;
        let CellKeys {
            makers,
            close,
            name: _,
            vis: _,
            unclear: _,
        } = keys;
        shadowed(ident, errors);
        one_maker(makers, errors);
        for MakerSyntax { key, maker, code } in makers {
            if let Some(code) = code {
                callable::initializer(key, *maker, code, errors);
                if state.is_none() {
                    callable::without_state(code, errors);
                }
            }
        }
        if let Some(HookSyntax { key, code }) = close {
            callable::hook(key, code, errors);
        }
    }
    setters(cells, errors);
    names(cells, errors);
}

fn shadowed(ident: &Ident, errors: &mut Errors) {
    let name = ident.unraw();
    if let Some((_, owner)) = SHADOWING.iter().find(|(method, _)| name == method) {
        errors.push(
            ident,
            format!(
                "a property can't be called `{name}`: through `Props` a call finds `{owner}::{name}` first; \
                 rename the field, and write `name = \"{name}\"` to list it under that name"
            ),
        );
    }
}

fn one_maker(makers: &[MakerSyntax], errors: &mut Errors) {
    let Some((first, others)) = makers.split_first() else {
        return;
    };
    for other in others {
        let message = if other.maker == first.maker {
            format!("`{}` is written twice: keep one", other.key)
        } else {
            format!(
                "a property has one initializer, but this one already has `{}`: keep one of the two",
                first.key
            )
        };
        errors.push(&other.key, message);
    }
}

/// A field may not take the name of another field's setter.
fn setters(cells: &[CellSyntax<'_>], errors: &mut Errors) {
    for cell in cells.iter().filter(|cell| cell.keys.is_set_by_hand()) {
        let setter = format_ident!("set_{}", cell.ident);
        if let Some(other) = cells.iter().find(|other| other.ident.unraw() == setter) {
            errors.push(
                other.ident,
                format!(
                    "`{setter}` is the setter of `{}`, which has no initializer: rename this field",
                    cell.ident
                ),
            );
        }
    }
}

/// Listings and reports tell properties apart by their names.
fn names(cells: &[CellSyntax<'_>], errors: &mut Errors) {
    let mut seen = HashMap::new();
    for CellSyntax { ident, keys, .. } in cells {
        let name = keys.shown_name(ident);
        let Some(first) = seen.insert(name.clone(), ident) else {
            continue;
        };
        let message = format!(
            "`{first}` is already listed as \"{name}\": choose another name for one of the two"
        );
        match &keys.name {
            Some(name) => errors.push(name, message),
            None => errors.push(ident, message),
        }
    }
}

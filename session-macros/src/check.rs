//! The rules between keys, and those on the code that they are given. What one key alone can get wrong is found when it
//! is parsed.

use quote::format_ident;
use syn::ext::IdentExt as _;
use syn::{Expr, ExprClosure, Ident, Lit, Path};

use crate::errors::Errors;
use crate::keys::Maker;
use crate::parse::{CellKeys, CellSyntax, HookSyntax, MakerSyntax, SetSyntax};
use crate::value::peel;

/// Methods that a call through `Props` finds before it gets to the accessors of the set, and the traits that they belong
/// to. `Props` has them from its own impls and from blanket ones; the traits are in the prelude, or often imported.
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
    // Every key by its name, so that a new one can't be forgotten.
    let SetSyntax {
        input,
        scope: _,
        state: _,
        name: _,
        krate,
        cells,
    } = set;
    for lifetime in input.generics.lifetimes() {
        let message = format!(
            "a session outlives every borrow: remove `{}`, and let the properties own what they hold, or share it as `Arc`",
            lifetime.lifetime,
        );
        errors.push(lifetime, message);
    }
    if let Some(path) = krate {
        absolute(path, errors);
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
                initialiser(key, *maker, code, errors);
            }
        }
        if let Some(HookSyntax { key, code }) = close {
            hook(key, code, errors);
        }
    }
    setters(cells, errors);
}

/// The path is printed wherever the set stands, also inside functions and modules that have names of their own.
fn absolute(path: &Path, errors: &mut Errors) {
    let first = &path.segments[0].ident;
    // `$crate` of a `macro_rules!` is absolute too.
    if path.leading_colon.is_some() || first == "crate" || first == "$crate" {
        return;
    }
    let text = plain(path).unwrap_or_default();
    errors.push(
        path,
        format!("the path to session-core has to mean the same everywhere: write `crate = ::{text}`, or `crate = crate::...`"),
    );
}

fn shadowed(ident: &Ident, errors: &mut Errors) {
    let name = ident.unraw();
    if let Some((_, owner)) = SHADOWING.iter().find(|(method, _)| name == method) {
        errors.push(
            ident,
            format!(
                "a property can't be called `{name}`: through `Props` a call finds `{owner}::{name}` first; \
                 rename the field, and write `name = \"{name}\"` if it is to be listed so"
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
            format!("`{}` is given twice: keep one", other.key)
        } else {
            format!(
                "a property has one initialiser, and this one has `{}` already: keep one of the two",
                first.key
            )
        };
        errors.push(&other.key, message);
    }
}

/// A field may not take the place of the setter that another one gets.
fn setters(cells: &[CellSyntax<'_>], errors: &mut Errors) {
    for cell in cells.iter().filter(|cell| cell.keys.is_set_by_hand()) {
        let setter = format_ident!("set_{}", cell.ident);
        if let Some(other) = cells.iter().find(|other| other.ident.unraw() == setter) {
            errors.push(
                other.ident,
                format!(
                    "`{setter}` is what sets `{}`, which has no initialiser: rename this field",
                    cell.ident
                ),
            );
        }
    }
}

fn initialiser(key: &Ident, maker: Maker, code: &Expr, errors: &mut Errors) {
    let closure = match peel(code) {
        Expr::Path(_) => return,
        Expr::Closure(closure) => closure,
        other => return not_callable(key, "||", other, errors),
    };
    if let Some(second) = closure.inputs.iter().nth(1) {
        errors.push(
            second,
            "an initialiser takes nothing or the `&InitContext`: write `|| ...` or `|cx| ...`",
        );
    }
    if let (Some(token), false) = (closure.asyncness, maker.is_async()) {
        let name = if maker.is_fallible() {
            "try_async_init"
        } else {
            "async_init"
        };
        errors.push(
            token,
            format!(
                "`{key}` makes its value at once: write `{name} = ...` for what gives a future"
            ),
        );
    }
}

fn hook(key: &Ident, code: &Expr, errors: &mut Errors) {
    match peel(code) {
        Expr::Path(_) => {}
        Expr::Closure(ExprClosure { inputs, .. }) if inputs.len() == 1 => {}
        Expr::Closure(closure) => {
            let message = "a close hook takes the value, and nothing else: write `|value| ...`";
            match closure.inputs.iter().nth(1) {
                Some(second) => errors.push(second, message),
                None => errors.push(closure, message),
            }
        }
        other => not_callable(key, "|value|", other, errors),
    }
}

/// Says what to write instead of an expression that is neither a path nor a closure.
fn not_callable(key: &Ident, bars: &str, expr: &Expr, errors: &mut Errors) {
    let message = match expr {
        Expr::Call(call) => {
            let name = match peel(&call.func) {
                Expr::Path(path) => plain(&path.path),
                _ => None,
            };
            match name {
                Some(name) if call.args.is_empty() => format!(
                    "`{key}` names what is to be called later: write `{key} = {name}`, without the call, \
                     or a closure `{bars} {name}()`"
                ),
                name => {
                    let name = name.as_deref().unwrap_or("...");
                    format!(
                        "`{key}` names what is to be called later: write a closure `{key} = {bars} {name}(...)`"
                    )
                }
            }
        }
        Expr::Lit(literal) if let Lit::Str(text) = &literal.lit => {
            format!(
                "`{key}` is code, not text: write `{key} = {}`, without the quotes",
                text.value()
            )
        }
        Expr::Async(_) => {
            format!(
                "`{key}` names what is to be called later: write a closure `{key} = {bars} async {{ ... }}`"
            )
        }
        _ => format!(
            "`{key}` takes a path or a closure: write `{key} = path` or `{key} = {bars} ...`"
        ),
    };
    errors.push(expr, message);
}

/// A path as one would write it, if it has no generic arguments.
fn plain(path: &Path) -> Option<String> {
    let simple = path.leading_colon.is_none()
        && path
            .segments
            .iter()
            .all(|segment| segment.arguments.is_none());
    simple.then(|| {
        path.segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect::<Vec<_>>()
            .join("::")
    })
}

//! The rules on code: a path or a closure, with as many parameters as it gets values.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Expr, Ident, Lit, Path};

use crate::errors::Errors;
use crate::keys::Maker;
use crate::value::peel;

/// Checks the code of an initialiser.
pub(crate) fn initialiser(key: &Ident, maker: Maker, code: &Expr, errors: &mut Errors) {
    let closure = match peel(code) {
        Expr::Path(_) => return,
        Expr::Closure(closure) => closure,
        other => return errors.push(other, instead(key, other, "||", "")),
    };
    if let Some(second) = closure.inputs.iter().nth(1) {
        let message =
            "an initialiser takes nothing or the `&InitContext`: write `|| ...` or `|cx| ...`";
        errors.push(second, message);
    }
    if let (Some(token), false) = (closure.asyncness, maker.is_async()) {
        let name = if maker.is_fallible() {
            "try_async_init"
        } else {
            "async_init"
        };
        let message = format!(
            "`{key}` makes its value at once: write `{name} = ...` for what gives a future"
        );
        errors.push(token, message);
    }
    if let Some(this) = find_self(closure.body.to_token_stream()) {
        let message = "an initialiser has no `self`: it reaches other properties through its context, as in \
                       `|cx| cx.session().props::<Set>()`";
        errors.push(this, message);
    }
}

/// Checks the code of a close hook.
pub(crate) fn hook(key: &Ident, code: &Expr, errors: &mut Errors) {
    let closure = match peel(code) {
        Expr::Path(_) => return,
        Expr::Closure(closure) => closure,
        other => return errors.push(other, instead(key, other, "|value|", "value")),
    };
    let message = "a close hook takes the value, and nothing else: write `|value| ...`";
    match closure.inputs.iter().nth(1) {
        Some(second) => errors.push(second, message),
        None if closure.inputs.is_empty() => errors.push(closure, message),
        None => {}
    }
    if let Some(this) = find_self(closure.body.to_token_stream()) {
        errors.push(
            this,
            "a close hook has no `self`: it gets the value, and its set is gone by then",
        );
    }
}

/// What to write instead of an expression that is neither a path nor a closure.
fn instead(key: &Ident, expr: &Expr, bars: &str, argument: &str) -> String {
    let later = format!("`{key}` names what is to be called later");
    match expr {
        Expr::Call(call) => match peel(&call.func) {
            Expr::Path(path) if let Some(name) = plain(&path.path) => {
                if call.args.is_empty() {
                    format!(
                        "{later}: write `{key} = {name}`, without the call, or a closure `{bars} {name}({argument})`"
                    )
                } else {
                    format!("{later}: write a closure, `{key} = {bars} {name}(...)`")
                }
            }
            _ => format!("{later}: write a closure, `{key} = {bars} ...`"),
        },
        Expr::Async(_) => format!("{later}: write a closure, `{key} = {bars} async {{ ... }}`"),
        Expr::Lit(literal) if let Lit::Str(text) = &literal.lit => {
            format!(
                "`{key}` is code, not text: write `{key} = {}`, without the quotes",
                text.value()
            )
        }
        _ => format!(
            "`{key}` takes a path or a closure: write `{key} = path` or `{key} = {bars} ...`"
        ),
    }
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

/// The first `self` that is a value. (`self::path` is a path.)
fn find_self(code: TokenStream) -> Option<Ident> {
    let mut tokens = code.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "self" && !is_colon(tokens.peek()) => {
                return Some(name);
            }
            TokenTree::Group(group) => {
                let found = find_self(group.stream());
                if found.is_some() {
                    return found;
                }
            }
            _ => {}
        }
    }
    None
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

//! The rules on code: a path or a closure, with as many parameters as it is passed values.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Expr, Ident, Lit, Pat, Path};

use crate::errors::Errors;
use crate::keys::Maker;
use crate::value::peel;

const NO_SELF: &str = "an initializer has no `self`: write `|cx| ...`, and reach other properties through \
                       `cx.session().props::<Set>()`, or `cx.group().props::<Set>()` in a set of groups";

/// Checks the code of an initializer.
pub(crate) fn initializer(key: &Ident, maker: Maker, code: &Expr, errors: &mut Errors) {
    let closure = match peel(code) {
        Expr::Path(_) => return,
        Expr::Closure(closure) => closure,
        other => {
            return match find_self(other.to_token_stream()) {
                Some(this) => errors.push(this, NO_SELF),
                None => errors.push(other, instead(key, other, "||", "")),
            };
        }
    };
    if let Some(second) = closure.inputs.iter().nth(1) {
        let message = "an initializer takes no parameter, or the `&InitContext`: write `|| ...` or `|cx| ...`";
        errors.push(second, message);
    }
    if let (Some(token), false) = (closure.asyncness, maker.is_async()) {
        let name = if maker.is_fallible() {
            "try_async_init"
        } else {
            "async_init"
        };
        let message = format!(
            "`{key}` returns its value at once: write `{name} = ...` for a closure that returns a future"
        );
        errors.push(token, message);
    }
    if let Some(this) = find_self(closure.body.to_token_stream()) {
        errors.push(this, NO_SELF);
    }
}

/// Blames a closure that asks its context for the state if the set names none.
pub(crate) fn without_state(code: &Expr, errors: &mut Errors) {
    if let Expr::Closure(closure) = peel(code)
        && let Some(Pat::Ident(context)) = closure.inputs.first()
        && let Some(state) = find_state(closure.body.to_token_stream(), &context.ident)
    {
        errors.push(
            state,
            "this set names no state: write `#[session(state = App)]` above the struct",
        );
    }
}

/// Checks the code of a close hook.
pub(crate) fn hook(key: &Ident, code: &Expr, errors: &mut Errors) {
    let closure = match peel(code) {
        Expr::Path(_) => return,
        Expr::Closure(closure) => closure,
        other => return errors.push(other, instead(key, other, "|value|", "value")),
    };
    if closure.inputs.is_empty() {
        errors.push(closure, "a close hook takes the value: write `|value| ...`");
    }
    if let Some(second) = closure.inputs.iter().nth(1) {
        errors.push(
            second,
            "a close hook takes only the value: write `|value| ...`",
        );
    }
    if let Some(this) = find_self(closure.body.to_token_stream()) {
        errors.push(
            this,
            "a close hook has no `self`: it takes the value, and its set is gone by then",
        );
    }
}

/// The message for an expression that is neither a path nor a closure; it says what to write instead.
fn instead(key: &Ident, expr: &Expr, bars: &str, argument: &str) -> String {
    let later = format!("`{key}` names code that is called later");
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

/// The path as it is usually written, if it has no generic arguments.
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
    find(code, &|tokens| match tokens {
        [TokenTree::Ident(name), rest @ ..] if name == "self" && !starts_with(rest, ':') => {
            Some(name.clone())
        }
        _ => None,
    })
}

/// The first call of `context.state()`.
fn find_state(code: TokenStream, context: &Ident) -> Option<Ident> {
    find(code, &|tokens| match tokens {
        [
            TokenTree::Ident(name),
            TokenTree::Punct(dot),
            TokenTree::Ident(state),
            TokenTree::Group(call),
        ] if name == context
            && dot.as_char() == '.'
            && state == "state"
            && call.delimiter() == Delimiter::Parenthesis =>
        {
            Some(state.clone())
        }
        _ => None,
    })
}

/// Looks at each token together with the three that follow it. Groups are searched too, but not functions, whose names
/// are their own.
fn find(code: TokenStream, wanted: &dyn Fn(&[TokenTree]) -> Option<Ident>) -> Option<Ident> {
    let tokens: Vec<_> = code.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        let found = match first {
            TokenTree::Group(group) => find(group.stream(), wanted),
            _ => wanted(&rest[..rest.len().min(4)]),
        };
        if found.is_some() {
            return found;
        }
        rest = match (first, after) {
            (TokenTree::Ident(word), [TokenTree::Ident(_), ..]) if word == "fn" => {
                after_body(after)
            }
            _ => after,
        };
    }
    None
}

/// The tokens after the body of a function.
fn after_body(tokens: &[TokenTree]) -> &[TokenTree] {
    let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let body = tokens.iter().position(is_body);
    body.map_or(&[], |body| &tokens[body + 1..])
}

fn starts_with(tokens: &[TokenTree], wanted: char) -> bool {
    matches!(tokens, [TokenTree::Punct(punct), ..] if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_called_state_is_no_call_of_the_contexts_state() {
        let finds = |code: &str| {
            let context = Ident::new("cx", proc_macro2::Span::call_site());
            find_state(code.parse().expect("it is Rust"), &context).is_some()
        };
        assert!(finds("Cursor::of(cx.state().database)"));
        assert!(!finds("items.iter().map(|cx| cx.state).sum()"));
        assert!(!finds("fn of(cx: &Other) { cx.state(); }"));
    }
}

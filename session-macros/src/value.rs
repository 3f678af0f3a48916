//! The value of a key: text, a word, a type, a path, a visibility or code.

use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::token::Paren;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Path, Result, Token, Type, Visibility};

use crate::keys::Maker;

/// The kind of local session that a set lives in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Session,
    Group,
}

/// The code of an initializer; `None` for `default`, which has none.
pub(crate) fn maker(maker: Maker, key: &Ident, input: ParseStream<'_>) -> Result<Option<Expr>> {
    if maker != Maker::Default {
        return code(key, input).map(Some);
    }
    if input.peek(Token![=]) || input.peek(Paren) {
        return Err(input.error(
            "`default` does not take a value, it means `T::default()`: write `default`, or `init = ...`",
        ));
    }
    Ok(None)
}

/// A path or a closure; [`check`](crate::check) looks at its shape.
pub(crate) fn code(key: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    assign(key, "path", input)?;
    input.parse()
}

pub(crate) fn text(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    assign(key, "\"...\"", input)?;
    let value = input.parse()?;
    match peel(&value) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text.clone()),
        Expr::Path(path) if path.path.get_ident().is_some() => {
            let word = path.path.get_ident().expect("the guard saw it");
            Err(Error::new_spanned(
                word,
                format!("`{key}` is text: write `{key} = \"{word}\"`"),
            ))
        }
        other => Err(Error::new_spanned(
            other,
            format!("`{key}` is text: write `{key} = \"...\"`"),
        )),
    }
}

pub(crate) fn scope(key: &Ident, input: ParseStream<'_>) -> Result<Scope> {
    assign(key, "group", input)?;
    refuse_string(key, "a word", input)?;
    let value = input.parse()?;
    match peel(&value) {
        Expr::Path(path) if path.path.is_ident("session") => Ok(Scope::Session),
        Expr::Path(path) if path.path.is_ident("group") => Ok(Scope::Group),
        other => Err(Error::new_spanned(
            other,
            "a set lives in sessions or in groups: write `scope = session` or `scope = group`",
        )),
    }
}

pub(crate) fn state(key: &Ident, input: ParseStream<'_>) -> Result<Type> {
    assign(key, "App", input)?;
    refuse_string(key, "a type", input)?;
    input.parse()
}

pub(crate) fn path(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    assign(key, "::path", input)?;
    refuse_string(key, "a path", input)?;
    let path = input.call(Path::parse_mod_style)?;
    let first = &path.segments[0].ident;
    // The path is printed next to the set, which may be in a function or module that has names of its own.
    // (`$crate` of a `macro_rules!` is absolute too.)
    if path.leading_colon.is_some() || first == "crate" || first == "$crate" {
        return Ok(path);
    }
    let name = path.to_token_stream().to_string().replace(' ', "");
    Err(Error::new_spanned(
        path,
        format!(
            "the path to session-core must mean the same everywhere: write `{key} = ::{name}`, or start it with `crate::`"
        ),
    ))
}

pub(crate) fn visibility(key: &Ident, input: ParseStream<'_>) -> Result<Visibility> {
    assign(key, "pub(crate)", input)?;
    refuse_string(key, "a visibility", input)?;
    match input.parse()? {
        Visibility::Inherited => Err(input.error(format!(
            "`{key}` is a visibility: write `{key} = pub(crate)`"
        ))),
        visibility => Ok(visibility),
    }
}

/// Reads the `=` and checks that a value follows.
fn assign(key: &Ident, example: &str, input: ParseStream<'_>) -> Result<()> {
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(
            key.span(),
            format!("`{key}` needs a value: write `{key} = {example}`"),
        ));
    }
    Ok(())
}

fn refuse_string(key: &Ident, what: &str, input: ParseStream<'_>) -> Result<()> {
    if !input.peek(LitStr) {
        return Ok(());
    }
    let text: LitStr = input.parse()?;
    let mut bare = text.value();
    if what == "a path" && !bare.starts_with("::") && !bare.starts_with("crate::") {
        bare.insert_str(0, "::");
    }
    Err(Error::new(
        text.span(),
        format!("`{key}` is {what}, not text: write `{key} = {bare}`, without the quotes"),
    ))
}

/// An expression without the parentheses and invisible groups around it.
pub(crate) fn peel(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            _ => return expr,
        };
    }
}

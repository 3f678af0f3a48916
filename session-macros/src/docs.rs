//! The text that accessors add to the docs of their fields.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;

use crate::cell_type::CellKind;
use crate::model::{Cell, Set, Source};
use crate::value::Scope;

/// The lines after the field's own docs: when the value is created, and when access fails.
pub(crate) fn getter(set: &Set<'_>, cell: &Cell<'_>) -> TokenStream {
    let home = home(set);
    let first = match cell.source {
        Source::ByHand => format!(
            "`None` until `set_{}` has put a value there",
            cell.ident.unraw()
        ),
        Source::Made(_) => format!("Made on first use, once per {home}"),
    };
    let lent = match (cell.kind, &cell.source) {
        (CellKind::Property, _) => "",
        (CellKind::Exclusive, Source::Made(_)) => {
            " and again after a discard; lent to one caller at a time"
        }
        (CellKind::Exclusive, Source::ByHand) => "; lent to one caller at a time",
    };
    let mut lines = Vec::new();
    if cell
        .attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("doc"))
    {
        lines.push(String::new());
    }
    lines.push(format!("{first}{lent}."));
    let mut errors = Vec::new();
    if let Source::Made(initializer) = &cell.source {
        errors.push(if initializer.fallible {
            "its initializer fails, panics or would wait for itself"
        } else {
            "its initializer panics or would wait for itself"
        });
    }
    if cell.kind == CellKind::Exclusive {
        errors.push("it is lent for too long");
    }
    if !errors.is_empty() {
        lines.extend(section(&format!(
            "If {}, or the {home} has ended.",
            errors.join(", ")
        )));
    }
    doc(&lines)
}

pub(crate) fn setter(set: &Set<'_>, cell: &Cell<'_>) -> TokenStream {
    let times = match cell.kind {
        CellKind::Property => "once",
        CellKind::Exclusive => "once, and again after a discard",
    };
    let mut lines = vec![format!("Sets `{}`, {times}.", cell.ident.unraw())];
    let home = home(set);
    lines.extend(section(&format!(
        "Hands the value back if there is one already, or the {home} has ended."
    )));
    doc(&lines)
}

fn home(set: &Set<'_>) -> &'static str {
    match set.scope {
        Scope::Session => "session",
        Scope::Group => "session group",
    }
}

fn section(text: &str) -> [String; 4] {
    [
        String::new(),
        "# Errors".to_owned(),
        String::new(),
        text.to_owned(),
    ]
}

fn doc(lines: &[String]) -> TokenStream {
    let lines = lines.iter().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!(" {line}")
        }
    });
    quote!(#(#[doc = #lines])*)
}

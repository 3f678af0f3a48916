//! How the keys of the two attributes are spelled.

use strsim::levenshtein;
use syn::Ident;
use syn::ext::IdentExt as _;

use crate::errors::Errors;

/// The keys of one attribute.
pub(crate) trait Keys: Copy + 'static {
    /// The attribute's own name.
    const ATTRIBUTE: &'static str;
    /// Where the attribute belongs.
    const PLACE: &'static str;
    const ALL: &'static [(&'static str, Self)];
}

/// Keys of `#[session(...)]`.
#[derive(Clone, Copy)]
pub(crate) enum SetKey {
    Scope,
    State,
    Name,
    Crate,
}

impl Keys for SetKey {
    const ATTRIBUTE: &'static str = "session";
    const PLACE: &'static str = "above the struct";
    const ALL: &'static [(&'static str, Self)] = &[
        ("scope", Self::Scope),
        ("state", Self::State),
        ("name", Self::Name),
        ("crate", Self::Crate),
    ];
}

/// Keys of `#[property(...)]`.
#[derive(Clone, Copy)]
pub(crate) enum CellKey {
    Make(Maker),
    Close,
    Name,
    Vis,
}

/// The keys that name an initializer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Default,
    Init,
    TryInit,
    AsyncInit,
    TryAsyncInit,
}

impl Maker {
    /// Whether the initializer returns a `Result`.
    pub(crate) fn is_fallible(self) -> bool {
        matches!(self, Self::TryInit | Self::TryAsyncInit)
    }

    /// Whether the initializer returns a future.
    pub(crate) fn is_async(self) -> bool {
        matches!(self, Self::AsyncInit | Self::TryAsyncInit)
    }
}

impl Keys for CellKey {
    const ATTRIBUTE: &'static str = "property";
    const PLACE: &'static str = "on a field";
    const ALL: &'static [(&'static str, Self)] = &[
        ("default", Self::Make(Maker::Default)),
        ("init", Self::Make(Maker::Init)),
        ("try_init", Self::Make(Maker::TryInit)),
        ("async_init", Self::Make(Maker::AsyncInit)),
        ("try_async_init", Self::Make(Maker::TryAsyncInit)),
        ("close", Self::Close),
        ("name", Self::Name),
        ("vis", Self::Vis),
    ];
}

/// The key that `word` spells or, after an error, the key that it was probably meant to spell. The rest of the
/// expansion then fits the code that the user will write as the correction.
pub(crate) fn resolve<K: Keys>(word: &Ident, errors: &mut Errors) -> Option<K> {
    let text = word.unraw().to_string();
    if let Some((_, key)) = K::ALL.iter().find(|(name, _)| *name == text) {
        return Some(*key);
    }
    if let Some(place) = place::<SetKey>(&text).or_else(|| place::<CellKey>(&text)) {
        errors.push(word, format!("`{text}` belongs {place}"));
        return None;
    }
    let nearest = nearest::<K>(&text);
    match nearest {
        Some((name, _)) => errors.push(
            word,
            format!("unknown key `{text}`: did you mean `{name}`?"),
        ),
        None => errors.push(word, format!("unknown key `{text}`: {}", valid::<K>())),
    }
    nearest.map(|(_, key)| *key)
}

/// The key that was probably meant: the same words in another order, a few different letters, or one of the words.
fn nearest<K: Keys>(text: &str) -> Option<&'static (&'static str, K)> {
    let same_words = K::ALL.iter().find(|(name, _)| words(name) == words(text));
    let similar = || {
        K::ALL
            .iter()
            .map(|entry| (levenshtein(text, entry.0), entry))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, (name, _))| *distance <= name.len().div_ceil(3))
            .map(|(_, entry)| entry)
    };
    let one_word = || K::ALL.iter().find(|(name, _)| words(text).contains(name));
    same_words.or_else(similar).or_else(one_word)
}

fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<_> = text.split('_').collect();
    words.sort_unstable();
    words
}

/// The sentence that lists the keys of an attribute.
pub(crate) fn valid<K: Keys>() -> String {
    let names: Vec<_> = K::ALL.iter().map(|(name, _)| format!("`{name}`")).collect();
    format!("`#[{}(...)]` takes {}", K::ATTRIBUTE, names.join(", "))
}

/// Where a key belongs, if it is one of this attribute.
fn place<K: Keys>(text: &str) -> Option<String> {
    K::ALL
        .iter()
        .any(|(name, _)| *name == text)
        .then(|| format!("{}, in `#[{}(...)]`", K::PLACE, K::ATTRIBUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_what_was_meant() {
        let nearest = |text| nearest::<CellKey>(text).map(|(name, _)| *name);
        assert_eq!(nearest("async_try_init"), Some("try_async_init"));
        assert_eq!(nearest("init_async"), Some("async_init"));
        assert_eq!(nearest("asnyc_init"), Some("async_init"));
        assert_eq!(nearest("on_close"), Some("close"));
        assert_eq!(nearest("lazy"), None);
    }
}

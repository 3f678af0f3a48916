//! Texts, and whether anything of them can be seen.

/// Whether a reader sees anything of this text: a character that is no space, no control character, and not ignored.
pub(crate) fn is_visible(text: &str) -> bool {
    text.chars()
        .any(|is| !is.is_whitespace() && !is.is_control() && !is_ignored(is))
}

/// Whether fonts show nothing in place of this character. These are Unicode's `Default_Ignorable_Code_Point`, and the
/// empty pattern of Braille.
const fn is_ignored(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_visible_if_one_of_its_characters_is() {
        for text in [
            "a",
            ".",
            "\u{200b}a\u{200b}",
            "\u{1f468}\u{200d}\u{1f469}",
            "\u{2764}\u{fe0f}",
            "\u{5e9}",
            "\u{fffd}",
        ] {
            assert!(is_visible(text), "{text:?}");
        }
        for text in [
            "",
            " \n\t\u{a0}\u{2003}\u{3000}",
            "\0",
            "\u{1b}\u{7f}\u{85}",
            "\u{ad}",
            "\u{200b}\u{200d}\u{2060}",
            "\u{202e} \u{202c}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{feff}\u{fe0f}",
            "\u{e0041}",
        ] {
            assert!(!is_visible(text), "{text:?}");
        }
    }
}

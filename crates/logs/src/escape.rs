//! Text of strangers on a terminal: what could move the cursor or hide something is shown, not done.

use std::fmt;

/// A text of which a terminal sees nothing but letters: control characters, the beginnings of ANSI sequences and what turns
/// the direction of writing are written as `\n`, `\u{1b}` and the like.
pub struct Escaped<'a>(&'a str);

/// Makes a text harmless for terminals. What is shown says what was there; nothing is left out.
pub const fn escaped(text: &str) -> Escaped<'_> {
    Escaped(text)
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = 0;
        for (at, letter) in self.0.char_indices() {
            if !is_harmful(letter) {
                continue;
            }
            f.write_str(&self.0[plain..at])?;
            write!(f, "{}", letter.escape_default())?;
            plain = at + letter.len_utf8();
        }
        f.write_str(&self.0[plain..])
    }
}

/// Whether a terminal would do something else with it than show it.
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_stay_and_commands_are_shown() {
        assert_eq!(escaped("Привет, «мир» <b>").to_string(), "Привет, «мир» <b>");
        assert_eq!(
            escaped("a\u{1b}[31mb\n\tc\u{9b}d\u{202e}").to_string(),
            "a\\u{1b}[31mb\\n\\tc\\u{9b}d\\u{202e}"
        );
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_harmful_characters(text: String) {
            let shown = escaped(&text).to_string();
            prop_assert!(!shown.chars().any(is_harmful), "{shown:?}");
            if !text.chars().any(is_harmful) {
                prop_assert_eq!(shown, text);
            }
        }
    }
}

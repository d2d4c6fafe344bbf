//! What an action came to, kept in a cookie until the next page shows it once.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The longest note, in characters.
const LONGEST: usize = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Done,
    Refused,
}

/// What an action came to, in words for the person who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flash {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

impl Flash {
    /// The cookie that carries it from the action to the next page.
    pub(crate) const COOKIE: &'static str = "flash";

    /// A note; what is too long is cut.
    pub(crate) fn new(tone: Tone, text: &str) -> Self {
        Self { tone, text: text.chars().filter(|one| !one.is_control()).take(LONGEST).collect() }
    }

    pub(crate) fn to_word(&self) -> String {
        let tone = match self.tone {
            Tone::Done => 'd',
            Tone::Refused => 'r',
        };
        format!("{tone}{}", utf8_percent_encode(&self.text, NON_ALPHANUMERIC))
    }

    /// Reads the value of the cookie.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let tone = match word.chars().next()? {
            'd' => Tone::Done,
            'r' => Tone::Refused,
            _ => return None,
        };
        let text = percent_decode_str(word.get(1..)?).decode_utf8().ok()?;
        (!text.is_empty()).then(|| Self::new(tone, &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_note_survives_its_way_through_a_header(text in "\\PC{1,400}") {
            let note = Flash::new(Tone::Refused, &text);
            let word = note.to_word();
            prop_assert!(word.is_ascii() && !word.contains([';', ' ', '"', ',', '\\']));
            if !note.text.is_empty() {
                prop_assert_eq!(Flash::from_word(&word), Some(note));
            }
        }

        #[test]
        fn any_cookie_is_read_without_harm(word in "\\PC{0,600}") {
            if let Some(note) = Flash::from_word(&word) {
                prop_assert!(note.text.chars().count() <= LONGEST);
            }
        }
    }
}

//! Texts: what the page takes as it is, and when two are the same.

use thiserror::Error;

/// The longest message, in UTF-16 units; of a longer one the page would make several.
const LONGEST: usize = 4_096;

/// Pairs of these are read as formatting, and vanish.
const MARKS: [&str; 5] = ["**", "__", "~~", "||", "`"];

/// Why a text is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextFault {
    #[error("the text is empty")]
    Empty,
    #[error("the text is longer than 4,096 UTF-16 units: the page would make several messages of it")]
    TooLong,
    #[error(
        "the text has a pair of {0}, which the page takes for formatting: it would not arrive as it is written"
    )]
    Marks(&'static str),
}

/// The text as it is written and as it must arrive.
pub(crate) fn checked(text: &str) -> Result<String, TextFault> {
    let text = normal(text);
    if text.is_empty() {
        return Err(TextFault::Empty);
    }
    if text.encode_utf16().count() > LONGEST {
        return Err(TextFault::TooLong);
    }
    match MARKS.into_iter().find(|mark| text.matches(mark).count() > 1) {
        Some(mark) => Err(TextFault::Marks(mark)),
        None => Ok(text),
    }
}

/// Whether two texts are the same to those who read them in the page.
pub(crate) fn same(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

/// The page trims texts, and writes some spaces as those that do not break.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\u{a0}', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_would_arrive_altered_is_refused() {
        assert_eq!(checked(" \n"), Err(TextFault::Empty));
        assert_eq!(checked(&"😀".repeat(2_049)), Err(TextFault::TooLong));
        assert!(checked(&"😀".repeat(2_048)).is_ok());
        assert_eq!(checked("5 ** 2 ** 2"), Err(TextFault::Marks("**")));
        assert_eq!(checked("run `ls`"), Err(TextFault::Marks("`")));
        assert_eq!(checked("a_b * c__ ~ |"), Ok("a_b * c__ ~ |".to_owned()));
        assert_eq!(checked("one\r\ntwo "), Ok("one\ntwo".to_owned()));
    }

    proptest! {
        #[test]
        fn an_accepted_text_stays_the_same(text in "\\PC{0,40}") {
            if let Ok(taken) = checked(&text) {
                prop_assert!(same(&taken, &text));
                prop_assert_eq!(checked(&taken), Ok(taken.clone()));
            }
        }
    }
}

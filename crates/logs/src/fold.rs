//! Letter case left out: the form in which searches compare texts.

use std::borrow::Cow;

/// A text with each letter in its small form, letter by letter.
///
/// What is no ASCII stays no ASCII (there are signs whose small form is an ASCII letter): so an ASCII word is in the folded
/// text exactly where it is in the text with its ASCII letters made small, which is quick to find.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(small).collect())
    }
}

fn small(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) if !one.is_ascii() => one,
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_of_any_alphabet_are_lowercased() {
        assert_eq!(fold("FLOOD Ждать"), "flood ждать");
        // The sign of the kelvin would become a k.
        assert_eq!(fold("\u{212a}"), "\u{212a}");
    }

    proptest! {
        #[test]
        fn ascii_is_found_as_if_only_ascii_were_folded(text: String, word in "[ -~]{1,3}") {
            let small = word.to_ascii_lowercase();
            prop_assert_eq!(fold(&text).contains(&small), text.to_ascii_lowercase().contains(&small));
        }
    }
}

//! Sentences that people can read: broken between words where the terminal ends.

/// What the lines after the first one begin with.
const INDENT: &str = "  ";

/// Breaks a text into lines of at most `width` letters, as far as its words allow; the second and all further lines are
/// indented. Without a width it stays one line. Blanks at the ends of lines go.
pub(crate) fn wrapped(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_owned() };
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        let has_words = !line.trim().is_empty();
        if has_words && length + 1 + letters > width {
            lines.push(std::mem::replace(&mut line, INDENT.to_owned()));
            length = INDENT.len();
        } else if has_words {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += letters;
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(wrapped("one two three", Some(9)), "one two\n  three");
        assert_eq!(wrapped("one two three", Some(13)), "one two three");
        assert_eq!(wrapped("one two three", None), "one two three");
        assert_eq!(wrapped("раз два три", Some(7)), "раз два\n  три");
        assert_eq!(wrapped("", Some(7)), "");
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_too_long(text in "[a-zё]{1,12}( [a-zё]{1,12}){0,20}", width in 14..60_u16) {
            let broken = wrapped(&text, Some(width));
            prop_assert!(broken.lines().all(|line| line.chars().count() <= usize::from(width)));
            prop_assert_eq!(broken.split_whitespace().collect::<Vec<_>>().join(" "), text);
        }
    }
}

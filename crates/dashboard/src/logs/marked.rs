//! A text made harmless for a page, with the words that were looked for marked. Pure.

use ::logs::escaped;

/// Characters of a line that a list shows; the page of the line has all.
pub(super) const SHORT: usize = 400;

/// A piece of a text, and whether it is what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) marked: bool,
}

/// The text with control characters written out, cut after `most` characters, in pieces.
pub(super) fn pieces(text: &str, sought: Option<&str>, most: usize) -> Vec<Piece> {
    let mut letters: Vec<char> = text.chars().take(most + 1).collect();
    let cut = letters.len() > most;
    letters.truncate(most);
    let mut pieces = Vec::new();
    let mut add = |letters: &[char], marked: bool| {
        if !letters.is_empty() {
            let text: String = letters.iter().collect();
            pieces.push(Piece { text: escaped(&text).to_string(), marked });
        }
    };
    let needle: Vec<char> = sought.unwrap_or_default().chars().collect();
    let (mut begin, mut at) = (0, 0);
    while !needle.is_empty() && at + needle.len() <= letters.len() {
        let same = letters[at..at + needle.len()].iter().zip(&needle);
        if same.into_iter().all(|(one, other)| one.to_lowercase().eq(other.to_lowercase())) {
            add(&letters[begin..at], false);
            add(&letters[at..at + needle.len()], true);
            at += needle.len();
            begin = at;
        } else {
            at += 1;
        }
    }
    add(&letters[begin..], false);
    if cut {
        add(&['…'], false);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, sought: &str) -> Vec<(String, bool)> {
        pieces(text, Some(sought), SHORT).into_iter().map(|piece| (piece.text, piece.marked)).collect()
    }

    #[test]
    fn search_matches_are_marked() {
        let piece = |text: &str, marked| (text.to_owned(), marked);
        assert_eq!(
            shown("a FLOOD_wait, flood_WAIT", "flood_wait"),
            [piece("a ", false), piece("FLOOD_wait", true), piece(", ", false), piece("flood_WAIT", true)]
        );
        assert_eq!(shown("ЖДЁТ", "ждёт"), [piece("ЖДЁТ", true)]);
        assert_eq!(shown("a", ""), [piece("a", false)]);
    }

    proptest! {
        #[test]
        fn any_line_is_harmless_and_short(text in ".{0,600}|[\\x00-\\x1f<>&\"]{0,600}", sought in ".{0,4}") {
            let pieces = pieces(&text, Some(&sought), SHORT);
            for piece in &pieces {
                prop_assert!(!piece.text.chars().any(char::is_control), "{:?}", piece.text);
            }
            let whole: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            if text.chars().count() <= SHORT {
                prop_assert_eq!(whole, escaped(&text).to_string());
            }
        }
    }
}

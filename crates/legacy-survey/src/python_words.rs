//! Python source cut into words, leniently: names, numbers, texts and signs; comments are left out. Never run.

/// A word of a Python source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A name or a keyword.
    Name(String),
    Number(i64),
    /// A text without its quotes; whether names in braces stand for values.
    Text {
        text: String,
        /// Whether it is an f-string.
        formatted: bool,
    },
    Sign(char),
}

/// The most words of one source.
const MOST: usize = 200_000;

/// Cuts a source into words. What is no Python becomes signs.
pub(super) fn words(source: &str) -> Vec<Word> {
    let letters: Vec<char> = source.chars().collect();
    let (mut words, mut at) = (Vec::new(), 0);
    while let Some(&letter) = letters.get(at) {
        if words.len() == MOST {
            break;
        }
        if letter == '#' {
            at += letters[at..].iter().position(|one| *one == '\n').unwrap_or(letters.len() - at);
        } else if letter.is_whitespace() || letter == '\\' {
            at += 1;
        } else if letter == '"' || letter == '\'' {
            at = text(&letters, at, false, &mut words);
        } else if letter.is_alphabetic() || letter == '_' {
            let end = end_of(&letters, at);
            let name: String = letters[at..end].iter().collect();
            let is_prefix = name.len() <= 2 && name.chars().all(|one| "rRbBfFuU".contains(one));
            if is_prefix && matches!(letters.get(end), Some('"' | '\'')) {
                at = text(&letters, end, name.contains(['f', 'F']), &mut words);
            } else {
                words.push(Word::Name(name));
                at = end;
            }
        } else if letter.is_ascii_digit() {
            let end = end_of(&letters, at);
            let digits: String = letters[at..end].iter().filter(|one| **one != '_').collect();
            words.push(digits.parse().map_or(Word::Sign('0'), Word::Number));
            at = end;
        } else {
            words.push(Word::Sign(letter));
            at += 1;
        }
    }
    words
}

fn end_of(letters: &[char], start: usize) -> usize {
    let is_end = |letter: &char| !(letter.is_alphanumeric() || *letter == '_');
    letters[start..].iter().position(is_end).map_or(letters.len(), |length| start + length)
}

/// Reads a text that begins at a quote; where it does not end, it ends with its line, or with the source.
fn text(letters: &[char], start: usize, formatted: bool, words: &mut Vec<Word>) -> usize {
    let quote = letters[start];
    let tripled = letters.get(start + 1) == Some(&quote) && letters.get(start + 2) == Some(&quote);
    let width = if tripled { 3 } else { 1 };
    let (mut at, mut inside) = (start + width, String::new());
    while let Some(&letter) = letters.get(at) {
        let ends = (0..width).all(|more| letters.get(at + more) == Some(&quote));
        if ends {
            words.push(Word::Text { text: inside, formatted });
            return at + width;
        }
        if letter == '\n' && !tripled {
            break;
        }
        if letter == '\\' {
            inside.extend(letters.get(at + 1));
            at += 2;
        } else {
            inside.push(letter);
            at += 1;
        }
    }
    words.push(Word::Text { text: inside, formatted });
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_go_and_texts_stay_whole() {
        let found = words("PORT = 5_021  # TelegramClient(\"x\")\napp.run(f'a#b', r\"c\\\"d\")\n'''e\nf'''");
        let text = |text: &str, formatted| Word::Text { text: text.to_owned(), formatted };
        let name = |name: &str| Word::Name(name.to_owned());
        assert_eq!(
            found,
            [
                name("PORT"),
                Word::Sign('='),
                Word::Number(5021),
                name("app"),
                Word::Sign('.'),
                name("run"),
                Word::Sign('('),
                text("a#b", true),
                Word::Sign(','),
                text("c\"d", false),
                Word::Sign(')'),
                text("e\nf", false),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_trouble(source in ".{0,200}", quotes in "[\"'\\\\\n#rf(]{0,60}") {
            let _ = words(&source);
            let _ = words(&quotes);
        }
    }
}

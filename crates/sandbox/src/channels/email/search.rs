//! What a search of IMAP finds (RFC 3501, the keys that clients use), and what a set of numbers means.

use domain::Timestamp;
use mail_parser::{Message, MessageParser};

use super::Letter;
use super::writing::stamp;

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    All,
    Seen(bool),
    Uids(String),
    Since(String),
    Header(String, String),
    Not(Box<Key>),
    Either(Box<Key>, Box<Key>),
}

/// Reads a search: all of its keys count.
pub(super) fn read(words: &[String]) -> Option<Vec<Key>> {
    let mut words = words.iter().map(String::as_str);
    let mut keys = Vec::new();
    while let Some(word) = words.next() {
        keys.push(key(word, &mut words, 0)?);
    }
    Some(keys).filter(|keys| !keys.is_empty())
}

fn key(word: &str, words: &mut dyn Iterator<Item = &str>, depth: u8) -> Option<Key> {
    if depth > 8 {
        return None;
    }
    Some(match word.to_ascii_uppercase().as_str() {
        "ALL" => Key::All,
        "SEEN" => Key::Seen(true),
        "UNSEEN" => Key::Seen(false),
        "UID" => Key::Uids(words.next()?.to_owned()),
        "SINCE" => Key::Since(words.next()?.to_owned()),
        "HEADER" => Key::Header(words.next()?.to_owned(), words.next()?.to_owned()),
        name @ ("FROM" | "TO" | "SUBJECT") => Key::Header(name.to_owned(), words.next()?.to_owned()),
        "NOT" => Key::Not(next(words, depth)?),
        "OR" => Key::Either(next(words, depth)?, next(words, depth)?),
        _ => return None,
    })
}

fn next(words: &mut dyn Iterator<Item = &str>, depth: u8) -> Option<Box<Key>> {
    let word = words.next()?;
    key(word, words, depth + 1).map(Box::new)
}

impl Key {
    pub(super) fn finds(&self, letter: &Letter, last: u32) -> bool {
        match self {
            Self::All => true,
            Self::Seen(seen) => letter.seen == *seen,
            Self::Uids(set) => is_in(set, letter.uid, last),
            Self::Since(day) => day_of(letter.at) >= number(day),
            Self::Header(name, text) => {
                MessageParser::default().parse(&letter.raw).is_some_and(|mail| has(&mail, name, text))
            }
            Self::Not(key) => !key.finds(letter, last),
            Self::Either(one, other) => one.finds(letter, last) || other.finds(letter, last),
        }
    }
}

fn has(mail: &Message<'_>, name: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    mail.headers_raw()
        .any(|(known, value)| known.eq_ignore_ascii_case(name) && value.to_lowercase().contains(&text))
}

/// Whether a number is in a set such as `1,4:7,9:*`. `n:*` has the last one even where n is greater.
pub(super) fn is_in(set: &str, uid: u32, last: u32) -> bool {
    let number = |text: &str| if text == "*" { Some(last) } else { text.parse().ok() };
    set.split(',').any(|range| match range.split_once(':') {
        Some((from, to)) => match (number(from), number(to)) {
            (Some(from), Some(to)) => (from.min(to)..=from.max(to)).contains(&uid),
            _ => false,
        },
        None => number(range) == Some(uid),
    })
}

fn day_of(at: Timestamp) -> u32 {
    number(&stamp(at, "%d-%b-%Y"))
}

/// A day as a number that grows with time.
fn number(day: &str) -> u32 {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let mut parts = day.split('-');
    let mut part = || parts.next().unwrap_or_default();
    let day: u32 = part().trim().parse().unwrap_or(0);
    let month = part().to_ascii_lowercase();
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month).map_or(0, |(number, _)| number);
    let year: u32 = part().parse().unwrap_or(0);
    year.saturating_mul(10_000) + month * 100 + day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ended_sets_end_at_the_last_message() {
        assert!(is_in("9:*", 5, 5));
        assert!(is_in("1,3:4", 4, 9) && !is_in("1,3:4", 2, 9));
        assert!(number("02-Jan-2026") > number("31-Dec-2025"));
    }
}

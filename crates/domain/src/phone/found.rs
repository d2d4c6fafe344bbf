//! Phone numbers and addresses of email in texts: those that a message has, and those that a search looks for. Pure.

use super::written::{is_mark, plain, without_other_ids};
use super::{Country, Phone, Reading, decide};
use crate::email;

/// The fewest digits that are taken for a phone: fewer are the number of an order.
const FEWEST: usize = 7;
/// The most numbers and addresses that are looked at in a text.
const MOST_FOUND: usize = 5;
/// Digits that all forms of a number end with.
const SHARED: usize = 10;

/// The digits of a phone that all ways to write it have: `8 900` and `+7 900` are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneDigits(String);

impl PhoneDigits {
    /// Reads what can be a phone, or a part of one: digits, with the marks between them that people write.
    pub fn read(text: &str) -> Option<Self> {
        if let Ok(phone) = Phone::read(text) {
            return Some(Self::of(&phone));
        }
        let text = plain(text.trim());
        let digits = joined(text.strip_prefix('+').unwrap_or(&text));
        let is_number = digits.len() >= FEWEST && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Self(digits))
    }

    fn of(phone: &Phone) -> Self {
        let digits = phone.digits();
        // Telegram's and other providers' forms of one number differ at the beginning.
        Self(digits[digits.len().saturating_sub(SHARED)..].to_owned())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text has this phone in it, however it is written there.
    pub fn is_in(&self, text: &str) -> bool {
        let text = if text.is_ascii() { joined(text) } else { joined(&plain(text)) };
        text.contains(&self.0)
    }
}

/// The digits of a number of which a person knows the end: of a phone, an order or a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberEnd(String);

impl NumberEnd {
    /// Reads at least four digits, with the marks between and before them that people write: `…7711`, `№ 12-34/567`.
    pub fn read(text: &str) -> Option<Self> {
        let text = plain(text);
        let is_number = |one: char| one.is_ascii_digit() || is_mark(one) || "+/#*№…".contains(one);
        // `№` is `No` in plain letters.
        let text = text.trim().trim_start_matches("No");
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_long_enough = (FEWEST_OF_END..=MOST_OF_NUMBER).contains(&digits.len());
        (is_long_enough && text.chars().all(is_number)).then_some(Self(digits))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a number in a text ends with these digits, however it is written there.
    pub fn is_in(&self, text: &str) -> bool {
        let text = plain(text).replace('/', "-");
        runs(&text).any(|(run, _)| digits_of(run).ends_with(&self.0))
    }
}

/// The fewest digits by whose end a number is found.
const FEWEST_OF_END: usize = 4;
/// The most digits of a number.
const MOST_OF_NUMBER: usize = 15;

fn digits_of(run: &str) -> String {
    run.chars().filter(char::is_ascii_digit).collect()
}

/// The text without what is between the digits of a phone.
fn joined(text: &str) -> String {
    text.chars().filter(|letter| !is_mark(*letter)).collect()
}

/// What is between two numbers, and no part of one.
fn is_no_part(one: char) -> bool {
    !one.is_ascii_digit() && !is_mark(one) && one != '+'
}

/// The digits of each number that a text has in it, and its ends, for an index of words: however a person searches for one,
/// [`PhoneDigits`] or [`NumberEnd`] has these.
pub fn digits_in(text: &str) -> Vec<String> {
    if text.bytes().filter(u8::is_ascii_digit).count() < FEWEST_OF_END && text.is_ascii() {
        return Vec::new();
    }
    let text = plain(text).replace('/', "-");
    let mut found = Vec::new();
    for (run, has_plus) in runs(&text) {
        let digits = digits_of(run);
        if let Ok((phone, _)) = decide(&digits, has_plus, Country::home()) {
            found.push(PhoneDigits::of(&phone).0);
        }
        if (FEWEST_OF_END..=MOST_OF_NUMBER).contains(&digits.len()) {
            let ends = FEWEST_OF_END..digits.len().min(SHARED);
            found.extend(ends.map(|length| digits[digits.len() - length..].to_owned()));
            found.push(digits);
        }
    }
    found
}

/// The runs of digits and marks that can be numbers, and whether each has a plus before it.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.split(is_no_part).flat_map(|part| {
        let starts_with_plus = part.trim_start_matches(is_mark).starts_with('+');
        part.split('+')
            .enumerate()
            .filter(|(_, run)| !run.is_empty())
            .map(move |(place, run)| (run.trim_matches(is_mark), place > 0 || starts_with_plus))
    })
}

/// Contact details that a text has in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenContacts {
    /// Numbers in E.164.
    pub phones: Vec<String>,
    /// Addresses of email, in small letters.
    pub emails: Vec<String>,
}

impl WrittenContacts {
    /// Finds them, up to five of each. A number has at least ten digits and stands alone.
    pub fn read(text: &str) -> Self {
        let text = without_other_ids(&plain(text));
        let phones = runs(&text).filter_map(|(run, has_plus)| {
            let digits: String = run.chars().filter(char::is_ascii_digit).collect();
            let (phone, reading) =
                decide(&digits, has_plus, Country::home()).ok().filter(|_| digits.len() >= 10)?;
            // Without its country a number may be that of an order.
            (reading != Reading::Foreign).then(|| phone.to_string())
        });
        let words = text.split(|one: char| one.is_whitespace() || ",;:<>()\"=".contains(one));
        let emails = words
            .map(|word| word.trim_matches(|one: char| !one.is_alphanumeric()))
            .filter_map(email::read_plain);
        Self { phones: first(phones), emails: first(emails) }
    }
}

fn first(found: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for one in found {
        if !kept.contains(&one) && kept.len() < MOST_FOUND {
            kept.push(one);
        }
    }
    kept
}

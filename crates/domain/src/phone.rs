//! A phone as people write it: compared with others, brought to E.164, and found in texts. Pure.

/// The fewest digits that are taken for a phone: fewer are the number of an order.
const FEWEST: usize = 7;

/// The digits of a phone. A Russian one has its last ten: `8 900` and `+7 900` are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneDigits(String);

impl PhoneDigits {
    /// Reads what can be a phone: digits, with the marks between them that people write.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text.strip_prefix('+').unwrap_or(text);
        let digits = joined(rest);
        if digits.len() < FEWEST || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let is_russian = digits.len() == 11 && matches!(digits.as_bytes().first(), Some(b'7' | b'8'));
        Some(Self(if is_russian { digits[1..].to_owned() } else { digits }))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text has this phone in it, however it is written there.
    pub fn is_in(&self, text: &str) -> bool {
        joined(text).contains(&self.0)
    }
}

/// The text without what is between the digits of a phone.
fn joined(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, ' ' | '\u{a0}' | '-' | '(' | ')')).collect()
}

/// The longest text that is read as a phone.
const LONGEST_TYPED: usize = 40;

/// A number in E.164: `+` and 8 to 15 digits. A Russian one may be written without its country: 8 900…, 900….
pub fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST_TYPED {
        return None;
    }
    let (is_whole, rest) = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let is_mark = |one: char| matches!(one, ' ' | '\u{a0}' | '-' | '\u{2013}' | '.' | '(' | ')');
    let digits: String = rest.chars().filter(|one| !is_mark(*one)).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = match (is_whole, digits.len(), digits.as_bytes().first()) {
        (false, 11, Some(b'8')) => format!("7{}", &digits[1..]),
        (false, 10, Some(b'9')) => format!("7{digits}"),
        _ => digits,
    };
    let is_right = match digits.as_bytes().first() {
        Some(b'7') => digits.len() == 11,
        Some(b'1'..=b'9') => (8..=15).contains(&digits.len()),
        _ => false,
    };
    is_right.then(|| format!("+{digits}"))
}

/// The most numbers and addresses that are looked at in a text.
const MOST_FOUND: usize = 5;

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
        let is_mark = |one: char| matches!(one, '+' | '-' | '(' | ')' | '.' | ' ' | '\u{a0}');
        let runs = text.split(|one: char| !one.is_ascii_digit() && !is_mark(one));
        let numbers = runs.filter(|run| run.bytes().filter(u8::is_ascii_digit).count() >= 10);
        let bare = numbers.map(|run| run.trim_matches(|one: char| is_mark(one) && one != '+'));
        // Without its country a number may be that of an order.
        let phones = bare.filter_map(|run| {
            e164(run).filter(|phone| run.starts_with('+') || run.starts_with("00") || phone.starts_with("+7"))
        });
        let words = text
            .split(|one: char| one.is_whitespace() || matches!(one, ',' | ';' | '<' | '>' | '(' | ')' | '"'));
        let emails = words
            .map(|word| word.trim_matches(|one: char| !one.is_alphanumeric()))
            .filter(|word| is_email(word));
        Self { phones: first(phones), emails: first(emails.map(str::to_lowercase)) }
    }
}

fn is_email(word: &str) -> bool {
    let is_plain = |text: &str| {
        let is_letter = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-' | '+');
        !text.is_empty() && text.chars().all(is_letter)
    };
    let Some((name, host)) = word.split_once('@') else { return false };
    let ends_well = host.rsplit_once('.').is_some_and(|(rest, last)| !rest.is_empty() && last.len() >= 2);
    word.len() <= 254 && is_plain(name) && is_plain(host) && ends_well
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phone_is_the_same_however_it_is_written() {
        let phone = PhoneDigits::read("+7 (000) 000-00-01").expect("a phone");
        for text in ["70000000001", "8 000 000 00 01", "call +7 000 000-00-01, please"] {
            assert!(phone.is_in(text), "{text}");
        }
        assert!(!phone.is_in("+7 000 000-00-02"));
        for text in ["", "1042", "ready", "+", "70000000001x"] {
            assert_eq!(PhoneDigits::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_phone_is_brought_to_one_form() {
        for text in
            ["+7 (000) 000-00-01", "80000000001", "8 000 000 00 01", "0070000000001", "7.000.000.00.01"]
        {
            assert_eq!(e164(text).as_deref(), Some("+70000000001"), "{text}");
        }
        assert_eq!(e164("900 000-00-01").as_deref(), Some("+79000000001"));
        assert_eq!(e164("+44 20 0000 0001").as_deref(), Some("+442000000001"));
        assert_eq!(e164("+86 000 0000 0001").as_deref(), Some("+8600000000001"));
        for text in ["", "+", "1042", "7000", "700000000011", "phone", "+7000000000x", "0000000000"] {
            assert_eq!(e164(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_normalized_phone_stays_as_it_is(text in ".{0,50}") {
            if let Some(phone) = e164(&text) {
                prop_assert_eq!(e164(&phone), Some(phone));
            }
        }
    }

    #[test]
    fn contacts_are_found_in_a_text() {
        let text = "Call 8 (000) 000-00-01 or +44 20 0000 0001, order 1042 of 2026-11-25. Mail: <Anna@Example.com>, anna@example.com.";
        let found = WrittenContacts::read(text);
        assert_eq!(found.phones, ["+70000000001", "+442000000001"]);
        assert_eq!(found.emails, ["anna@example.com"]);
        for text in [
            "",
            "my number ends with 0001",
            "@demo_main",
            "a@b",
            "anna@example",
            "1234567890123456789",
            "order 12345 67890",
        ] {
            assert_eq!(WrittenContacts::read(text), WrittenContacts::default(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched(text in "(\\PC|[0-9+() @.-]){0,200}") {
            let WrittenContacts { phones, emails } = WrittenContacts::read(&text);
            prop_assert!(phones.len() <= MOST_FOUND && emails.len() <= MOST_FOUND);
            for phone in phones {
                prop_assert_eq!(e164(&phone), Some(phone));
            }
        }
    }
}

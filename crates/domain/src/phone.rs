//! A phone as people write it, to be compared with others. Pure.

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

/// The text without what stands between the digits of a phone.
fn joined(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, ' ' | '\u{a0}' | '-' | '(' | ')')).collect()
}

#[cfg(test)]
mod tests {
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
}

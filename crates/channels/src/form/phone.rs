//! A phone as people type it, brought to E.164. Pure.

/// The longest text that is read as a phone.
const LONGEST: usize = 40;

/// A number in E.164: `+` and 8 to 15 digits. A Russian one may be written without its country: 8 900…, 900….
pub fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        fn what_comes_out_comes_out_again(text in ".{0,50}") {
            if let Some(phone) = e164(&text) {
                prop_assert_eq!(e164(&phone), Some(phone));
            }
        }
    }
}

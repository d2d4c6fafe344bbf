//! Phone numbers as people write them.

/// What is wrong with a number that is none.
pub(super) const WRONG: &str = "is no phone number; write it with its country code, as in +70000000001";

/// Reads a number with its country code: `+` and 7 to 15 digits; spaces, dashes, dots and brackets do not count.
pub(super) fn read(written: &str) -> Option<String> {
    let bare = written.trim();
    let bare = bare.strip_prefix('+').unwrap_or(bare);
    if bare.chars().any(|c| !c.is_ascii_digit() && !" -.()\u{a0}".contains(c)) {
        return None;
    }
    let digits: String = bare.chars().filter(char::is_ascii_digit).collect();
    let possible = (7..=15).contains(&digits.len()) && !digits.starts_with("00");
    possible.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for written in ["+70000000001", "70000000001", " +7 (000) 000-00-01 ", "+7.000.000.00.01"] {
            assert_eq!(read(written).as_deref(), Some("+70000000001"), "{written}");
        }
        for wrong in [
            "",
            "+",
            "12345",
            "+1234567890123456",
            "++70000000001",
            "+7000000000a",
            "0070000000001",
            "٧٠٠٠٠٠٠٠",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_normalized_number_is_read_as_itself(written in "\\PC{0,24}") {
            if let Some(number) = read(&written) {
                prop_assert_eq!(read(&number), Some(number.clone()));
                prop_assert!(number.len() <= 16);
            }
        }
    }
}

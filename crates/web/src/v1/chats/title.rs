//! Titles and descriptions of chats, within the bounds that Telegram sets. Pure.

use domain::missing::{self, MISSING};

use crate::problem::FieldError;

/// The longest title, in characters; Telegram would cut off the rest.
const LONGEST_TITLE: usize = 128;
/// The longest description, in characters.
const LONGEST_ABOUT: usize = 255;

/// A title without the space around it; one that Telegram would not keep as it is is refused.
pub(super) fn title(given: &str, errors: &mut Vec<FieldError>) -> String {
    let title = given.trim();
    let length = title.chars().count();
    let message = if length == 0 {
        Some(format!("is empty; write 1 to {LONGEST_TITLE} characters"))
    } else if missing::is_in_title(title) {
        Some(MISSING.to_owned())
    } else if length > LONGEST_TITLE {
        Some(format!("has {length} characters; {LONGEST_TITLE} at most"))
    } else if title.chars().any(char::is_control) {
        Some("is wrong: write it on one line".to_owned())
    } else {
        None
    };
    errors.extend(message.map(|message| FieldError::new("title", message)));
    title.to_owned()
}

/// A description; it may be empty.
pub(super) fn about(given: &str, errors: &mut Vec<FieldError>) -> String {
    let about = given.trim();
    let length = about.chars().count();
    if missing::is_in_text(about) {
        errors.push(FieldError::new("about", MISSING));
    } else if length > LONGEST_ABOUT {
        let message = format!("has {length} characters; {LONGEST_ABOUT} at most");
        errors.push(FieldError::new("about", message));
    }
    about.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_title_is_accepted_unchanged_or_refused(given: String) {
            let mut errors = Vec::new();
            let title = title(&given, &mut errors);
            let kept = (1..=128).contains(&title.chars().count())
                && !title.chars().any(char::is_control)
                && !missing::is_in_title(&title);
            prop_assert_eq!(errors.is_empty(), kept);
            prop_assert_eq!(title.as_str(), given.trim());
        }
    }

    #[test]
    fn a_title_with_a_missing_value_is_refused() {
        for (given, is_refused) in [
            ("undefined", true),
            ("Order undefined", true),
            ("Order [object Object]", true),
            ("null", true),
            ("Order 1001", false),
            ("None of these", false),
        ] {
            let mut errors = Vec::new();
            title(given, &mut errors);
            assert_eq!(!errors.is_empty(), is_refused, "{given}");
        }
    }

    #[test]
    fn characters_count_and_not_bytes() {
        for (length, errors) in [(128, 0), (129, 1), (300, 1)] {
            let mut found = Vec::new();
            title(&"ж".repeat(length), &mut found);
            assert_eq!(found.len(), errors, "{length}");
        }
        for (length, errors) in [(0, 0), (255, 0), (256, 1)] {
            let mut found = Vec::new();
            about(&"ж".repeat(length), &mut found);
            assert_eq!(found.len(), errors, "{length}");
        }
    }
}

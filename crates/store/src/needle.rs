//! What a text must have in it, whatever letters are large.

use domain::phone::PhoneDigits;

/// What is compared: the same letters, large or small.
pub(crate) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What a text must have in it.
pub(crate) struct Needle {
    text: String,
    /// As it is in a stored content.
    stored: String,
    /// A phone is found however it is written.
    phone: Option<PhoneDigits>,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        let stored = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        Self { text: folded(text), stored: folded(stored), phone: PhoneDigits::read(text) }
    }

    /// Whether a stored content may have it: most have not, and are never read further. `folded_text` is used again for each.
    pub(crate) fn may_be_in(&self, stored: &str, folded_text: &mut String) -> bool {
        folded_text.clear();
        if stored.is_ascii() {
            folded_text.push_str(stored);
            folded_text.make_ascii_lowercase();
        } else {
            folded_text.extend(stored.chars().flat_map(char::to_lowercase));
        }
        folded_text.contains(&self.stored)
            || self.phone.as_ref().is_some_and(|phone| phone.is_in(folded_text))
    }

    /// Whether a text has it.
    pub(crate) fn fits(&self, text: &str) -> bool {
        self.names(text) || self.phone.as_ref().is_some_and(|phone| phone.is_in(text))
    }

    /// Whether a name has it.
    pub(crate) fn names(&self, name: &str) -> bool {
        folded(name).contains(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_needle_of_a_text_matches_its_stored_form(text in "\\PC{0,40}", from in 0_usize..40, length in 1_usize..10) {
            let piece: String = text.chars().skip(from).take(length).collect();
            let stored = serde_json::json!({ "text": { "text": text } }).to_string();
            let needle = Needle::new(&piece);
            prop_assert!(needle.may_be_in(&stored, &mut String::from("before")), "{piece:?} in {stored}");
            prop_assert!(needle.fits(&text) && needle.names(&text));
        }
    }
}

//! What a text must have in it, whatever letters are large.

use domain::phone::PhoneDigits;
use domain::text::{fold_into, folded, stem};

/// What a text must have in it.
pub(crate) struct Needle {
    text: String,
    /// As it is in a stored content.
    stored: String,
    /// A phone is found however it is written.
    phone: Option<PhoneDigits>,
    /// The Russian words of it without their endings, where all of it is words: their other forms are found too.
    stems: Vec<String>,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        let stored = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        Self {
            text: comparable(text),
            stored: comparable(stored),
            phone: PhoneDigits::read(text),
            stems: stems(text),
        }
    }

    /// Whether a stored content may have it: most have not, and are never read further. `folded_text` is used again for each.
    pub(crate) fn may_be_in(&self, stored: &str, folded_text: &mut String) -> bool {
        folded_text.clear();
        fold_into(stored, folded_text);
        if folded_text.contains('ё') {
            *folded_text = folded_text.replace('ё', "е");
        }
        folded_text.contains(&self.stored)
            || self.phone.as_ref().is_some_and(|phone| phone.is_in(folded_text))
            || self.has_stems(folded_text)
    }

    /// Whether a text has it.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let folded = comparable(text);
        folded.contains(&self.text)
            || self.phone.as_ref().is_some_and(|phone| phone.is_in(text))
            || self.has_stems(&folded)
    }

    /// Whether words of a text begin with all stems.
    fn has_stems(&self, folded: &str) -> bool {
        let begins = |at: usize| !folded[..at].ends_with(char::is_alphanumeric);
        let is_in = |stem: &String| folded.match_indices(stem.as_str()).any(|(at, _)| begins(at));
        !self.stems.is_empty() && self.stems.iter().all(is_in)
    }

    /// Whether a name has it.
    pub(crate) fn names(&self, name: &str) -> bool {
        comparable(name).contains(&self.text)
    }
}

/// A text as it is searched: people write `е` for `ё`.
fn comparable(text: &str) -> String {
    folded(text).replace('ё', "е")
}

/// The stems of Russian words; none where a text has anything else in it.
fn stems(text: &str) -> Vec<String> {
    let folded = comparable(text);
    let words = || folded.split_whitespace();
    let has_stem = |word: &str| stem(word) != word;
    let are_words = words().all(|word| word.chars().all(char::is_alphabetic));
    if !are_words || !words().any(has_stem) {
        return Vec::new();
    }
    words().map(|word| stem(word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_of_words_and_spellings_of_numbers_are_found() {
        for (wanted, text) in [
            ("экраны", "нет экрана"),
            ("экрана", "Экранов нет"),
            ("замена экрана", "сколько стоит замену экранов"),
            ("Домой", "едем домои\u{306}"),
            ("еще", "ЕЩЁ раз"),
            ("ещё", "еще раз"),
            ("чай зелёный", "чай\u{a0}зелёного сорта"),
            ("+79000007711", "мой номер 8 (900) 000-77-11"),
            ("8 900 000 77 11", "9000007711"),
            ("9000007711", "+7\u{a0}900\u{2011}000\u{2011}77\u{2011}11"),
        ] {
            let stored = serde_json::json!({ "text": { "text": text } }).to_string();
            let needle = Needle::new(wanted);
            assert!(needle.may_be_in(&stored, &mut String::new()) && needle.fits(text), "{wanted} in {text}");
        }
        for (wanted, text) in [("экраны", "краны"), ("замена экрана", "замена стекла"), ("1042", "1 0 4 3")]
        {
            assert!(!Needle::new(wanted).fits(text), "{wanted} in {text}");
        }
    }

    proptest! {
        #[test]
        fn a_needle_of_a_text_matches_its_stored_form(text in "\\PC{0,40}", from in 0_usize..40, length in 1_usize..10) {
            let piece: String = text.chars().skip(from).take(length).collect();
            // A letter and its marks are one.
            prop_assume!(domain::text::visible(&text) == text);
            let stored = serde_json::json!({ "text": { "text": text } }).to_string();
            let needle = Needle::new(&piece);
            prop_assert!(needle.may_be_in(&stored, &mut String::from("before")), "{piece:?} in {stored}");
            prop_assert!(needle.fits(&text) && needle.names(&text));
        }
    }
}

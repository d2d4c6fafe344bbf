//! What a text must have in it, whatever letters are large.

use std::collections::BTreeSet;

use domain::phone::{NumberEnd, PhoneDigits};
use domain::text::{bare, bare_into, noun_forms, stem};

/// What a text must have in it.
pub(crate) struct Needle {
    text: String,
    /// As it is in a stored content.
    stored: String,
    /// A phone is found however it is written.
    phone: Option<PhoneDigits>,
    /// A number is found by its end, however it is written.
    number: Option<NumberEnd>,
    /// The Russian words of it without their endings, where all of it is words: their other forms are found too.
    stems: Vec<Stem>,
}

/// By what the forms of a word are found.
struct Stem {
    /// What most of them begin with.
    beginning: String,
    /// The others.
    forms: BTreeSet<String>,
}

impl Stem {
    fn of(word: &str) -> Self {
        Self { beginning: stem(word).to_owned(), forms: noun_forms(word) }
    }

    /// Whether a word of a text is a form of it.
    fn is_in(&self, bare: &str) -> bool {
        let mut words = bare.split(|letter: char| !letter.is_alphanumeric());
        bare.match_indices(self.beginning.as_str())
            .any(|(at, _)| !bare[..at].ends_with(char::is_alphanumeric))
            || !self.forms.is_empty() && words.any(|word| self.forms.contains(word))
    }
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        let stored = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        Self {
            text: bare(text),
            stored: bare(stored),
            phone: PhoneDigits::read(text),
            number: NumberEnd::read(text),
            stems: stems(text),
        }
    }

    /// Whether a stored content may have it: most have not, and are never read further. `folded_text` is used again for each.
    pub(crate) fn may_be_in(&self, stored: &str, folded_text: &mut String) -> bool {
        folded_text.clear();
        bare_into(stored, folded_text);
        folded_text.contains(&self.stored)
            || self.phone.as_ref().is_some_and(|phone| phone.is_in(folded_text))
            || self.number.as_ref().is_some_and(|number| number.is_in(folded_text))
            || self.has_stems(folded_text)
    }

    /// Whether a text has it.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let folded = bare(text);
        folded.contains(&self.text)
            || self.phone.as_ref().is_some_and(|phone| phone.is_in(text))
            || self.number.as_ref().is_some_and(|number| number.is_in(text))
            || self.has_stems(&folded)
    }

    /// Whether a text has forms of all words.
    fn has_stems(&self, bare: &str) -> bool {
        !self.stems.is_empty() && self.stems.iter().all(|stem| stem.is_in(bare))
    }

    /// Whether a name has it.
    pub(crate) fn names(&self, name: &str) -> bool {
        bare(name).contains(&self.text)
    }
}

/// The stems of Russian words; none where a text has anything else in it.
fn stems(text: &str) -> Vec<Stem> {
    let folded = bare(text);
    let words = || folded.split_whitespace();
    let has_stem = |word: &str| stem(word) != word || !noun_forms(word).is_empty();
    let are_words = words().all(|word| word.chars().all(char::is_alphabetic));
    if !are_words || !words().any(has_stem) {
        return Vec::new();
    }
    words().map(Stem::of).collect()
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
            ("7711", "мой номер 8 (900) 000-77-11"),
            ("…77-11", "+79000007711"),
            ("12-34/567", "договор № 1234567"),
            ("цена", "скажите цены"),
            ("ценами", "ЦЕНУ, пожалуйста"),
            ("окна", "одно окно"),
            ("окон", "мойка окна"),
            ("окна", "сколько окон"),
            ("чаты", "пишу в чат"),
            ("замок", "за\u{301}мок"),
            ("домой", "ДОМОИ\u{306}"),
            ("order", "ｏｒｄｅｒ １０４２"),
            ("1042", "ｏｒｄｅｒ １０４２"),
            ("office", "oﬃce"),
            ("доставка", "до\u{ad}ставка"),
        ] {
            let stored = serde_json::json!({ "text": { "text": text } }).to_string();
            let needle = Needle::new(wanted);
            assert!(needle.may_be_in(&stored, &mut String::new()) && needle.fits(text), "{wanted} in {text}");
        }
        for (wanted, text) in
            [("экраны", "краны"), ("замена экрана", "замена стекла"), ("1042", "1 0 4 3"), ("цена", "центр")]
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

//! One form of texts for comparing: labels, words of opt-outs, names, contacts and searches. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::units::is_invisible;

/// A text without the characters that no reader sees, in NFC, with ordinary spaces. Letters keep their case, lines stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(shown).nfc().collect())
}

/// Whether a reader sees nothing of a text: white space, invisible characters, letters without a form, or marks without a letter.
pub fn shows_nothing(text: &str) -> bool {
    let is_unseen =
        |one: char| one.is_whitespace() || is_combining_mark(one) || matches!(one, '\u{E0000}'..='\u{E007F}');
    visible(text).chars().all(is_unseen)
}

/// A text as it is compared with another: [`visible`], in small letters.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Adds [`folded`] to a string that the caller uses again.
fn fold_into(text: &str, folded: &mut String) {
    if text.is_ascii() {
        let from = folded.len();
        folded.push_str(text);
        folded[from..].make_ascii_lowercase();
    } else if is_plain(text) && text.chars().all(|letter| letter < FIRST_CHANGING) {
        folded.extend(text.chars().flat_map(char::to_lowercase));
    } else {
        folded.extend(text.chars().filter_map(shown).nfc().flat_map(char::to_lowercase).nfc());
    }
}

/// A label, a name or a word as it is compared with another: [`folded`], with one space between words and none at the ends.
pub fn folded_line(text: &str) -> String {
    folded(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as rules of words compare it and as it is searched: [`folded`], without marks on letters but that of й, so that ё is е, and
/// with ordinary letters for those of full width and of other shapes.
pub fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    bare_into(text, &mut bare);
    bare
}

/// Adds [`bare`] to a string that the caller uses again.
pub fn bare_into(text: &str, bare: &mut String) {
    let is_plain = |one: char| one.is_ascii() || matches!(one, 'А'..='я' | 'Ё' | 'ё' | '«' | '»' | '—' | '–');
    if text.chars().all(is_plain) {
        let small = text.chars().flat_map(char::to_lowercase);
        bare.extend(small.map(|one| if one == 'ё' { 'е' } else { one }));
        return;
    }
    for one in visible(text).nfkd().flat_map(char::to_lowercase) {
        match one {
            '\u{306}' if bare.ends_with('и') => {
                bare.pop();
                bare.push('й');
            }
            mark if is_combining_mark(mark) => {}
            one => bare.push(one),
        }
    }
}

/// Below it are the letters of Europe's languages; their small forms are in NFC too.
const FIRST_CHANGING: char = '\u{530}';

/// Whether a text is in NFC and has only characters that are shown.
fn is_plain(text: &str) -> bool {
    text.is_ascii()
        || (text.chars().all(|one| shown(one) == Some(one))
            && is_nfc_quick(text.chars()) == IsNormalized::Yes)
}

/// What a reader sees of a character.
fn shown(character: char) -> Option<char> {
    match character {
        _ if is_invisible(character) => None,
        // Joiners and marks of direction, and what chooses between two pictures of an emoji.
        '\u{34F}'
        | '\u{61C}'
        | '\u{180B}'..='\u{180F}'
        | '\u{2065}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}' => None,
        '\n' | '\r' | '\t' => Some(character),
        '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        // Letters and signs of which nothing is drawn.
        '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' => Some(' '),
        _ if character.is_whitespace() => Some(' '),
        _ => Some(character),
    }
}

/// The fewest letters that stay of a word.
const SHORTEST_STEM: usize = 4;

/// The endings of Russian nouns, adjectives and verbs that say the case, the number or the person; longer ones first.
const ENDINGS: [&str; 64] = [
    "иями", "ями", "ами", "иях", "иям", "ием", "ого", "его", "ому", "ему", "ыми", "ими", "ешь", "ишь", "ете",
    "ите", "ала", "ило", "ила", "али", "или", "ять", "ать", "ить", "еть", "ах", "ях", "ам", "ям", "ов", "ев",
    "ей", "ой", "ый", "ий", "ая", "яя", "ое", "ее", "ые", "ие", "ую", "юю", "ым", "им", "ых", "их", "ом",
    "ем", "ью", "ия", "ию", "ии", "ет", "ит", "ут", "ют", "ат", "ят", "ал", "ил", "ть", "а", "е",
];

/// Single letters that end words.
const LAST_LETTERS: [char; 10] = ['а', 'я', 'о', 'е', 'и', 'ы', 'у', 'ю', 'ь', 'й'];

/// The beginning of a Russian word that all its forms share, of a word in small letters. Other words stay as they are.
pub fn stem(word: &str) -> &str {
    let is_russian = |letter: char| ('а'..='я').contains(&letter) || letter == 'ё';
    if !word.chars().all(is_russian) {
        return word;
    }
    let is_long_enough = |stem: &&str| stem.chars().count() >= SHORTEST_STEM;
    let without_ending = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending).filter(is_long_enough));
    without_ending.or_else(|| word.strip_suffix(LAST_LETTERS).filter(is_long_enough)).unwrap_or(word)
}

/// The letters of a stem that is too short to be the beginning of any word.
const SHORT_STEM: usize = 3;

/// The endings of nouns, and none.
const CASE_ENDINGS: [&str; 24] = [
    "ами", "ями", "ах", "ях", "ам", "ям", "ов", "ев", "ей", "ой", "ом", "ем", "ью", "а", "я", "о", "е", "и",
    "ы", "у", "ю", "ь", "й", "",
];

const VOWELS: [char; 9] = ['а', 'е', 'и', 'о', 'у', 'ы', 'э', 'ю', 'я'];

/// The last letters of stems that gain a vowel where no ending follows, such as `окон` of `окна`.
const AFTER_FLEETING_VOWELS: [char; 6] = ['к', 'л', 'м', 'н', 'р', 'ц'];

/// Other forms of a Russian noun, of a word in small letters without `ё`, which [`stem`] does not lead to: those of a short noun, such
/// as `цены` of `цена`, and those in which its stem gains or loses a vowel. Some are no words. None of most words.
pub fn noun_forms(word: &str) -> BTreeSet<String> {
    if !word.chars().all(|letter| ('а'..='я').contains(&letter)) {
        return BTreeSet::new();
    }
    let letters = |text: &str| text.chars().count();
    let endings = CASE_ENDINGS.iter().filter(|ending| !ending.is_empty());
    let stems: Vec<&str> = endings
        .filter_map(|ending| word.strip_suffix(ending))
        .filter(|stem| letters(stem) >= SHORT_STEM)
        .collect();
    let short = stems.iter().find(|stem| letters(stem) == SHORT_STEM).map(|stem| (*stem).to_owned());
    let with_endings = short
        .into_iter()
        .chain(without_fleeting_vowel(word))
        .flat_map(|stem| CASE_ENDINGS.map(|ending| format!("{stem}{ending}")));
    with_endings.chain(stems.into_iter().flat_map(with_fleeting_vowel)).collect()
}

/// `окон` of `окн`, `писем` of `письм`, `копеек` of `копейк`.
fn with_fleeting_vowel(stem: &str) -> Vec<String> {
    let mut letters: Vec<char> = stem.chars().collect();
    let Some(last) = letters.pop().filter(|last| AFTER_FLEETING_VOWELS.contains(last)) else {
        return Vec::new();
    };
    let vowels = match letters.last() {
        Some('ь' | 'й') => {
            letters.pop();
            &['е'][..]
        }
        Some(letter) if !VOWELS.contains(letter) => &['о', 'е'],
        _ => &[],
    };
    let start: String = letters.into_iter().collect();
    vowels.iter().map(|vowel| format!("{start}{vowel}{last}")).collect()
}

/// `окн` of `окон`, `письм` of `писем`, `копейк` of `копеек`.
fn without_fleeting_vowel(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let [start @ .., before, vowel @ ('о' | 'е'), last] = letters.as_slice() else { return Vec::new() };
    if !AFTER_FLEETING_VOWELS.contains(last) || start.is_empty() {
        return Vec::new();
    }
    let between: &[&str] = match (VOWELS.contains(before), vowel) {
        (false, 'е') => &["", "ь"],
        (false, _) => &[""],
        (true, 'е') => &["й"],
        (true, _) => &[],
    };
    let start: String = start.iter().collect();
    between.iter().map(|between| format!("{start}{before}{between}{last}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_of_what_is_not_seen_shows_nothing() {
        for text in
            ["", " \n", "\u{200b}", "\u{2800}", "\u{3164}", "\u{fe0f}", "\u{301}", "\u{e0041}\u{e007f}"]
        {
            assert!(shows_nothing(text), "{text:?}");
        }
        for text in [".", "0", "е\u{301}", "❤\u{fe0f}", "🏴\u{e0067}\u{e007f}", "ㅤ."] {
            assert!(!shows_nothing(text), "{text:?}");
        }
    }

    #[test]
    fn labels_that_look_the_same_are_the_same() {
        let label = folded_line("✅ Забронировать 🚗");
        for same in [
            "✅\u{FE0F} Забронировать 🚗",
            "✅\u{a0}Забронировать\u{202f}🚗",
            "  ✅ забронировать\u{200b} 🚗\n",
            "\u{feff}✅ ЗАБРОНИРОВАТЬ 🚗\u{FE0F}",
            "\u{202a}✅ Забро\u{ad}нировать 🚗\u{202c}",
            "✅\u{3000}Забронировать\u{2009}🚗",
            "\u{3164}✅\u{2800}Забронировать 🚗\u{ffa0}\u{115f}",
        ] {
            assert_eq!(folded_line(same), label, "{same:?}");
        }
        for (one, other) in [
            ("Домой", "Домои\u{306}"),
            ("ЁЖ", "Е\u{308}Ж"),
            ("Їжа", "І\u{308}жа"),
            ("CAFÉ", "cafe\u{301}"),
            ("Домои\u{200d}\u{306}", "домой"),
            ("Å", "\u{212B}"),
        ] {
            assert_eq!(folded_line(one), folded_line(other), "{one}");
        }
        assert_ne!(folded_line("Да"), folded_line("Да, но нет"));
        assert_eq!(visible("A\u{200b}\u{a0}B\nC"), "A B\nC");
        for (text, wanted) in [
            ("Е\u{308}жи\u{301}К й И\u{306}", "ежик й й"),
            ("ＳＴＯＰ 𝐒𝐓𝐎𝐏 ⓢⓣⓞⓟ ÇÉ", "stop stop stop ce"),
            ("сто\u{ad}п\u{200b}", "стоп"),
        ] {
            assert_eq!(bare(text), wanted, "{text}");
        }
    }

    #[test]
    fn forms_of_a_russian_word_share_their_stem() {
        for forms in [
            &["экран", "экраны", "экрана", "экранов", "экраном", "экранам", "экранами", "экранах"][..],
            &["доставка", "доставки", "доставку", "доставке", "доставкой"],
            &["красный", "красная", "красного", "красному", "красные", "красных", "красную"],
            &["лампа", "лампы", "лампе", "лампу", "лампами"],
            &["заказать", "заказал", "заказала", "заказали"],
            &["стекло", "стекла", "стеклу", "стеклом", "стекле"],
        ] {
            let shared = stem(forms[0]);
            for form in forms {
                assert!(stem(form).starts_with(shared) || shared.starts_with(stem(form)), "{form}: {shared}");
                assert!(form.starts_with(stem(form)) && stem(form).chars().count() >= 4);
            }
        }
        for whole in ["чай", "дом", "screens", "samsung", "a1", "нет"] {
            assert_eq!(stem(whole), whole);
        }
    }

    #[test]
    fn forms_of_a_noun_lead_to_each_other() {
        for forms in [
            &["цена", "цены", "цене", "цену", "ценой", "ценам", "ценами", "ценах"][..],
            &["окно", "окна", "окну", "окном", "окне", "окнами", "окон"],
            &["чаты", "чата", "чату", "чатов", "чатами"],
            &["сумка", "сумки", "сумкой", "сумок"],
            &["подарок", "подарка", "подарки", "подарков"],
            &["письмо", "письма", "писем"],
            &["копейка", "копейки", "копеек"],
            &["стекло", "стекла", "стекол"],
            &["кресло", "кресла", "кресел"],
        ] {
            for (one, other) in forms.iter().flat_map(|one| forms.iter().map(move |other| (*one, *other))) {
                assert!(other.starts_with(stem(one)) || noun_forms(one).contains(other), "{one}: {other}");
            }
        }
        for word in ["центр", "чай", "план", "экраны", "price", "7711", "город", "товар"]
        {
            assert_eq!(noun_forms(word), BTreeSet::new(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn a_bare_text_of_plain_letters_is_as_any(text in "[А-Яа-яЁё «»—a-zA-Z0-9]{0,20}") {
            // The zero-width space takes the long way.
            prop_assert_eq!(bare(&text), bare(&format!("{text}\u{200b}")));
        }

        #[test]
        fn a_folded_text_stays_as_it_is(text: String) {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once.clone());
            prop_assert_eq!(folded(&visible(&text)), once);
            prop_assert_eq!(visible(&visible(&text)).into_owned(), visible(&text).into_owned());
        }
    }
}

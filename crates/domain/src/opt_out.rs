//! Opt-out: a message that is one of these words and nothing else, from the person whose chat it is.

use crate::text::folded;

/// The words, in small letters.
const WORDS: [&str; 10] = [
    "stop",
    "стоп",
    "unsubscribe",
    "отписаться",
    "отпишись",
    "отписка",
    "не пишите",
    "не писать",
    "remove me",
    "opt out",
];

/// Whether a text says that no more is wanted.
pub fn is_opt_out(text: &str) -> bool {
    let letters = folded(text).replace(|sign: char| !sign.is_alphanumeric(), " ");
    let words: Vec<_> = letters.split_whitespace().collect();
    WORDS.iter().any(|wanted| words == wanted.split(' ').collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_is_an_opt_out() {
        for text in [
            "stop",
            "STOP!",
            " Стоп. ",
            "не  пишите!!",
            "/stop",
            "с\u{200b}топ",
            "\u{feff}СТОП",
            "не\u{a0}пишите",
        ] {
            assert!(is_opt_out(text), "{text}");
        }
        for text in ["", "do not stop", "bus stop?", "стопка", "please remove me from work"] {
            assert!(!is_opt_out(text), "{text}");
        }
    }
}

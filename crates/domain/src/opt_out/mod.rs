//! What a person says about being written to. Pure.
//!
//! A rule is a few words in a row. A message opts out when rules cover all of it: what else it says makes it a near miss, which a
//! person judges. Words of courtesy are no content.

mod rules;
mod words;

use rules::{Rule, Weight};

/// What a message says about further messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactWish {
    /// Its writer wants no more of them.
    NoMore,
    /// Its writer may want no more of them, or says something else as well.
    MaybeNoMore,
    /// Its writer takes an earlier refusal back.
    Again,
}

/// Words that may stand before a rule and turn it round.
const NEGATIONS: [&str; 12] =
    ["не", "ни", "нельзя", "not", "dont", "never", "didnt", "cannot", "cant", "wont", "did", "why"];
/// Words of will that may stand between a negation and a rule.
const WILLS: [&str; 12] = [
    "просил",
    "просила",
    "просили",
    "хочу",
    "хотел",
    "хотела",
    "надо",
    "нужно",
    "want",
    "wanted",
    "ask",
    "asked",
];
/// Beginnings of words that limit a wish to a time or a kind of messages.
const LIMITS: [&str; 26] = [
    "но",
    "but",
    "оставьте",
    "keep",
    "пока",
    "сегодня",
    "завтра",
    "ноч",
    "вечер",
    "утр",
    "выходн",
    "только",
    "кроме",
    "до",
    "после",
    "раньше",
    "today",
    "tomorrow",
    "tonight",
    "night",
    "only",
    "except",
    "until",
    "before",
    "after",
    "weekend",
];
/// Beginnings of words that ask for something.
const REQUESTS: [&str; 22] = [
    "скажите",
    "подскажите",
    "когда",
    "где",
    "сколько",
    "какой",
    "какая",
    "какие",
    "почему",
    "заказ",
    "отмените",
    "верните",
    "перезвоните",
    "адрес",
    "tell",
    "where",
    "when",
    "how",
    "which",
    "order",
    "refund",
    "cancel",
];
/// A longer text has a rule in it by chance, or in what it quotes.
const MOST_WORDS: usize = 60;

/// Whether a text says that no more is wanted, and nothing else.
pub fn is_opt_out(text: &str) -> bool {
    matches!(reading(text), Some((ContactWish::NoMore, Extent::Whole)))
}

/// What a text says about further messages; most say nothing about them.
pub fn contact_wish(text: &str) -> Option<ContactWish> {
    Some(reading(text)?.0)
}

/// Whether a text wants an answer: it says something beside courtesy and a wish about further messages. Behind such a wish only a
/// question or a request does.
pub fn wants_answer(text: &str) -> bool {
    match reading(text) {
        None => !words::of(text).is_empty(),
        Some((_, Extent::Whole)) => false,
        Some((_, Extent::Part)) => {
            let asks = |word: &String| REQUESTS.iter().any(|request| word.starts_with(request));
            text.contains('?') || words::of(text).iter().any(asks)
        }
    }
}

/// How much of a text a wish is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

fn reading(text: &str) -> Option<(ContactWish, Extent)> {
    wish_of(text).or_else(|| words::in_cyrillic(text).and_then(|text| wish_of(&text)))
}

/// What the subject of a mail says about further messages, where its text has no words but courtesy.
pub fn wish_of_subject(subject: &str, text: &str) -> Option<ContactWish> {
    if !words::of(text).is_empty() {
        return None;
    }
    let mut subject = subject.trim();
    while let Some((before, after)) = subject.split_once(':')
        && ["re", "fwd", "fw", "на", "отв"].contains(&before.trim().to_lowercase().as_str())
    {
        subject = after.trim_start();
    }
    contact_wish(subject)
}

fn wish_of(text: &str) -> Option<(ContactWish, Extent)> {
    let words = words::of(text);
    if words.is_empty() || words.len() > MOST_WORDS {
        return None;
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let asks = text.contains('?');
    if !asks && is_covered(&words, &[Weight::Again]).is_some() {
        return Some((ContactWish::Again, Extent::Whole));
    }
    let all =
        [Weight::Explicit, Weight::Clear, Weight::Alone, Weight::Unclear, Weight::Whole, Weight::Reason];
    let whole = match is_covered(&words, &all) {
        Some(Weight::Explicit | Weight::Clear) => Some(ContactWish::NoMore),
        Some(Weight::Alone | Weight::Whole) if !asks => Some(ContactWish::NoMore),
        Some(Weight::Unclear) => Some(ContactWish::MaybeNoMore),
        _ => None,
    };
    if let Some(wish) = whole {
        return Some((wish, Extent::Whole));
    }
    let anywhere = (0..words.len()).filter_map(|start| found(&words, start)).min();
    let is_limited = words.iter().any(|word| LIMITS.iter().any(|limit| limits(word, limit)));
    let wish = match anywhere {
        Some(Weight::Explicit) if !asks && !is_limited => ContactWish::NoMore,
        Some(_) => ContactWish::MaybeNoMore,
        None => has_such_clause(text).then_some(ContactWish::MaybeNoMore)?,
    };
    Some((wish, Extent::Part))
}

/// Whether a part of a text says it, and is no question.
fn has_such_clause(text: &str) -> bool {
    let ends_clause = |sign: char| matches!(sign, '.' | '!' | '?' | ',' | ';' | ':' | '\n' | '—' | '–');
    let mut clauses = text.split_inclusive(ends_clause);
    clauses.any(|clause| {
        let words = words::of(clause);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let weight = is_covered(&words, &[Weight::Explicit, Weight::Clear, Weight::Alone]);
        words.len() > 1 && !clause.ends_with('?') && weight.is_some()
    })
}

/// Whether a word is this limit. Short ones stand alone.
fn limits(word: &str, limit: &str) -> bool {
    word == limit || limit.len() > "до".len() && word.starts_with(limit)
}

/// The heaviest rule among those that together cover all words, if they can.
fn is_covered(words: &[&str], weights: &[Weight]) -> Option<Weight> {
    // For each number of words from the start: the heaviest rule of a cover that ends there.
    let mut covers: Vec<Option<Option<Weight>>> = vec![None; words.len() + 1];
    covers[0] = Some(None);
    for start in 0..words.len() {
        let Some(heaviest) = covers[start] else { continue };
        for rule in rules::beginning_with(words[start]).filter(|rule| weights.contains(&rule.weight)) {
            for end in rule.ends(words, start) {
                let with = heaviest.map_or(rule.weight, |other| other.min(rule.weight));
                let known = covers[end].flatten();
                covers[end] = Some(Some(known.map_or(with, |other| other.min(with))));
            }
        }
    }
    covers[words.len()].flatten()
}

/// The heaviest rule that begins at a word of a message which says something else too.
fn found(words: &[&str], start: usize) -> Option<Weight> {
    let is_negated = match words[..start] {
        [.., before, will] if WILLS.contains(&will) => NEGATIONS.contains(&before),
        [.., before] => NEGATIONS.contains(&before),
        [] => false,
    };
    let fits = |rule: &&'static Rule| {
        matches!(rule.weight, Weight::Explicit | Weight::Clear | Weight::Concern)
            && !rule.ends(words, start).is_empty()
    };
    let heaviest = rules::beginning_with(words.get(start)?).filter(fits).map(|rule| rule.weight).min()?;
    (!is_negated).then_some(heaviest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a corpus for which the wish is another one.
    fn others(corpus: &str, wish: Option<ContactWish>) -> Vec<(&str, Option<ContactWish>)> {
        let read = corpus.lines().map(|line| (line, contact_wish(line)));
        read.filter(|(_, found)| *found != wish).collect()
    }

    #[test]
    fn people_who_want_no_more_are_understood() {
        let corpus = include_str!("positive.txt");
        assert!(corpus.lines().count() >= 150);
        assert_eq!(others(corpus, Some(ContactWish::NoMore)), []);
    }

    #[test]
    fn what_says_more_than_that_is_for_a_person_to_judge() {
        assert_eq!(others(include_str!("near.txt"), Some(ContactWish::MaybeNoMore)), []);
    }

    #[test]
    fn other_messages_say_nothing_about_it() {
        let corpus = include_str!("negative.txt");
        assert!(corpus.lines().count() >= 150);
        assert_eq!(others(corpus, None), []);
    }

    #[test]
    fn a_start_takes_it_back_and_nothing_else_does() {
        assert_eq!(others(include_str!("again.txt"), Some(ContactWish::Again)), []);
        for text in [
            "/start promo_7",
            "When do you start?",
            "не подписывайте меня",
            "не хочу подписаться",
            "старт продаж когда?",
            "Передумал",
            "Можно писать сюда?",
            "Разрешаю обработку данных",
        ] {
            assert_ne!(contact_wish(text), Some(ContactWish::Again), "{text}");
        }
    }

    #[test]
    fn what_a_program_writes_under_a_message_says_nothing() {
        for text in [
            "Стоп\n\nОтправлено с iPhone",
            "Unsubscribe\nSent from my phone",
            "STOP\n-- \nIvan Petrov\nDirector",
            "> Our offers\nСтоп",
        ] {
            assert!(is_opt_out(text), "{text}");
        }
        assert_eq!(contact_wish("Thank you!\n--\nUnsubscribe me"), None);
        for (subject, text, wish) in [
            ("Re: Unsubscribe me", "Sent from my iPhone", Some(ContactWish::NoMore)),
            ("Отпишите меня", "С уважением, Анна", Some(ContactWish::NoMore)),
            ("Unsubscribe", "Thanks!\nBest regards,\nJohn", Some(ContactWish::NoMore)),
            ("Re: How to unsubscribe", "Where is my order?", None),
            ("Order 5", "", None),
        ] {
            assert_eq!(wish_of_subject(subject, text), wish, "{subject}");
        }
    }

    #[test]
    fn a_question_beside_a_refusal_wants_an_answer() {
        for text in [
            "Отпишите меня от рассылки и скажите когда приедет мой заказ 402",
            "Please take me off your mailing list and tell me where my order 124 is",
            "Где мой заказ",
        ] {
            assert!(wants_answer(text) && !is_opt_out(text), "{text}");
        }
        for text in
            ["Стоп", "Спасибо", "👍", "", "Я же просил не писать!", "Достали уже", "I told you to stop"]
        {
            assert!(!wants_answer(text), "{text}");
        }
    }

    #[test]
    fn quoted_lines_and_long_texts_opt_no_one_out() {
        assert_eq!(contact_wish("> unsubscribe me from this list\nWhere is my order?"), None);
        assert_eq!(contact_wish(&format!("{} stop texting me", "word ".repeat(60))), None);
    }
}

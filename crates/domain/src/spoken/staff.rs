//! Words that a model says to the staff or to itself in place of the customer: notes, talk about the answer, and where it is from.

use super::Unspoken;
use super::aloud::{Follows, Lead};

/// What a note is called, as the word begins.
const NOTES: [&str; 8] = ["примечан", "заметк", "комментар", "пометк", "note", "notes", "comment", "memo"];
/// One of the staff, as the word begins.
const ONE: [&str; 9] = [
    "оператор",
    "менеджер",
    "сотрудник",
    "администратор",
    "коллег",
    "operator",
    "manager",
    "agent",
    "colleague",
];
/// All of them, and the model itself.
const ALL: [&str; 6] = ["персонал", "себ", "staff", "team", "support", "self"];
/// Endings of several and of words in the dative.
const SEVERAL: [&str; 3] = ["ов", "ам", "s"];
const DATIVE: [&str; 3] = ["у", "е", "ам"];
/// What is not for customers, whatever follows.
const SECRET: [&str; 6] = [
    "служебно",
    "служебная информация",
    "служебная пометка",
    "для служебного пользования",
    "для внутреннего пользования",
    "for internal use",
];
/// The same in brackets, or over words about the customer: a bag has an inside, too.
const INSIDE: [&str; 5] = ["internal", "internal only", "внутреннее", "внутренне", "служебное"];
/// Over words about the customer these are no words of a list of features.
const SYSTEM: [&str; 2] = ["system", "система"];
/// The customer in the third person.
const CUSTOMERS: [&str; 8] =
    ["клиент", "клиентка", "покупатель", "пользователь", "customer", "client", "the customer", "the client"];
/// The answer, as a model calls it.
const ANSWERS: [&str; 8] = ["ответ", "ответа", "черновик", "answer", "reply", "response", "draft", "message"];
const DRAFTS: [&str; 5] =
    ["вариант ответа", "черновик ответа", "draft reply", "draft response", "you can send"];
/// What a model calls what it was given: a word, the beginning of the next one, and phrases.
const OF_PROMPT: [(&[&str], &[&str]); 2] = [
    (
        &[
            "my",
            "мой",
            "мои",
            "моих",
            "моим",
            "моей",
            "моём",
            "system",
            "системный",
            "системном",
            "системному",
        ],
        &["instruction", "prompt", "guideline", "инструкц", "промпт"],
    ),
    (
        &["provided", "предоставленному", "предоставленном", "предоставленных", "предоставленным"],
        &["context", "контекст", "текст"],
    ),
];
const PHRASES: [&str; 4] =
    ["the context says", "the context provided", "knowledge base says", "system message tells"];
/// Sentences in which a model plans its answer: who speaks, what they do, and how.
const PLANS: [(&[&str], &[&str], &[&str]); 6] = [
    (
        &["let me", "i'll", "i will"],
        &["check", "consult", "look", "search"],
        &["knowledge base", "the context"],
    ),
    (&["проверяю", "проверю", "смотрю", "посмотрю"], &[], &["тексты:", "базу знаний", "контекст"]),
    (
        &[
            "i'll",
            "i will",
            "i should",
            "i need to",
            "i must",
            "i did",
            "let me",
            "we need to",
            "we should",
            "we must",
        ],
        &["respond", "reply", "answer", "greet", "apologize", "acknowledge", "mention"],
        &["politely", "the customer", "the client", "as instructed"],
    ),
    (
        &["отвечу", "отвечаю", "ответил", "ответила"],
        &[],
        &["вежливо", "мягко", "клиенту", "приветствием", "как просили"],
    ),
    (
        &["мне запрещено", "мне нельзя"],
        &["называть", "раскрывать", "сообщать"],
        &["цен", "скидк", "себестоимост"],
    ),
    (&["нужно", "надо", "следует"], &["поздороваться", "поприветствовать", "извиниться"], &[]),
];
/// What stands before a look at what was written.
const LOOKS: [&str; 5] = ["судя по", "исходя из", "looking at", "based on", "judging by"];
/// Files that texts of prompts are kept in.
const FILES: [&str; 4] = [".md", ".txt", ".json", ".yaml"];

/// Checks a text in small letters.
pub(super) fn check(text: &str) -> Result<(), Unspoken> {
    for line in text.lines() {
        for start in starts(line) {
            label(&start)?;
        }
        if speaks_of_prompt(line) || line.split(['.', '!', '?', '…']).any(is_plan) {
            return Err(Unspoken::Thoughts);
        }
    }
    Ok(())
}

/// A place where a label may stand.
struct Start<'a> {
    rest: &'a str,
    is_in_brackets: bool,
    /// It begins its line.
    leads: bool,
}

/// The beginnings of a line, of its sentences and of what is in brackets.
fn starts(line: &str) -> impl Iterator<Item = Start<'_>> {
    let first = line.trim_start().starts_with(['(', '[', '{']);
    let first = Start { rest: line, is_in_brackets: first, leads: true };
    let more = line.match_indices(['(', '[', '{', '.', '!', '?']).filter_map(|(at, sign)| {
        let rest = line.get(at + 1..)?;
        let is_in_brackets = ["(", "[", "{"].contains(&sign);
        (is_in_brackets || rest.starts_with(' ')).then_some(Start { rest, is_in_brackets, leads: false })
    });
    std::iter::once(first).chain(more)
}

fn label(start: &Start<'_>) -> Result<(), Unspoken> {
    if is_measure_of_answer(start) || has_value(start) {
        return Err(Unspoken::ToolMarkup);
    }
    let lead = Lead::of(start.rest);
    let is_label = lead.follows == Follows::Colon || start.is_in_brackets && lead.follows == Follows::Bracket;
    if !is_label {
        return Ok(());
    }
    let value = lead.rest.trim_start_matches(|other: char| !other.is_alphanumeric());
    let speaks_of_customer = CUSTOMERS
        .iter()
        .any(|customer| value.strip_prefix(customer).is_some_and(|after| after.starts_with([' ', '\''])));
    let words: Vec<&str> = lead.words.split_whitespace().collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let begins = |known: &[&str]| words.iter().any(|word| known.iter().any(|start| word.starts_with(start)));
    let is_noted = is_to_staff(&words, lead.follows == Follows::Colon || start.leads)
        || begins(&NOTES) && start.is_in_brackets && speaks_of_customer;
    let is_secret = SECRET.contains(&lead.words)
        || INSIDE.contains(&lead.words)
            && (speaks_of_customer || start.is_in_brackets && !begins_with_digit(value))
        || SYSTEM.contains(&lead.words) && speaks_of_customer;
    let is_to_customer = has(&["клиенту", "покупателю", "пользователю"])
        || has(&["to", "for"]) && has(&["customer", "client"]);
    let is_answer = has(&ANSWERS) && is_to_customer || DRAFTS.iter().any(|draft| lead.words.contains(draft));
    if is_noted || is_secret || is_answer {
        return Err(Unspoken::Thoughts);
    }
    let is_list = |value: &str| value.trim_start_matches([':', ' ']).starts_with('[');
    if sources(start).is_some_and(|value| is_list(value) || named(value).any(is_file)) {
        return Err(Unspoken::ToolMarkup);
    }
    Ok(())
}

fn begins_with_digit(value: &str) -> bool {
    value.starts_with(|first: char| first.is_ascii_digit())
}

/// How sure a model is: `уверенность: 0.35`, `(confidence 0.9)`, `[conf: 0.93]`, `(уверен на 90%)`.
fn is_measure_of_answer(start: &Start<'_>) -> bool {
    const SIGNS: [char; 6] = [':', '=', '—', '–', '-', '*'];
    let rest = start.rest.trim_start_matches(|other: char| !other.is_alphanumeric());
    let rest = rest.strip_prefix("уровень ").unwrap_or(rest);
    let (name, after) = rest.split_at(rest.find(|other: char| !other.is_alphabetic()).unwrap_or(rest.len()));
    let is_name = ["confidence", "уверенность", "уверенности"].contains(&name)
        || start.is_in_brackets && ["conf", "уверен", "уверена"].contains(&name);
    let after = after.trim_start();
    let after = ["level", "score", "на"].iter().find_map(|word| after.strip_prefix(word)).unwrap_or(after);
    let after = after.trim_start();
    let value = after.trim_start_matches(|sign: char| sign == ' ' || SIGNS.contains(&sign));
    let is_word =
        ["high", "low", "medium", "высок", "низк", "средн"].iter().any(|word| value.starts_with(word));
    let is_given = after.starts_with(SIGNS) || start.is_in_brackets;
    is_name && is_given && (begins_with_digit(value) || is_word)
}

/// Whether brackets have a value as programs write it: `(see doc_id=5)`.
fn has_value(start: &Start<'_>) -> bool {
    let inner = start.rest.split([')', ']', '}']).next().unwrap_or_default();
    start.is_in_brackets
        && inner.split([' ', ',', ';', '(', '[']).any(|word| {
            word.split_once('=').is_some_and(|(name, value)| {
                let is_sign = |other: char| other.is_ascii_lowercase() || other == '_';
                name.trim_matches('_').contains('_') && name.chars().all(is_sign) && !value.is_empty()
            })
        })
}

/// What a label names, up to the end of its brackets.
fn named(value: &str) -> impl Iterator<Item = &str> {
    let value = value.split([')', ']', '}']).next().unwrap_or_default();
    value.split([',', ';']).map(|item| item.trim_matches([':', ' ', '.', '"', '\'', '«', '»', '`', '[', '(']))
}

fn is_file(item: &str) -> bool {
    FILES.iter().any(|ending| item.ends_with(ending)) && !item.contains(['/', ' '])
}

/// Whether a sentence plans what is said, or looks back at what the customer wrote.
fn is_plan(sentence: &str) -> bool {
    let sentence = sentence.trim_start_matches(|other: char| !other.is_alphanumeric());
    let has_any = |known: &[&str]| known.is_empty() || known.iter().any(|words| has_words(sentence, words));
    let plans = PLANS.iter().any(|(who, does, how)| has_any(who) && has_any(does) && has_any(how));
    let looks_back = LOOKS.iter().any(|look| sentence.starts_with(look))
        && ["истори", "переписк", "history", "conversation"].iter().any(|what| sentence.contains(what))
        && ["клиент ", "покупатель ", "customer ", "client ", "user "]
            .iter()
            .any(|who| sentence.contains(who));
    // The customer service is no customer.
    plans && !sentence.contains("customer service") || looks_back
}

/// Whether a label is over words to the staff: a note to them, or one of them as an addressee and nothing else. Several may be
/// customers: "Для менеджеров: курс продаж".
fn is_to_staff(words: &[&str], may_be_alone: bool) -> bool {
    let begins = |word: &str, known: &[&str]| known.iter().any(|start| word.starts_with(start));
    let ends = |word: &str, known: &[&str]| known.iter().any(|end| word.ends_with(end));
    let is_of_staff = |word: &str| begins(word, &ONE) || begins(word, &ALL);
    let leads_to = |word: &str| ["для", "for", "to"].contains(&word);
    let is_directed = words.iter().any(|word| leads_to(word) || is_of_staff(word) && ends(word, &DATIVE));
    let is_theirs = words.windows(2).any(|pair| is_of_staff(pair[0]) && pair[1] == "note");
    let is_note = words.iter().any(|word| begins(word, &NOTES));
    let is_one = |word: &str| begins(word, &ONE) && !ends(word, &SEVERAL);
    let is_alone = may_be_alone && words.iter().all(|word| leads_to(word) || *word == "the" || is_one(word));
    words.iter().any(|word| is_of_staff(word)) && (is_directed && (is_note || is_alone) || is_theirs)
}

/// Whether a line speaks of what the model was given: "according to my instructions".
fn speaks_of_prompt(line: &str) -> bool {
    let words: Vec<&str> = line.split(|other: char| !other.is_alphanumeric()).collect();
    let is_pair = |pair: &[&str]| {
        OF_PROMPT.iter().any(|(own, given)| {
            own.contains(&pair[0]) && given.iter().any(|start| pair[1].starts_with(start))
        })
    };
    words.windows(2).any(is_pair) || PHRASES.iter().any(|words| line.contains(words))
}

/// Whether words begin at a word of a sentence.
fn has_words(sentence: &str, words: &str) -> bool {
    sentence
        .match_indices(words)
        .any(|(at, _)| !sentence.get(..at).unwrap_or_default().ends_with(|last: char| last.is_alphanumeric()))
}

/// Says whether a text cites one of the texts that were given by its name: `[delivery]`, `(source: delivery)`.
pub(super) fn cites(text: &str, names: &[String]) -> bool {
    let is_name = |item: &str| names.iter().any(|name| name.to_lowercase() == item);
    text.to_lowercase().lines().any(|line| {
        let is_alone = line.split('[').skip(1).any(|rest| {
            rest.split_once(']')
                .is_some_and(|(inner, after)| is_name(inner.trim()) && !after.starts_with('('))
        });
        is_alone || starts(line).filter_map(|start| sources(&start)).any(|value| named(value).any(is_name))
    })
}

/// What a label of sources is over.
fn sources<'a>(start: &Start<'a>) -> Option<&'a str> {
    let lead = Lead::of(start.rest);
    let is_label = ["source", "sources", "источник", "источники"].contains(&lead.words);
    (is_label && lead.follows == Follows::Colon).then_some(lead.rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cited_by_their_names() {
        let names = ["delivery".to_owned(), "Прайс".to_owned()];
        for text in [
            "Доставка 199 ₽ [delivery]",
            "Доставка 199 ₽. (source: delivery)",
            "Доставка 199 ₽.\nИсточники: «прайс», delivery",
            "Доставка 199 ₽. [Источник: Delivery]",
        ] {
            assert!(cites(text, &names), "{text}");
        }
        for text in [
            "Our delivery: 199",
            "Доставка (delivery) 199 ₽",
            "Источник: прайс-лист от 1 марта",
            "Источник: https://example.com/delivery",
            "[Акция] delivery",
        ] {
            assert!(!cites(text, &names), "{text}");
        }
    }
}

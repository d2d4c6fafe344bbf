//! Answers that are for a program, as a whole or in a line, and no words for a customer: names of actions, stage directions, errors and
//! empty values.

use super::{Unspoken, names, unfinished};

/// What programs and models write in place of a missing text, in small letters.
const NOTHING: [&str; 15] = [
    "null",
    "undefined",
    "none",
    "nan",
    "nil",
    "n/a",
    "true",
    "false",
    "empty",
    "no answer",
    "no response",
    "no reply",
    "пусто",
    "нет ответа",
    "без ответа",
];
/// What programs write that failed.
const FAILED: [&str; 4] =
    ["agent stopped due to", "error in workflow", "traceback (most recent call last)", "traceback: "];
/// Errors of servers, up to the end of a sentence.
const ERRORS: [&str; 14] = [
    "too many requests",
    "rate limit exceeded",
    "rate limit reached",
    "quota exceeded",
    "internal server error",
    "bad gateway",
    "bad request",
    "service unavailable",
    "gateway timeout",
    "gateway time-out",
    "request timeout",
    "connection timeout",
    "connection timed out",
    "connection refused",
];
/// What stands before them, beside a number.
const BEFORE_ERRORS: [&str; 4] = ["error", "http", "status", "code"];
/// The most characters and words of an action, and the fewest letters of one that is no customer's word.
const LONGEST: usize = 60;
const MOST_WORDS: usize = 6;
const FEWEST_LETTERS: usize = 4;

/// Checks a text; an emphasized one is in italics as a whole.
pub(super) fn check(text: &str, is_emphasized: bool) -> Result<(), Unspoken> {
    let whole = text.trim();
    if whole.chars().all(|sign| ".…,-–—?! \n".contains(sign)) {
        return Err(Unspoken::Empty);
    }
    let lower = whole.to_lowercase();
    if let Some(words) = FAILED.iter().find(|words| lower.contains(**words)) {
        return Err(unfinished(words));
    }
    let after_label = ["error:", "ошибка:"].iter().filter_map(|label| Some(lower.split_once(label)?.1));
    if std::iter::once(lower.as_str()).chain(after_label).any(is_error) {
        return Err(unfinished("error"));
    }
    if whole.lines().any(|line| asks_for_person(line.trim())) || is_emphasized && is_request(whole) {
        return Err(Unspoken::PersonWanted);
    }
    let bare = lower.trim_matches(|sign: char| !sign.is_alphanumeric()).replace('_', " ");
    if NOTHING.contains(&bare.as_str()) || whole.contains("[object Object]") {
        return Err(Unspoken::Markup);
    }
    if is_in_brackets(whole) || is_name_in_capitals(whole) { Err(Unspoken::Signal) } else { Ok(()) }
}

/// Whether a line, or what it has in square brackets, is the name of an action that asks for a person. Words in brackets may name a
/// button, so that they count at the beginning of a line alone.
fn asks_for_person(line: &str) -> bool {
    let is_name = |text: &str| !text.contains(char::is_whitespace) || is_in_capitals(text);
    let is_action = |text: &str| is_name(text) && is_request(text);
    let mut inner = line.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0));
    let leads = line.strip_prefix('[').and_then(|rest| Some(rest.split_once(']')?.0));
    is_action(line) || inner.any(is_action) || leads.is_some_and(is_request)
}

fn is_request(text: &str) -> bool {
    let bare = text.trim_matches(|sign: char| !sign.is_alphanumeric());
    // An address is none.
    bare.chars().count() <= LONGEST
        && bare.split_whitespace().count() <= MOST_WORDS
        && !bare.contains(['/', '@', '.'])
        && names::wants_a_person(bare)
}

/// Whether a text is one phrase in square brackets. One with a number may be a seat or a size.
fn is_in_brackets(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| !inner.contains(|sign: char| "[]\n".contains(sign) || sign.is_ascii_digit()))
}

/// Whether a text is one name in capital letters, such as `SKIP`. One with a number may be a code for the customer.
fn is_name_in_capitals(text: &str) -> bool {
    let name = text.trim_matches(['*', '_', '`', '.', '<', '>', '#', '/']);
    is_in_capitals(name)
        && name.chars().all(|sign| sign.is_alphabetic() || sign == '_')
        && name.chars().filter(|sign| sign.is_alphabetic()).count() >= FEWEST_LETTERS
}

fn is_in_capitals(text: &str) -> bool {
    text.contains(char::is_uppercase) && !text.contains(char::is_lowercase)
}

/// Whether a text in small letters begins with an error of a server.
fn is_error(text: &str) -> bool {
    let mut text = text.trim_start();
    while let Some(rest) = BEFORE_ERRORS.iter().find_map(|word| text.strip_prefix(word)) {
        text = rest.trim_start_matches(|sign: char| !sign.is_alphabetic());
    }
    text = text.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == ' ');
    let mut ends = ERRORS.iter().filter_map(|error| text.strip_prefix(error));
    ends.any(|rest| !rest.trim_start_matches(' ').starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_to_programs_are_no_answers() {
        for (text, expected) in [
            ("TRANSFER_TO_AGENT", Unspoken::PersonWanted),
            ("handover_to_operator", Unspoken::PersonWanted),
            ("ESCALATE", Unspoken::PersonWanted),
            ("[ESCALATE] клиент зол", Unspoken::PersonWanted),
            ("Сейчас помогу. [HANDOFF]", Unspoken::PersonWanted),
            ("[ПЕРЕВОД НА ОПЕРАТОРА]", Unspoken::PersonWanted),
            ("[перевод на оператора]", Unspoken::PersonWanted),
            ("НУЖЕН ОПЕРАТОР", Unspoken::PersonWanted),
            ("Сейчас помогу.\nESCALATE", Unspoken::PersonWanted),
            ("Traceback (most recent call last):", unfinished("traceback (most recent call last)")),
            ("NO_REPLY", Unspoken::Markup),
            ("no_reply", Unspoken::Markup),
            ("SKIP", Unspoken::Signal),
            ("[SILENCE]", Unspoken::Signal),
            ("[тишина]", Unspoken::Signal),
            ("true", Unspoken::Markup),
            ("...", Unspoken::Empty),
            ("—", Unspoken::Empty),
            ("Error: 429 Too Many Requests", unfinished("error")),
            ("HTTP 502 Bad Gateway", unfinished("error")),
            ("Internal Server Error", unfinished("error")),
            ("Rate limit exceeded. Please try again later.", unfinished("error")),
            ("К сожалению, произошла ошибка: Connection timeout", unfinished("error")),
        ] {
            assert_eq!(check(text, false), Err(expected), "{text}");
        }
        assert_eq!(check("передаёт диалог оператору", true), Err(Unspoken::PersonWanted));
        for text in [
            "anna_master",
            "Промокод:\nSPRING_SALE",
            "SALE2026",
            "ДА",
            "Нажмите [Позвать оператора] внизу.",
            "[кабинет 305]",
            "【Акция】",
            "Service unavailable in your area.",
            "Error E20: clean the filter.",
            "Ошибка: неверный пин-код. Попробуйте 0000.",
            "Оператор не нужен, всё уже оформлено.",
            "t.me/call_support",
            "✿",
            "Escalator",
            "передаёт диалог оператору",
        ] {
            assert_eq!(check(text, false), Ok(()), "{text}");
        }
        assert_eq!(check("курсив", true), Ok(()));
    }
}

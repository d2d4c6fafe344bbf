//! What the text says with which a bot answers a press. Pure.

use crate::pattern::compared;

/// What a text says of the press that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// What the button offers is gone.
    No,
    /// The press counted, or the bot still looks at it.
    Taken,
    /// Nothing that is understood.
    Other,
}

/// Words with which bots say no.
const NO: &[&str] = &[
    "sold out",
    "not available",
    "unavailable",
    "no longer",
    "nothing left",
    "none left",
    "run out",
    "ran out",
    "taken",
    "too late",
    "too slow",
    "fully booked",
    "booked by",
    "is full",
    "are full",
    "is gone",
    "are gone",
    "expired",
    "was faster",
    "beat you",
    "не осталось",
    "закончились",
    "кончились",
    "занято",
    "занята",
    "заняты",
    "уже занят",
    "распродан",
    "раскуплен",
    "разобрали",
    "разобраны",
    "недоступ",
    "не доступ",
    "слишком поздно",
    "опоздал",
    "не успели",
    "опередил",
    "оказался быстрее",
    "оказались быстрее",
    "уже забрал",
    "уже нет",
    "больше нет",
    "неактуал",
    "не актуал",
    "истекло",
    "истекла",
    "срок истек",
    "истек срок",
];

/// What there may be none of, by the beginnings of the words.
const PLACES: &[&str] =
    &["seat", "place", "spot", "slot", "ticket", "room", "мест", "билет", "слот", "вариант"];

/// How far from its noun a word of [`NONE`] may be.
const NEAR: usize = 3;
const NONE: &[&str] = &["no", "0", "zero", "нет"];

/// Words with which bots say that a press counted.
const YES: &[&str] = &[
    "booked",
    "reserved",
    "confirmed",
    "success",
    "accepted",
    "congrat",
    "забронирован",
    "подтвержд",
    "успешно",
    "записаны",
    "оформлен",
    "за вами",
];

/// Behind these in a sentence a word of [`YES`] says nothing of this press.
const BUT_NOT: &[&str] = &["not", "cannot", "fully", "already", "не", "нельзя", "уже"];

/// Words with which bots say that they have the press, and that the result comes later.
const LATER: &[&str] = &[
    "thank",
    "спасибо",
    "принят",
    "готово",
    "wait",
    "moment",
    "second",
    "processing",
    "checking",
    "pending",
    "подожд",
    "секунд",
    "минут",
    "обраб",
    "проверя",
    "ожида",
];

/// Reads an answer. Words of both kinds together say yes: the last place was taken by this press.
pub(super) fn says(text: &str) -> Says {
    let text = compared(text);
    let parts = || text.split(|sign: char| ".,;:!?()—–".contains(sign));
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if parts().any(says_yes) {
        Says::Taken
    } else if has(NO) || parts().any(has_no_place) {
        Says::No
    } else if has(LATER) {
        Says::Taken
    } else {
        Says::Other
    }
}

/// Whether a part of a sentence says that a press counted.
fn says_yes(part: &str) -> bool {
    let takes_back = |word: &str| BUT_NOT.contains(&word) || word.ends_with("n't") || word.ends_with("n’t");
    YES.iter().any(|word| {
        part.split_once(word).is_some_and(|(before, after)| {
            !before.split_whitespace().any(takes_back) && !after.trim_start().starts_with("by ")
        })
    })
}

/// Whether a part of a sentence says that there are none of what is booked.
fn has_no_place(part: &str) -> bool {
    let words: Vec<&str> = part.split_whitespace().collect();
    let is_place = |word: &&str| PLACES.iter().any(|place| word.starts_with(place));
    words
        .iter()
        .enumerate()
        .filter(|(_, word)| NONE.contains(*word))
        .any(|(at, _)| words.iter().skip(at.saturating_sub(NEAR)).take(2 * NEAR + 1).any(is_place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_in_whatever_words() {
        for text in [
            "Sold out!",
            "Sorry, no free seats left",
            "0 tickets left",
            "This seat was already taken.",
            "Already booked by another driver",
            "Мест\u{a0}нет",
            "Свободных мест уже нет",
            "Нет свободных мест 😔",
            "Увы, МЕСТА ЗАКОНЧИЛИСЬ",
            "Время истекло",
            "This trip cannot be booked: it is taken",
            "Спасибо, но мест нет",
            "Кто-то оказался быстрее",
            "Все билеты разобраны",
            "Поездка уже забронирована, мест нет",
            "Заявка неактуальна",
            "Истёк срок",
        ] {
            assert_eq!(says(text), Says::No, "{text}");
        }
        for text in [
            "Booked! No seats left now",
            "✅ Забронировано. Мест больше нет",
            "Место за вами",
            "Готово",
            "One moment…",
            "Секунду, проверяем",
            "Заявка принята",
            "Вы записаны на занятие",
        ] {
            assert_eq!(says(text), Says::Taken, "{text}");
        }
        for text in ["", "Hello", "Try another one", "10 мест, багажа нет", "Not booked"] {
            assert_eq!(says(text), Says::Other, "{text}");
        }
    }
}

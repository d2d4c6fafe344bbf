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

/// Behind one of these a word of [`YES`] says no: it was given away before.
const ALL: &[&str] = &["all", "every", "все"];
const ALREADY: &[&str] = &["already", "уже"];

/// Words for others, who have what the button offers.
const OTHERS: &[&str] =
    &["другим", "другого", "другой", "другому", "someone", "somebody", "another", "else", "кто-то"];

/// Words with which bots say that they are sorry, or that this press came after another one.
const SORRY: &[&str] = &[
    "sorry",
    "unfortunately",
    "извин",
    "увы",
    "сожалени",
    "fail",
    "reject",
    "declin",
    "отклон",
    "не удалось",
    "too late",
    "too slow",
    "beat you",
    "слишком поздно",
    "опоздал",
    "не успел",
    "вас опередил",
    "быстрее вас",
];

/// Words of an answer to the one who pressed: beside them a word of [`NO`] is of what is left.
const OURS: &[&str] = &[
    "yours",
    "your",
    "ваш",
    "ваша",
    "ваше",
    "done",
    "got it",
    "готово",
    "принято",
    "поздравля",
    "создан",
    "бронь есть",
    "issued",
    "закреплен",
    "добавил",
    "записал",
    "✅",
];
/// The same, unless their part of the sentence denies it.
const YOU: &[&str] = &["you", "you're", "you’re", "вы", "ты"];

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

/// Reads an answer. Where it may be of either kind, it is no "no": a second press could book twice.
pub(super) fn says(text: &str) -> Says {
    let text = compared(text);
    // By itself it may be either.
    if text == "taken" {
        return Says::Other;
    }
    let parts = || text.split(|sign: char| ".,;:!?()—–".contains(sign));
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is_of_others = has_word(&text, OTHERS);
    if !is_of_others && parts().any(says_yes) {
        return Says::Taken;
    }
    let is_given_away = is_of_others && (has(YES) || text.contains("принят")) || parts().any(was_given_away);
    if is_given_away || has(NO) || parts().any(has_no_place) {
        let is_ours = has(OURS) || parts().any(|part| has_word(part, YOU) && !is_denied(part));
        if is_of_others || has(SORRY) || !is_ours { Says::No } else { Says::Taken }
    } else if has(LATER) {
        Says::Taken
    } else {
        Says::Other
    }
}

fn has_word(text: &str, words: &[&str]) -> bool {
    let is_end = |sign: char| !sign.is_alphanumeric() && !"-'’".contains(sign);
    text.split(is_end).any(|word| words.contains(&word))
}

fn is_denied(text: &str) -> bool {
    text.split_whitespace()
        .any(|word| BUT_NOT.contains(&word) || word.ends_with("n't") || word.ends_with("n’t"))
}

/// Whether a part of a sentence says that a press counted.
fn says_yes(part: &str) -> bool {
    YES.iter().any(|word| {
        part.split_once(word).is_some_and(|(before, after)| {
            !is_denied(before) && !has_word(before, ALL) && !after.trim_start().starts_with("by ")
        })
    })
}

/// Whether a part of a sentence says that what was offered has been given away.
fn was_given_away(part: &str) -> bool {
    let given = YES.iter().chain(&["принят"]);
    given
        .filter_map(|word| part.split_once(word))
        .any(|(before, _)| has_word(before, ALL) || has_word(before, ALREADY))
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
            "Все места забронированы",
            "All seats are booked",
            "Забронировано другим водителем",
            "Reserved for someone else",
            "Заявка принята другим водителем",
            "Заказ уже принят",
            "Sorry, your seat is taken",
            "Вас опередили",
            "You cannot book: sold out",
            "Вы не успели, мест нет",
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
            "Бронь №5 создана. Мест больше нет",
            "Вы в списке. Осталось 0 мест",
            "Готово, мест больше нет",
            "Поздравляем! Это было последнее место, мест нет",
            "You're in! No seats left",
            "Got it! 0 seats left",
            "You have taken the last seat",
            "Seat 12A is taken by you",
            "Trip taken ✅",
            "Вы опередили всех!",
            "Слот ваш, теперь он недоступен для других",
            "Бронь есть. Не опоздайте: после 12:00 истекло",
            "Место закреплено, занято до 12:00",
            "Ок, записал вас, билетов больше нет",
        ] {
            assert_eq!(says(text), Says::Taken, "{text}");
        }
        for text in ["", "Hello", "Try another one", "10 мест, багажа нет", "Not booked", "Taken"]
        {
            assert_eq!(says(text), Says::Other, "{text}");
        }
    }
}

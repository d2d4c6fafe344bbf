//! Promises of a person in what a program says: the appeal of such an answer goes to a person.

/// First persons of verbs that bring a person, as they begin.
const BRINGS: [&str; 22] = [
    "передаю",
    "передам",
    "передаём",
    "передаем",
    "переключаю",
    "переключу",
    "переключим",
    "переведу",
    "перевожу",
    "переведём",
    "переведем",
    "переводим",
    "соединяю",
    "соединю",
    "соединим",
    "подключаю",
    "подключу",
    "подключим",
    "позову",
    "свяжу",
    "приглашу",
    "направлю",
];
/// The same in the past, which needs its subject.
const BROUGHT: [&str; 6] = ["передал", "передала", "передали", "переключил", "перевёл", "перевел"];
/// The same in English, which needs its subject as well.
const BRINGS_IN_ENGLISH: [&str; 16] = [
    "transfer",
    "transferring",
    "transferred",
    "connect",
    "connecting",
    "connected",
    "forward",
    "forwarding",
    "forwarded",
    "pass",
    "passing",
    "passed",
    "hand",
    "handing",
    "handed",
    "escalate",
];
const SUBJECTS: [&str; 11] = ["я", "мы", "i", "we", "i'm", "i'll", "i've", "we're", "we'll", "we've", "let"];
/// Who comes, as the words begin.
const PEOPLE: [&str; 22] = [
    "оператор",
    "специалист",
    "менеджер",
    "администратор",
    "консультант",
    "сотрудник",
    "коллег",
    "мастер",
    "человек",
    "руководител",
    "поддержк",
    "agent",
    "operator",
    "person",
    "human",
    "manager",
    "specialist",
    "colleague",
    "representative",
    "support",
    "staff",
    "teammate",
];
/// What makes it an offer, a condition or its opposite.
const UNLESS: [&str; 20] = [
    "если",
    "хотите",
    "нельзя",
    "можете",
    "могли",
    "чтобы",
    "когда",
    "if",
    "can",
    "could",
    "would",
    "not",
    "can't",
    "cannot",
    "won't",
    "don't",
    "unless",
    "when",
    "before",
    "until",
];

/// Says whether a text says that a person will take over: "Передаю вас оператору", "I'll connect you with a manager".
pub(super) fn is_made(text: &str) -> bool {
    text.to_lowercase().replace('’', "'").split_inclusive(['.', '!', '?', '…', ';', '\n']).any(is_promise)
}

fn is_promise(sentence: &str) -> bool {
    if sentence.trim_end().ends_with('?') {
        return false;
    }
    let words: Vec<&str> = sentence
        .split(|other: char| !other.is_alphanumeric() && other != '\'')
        .filter(|word| !word.is_empty())
        .collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let begins = |known: &[&str]| words.iter().any(|word| known.iter().any(|start| word.starts_with(start)));
    let is_denied = words.windows(2).any(|pair| matches!(pair, ["не", verb] if BRINGS.contains(verb)));
    let brings = has(&BRINGS) || has(&SUBJECTS) && (has(&BROUGHT) || has(&BRINGS_IN_ENGLISH));
    brings && begins(&PEOPLE) && !is_denied && !has(&UNLESS)
}

#[cfg(test)]
mod tests {
    use super::is_made;

    #[test]
    fn a_promise_of_a_person_is_found() {
        for text in [
            "Сейчас переключу вас на оператора, ожидайте.",
            "Передаю вас специалисту.",
            "I am transferring you to a human agent now.",
            "I'll connect you with a person.",
            "Я передал ваш вопрос оператору.",
            "Ок, передам мастеру. Он перезвонит до 18:00.",
            "Передаю ваш вопрос администратору, она ответит в течение часа.",
            "Не волнуйтесь, соединяю вас с менеджером.",
            "Let me pass this to our manager.",
            "We've forwarded your request to our support team.",
        ] {
            assert!(is_made(text), "{text}");
        }
        for text in [
            "Хотите, я переключу вас на оператора?",
            "Если захотите, передам вопрос менеджеру.",
            "Я не могу переключить вас на оператора. Вопрос не передаю менеджеру.",
            "I can connect you with a manager if you like.",
            "Would you like me to transfer you to an agent?",
            "I can't transfer you to a human.",
            "Наш менеджер Ольга на месте с 9 до 18.",
            "Курьер передал заказ сотруднику пункта выдачи.",
            "Заказ передали в доставку. Специалист позвонит завтра.",
            "Перевод на карту: получатель Анна, менеджер.",
            "You can transfer the ticket to another person.",
            "Подключу вам тариф «Старт». Сотрудник магазина не нужен.",
            "We connect the lamp to the ceiling. Our staff is friendly.",
        ] {
            assert!(!is_made(text), "{text}");
        }
    }
}

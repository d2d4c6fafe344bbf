//! Promises of a person in what a program says: the appeal of such an answer goes to a person.

/// Verbs that bring a person or ask one, as they begin; an ending says who does it.
const BRINGS: [&str; 23] = [
    "переда",
    "переключ",
    "перевед",
    "перевож",
    "переводи",
    "переве",
    "перевё",
    "соедин",
    "подключ",
    "позов",
    "позва",
    "свяж",
    "приглаш",
    "приглас",
    "направл",
    "направи",
    "уточн",
    "сообщ",
    "уведом",
    "спрош",
    "узна",
    "перенаправл",
    "эскалир",
];
/// Endings of what we do or will do.
const OURS: [&str; 11] = ["у", "ю", "аю", "яю", "м", "им", "ем", "ём", "аем", "яем", "дим"];
/// Endings of what others will do, which needs the customer in the clause: "Вас переведут на специалиста".
const THEIRS: [&str; 5] = ["ут", "ют", "ат", "ят", "дут"];
/// Endings of what was done, which needs its subject.
const DONE: [&str; 6] = ["л", "ла", "ли", "ил", "ила", "или"];
/// What is brought to a person, as the words begin, and participles that say that it was.
const MATTERS: [&str; 13] = [
    "запрос",
    "обращени",
    "вопрос",
    "заявк",
    "диалог",
    "чат",
    "сообщени",
    "request",
    "question",
    "chat",
    "conversation",
    "case",
    "ticket",
];
const BROUGHT: [&str; 6] = ["передан", "переведён", "переведен", "направлен", "перенаправлен", "рассмотрен"];
/// The same verbs in English, and their endings.
const BRINGS_IN_ENGLISH: [&str; 8] =
    ["transfer", "connect", "forward", "pass", "hand", "escalat", "redirect", "rout"];
const IN_ENGLISH: [&str; 6] = ["", "e", "ing", "ring", "ed", "red"];
const SUBJECTS: [&str; 11] = ["я", "мы", "i", "we", "i'm", "i'll", "i've", "we're", "we'll", "we've", "let"];
/// What a person who comes does, and the same after "will".
const COMES: [&str; 20] = [
    "свяжется",
    "свяжутся",
    "подключится",
    "подключатся",
    "присоединится",
    "ответит",
    "ответят",
    "перезвонит",
    "перезвонят",
    "напишет",
    "напишут",
    "займётся",
    "займется",
    "займутся",
    "разберётся",
    "разберется",
    "рассмотрит",
    "рассмотрят",
    "подключается",
    "присоединяется",
];
const WILL: [&str; 11] =
    ["take", "join", "reply", "respond", "answer", "contact", "get", "assist", "call", "reach", "follow"];
/// What a person does who is about to come, beside a word of [`SOON`]: "подойдёт" alone is "suits", too.
const ARRIVES: [&str; 5] = ["подойдёт", "подойдет", "будет", "придёт", "придет"];
const SOON: [&str; 8] = ["сейчас", "скоро", "вскоре", "минуту", "минуты", "минут", "секунду", "сию"];
/// What people do to the customer in a sentence that does not name them: "С вами свяжутся".
const UNNAMED: [(&str, &str); 5] = [
    ("свяжутся", "вами"),
    ("перезвонят", "вам"),
    ("ответят", "вам"),
    ("напишут", "вам"),
    ("contacted", "you"),
];
/// The most words of such a sentence. A longer one, or one with a number, says when or where: "после заказа".
const MOST_UNNAMED: usize = 6;
/// Words for a transfer that happens now, and the other words of a sentence that says nothing else: "Connecting you now".
const HAPPENS: [&str; 6] =
    ["connecting", "transferring", "escalating", "соединяю", "переключаю", "эскалирую"];
const BESIDE: [&str; 10] = ["you", "now", "please", "i'm", "я", "вас", "сейчас", "секунду", "минуту", "уже"];
/// What the customer is asked to do until then.
const WAIT: [&str; 7] = ["оставайтесь", "ожидайте", "дождитесь", "подождите", "ждите", "wait", "hold"];
/// The customer.
const TO_YOU: [&str; 10] = ["вас", "вам", "вами", "ваш", "ваше", "вашу", "ваши", "you", "your", "this"];
/// Who comes, as the words begin.
const PEOPLE: [&str; 31] = [
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
    "техподдержк",
    "эксперт",
    "отдел",
    "команд",
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
    "team",
    "expert",
    "supervisor",
    "department",
    "someone",
    "somebody",
];
/// What makes a clause an offer or its opposite before the verb, and a sentence a condition.
const DENIES: [&str; 14] = [
    "не",
    "нельзя",
    "можете",
    "могли",
    "чтобы",
    "can",
    "could",
    "would",
    "not",
    "can't",
    "cannot",
    "won't",
    "don't",
    "didn't",
];
const CONDITIONS: [&str; 8] = ["если", "хотите", "когда", "if", "unless", "when", "before", "until"];

/// Says whether a text says that a person will take over: "Передаю вас оператору", "I'll connect you with a manager".
pub(super) fn is_made(text: &str) -> bool {
    text.to_lowercase().replace('’', "'").split_inclusive(['.', '!', '?', '…', ';', '\n']).any(is_promise)
}

fn is_promise(sentence: &str) -> bool {
    // Of a question that counts which stands before its last clause: "Переключаю вас на оператора, хорошо?"
    let said = if sentence.trim_end().ends_with('?') {
        sentence.rsplit_once(',').map_or("", |(said, _)| said)
    } else {
        sentence
    };
    let clauses: Vec<Vec<&str>> = said.split([',', ':', '—', '(']).map(words).collect();
    let all = clauses.concat();
    if is_unnamed(&all) || is_transfer(&words(sentence)) {
        return true;
    }
    let has_subject = has(&all, &SUBJECTS);
    let mut before: Vec<&str> = Vec::new();
    names_a_person(&all)
        && clauses.iter().any(|clause| {
            let is_made = (0..clause.len()).any(|place| {
                let (earlier, rest) = clause.split_at(place);
                brings(earlier, rest, has_subject) && !has(earlier, &DENIES) && !has(earlier, &CONDITIONS)
            });
            let is_certain = !has(&before, &CONDITIONS);
            before.extend(clause);
            is_made && is_certain
        })
}

/// Whether a short sentence promises people without a name for them.
fn is_unnamed(sentence: &[&str]) -> bool {
    let is_said = |(verb, to): &(&str, &str)| sentence.contains(verb) && sentence.contains(to);
    sentence.len() <= MOST_UNNAMED
        && !sentence.iter().any(|word| word.contains(|sign: char| sign.is_ascii_digit()))
        && UNNAMED.iter().any(is_said)
        && !has(sentence, &DENIES)
        && !has(sentence, &CONDITIONS)
}

/// Whether a sentence says that a transfer happens, and nothing else.
fn is_transfer(sentence: &[&str]) -> bool {
    has(sentence, &HAPPENS) && sentence.iter().all(|word| HAPPENS.contains(word) || BESIDE.contains(word))
}

/// Whether the first word of the rest of a clause brings a person.
fn brings(earlier: &[&str], rest: &[&str], has_subject: bool) -> bool {
    let Some((verb, after)) = rest.split_first() else { return false };
    let is_to_you = has(earlier, &TO_YOU) || has(after, &TO_YOU);
    let is_form = |endings: &[&str]| {
        BRINGS.iter().filter_map(|start| verb.strip_prefix(start)).any(|ending| endings.contains(&ending))
    };
    let ending = BRINGS_IN_ENGLISH.iter().find_map(|start| verb.strip_prefix(start));
    let is_english = ending.is_some_and(|ending| IN_ENGLISH.contains(&ending));
    // "Transferring you", "You will be transferred".
    let is_begun = earlier.is_empty() && verb.ends_with("ing");
    let is_passive = verb.ends_with("ed") && has(earlier, &["be", "been", "being"]);
    let will = *verb == "will" || verb.ends_with("'ll");
    let comes = COMES.contains(verb)
        || will
            && names_a_person(earlier)
            && (after.iter().take(2).any(|word| WILL.contains(word)) || after.starts_with(&["be", "with"]));
    let arrives = ARRIVES.contains(verb)
        && (has(earlier, &SOON) || has(after, &SOON))
        && [earlier.last(), after.first()].into_iter().flatten().any(|word| names_a_person(&[*word]))
        || *verb == "будет" && after.is_empty() && has(earlier, &SOON) && names_a_person(earlier);
    let is_matter =
        || rest.iter().chain(earlier).any(|word| MATTERS.iter().any(|start| word.starts_with(start)));
    let is_brought = || BROUGHT.iter().any(|start| verb.starts_with(start));
    // "I'll check with our manager", "I've notified our team".
    let asks = match *verb {
        "check" | "checking" => after.first() == Some(&"with"),
        "notify" | "notified" | "inform" | "informed" | "alert" | "alerted" => true,
        _ => false,
    };
    is_form(&OURS)
        || *verb == "зову"
        || is_brought() && is_matter()
        || asks && has_subject && names_a_person(after.get(..4).unwrap_or(after))
        || is_form(&THEIRS) && is_to_you
        || is_form(&DONE) && has_subject
        || is_english && (has_subject || (is_begun || is_passive) && is_to_you)
        || comes
        || arrives
        || WAIT.contains(verb) && (names_a_person(after) && (!verb.is_ascii() || after.contains(&"for")))
}

fn words(clause: &str) -> Vec<&str> {
    let is_sign = |other: char| !other.is_alphanumeric() && other != '\'';
    clause.split(is_sign).filter(|word| !word.is_empty()).collect()
}

fn has(words: &[&str], known: &[&str]) -> bool {
    words.iter().any(|word| known.contains(word))
}

fn names_a_person(words: &[&str]) -> bool {
    words.iter().any(|word| PEOPLE.iter().any(|start| word.starts_with(start)))
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
            "Transferring you to an operator, please hold.",
            "Connecting you with a specialist.",
            "You will be transferred to an agent.",
            "С вами свяжется наш менеджер.",
            "Оператор подключится к диалогу через минуту.",
            "Вас переведут на специалиста.",
            "Ваш вопрос передадут менеджеру.",
            "Зову коллегу, минуту.",
            "A human agent will take over shortly.",
            "Our manager will shortly contact you.",
            "An operator will be with you in a minute.",
            "Ожидайте ответа оператора.",
            "Please wait for an operator.",
            "Передаю вас оператору, он поможет, если можно вернуть деньги.",
            "Переключаю вас на оператора, хорошо?",
            "Don't worry, I'll transfer you to a manager.",
            "Менеджер Ольга ответит вам завтра.",
            "Ваше обращение передано специалисту.",
            "Запрос перенаправлен в отдел продаж.",
            "Вопрос будет рассмотрен администратором.",
            "Наша команда скоро напишет вам.",
            "Оставайтесь на линии, оператор уже подключается.",
            "Менеджер займётся вашим вопросом.",
            "Уточню у менеджера и вернусь.",
            "Сообщим администратору о вашей просьбе.",
            "Спрошу у коллег.",
            "Передам в техподдержку.",
            "Our team will get back to you shortly.",
            "Your request has been forwarded to our team.",
            "I have escalated your case to a supervisor.",
            "I'll check with our manager.",
            "I've notified our team.",
            "Сейчас подойдёт консультант.",
            "Оставайтесь на линии, специалист скоро будет.",
            "С вами свяжутся.",
            "Спасибо! Вам скоро перезвонят.",
            "You will be contacted shortly.",
            "Someone will contact you soon.",
            "Connecting...",
            "Connecting you now, please.",
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
            "Заказ передадут сотруднику пункта выдачи.",
            "Меня зовут Анна, я менеджер.",
            "Оператор не подключится раньше девяти.",
            "Если оператор занят, он ответит позже.",
            "Ответит ли оператор сегодня?",
            "Connecting the lamp is work for a specialist.",
            "Our staff will be happy to see you.",
            "Уточните у менеджера.",
            "Если лампа мигает, сообщите мастеру.",
            "Ваш заказ передан сотруднику пункта выдачи.",
            "Наша команда работает с девяти.",
            "We check the lamp. Our team is friendly.",
            "Check with your manager.",
            "Вам подойдёт набор «Мастер».",
            "Сейчас вам подойдёт размер M, его носит наш консультант.",
            "Скоро у нас будет новая коллекция. Мастер Анна ждёт вас.",
            "После заказа с вами свяжутся из службы доставки по телефону.",
            "Если оставите заявку, с вами свяжутся.",
            "Вам не перезвонят.",
            "Connecting the lamp takes a minute.",
            "По телефону вам ответят с 9.",
            "Ожидайте курьера с 10 до 14. Менеджер на месте с девяти.",
        ] {
            assert!(!is_made(text), "{text}");
        }
    }
}

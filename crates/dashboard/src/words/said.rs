//! What the program and its API say in English, in the reader's language: patterns of sentences, each with its own words in it.
//! What is not known here stays as it was said.

use std::borrow::Cow;

use super::overview::{reason, state};
use crate::visitor::Language;

/// English and Russian; `{}` stands for what differs, and is put into the reader's language by itself.
const SENTENCES: &[(&str, &str)] = &[
    // Why a message was not sent, or work on a chat not done.
    ("No account finds this chat ({}).", "Ни один аккаунт не находит этот чат ({})."),
    ("No account may write in this chat ({}).", "Ни один аккаунт не может писать в этот чат ({})."),
    (
        "No account may write in this chat: none is in it, or they are no longer in the chat ({}).",
        "Ни один аккаунт не может писать в этот чат: их там нет или больше нет ({}).",
    ),
    (
        "No account is in the chat, or they are no longer in the chat ({}).",
        "Ни одного аккаунта в чате нет или больше нет ({}).",
    ),
    ("No account may do this in the chat ({}).", "Ни у одного аккаунта нет на это прав в чате ({})."),
    ("No account may read this chat ({}).", "Ни один аккаунт не может читать этот чат ({})."),
    ("No account can send now ({}).", "Сейчас отправить не может ни один аккаунт ({})."),
    ("No account can do it now ({}).", "Сейчас сделать это не может ни один аккаунт ({})."),
    ("No account can read it now ({}).", "Сейчас прочитать его не может ни один аккаунт ({})."),
    ("No account may write in this chat.", "Ни один аккаунт не может писать в этот чат."),
    ("Telegram refused the message: {}.", "Telegram отклонил сообщение: {}."),
    ("Telegram refused it: {}.", "Telegram отклонил запрос: {}."),
    ("What it was to carry is no longer there: {}.", "Того, что нужно было отправить, больше нет: {}."),
    ("Telegram no longer takes the file id: {}.", "Telegram больше не принимает этот номер файла: {}."),
    (
        "Every account must wait; the first may send at {}.",
        "Все аккаунты ждут по требованию Telegram; первый сможет отправить {}.",
    ),
    (
        "Every account must wait; the first may do it at {}.",
        "Все аккаунты ждут по требованию Telegram; первый освободится {}.",
    ),
    (
        "Every account must wait; the first may read at {}.",
        "Все аккаунты ждут по требованию Telegram; первый сможет прочитать {}.",
    ),
    (
        "Every account has sent as many messages as its limits allow; the first may send again at {}.",
        "Все аккаунты исчерпали свои лимиты сообщений; первый сможет отправить {}.",
    ),
    (
        "It waited when the backup of {} was made and may have been sent since; retry it if it was not.",
        "Оно ждало, когда делалась резервная копия {}, и с тех пор могло быть отправлено. Если в чате его нет, повторите отправку.",
    ),
    (
        "It waited when the backup of {} was made and may have been done since; retry it if it was not.",
        "Операция ждала, когда делалась резервная копия {}, и с тех пор могла быть выполнена. Если нет, повторите её.",
    ),
    // What an account says of a chat.
    ("no account was asked", "ни один аккаунт не спрошен"),
    ("connecting", "подключается"),
    ("does not know the chat", "не знает этого чата"),
    ("this account does not know the chat", "не знает этого чата"),
    ("this account does not know the user", "не знает этого человека"),
    (
        "does not know the chat; its dialogs are still being read",
        "не знает этого чата: его диалоги ещё читаются",
    ),
    ("is not in the chat", "не состоит в чате"),
    ("is not, or no longer, in the chat", "не состоит или больше не состоит в чате"),
    ("no longer in the chat", "больше не состоит в чате"),
    ("may not write there", "не может туда писать"),
    ("may make no new contacts: peer_flood", "Telegram запретил ему писать новым людям"),
    ("could not look {} up: {}", "не смог найти {}: {}"),
    ("does not find {}", "не находит {}"),
    ("there was no time to ask it", "не хватило времени спросить"),
    ("nobody has this name", "такого имени ни у кого нет"),
    ("nobody can have this name", "такого имени быть не может"),
    ("USERNAME_NOT_OCCUPIED", "такого имени ни у кого нет (USERNAME_NOT_OCCUPIED)"),
    ("CHAT_WRITE_FORBIDDEN", "писать в чат запрещено (CHAT_WRITE_FORBIDDEN)"),
    ("USER_RESTRICTED", "аккаунт ограничен Telegram (USER_RESTRICTED)"),
    ("USER_IS_BLOCKED", "человек заблокировал аккаунт (USER_IS_BLOCKED)"),
    ("USER_PRIVACY_RESTRICTED", "запрещено настройками приватности (USER_PRIVACY_RESTRICTED)"),
    ("CHAT_ADMIN_REQUIRED", "нужны права администратора (CHAT_ADMIN_REQUIRED)"),
    ("CHANNEL_PRIVATE", "аккаунта нет в чате (CHANNEL_PRIVATE)"),
    ("USER_BANNED_IN_CHANNEL", "аккаунт исключён из чата (USER_BANNED_IN_CHANNEL)"),
    ("MESSAGE_EMPTY", "пустое сообщение (MESSAGE_EMPTY)"),
    ("MESSAGE_TOO_LONG", "слишком длинное сообщение (MESSAGE_TOO_LONG)"),
    // What came of an attempt.
    ("message {}", "сообщение № {}"),
    ("messages {}", "сообщения № {}"),
    ("until {}", "до {}"),
    ("flood wait until {}", "ждёт по требованию Telegram до {}"),
    ("slow mode until {}", "медленный режим чата до {}"),
    ("at its limit until {}", "исчерпал лимит сообщений до {}"),
    ("must wait, as Telegram asked", "ждёт по требованию Telegram"),
    ("has sent as many messages as its limit allows", "исчерпал лимит сообщений"),
    ("is connecting", "подключается"),
    ("no answer in time", "ответ не пришёл вовремя"),
    ("not connected: {}", "нет соединения: {}"),
    ("the connection broke: {}", "связь оборвалась: {}"),
    ("Telegram closed the connection", "Telegram закрыл соединение"),
    ("Telegram does not answer", "Telegram не отвечает"),
    ("the connection was closed here", "соединение закрыто здесь"),
    ("the connection was refused: {}", "в соединении отказано: {}"),
    ("the answer cannot be read: {}", "ответ не удалось прочитать: {}"),
    ("a session was lost: {}", "сессия утрачена: {}"),
    ("the group has become a supergroup", "группа стала супергруппой"),
    ("{} was looked up again", "{}: искали заново"),
    ("its files have to be brought up first", "сначала нужно загрузить файлы"),
    ("the file is no longer in the data directory", "файла больше нет в папке данных"),
    ("there is no such account any more", "такого аккаунта больше нет"),
    ("the account that knows is gone", "аккаунта, который знает ответ, больше нет"),
    (
        "the last run ended before the outcome was known",
        "программа остановилась раньше, чем стал известен итог",
    ),
    ("its calls could not be made", "его запросы не удалось выполнить"),
    ("instead of {}", "вместо {}"),
    ("it was looked for and is not there", "поискали: его там нет"),
    ("asked for by {}", "попросил {}"),
    ("asked for with {}", "по ключу {}"),
    ("asked for on this machine", "попросили на этой машине"),
    // What work on a chat waits for.
    ("It waits until {}, as Telegram asked.", "Ждёт по требованию Telegram до {}."),
    ("The step {} is under way.", "Выполняется шаг «{}»."),
    (
        "no account may do it yet; the first that is held back is free at {}",
        "пока не может ни один аккаунт; первый освободится {}",
    ),
    (
        "every account that could do it is connecting, or does not know yet whether it made a chat",
        "аккаунты, которые могли бы это сделать, ещё подключаются или выясняют, создан ли чат",
    ),
    (
        "{} may have made the chat and cannot be asked any more; look whether it is there, then {}.",
        "{} мог создать чат, но спросить его больше нельзя. Проверьте в Telegram, есть ли чат, и решите.",
    ),
    (
        "{} may have left the chat and cannot be asked any more; look whether it is still in it, then {}.",
        "{} мог выйти из чата, но спросить его больше нельзя. Проверьте в Telegram, вышел ли он, и решите.",
    ),
    (
        "{} may have changed the chat and cannot be asked any more; look how it is, then {}.",
        "{} мог изменить чат, но спросить его больше нельзя. Проверьте в Telegram, каков чат сейчас, и решите.",
    ),
    // What the API refuses.
    ("The message is {}; {}.", "Сообщение уже в другом состоянии: «{}»."),
    ("The operation is {}; {}.", "Операция уже в другом состоянии: «{}»."),
    ("The request is {}; {}.", "Запрос уже в другом состоянии: «{}»."),
    ("No account knows the chat {}; {}.", "Чат {} не знает ни один аккаунт."),
    ("No message has the id {}.", "Сообщения с номером {} нет."),
    ("{} fields are wrong; see errors.", "Неверных полей: {}."),
    ("The field {} is missing.", "Не заполнено поле {}."),
    ("The field {} is wrong: {}.", "Поле {} заполнено неверно: {}."),
    ("write at most {} letters", "не больше {} знаков"),
    (
        "The disk is nearly full, so that nothing new is taken. Free some space; nothing was stored.",
        "Диск почти полон, новое не принимается. Освободите место; ничего не сохранено.",
    ),
    (
        "The store cannot be used now. Try again; the log says why.",
        "База данных сейчас недоступна. Повторите; причина есть в журнале.",
    ),
    ("There was no answer within {} s.", "За {} с ответа не было."),
    ("The program gave no reason; the log has it.", "Программа не назвала причины; она есть в журнале."),
];

/// How deep a sentence is looked into: one in a list in another one.
const DEEPEST: u8 = 6;

/// What was said, in this language.
pub(crate) fn said(language: Language, text: &str) -> Cow<'_, str> {
    match language {
        Language::English => Cow::Borrowed(text),
        Language::Russian => russian(text, DEEPEST).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// Nothing where nothing of it is known.
fn russian(text: &str, deeper: u8) -> Option<String> {
    let deeper = deeper.checked_sub(1)?;
    let known = SENTENCES.iter().find_map(|(english, russian)| Some((filled(english, text)?, russian)));
    if let Some((holes, pattern)) = known {
        let mut whole = String::new();
        let mut holes = holes.into_iter();
        for (place, piece) in pattern.split("{}").enumerate() {
            if place > 0 {
                let hole = holes.next().unwrap_or_default();
                whole.push_str(&russian_or_same(hole, deeper));
            }
            whole.push_str(piece);
        }
        return Some(whole);
    }
    if let Some(word) = code(text) {
        return Some(word);
    }
    // What each account said.
    if text.contains("; ") {
        let each: Vec<_> = text.split("; ").map(|one| russian_or_same(one, deeper)).collect();
        return Some(each.join("; "));
    }
    match text.split_once(": ") {
        Some((name, rest)) if !name.contains(' ') => {
            let name = code(name).unwrap_or_else(|| name.to_owned());
            Some(format!("{name}: {}", russian_or_same(rest, deeper)))
        }
        // Who was passed over: `main (paused), backup_1 (banned)`.
        _ if text.ends_with(')') && text.contains(" (") => {
            let each = text.split("), ").map(|one| match one.split_once(" (") {
                Some((name, why)) => {
                    format!("{name} ({})", russian_or_same(why.trim_end_matches(')'), deeper))
                }
                None => one.to_owned(),
            });
            Some(each.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

fn russian_or_same(text: &str, deeper: u8) -> String {
    russian(text, deeper).unwrap_or_else(|| text.to_owned())
}

/// The word for a state or reason of an account or of work.
fn code(text: &str) -> Option<String> {
    let is_code = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !is_code {
        return None;
    }
    let untouched = text.replace('_', " ");
    let words = [
        reason(Language::Russian, text).into_owned(),
        state(Language::Russian, text).to_lowercase(),
        super::pill(Language::Russian, text).word.to_lowercase(),
    ];
    let unknown = super::pill(Language::Russian, "").word.to_lowercase();
    words.into_iter().find(|word| *word != untouched && *word != unknown)
}

/// What stands in the places of a pattern, if the text is such a sentence.
fn filled<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut holes = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() {
            rest.len().checked_sub(piece.len()).filter(|at| rest.get(*at..) == Some(piece))
        } else {
            rest.find(piece)
        }?;
        holes.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    (rest.is_empty() && holes.iter().all(|hole| !hole.is_empty())).then_some(holes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::outcome::{Failure, Refusal};

    fn in_russian(text: &str) -> String {
        said(Language::Russian, text).into_owned()
    }

    #[test]
    fn every_failure_is_told_in_russian() {
        let asked =
            |why: &str| vec![Refusal { account: "main".parse().expect("a name"), why: why.to_owned() }];
        let until = Timestamp::from_micros(60_000_000);
        for failure in [
            Failure::ChatNotFound { asked: asked("does not know the chat") },
            Failure::NoRights { asked: asked("may not write there") },
            Failure::NotInChat { asked: asked("is not, or no longer, in the chat") },
            Failure::Rejected { provider_code: "MESSAGE_EMPTY".to_owned() },
            Failure::MediaGone { detail: "x".to_owned() },
            Failure::MediaExpired { detail: "x".to_owned() },
            Failure::FloodWait { until },
            Failure::LimitReached { until },
            Failure::NoAccount { asked: asked("needs_login: session_revoked") },
            Failure::Restored { made_at: until },
        ] {
            let told = in_russian(&failure.describe());
            let is_russian = |letter: char| ('а'..='я').contains(&letter);
            assert!(told.chars().filter(|letter| is_russian(*letter)).count() > 20, "{told}");
            assert_eq!(said(Language::English, &failure.describe()), failure.describe());
        }
    }

    #[test]
    fn what_each_account_says_is_told_in_russian() {
        for (english, russian) in [
            (
                "No account can send now (main: paused; backup_1: needs_login: session_revoked).",
                "Сейчас отправить не может ни один аккаунт (main: на паузе; backup_1: нужно войти: сессия завершена с другого устройства).",
            ),
            (
                "instead of main (flood wait until 2026-11-20T14:31:00Z), backup_1 (banned)",
                "вместо main (ждёт по требованию Telegram до 2026-11-20T14:31:00Z), backup_1 (заблокирован Telegram)",
            ),
            ("message 110", "сообщение № 110"),
            (
                "The message is sent; only what is in_doubt can be resolved.",
                "Сообщение уже в другом состоянии: «отправлено».",
            ),
            ("Something else entirely", "Something else entirely"),
            ("", ""),
        ] {
            assert_eq!(in_russian(english), russian);
        }
    }

    #[test]
    fn both_languages_have_the_same_places() {
        for (english, russian) in SENTENCES {
            let places = |text: &str| text.matches("{}").count();
            assert!(places(russian) <= places(english), "{english}");
            assert!(!russian.is_ascii(), "{english}");
        }
    }
}

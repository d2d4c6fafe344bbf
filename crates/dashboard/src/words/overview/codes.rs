//! The codes of the API in words: how something is, and why.

use crate::view::Language;
use std::borrow::Cow;

/// Code, English, Russian. Russian fits accounts, lines, services and ports alike where it can.
const STATES: &[(&str, &str, &str)] = &[
    ("ready", "Ready", "Готов"),
    ("paused", "Paused", "На паузе"),
    ("offline", "Stopped", "Остановлен"),
    ("connecting", "Connecting", "Подключается"),
    ("flood_wait", "Flood wait", "В ожидании"),
    ("error", "Error", "Ошибка"),
    ("restricted", "Restricted", "Ограничен"),
    ("needs_login", "Needs login", "Нужен вход"),
    ("banned", "Banned", "Заблокирован"),
    ("active", "Active", "Работает"),
    ("stopped", "Stopped", "Остановлена"),
    ("stalled", "Stalled", "Не движется"),
    ("no_account", "No account", "Нет аккаунта"),
    ("unable", "Cannot work", "Не может"),
    ("starting", "Starting", "Запускается"),
    ("listening", "Listening", "Слушает"),
    ("taken", "Taken", "Занят"),
    ("refused", "Refused", "Отказано"),
    ("deaf", "Deaf", "Не отвечает"),
    ("silent", "No answer", "Нет ответа"),
    ("writable", "Writes and reads", "Пишет и читает"),
    ("answering", "Answers", "Отвечает"),
    ("low_disk", "Low disk space", "Мало места"),
    ("disk_full", "Disk full", "Диск полон"),
    ("unavailable", "No answer", "Не отвечает"),
    ("full", "Full", "Заполнена"),
    ("empty", "Empty", "Пуста"),
    ("moving", "Moving", "Движется"),
    ("waiting", "Waiting", "Ждёт"),
    ("clearing", "Clearing flood wait", "Сброс ожидания"),
    ("failing", "Calls fail", "Вызовы не удаются"),
    ("unsteady", "Unsteady", "Работает с перебоями"),
    ("stuck", "Stuck", "Застряло"),
];

/// Code, English, Russian.
const REASONS: &[(&str, &str, &str)] = &[
    ("expires_within_7_days", "it works for less than 7 days", "действует меньше 7 дней"),
    ("expires_within_1_day", "it works for less than a day", "действует меньше суток"),
    (
        "dead_letter",
        "an item of a Redis list could not be taken",
        "элемент списка Redis не удалось обработать",
    ),
    (
        "token_ends_soon",
        "its token ends soon and was not renewed",
        "срок токена истекает, а обновить его не удалось",
    ),
    (
        "webhook_lapsed",
        "its provider posts here no more, and the address could not be registered again",
        "провайдер больше не присылает сообщения сюда, восстановить адрес не удалось",
    ),
    (
        "webhook_taken",
        "its provider posts to another program now",
        "провайдер теперь присылает сообщения другой программе",
    ),
    (
        "webhook_missing",
        "no address is registered at its provider",
        "у провайдера не указан адрес для сообщений",
    ),
    (
        "webhook_given_up",
        "not all that its provider should post is received at the registered address",
        "на указанный у провайдера адрес приходит не всё, что он должен присылать",
    ),
    (
        "webhook_contested",
        "another program removes its address at the provider again and again",
        "другая программа снова и снова удаляет у провайдера адрес для сообщений",
    ),
    (
        "webhook_unreached",
        "the registered address does not lead to this program",
        "указанный у провайдера адрес не ведёт к этой программе",
    ),
    (
        "webhook_unproved",
        "nothing has come yet to the address that is to be entered at its provider",
        "на адрес, который нужно указать у провайдера, ещё ничего не пришло",
    ),
    ("channel_shared", "another program receives its messages", "сообщения получает другая программа"),
    ("profile_stuck", "its browser or page does not work", "браузер или страница не работает"),
    ("profile_logged_out", "its owner has to log in again", "владельцу нужно войти заново"),
    ("profile_blocked", "Telegram lets it send nothing", "Telegram не даёт отправлять"),
    ("profile_proxy_sick", "its proxy is sick and no other is free", "прокси не работает, а замены нет"),
    ("token_has_ended", "its token has ended", "срок токена истёк"),
    ("backup_failed", "the last attempt to make one failed", "последняя попытка не удалась"),
    ("copy_failed", "the newest backup was not copied", "последняя копия не отправлена"),
    ("drill_failed", "the last restore drill failed", "пробное восстановление не удалось"),
    ("no_session", "no session", "нет сессии"),
    ("session_revoked", "the session was ended elsewhere", "сессия завершена с другого устройства"),
    ("auth_key_duplicated", "its key was used in two places", "ключ использован в двух местах"),
    ("key_unknown", "Telegram does not know its key", "Telegram не знает её ключа"),
    ("banned", "banned by Telegram", "заблокирован Telegram"),
    ("deactivated", "deactivated", "деактивирован"),
    ("frozen", "frozen by Telegram", "заморожен Telegram"),
    ("peer_flood", "too many first contacts", "слишком много новых контактов"),
    ("no_answer", "calls are not answered", "вызовы остаются без ответа"),
    ("unreachable", "cannot be reached", "недоступен"),
    ("wrong_user", "another person’s session", "сессия другого человека"),
    ("other", "something else", "другое"),
    ("flood_wait", "flood wait", "ожидание по требованию Telegram"),
    ("error", "an error", "ошибка"),
    ("restricted", "restricted by Telegram", "ограничен Telegram"),
    ("needs_login", "sign-in needed", "нужно войти"),
    ("connecting", "connecting", "подключается"),
    ("not_connected", "it does not connect", "не может подключиться"),
    ("no_answer_yet", "no answer yet", "ответа ещё не было"),
    ("paused", "paused", "на паузе"),
    ("stopped", "stopped by hand", "остановлено вручную"),
    ("starting", "starting", "запускается"),
    ("not_asked", "not checked", "не проверялось"),
    ("clearing", "flood waits are being cleared", "сбрасывается ожидание"),
    ("stalled", "work is waiting but does not start", "работа ждёт и не начинается"),
    ("worker_stalled", "work is waiting but does not start", "работа ждёт и не начинается"),
    ("no_account", "no account can do it", "нет аккаунта, который это может"),
    ("port_taken", "another program has the port", "порт занят другой программой"),
    ("taken", "another program has the port", "порт занят другой программой"),
    ("port_refused", "the system refuses the address", "система не даёт этот адрес"),
    ("refused", "the system refuses the address", "система не даёт этот адрес"),
    ("disk_full", "the disk is full", "диск полон"),
    ("low_disk", "low disk space", "на диске мало места"),
    ("queue_full", "no room for more work", "для новой работы нет места"),
    ("store_unavailable", "the database does not answer", "база данных не отвечает"),
    ("row_unreadable", "a row of the database cannot be read", "запись базы данных не читается"),
    ("slow", "slower than it should be", "медленнее, чем должно быть"),
    ("waiting", "the oldest has been waiting for long", "самое старое ждёт давно"),
    ("timeout", "no answer in time", "ответ не пришёл вовремя"),
    ("server_errors", "Telegram answers with internal errors", "Telegram отвечает внутренними ошибками"),
    ("calls_unanswered", "its calls get no answer", "вызовы остаются без ответа"),
    ("calls_cut_off", "the connection breaks off during calls", "связь обрывается посреди вызовов"),
    ("answers_unreadable", "its answers cannot be read", "ответы не удаётся прочитать"),
    ("stuck", "a message has waited over a minute for its result", "сообщение больше минуты ждёт результата"),
    ("accounts_unable", "none of its accounts can work now", "ни один из аккаунтов сейчас не может работать"),
];

/// How something is, in words; a code that is not known here is shown as it is.
pub(crate) fn state(language: Language, code: &str) -> Cow<'static, str> {
    in_words(STATES, language, code)
}

/// Why it is so, in words.
pub(crate) fn reason(language: Language, code: &str) -> Cow<'static, str> {
    in_words(REASONS, language, code)
}

fn in_words(
    table: &'static [(&'static str, &'static str, &'static str)],
    language: Language,
    code: &str,
) -> Cow<'static, str> {
    match table.iter().find(|(known, _, _)| *known == code) {
        Some((_, english, russian)) => Cow::Borrowed(language.of(english, russian)),
        None => Cow::Owned(code.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::account::{AccountState, Reason};

    #[test]
    fn every_state_and_reason_of_an_account_has_words() {
        let known = |table: &[(&str, &str, &str)], code: &str| table.iter().any(|(one, _, _)| *one == code);
        for one in AccountState::ALL {
            assert!(known(STATES, one.as_str()), "{one:?}");
        }
        for one in [
            Reason::NoSession,
            Reason::SessionRevoked,
            Reason::AuthKeyDuplicated,
            Reason::KeyUnknown,
            Reason::Banned,
            Reason::Deactivated,
            Reason::Frozen,
            Reason::PeerFlood,
            Reason::NoAnswer,
            Reason::Unreachable,
            Reason::WrongUser,
            Reason::Other,
        ] {
            assert!(known(REASONS, one.as_str()), "{one:?}");
        }
    }

    #[test]
    fn every_reason_that_a_beat_gives_has_words() {
        for code in [
            "accounts_unable",
            "answers_unreadable",
            "backup_failed",
            "calls_cut_off",
            "calls_unanswered",
            "clearing",
            "connecting",
            "copy_failed",
            "disk_full",
            "drill_failed",
            "error",
            "flood_wait",
            "needs_login",
            "no_account",
            "no_answer",
            "no_answer_yet",
            "no_session",
            "not_connected",
            "paused",
            "port_refused",
            "port_taken",
            "profile_blocked",
            "profile_logged_out",
            "profile_proxy_sick",
            "profile_stuck",
            "queue_full",
            "restricted",
            "row_unreadable",
            "server_errors",
            "slow",
            "stuck",
            "stalled",
            "starting",
            "stopped",
            "store_unavailable",
            "waiting",
        ] {
            assert!(REASONS.iter().any(|(one, _, _)| *one == code), "{code}");
        }
        for code in [
            "failing",
            "unsteady",
            "stuck",
            "disk_full",
            "full",
            "silent",
            "stalled",
            "unable",
            "unavailable",
            "waiting",
        ] {
            assert!(STATES.iter().any(|(one, _, _)| *one == code), "{code}");
        }
    }

    #[test]
    fn no_code_has_two_rows_and_an_unknown_one_is_shown_as_it_is() {
        for table in [STATES, REASONS] {
            for (at, (code, english, russian)) in table.iter().enumerate() {
                assert!(!table[..at].iter().any(|(one, _, _)| one == code), "{code}");
                assert!(!english.is_empty() && !russian.is_empty());
            }
        }
        assert_eq!(state(Language::Russian, "half_open"), "half open");
    }
}

//! The words of the pages about messages.

use super::number::{english, russian, thousands};
use crate::visitor::Language;

/// The words of the pages about messages.
pub(crate) struct MessagesWords {
    language: Language,
    pub(crate) messages: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) find: &'static str,
    pub(crate) find_hint: &'static str,
    pub(crate) text: &'static str,
    pub(crate) without_text: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) empty_detail: &'static str,
    pub(crate) all_delivered: &'static str,
    pub(crate) elsewhere: &'static str,
    pub(crate) chats_not_found: &'static str,
    pub(crate) failed_requests: &'static str,
    pub(crate) none_yet: &'static str,
    pub(crate) looked_back_to: &'static str,
    pub(crate) look_further: &'static str,
    pub(crate) retry_all: &'static str,
    pub(crate) retrying: &'static str,
    pub(crate) retry_none: &'static str,
    pub(crate) retry_follows: &'static str,
    pub(crate) retry_last: &'static str,
    pub(crate) retry_may_close: &'static str,
    pub(crate) stop_retrying: &'static str,
    pub(crate) retry_stopped: &'static str,
    pub(crate) why: &'static str,
    pub(crate) the_message: &'static str,
    pub(crate) copy_id: &'static str,
    pub(crate) asked: &'static str,
    pub(crate) asked_at: &'static str,
    pub(crate) not_before: &'static str,
    pub(crate) api_key: &'static str,
    pub(crate) address: &'static str,
    pub(crate) parts: &'static str,
    pub(crate) telegram_ids: &'static str,
    pub(crate) failure: &'static str,
    pub(crate) held_back: &'static str,
    pub(crate) files: &'static str,
    pub(crate) same_chat: &'static str,
    pub(crate) all_of_chat: &'static str,
    pub(crate) candidates: &'static str,
    pub(crate) verdict_of: &'static str,
    pub(crate) preferred: &'static str,
    pub(crate) until: &'static str,
    pub(crate) in_doubt: &'static str,
    pub(crate) in_doubt_detail: &'static str,
    pub(crate) see_evidence: &'static str,
    pub(crate) decided: &'static str,
    pub(crate) decided_detail: &'static str,
    pub(crate) retried: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) tried_no_longer: &'static str,
    pub(crate) counted_as_sent: &'static str,
    pub(crate) sent_again: &'static str,
}

const EN: MessagesWords = MessagesWords {
    language: Language::English,
    messages: "Messages",
    lede: "Every message, the newest first. Open one to see what happened to it and why.",
    find: "Find messages",
    find_hint: "Text, order, name, @name, phone or number",
    text: "Text",
    without_text: "without text",
    empty: "No messages yet",
    empty_detail: "Messages appear here at once, also while they wait. Make an API key under Settings, then send the first with",
    all_delivered: "Every message of this time has been delivered",
    elsewhere: "Requests that never became a message are not in this list:",
    chats_not_found: "Chats not found",
    failed_requests: "Failed requests",
    none_yet: "Nothing so far",
    looked_back_to: "Searched back to",
    look_further: "Search further back",
    retry_all: "Retry all failed",
    retrying: "Failed messages are being retried",
    retry_none: "No message failed that fits the filter. What is in doubt is never retried from here.",
    retry_follows: "Each goes into the queue once, the oldest first, and keeps to the limits of its account. What is in doubt \
                    or cancelled stays as it is. A message whose time has passed may no longer be wanted: narrow the filter first.",
    retry_last: "The last run:",
    retry_may_close: "You may close this page; it goes on.",
    stop_retrying: "Stop retrying",
    retry_stopped: "Retrying has stopped. What is in the queue stays there.",
    why: "Why",
    the_message: "The message",
    copy_id: "Copy id",
    asked: "Requested",
    asked_at: "Received on",
    not_before: "Not before",
    api_key: "API key",
    address: "From",
    parts: "Parts",
    telegram_ids: "Telegram’s ids",
    failure: "Error code",
    held_back: "Held back after a restore: it may have been sent.",
    files: "Files",
    same_chat: "The same chat",
    all_of_chat: "All messages to this chat",
    candidates: "Who can send to this chat now",
    verdict_of: "Verdict",
    preferred: "first choice for this chat",
    until: "until",
    in_doubt: "It may have arrived, or not",
    in_doubt_detail: "The account that sent it cannot be asked any more. Look at what the chat shows, then decide.",
    see_evidence: "See the evidence",
    retried: "It is in the queue again.",
    cancelled: "It was cancelled; nothing was sent.",
    tried_no_longer: "There are no more attempts. It may have been sent: check the chat and decide.",
    counted_as_sent: "It counts as sent.",
    decided: "Counted as sent: a person decided so.",
    decided_detail: "Telegram did not confirm it; who decided and when is below and in the audit log.",
    sent_again: "It is sent again.",
};

const RU: MessagesWords = MessagesWords {
    language: Language::Russian,
    messages: "Сообщения",
    lede: "Все сообщения, новые сверху. Откройте любое, чтобы увидеть, что с ним произошло и почему.",
    find: "Найти сообщения",
    find_hint: "Текст, заказ, имя, @имя, телефон или номер",
    text: "Текст",
    without_text: "без текста",
    empty: "Сообщений ещё нет",
    empty_detail: "Сообщения появляются здесь сразу, даже пока ждут отправки. Создайте ключ API в настройках, затем первое отправит",
    all_delivered: "Все сообщения за это время дошли",
    elsewhere: "Запросов, которые не стали сообщениями, в этом списке нет:",
    chats_not_found: "Не найденные чаты",
    failed_requests: "Неудачные запросы",
    none_yet: "Пока ничего",
    looked_back_to: "Просмотрено до",
    look_further: "Искать дальше",
    retry_all: "Повторить все неудачные",
    retrying: "Неудачные сообщения отправляются снова",
    retry_none: "Неудачных сообщений под этот отбор нет. То, что под вопросом, отсюда не повторяется никогда.",
    retry_follows: "Каждое встанет в очередь один раз, начиная со старых, с учётом ограничений аккаунта. То, что под вопросом \
                    или отменено, не тронем. Сообщение, время которого прошло, может быть уже не нужно: сначала сузьте отбор.",
    retry_last: "Прошлый раз:",
    retry_may_close: "Страницу можно закрыть, работа продолжится.",
    stop_retrying: "Прекратить",
    retry_stopped: "Повтор прекращён. Что уже в очереди, там и останется.",
    why: "Почему",
    the_message: "Сообщение",
    copy_id: "Скопировать номер",
    asked: "Запрошено",
    asked_at: "Через",
    not_before: "Не раньше",
    api_key: "Ключ API",
    address: "Откуда",
    parts: "Частей",
    telegram_ids: "Номера в Telegram",
    failure: "Код ошибки",
    held_back: "Задержано после восстановления: возможно, отправлено.",
    files: "Файлы",
    same_chat: "Тот же чат",
    all_of_chat: "Все сообщения в этот чат",
    candidates: "Кто может отправить в этот чат сейчас",
    verdict_of: "Решение",
    preferred: "основной для этого чата",
    until: "до",
    in_doubt: "Возможно, дошло, а возможно, и нет",
    in_doubt_detail: "Спросить аккаунт, который его отправлял, больше нельзя. Посмотрите, что сейчас в чате, и решите.",
    see_evidence: "Что известно",
    retried: "Сообщение снова в очереди.",
    cancelled: "Отменено, ничего не отправлено.",
    tried_no_longer: "Попытки прекращены. Сообщение могло уйти: проверьте чат и решите.",
    counted_as_sent: "Считается отправленным.",
    decided: "Считается отправленным: так решил человек.",
    decided_detail: "Telegram этого не подтвердил; кто и когда решил, видно ниже и в журнале действий.",
    sent_again: "Отправляется ещё раз.",
};

impl MessagesWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    /// What the page of a message opens with.
    pub(crate) fn verdict(&self, state: &str, account: Option<&str>) -> String {
        let by = |english: &str, russian: &str, rest: &str, rest_ru: &str| match account {
            Some(account) => self
                .language
                .of(format!("{english} {account}{rest}."), format!("{russian} {account}{rest_ru}.")),
            None => self.language.of(
                format!("{}.", english.trim_end_matches(" by")),
                format!("{}.", russian.trim_end_matches(" аккаунтом")),
            ),
        };
        match state {
            "queued" => self.language.of("Waits in the queue.", "Ждёт в очереди.").to_owned(),
            "scheduled" => self.language.of("Waits for its time.", "Ждёт своего времени.").to_owned(),
            "awaiting_approval" => self.language.of("Waits for approval.", "Ждёт одобрения.").to_owned(),
            "sending" => by("Being sent by", "Отправляется аккаунтом", "", ""),
            "sent" => by("Sent by", "Отправлено аккаунтом", "", ""),
            "delivered" => by("Sent by", "Отправлено аккаунтом", ", delivered", ", доставлено"),
            "read" => by("Sent by", "Отправлено аккаунтом", ", read", ", прочитано"),
            "failed" => self.language.of("Not sent.", "Не отправлено.").to_owned(),
            "cancelled" => {
                self.language.of("Cancelled before it was sent.", "Отменено до отправки.").to_owned()
            }
            "in_doubt" => self
                .language
                .of("In doubt: it may have been sent.", "Под вопросом: возможно, отправлено.")
                .to_owned(),
            other => other.replace('_', " "),
        }
    }

    /// Why one that has no failure is not there yet.
    pub(crate) fn not_there(&self, state: &str) -> Option<&'static str> {
        let (english, russian) = match state {
            "queued" => (
                "Waits for an account that can send it. Open it to see which one and until when.",
                "Ждёт аккаунта, который сможет отправить. Откройте, чтобы увидеть, какого и до какого времени.",
            ),
            "sending" => (
                "An account is sending it; Telegram has not confirmed it yet.",
                "Аккаунт отправляет; Telegram пока не подтвердил.",
            ),
            "in_doubt" => (
                "It may have been delivered: Telegram’s answer was lost. Someone has to decide.",
                "Возможно, дошло: ответ Telegram потерян. Нужно решение человека.",
            ),
            _ => return None,
        };
        Some(self.language.of(english, russian))
    }

    /// What comes after that.
    pub(crate) fn lede_of(&self, state: &str, took: &str) -> String {
        match state {
            "sent" | "delivered" | "read" => self.language.of(
                format!("It took {took} from the request to Telegram’s confirmation."),
                format!("От запроса до ответа Telegram прошло {took}."),
            ),
            "queued" | "scheduled" | "awaiting_approval" => self.language.of(
                "Nothing was sent yet; it can still be cancelled.".to_owned(),
                "Ничего ещё не отправлено; можно отменить.".to_owned(),
            ),
            _ => String::new(),
        }
    }

    /// What is thought of an account that could carry it, as the API names it.
    pub(crate) fn candidate(&self, verdict: &str) -> &'static str {
        let (english, russian) = match verdict {
            "first" => ("First", "Первый"),
            "next" => ("Next", "Следующий"),
            "waits" => ("Must wait", "Ждёт"),
            _ => ("Cannot", "Не может"),
        };
        self.language.of(english, russian)
    }

    /// The way it came in.
    pub(crate) fn listener(&self, listener: &str) -> String {
        match listener {
            "v1" => "API /v1".to_owned(),
            port => self.language.of(format!("port {port}"), format!("порт {port}")),
        }
    }

    /// How many steps there are.
    pub(crate) fn steps(&self, number: usize) -> String {
        let number = number as u64;
        match self.language {
            Language::English => format!(
                "{number} {}. The line follows the message from account to account.",
                english(number, "step", "steps")
            ),
            Language::Russian => format!(
                "{number} {}. Линия показывает, через какие аккаунты прошло сообщение.",
                russian(number, "шаг", "шага", "шагов")
            ),
        }
    }

    /// The question before all are retried.
    pub(crate) fn retry_question(&self, number: u64) -> String {
        let count = thousands(number);
        match self.language {
            Language::English => format!("Retry {count} failed {}?", english(number, "message", "messages")),
            Language::Russian => format!(
                "Повторить {count} {}?",
                russian(number, "неудачное сообщение", "неудачных сообщения", "неудачных сообщений")
            ),
        }
    }

    /// The button that does it.
    pub(crate) fn retry_button(&self, number: u64) -> String {
        self.language.of(format!("Retry {}", thousands(number)), format!("Повторить {}", thousands(number)))
    }

    /// It was begun.
    pub(crate) fn retry_begun(&self, number: u64) -> String {
        let count = thousands(number);
        match self.language {
            Language::English => {
                format!("{count} {} being retried.", english(number, "message is", "messages are"))
            }
            Language::Russian => format!("Повторяем, всего сообщений: {count}."),
        }
    }

    /// None was begun, since one goes on.
    pub(crate) fn retry_joined(&self, number: u64) -> String {
        let count = thousands(number);
        match self.language {
            Language::English => format!(
                "Nothing new was started: {count} {} already being retried. Try again when that is done.",
                english(number, "message is", "messages are")
            ),
            Language::Russian => format!(
                "Новый повтор не начат: ещё идёт прежний, всего сообщений: {count}. Когда он закончится, повторите."
            ),
        }
    }

    /// How far it is.
    pub(crate) fn retry_progress(&self, over: u64, total: u64) -> String {
        let (over, total) = (thousands(over), thousands(total));
        self.language.of(format!("{over} of {total}."), format!("{over} из {total}."))
    }
}

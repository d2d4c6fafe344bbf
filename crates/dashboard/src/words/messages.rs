//! The words of the pages about messages.

words! {
    MessagesWords;
    messages: "Messages", "Сообщения";
    lede:
        "Every message, the newest first. Open one to see what happened to it and why.",
        "Все сообщения, новые сверху. Откройте любое, чтобы увидеть, что с ним произошло и почему.";
    sent: "Sent", "Отправленные";
    received: "Received messages", "Полученные сообщения";
    received_lede:
        "What others wrote to the accounts, the latest first. Open one to see the conversation.",
        "Что написали аккаунтам, новое сверху. Откройте, чтобы увидеть переписку.";
    none_received: "Nothing was received yet", "Пока ничего не пришло";
    none_received_detail:
        "Messages of private chats and of chats known here appear here once they come.",
        "Здесь появятся сообщения из личных чатов и из чатов, известных здесь.";
    who: "From", "От кого";
    find: "Find messages", "Найти сообщения";
    find_hint: "Text, order, name, @name, phone or number", "Текст, заказ, имя, @имя, телефон или номер";
    text: "Text", "Текст";
    without_text: "without text", "без текста";
    empty: "No messages yet", "Сообщений ещё нет";
    empty_detail:
        "Messages appear here at once, also while they wait. Make an API key under Settings, then send the \
         first with",
        "Сообщения появляются здесь сразу, даже пока ждут отправки. Создайте ключ API в настройках, затем \
         первое отправит";
    all_delivered: "Every message of this time has been delivered", "Все сообщения за это время дошли";
    elsewhere:
        "Requests that never became a message are not in this list:",
        "Запросов, которые не стали сообщениями, в этом списке нет:";
    chats_not_found: "Chats not found", "Не найденные чаты";
    failed_requests: "Failed requests", "Неудачные запросы";
    none_yet: "Nothing so far", "Пока ничего";
    looked_back_to: "Searched back to", "Просмотрено до";
    look_further: "Search further back", "Искать дальше";
    retry_all: "Retry all failed", "Повторить все неудачные";
    retrying: "Failed messages are being retried", "Неудачные сообщения отправляются снова";
    retry_none:
        "No message failed that fits the filter. What is in doubt is never retried from here.",
        "Неудачных сообщений под этот отбор нет. То, что под вопросом, отсюда не повторяется никогда.";
    retry_follows:
        "Each goes into the queue once, the oldest first, and keeps to the limits of its account. What is \
         in doubt or cancelled stays as it is. A message whose time has passed may no longer be wanted: \
         narrow the filter first.",
        "Каждое встанет в очередь один раз, начиная со старых, с учётом ограничений аккаунта. То, что под \
         вопросом или отменено, не тронем. Сообщение, время которого прошло, может быть уже не нужно: \
         сначала сузьте отбор.";
    retry_last: "The last run:", "Прошлый раз:";
    retry_may_close: "You may close this page; it goes on.", "Страницу можно закрыть, работа продолжится.";
    stop_retrying: "Stop retrying", "Прекратить";
    retry_stopped:
        "Retrying has stopped. What is in the queue stays there.",
        "Повтор прекращён. Что уже в очереди, там и останется.";
    why: "Why", "Почему";
    the_message: "The message", "Сообщение";
    copy_id: "Copy id", "Скопировать номер";
    requested: "Requested", "Запрошено";
    received_on: "Received on", "Через";
    not_before: "Not before", "Не раньше";
    api_key: "API key", "Ключ API";
    address: "From", "Откуда";
    parts: "Parts", "Частей";
    telegram_ids: "Telegram’s ids", "Номера в Telegram";
    failure: "Error code", "Код ошибки";
    held_back:
        "Held back after a restore: it may have been sent.",
        "Задержано после восстановления: возможно, отправлено.";
    files: "Files", "Файлы";
    before_and_after: "Before and after it", "До и после";
    conversation: "The conversation", "Переписка";
    candidates: "Who can send to this chat now", "Кто может отправить в этот чат сейчас";
    verdict_of: "Verdict", "Решение";
    preferred: "first choice for this chat", "основной для этого чата";
    until: "until", "до";
    in_doubt: "It may have arrived, or not", "Возможно, дошло, а возможно, и нет";
    in_doubt_detail:
        "The account that sent it cannot be asked any more. Look at what the chat shows, then decide.",
        "Спросить аккаунт, который его отправлял, больше нельзя. Посмотрите, что сейчас в чате, и решите.";
    see_evidence: "See the evidence", "Что известно";
    decided: "Counted as sent: a person decided so.", "Считается отправленным: так решил человек.";
    decided_detail:
        "Telegram did not confirm it; who decided and when is below and in the audit log.",
        "Telegram этого не подтвердил; кто и когда решил, видно ниже и в журнале действий.";
    retried: "It is in the queue again.", "Сообщение снова в очереди.";
    approved: "It was approved and is on its way.", "Одобрено и отправляется.";
    cancelled: "It was cancelled; nothing was sent.", "Отменено, ничего не отправлено.";
    tried_no_longer:
        "There are no more attempts. It may have been sent: check the chat and decide.",
        "Попытки прекращены. Сообщение могло уйти: проверьте чат и решите.";
    counted_as_sent: "It counts as sent.", "Считается отправленным.";
    sent_again: "It is sent again.", "Отправляется ещё раз.";
}

sentences! {
    MessagesWords;
    steps(number: usize; noun: ["step", "steps"], ["шаг", "шага", "шагов"]):
        "{number} {noun}. The line follows the message from account to account.",
        "{number} {noun}. Линия показывает, через какие аккаунты прошло сообщение.";
    retry_question(number: u64;
        noun: ["message", "messages"],
            ["неудачное сообщение", "неудачных сообщения", "неудачных сообщений"]):
        "Retry {number} failed {noun}?", "Повторить {number} {noun}?";
    retry_button(number: u64): "Retry {number}", "Повторить {number}";
    retry_begun(number: u64; noun: ["message is", "messages are"], []):
        "{number} {noun} being retried.", "Повторяем, всего сообщений: {number}.";
    retry_joined(number: u64; noun: ["message is", "messages are"], []):
        "Nothing new was started: {number} {noun} already being retried. Try again when that is done.",
        "Новый повтор не начат: ещё идёт прежний, всего сообщений: {number}. Когда он закончится, \
         повторите.";
    retry_progress(over: u64, total: u64): "{over} of {total}.", "{over} из {total}.";
}

impl MessagesWords {
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

    pub(crate) fn lede_of(&self, state: &str, took: &str) -> String {
        match state {
            "sent" | "delivered" | "read" => self.language.of(
                format!("It took {took} from the request to Telegram’s confirmation."),
                format!("От запроса до ответа Telegram прошло {took}."),
            ),
            "awaiting_approval" => self.language.of(
                "Nothing was sent yet: a person approves or rejects it.".to_owned(),
                "Ничего ещё не отправлено: сообщение ждёт, когда его одобрят или отклонят.".to_owned(),
            ),
            "queued" | "scheduled" => self.language.of(
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

    pub(crate) fn listener(&self, listener: &str) -> String {
        match listener {
            "v1" => "API /v1".to_owned(),
            port => self.language.of(format!("port {port}"), format!("порт {port}")),
        }
    }
}

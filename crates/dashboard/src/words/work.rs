//! The words that all lists of work share, and the states of work.

use crate::view::{Language, Pill, Tint};

words! {
    /// The words that all lists of work share.
    WorkWords;
    filter: "Filter", "Отбор";
    more_filters: "More filters", "Ещё условия";
    show: "Show", "Показать";
    show_all: "Show all", "Показать всё";
    state: "State", "Состояние";
    any_state: "Any state", "Любое состояние";
    account: "Account", "Аккаунт";
    any_account: "Any account", "Любой аккаунт";
    chat: "Chat", "Чат";
    chat_hint: "Name, @name or number", "Имя, @имя или номер";
    when: "When", "Когда";
    kind: "Kind", "Вид";
    any_kind: "Any kind", "Любой вид";
    range: "Range", "Время";
    any_time: "Any time", "За всё время";
    from: "from", "с";
    to: "to", "по";
    pages: "Pages", "Страницы";
    next_page: "Next page", "Дальше";
    first_page: "First page", "В начало";
    end_of_list: "This is the end of the list", "Это конец списка";
    show_new: "The list has changed: show it", "Список изменился: показать";
    retry: "Retry", "Повторить";
    cancel: "Cancel", "Отменить";
    approve: "Approve", "Одобрить";
    reject: "Reject", "Отклонить";
    close: "Close", "Закрыть";
    its_lines: "Its log lines", "Строки журнала";
    copy: "Copy", "Скопировать";
    copied: "Copied", "Скопировано";
    too_late:
        "Nothing was done: its state has changed meanwhile.",
        "Ничего не сделано: состояние уже изменилось.";
    wrong_filter: "The filter has a wrong field", "В отборе неверное поле";
    nothing_found: "Nothing found", "Ничего не найдено";
    nothing_found_detail:
        "Nothing fits the filter. Remove a part of it.",
        "Под отбор ничего не подходит. Уберите часть условий.";
    reads_only:
        "Your role may look and not change anything here.",
        "Ваша роль позволяет смотреть, но не менять.";
    undelivered: "Not delivered", "Не дошло";
    time_hint: "2026-11-22 18:30", "22.11.2026 18:30";
    today: "Today", "Сегодня";
    yesterday: "Yesterday", "Вчера";
    last_15m: "15 min", "15 мин";
    last_2h: "2 h", "2 ч";
    last_1d: "24 h", "24 ч";
    last_7d: "7 days", "7 дней";
}

impl WorkWords {
    /// A time was written that cannot be read.
    pub(crate) fn unread_time(&self, written: &str) -> String {
        let hint = self.time_hint;
        match self.language {
            Language::English => format!("“{written}” is no date and time; write it as {hint}."),
            Language::Russian => format!("«{written}» — не дата и время; напишите так: {hint}."),
        }
    }

    /// The name of a day or a range, by its word in addresses.
    pub(crate) fn range_name(&self, word: &str) -> &'static str {
        match word {
            "today" => self.today,
            "yesterday" => self.yesterday,
            "15m" => self.last_15m,
            "2h" => self.last_2h,
            "1d" => self.last_1d,
            _ => self.last_7d,
        }
    }
}

/// The state of a message, of work on a chat, of a failed request or of a chat, as the API names it.
pub(crate) fn pill(language: Language, state: &str) -> Pill {
    let (tint, english, russian) = match state {
        "queued" => (Tint::Waiting, "Queued", "В очереди"),
        "scheduled" => (Tint::Idle, "Scheduled", "Запланировано"),
        "awaiting_approval" => (Tint::Waiting, "Awaiting approval", "Ждёт одобрения"),
        "sending" => (Tint::Busy, "Sending", "Отправляется"),
        "sent" => (Tint::Good, "Sent", "Отправлено"),
        "delivered" => (Tint::Good, "Delivered", "Доставлено"),
        "read" => (Tint::Good, "Read", "Прочитано"),
        "failed" => (Tint::Bad, "Failed", "Не удалось"),
        "cancelled" => (Tint::Idle, "Cancelled", "Отменено"),
        "in_doubt" => (Tint::Waiting, "In doubt", "Под вопросом"),
        "running" => (Tint::Busy, "Running", "Выполняется"),
        "done" => (Tint::Good, "Done", "Готово"),
        "pending" => (Tint::Bad, "Pending", "Ждёт решения"),
        "waiting" => (Tint::Waiting, "Retries later", "Повторится позже"),
        "retried" => (Tint::Busy, "Being retried", "Повторяется"),
        "dropped" => (Tint::Idle, "Dropped", "Отброшено"),
        "active" => (Tint::Good, "Active", "Активен"),
        "left" => (Tint::Idle, "Left", "Покинут"),
        _ => (Tint::Idle, "Unknown", "Неизвестно"),
    };
    Pill { tint, word: language.of(english, russian) }
}

/// What kind of work it is, as the API names it.
pub(crate) fn kind(language: Language, word: &str) -> &'static str {
    let (english, russian) = match word {
        "send_text" => ("Message", "Сообщение"),
        "send_media" => ("Message with files", "Сообщение с файлами"),
        "create_chat" => ("Create a chat", "Создание чата"),
        "leave_chat" => ("Leave a chat", "Выход из чата"),
        "add_members" => ("Add members", "Добавление участников"),
        "remove_members" => ("Remove members", "Удаление участников"),
        "edit_chat" => ("Edit a chat", "Изменение чата"),
        _ => ("Other work", "Другая работа"),
    };
    language.of(english, russian)
}

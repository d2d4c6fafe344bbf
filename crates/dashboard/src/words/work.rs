//! The words that all lists of work share, and the states of work.

use crate::listing::{Pill, Tint};
use crate::visitor::Language;

/// The words that all lists of work share.
pub(crate) struct WorkWords {
    language: Language,
    pub(crate) filter: &'static str,
    pub(crate) more_filters: &'static str,
    pub(crate) show: &'static str,
    pub(crate) show_all: &'static str,
    pub(crate) state: &'static str,
    pub(crate) any_state: &'static str,
    pub(crate) account: &'static str,
    pub(crate) any_account: &'static str,
    pub(crate) chat: &'static str,
    pub(crate) chat_hint: &'static str,
    pub(crate) when: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) any_kind: &'static str,
    pub(crate) range: &'static str,
    pub(crate) any_time: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) next_page: &'static str,
    pub(crate) first_page: &'static str,
    pub(crate) end_of_list: &'static str,
    pub(crate) show_new: &'static str,
    pub(crate) retry: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) close: &'static str,
    pub(crate) its_lines: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) too_late: &'static str,
    pub(crate) wrong_filter: &'static str,
    pub(crate) nothing_found: &'static str,
    pub(crate) nothing_found_detail: &'static str,
    pub(crate) reads_only: &'static str,
    pub(crate) undelivered: &'static str,
    pub(crate) time_hint: &'static str,
    today: &'static str,
    yesterday: &'static str,
    last_15m: &'static str,
    last_2h: &'static str,
    last_1d: &'static str,
    last_7d: &'static str,
}

const EN: WorkWords = WorkWords {
    language: Language::English,
    filter: "Filter",
    more_filters: "More filters",
    show: "Show",
    show_all: "Show all",
    state: "State",
    any_state: "Any state",
    account: "Account",
    any_account: "Any account",
    chat: "Chat",
    chat_hint: "Name, @name or number",
    when: "When",
    kind: "Kind",
    any_kind: "Any kind",
    range: "Range",
    any_time: "Any time",
    from: "from",
    to: "to",
    pages: "Pages",
    next_page: "Next page",
    first_page: "First page",
    end_of_list: "This is the end of the list",
    show_new: "The list has changed: show it",
    retry: "Retry",
    cancel: "Cancel",
    close: "Close",
    its_lines: "Its log lines",
    copy: "Copy",
    copied: "Copied",
    too_late: "Nothing was done: its state has changed meanwhile.",
    wrong_filter: "The filter has a wrong field",
    nothing_found: "Nothing found",
    nothing_found_detail: "Nothing fits the filter. Remove a part of it.",
    reads_only: "Your role may look and not change anything here.",
    undelivered: "Not delivered",
    time_hint: "2026-11-22 18:30",
    today: "Today",
    yesterday: "Yesterday",
    last_15m: "15 min",
    last_2h: "2 h",
    last_1d: "24 h",
    last_7d: "7 days",
};

const RU: WorkWords = WorkWords {
    language: Language::Russian,
    filter: "Отбор",
    more_filters: "Ещё условия",
    show: "Показать",
    show_all: "Показать всё",
    state: "Состояние",
    any_state: "Любое состояние",
    account: "Аккаунт",
    any_account: "Любой аккаунт",
    chat: "Чат",
    chat_hint: "Имя, @имя или номер",
    when: "Когда",
    kind: "Вид",
    any_kind: "Любой вид",
    range: "Время",
    any_time: "За всё время",
    from: "с",
    to: "по",
    pages: "Страницы",
    next_page: "Дальше",
    first_page: "В начало",
    end_of_list: "Это конец списка",
    show_new: "Список изменился: показать",
    retry: "Повторить",
    cancel: "Отменить",
    close: "Закрыть",
    its_lines: "Строки журнала",
    copy: "Скопировать",
    copied: "Скопировано",
    too_late: "Ничего не сделано: состояние уже изменилось.",
    wrong_filter: "В отборе неверное поле",
    nothing_found: "Ничего не найдено",
    nothing_found_detail: "Под отбор ничего не подходит. Уберите часть условий.",
    reads_only: "Ваша роль позволяет смотреть, но не менять.",
    undelivered: "Не дошло",
    time_hint: "22.11.2026 18:30",
    today: "Сегодня",
    yesterday: "Вчера",
    last_15m: "15 мин",
    last_2h: "2 ч",
    last_1d: "24 ч",
    last_7d: "7 дней",
};

impl WorkWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

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

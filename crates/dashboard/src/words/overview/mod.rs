//! The words of the overview.

mod advice;
mod codes;
mod facts;
mod headline;
mod sentences;

pub(crate) use codes::{reason, state};
pub(crate) use headline::Leftover;

use health::{CardAction, CardKind};

words! {
    /// The words of the overview, of a card's own page, and of what asks before it acts.
    OverviewWords;
    title: "Overview", "Обзор";
    diagnostics: "Diagnostics", "Диагностика";
    clear_flood: "Clear flood wait", "Сбросить ожидание";
    clearing_now: "Clearing flood wait", "Сброс ожидания";
    numbers: "Numbers", "Числа";
    messages_an_hour: "Messages an hour, last day", "Сообщения по часам за сутки";
    sent_last_hour: "Sent in the last hour", "Отправлено за час";
    waiting: "Waiting to go out", "Ждут отправки";
    connected_only: "Connected, but work does not get done", "На связи, но работа не выполняется";
    undelivered_today: "Not delivered today", "Не дошло сегодня";
    telegram_answers: "Telegram answers in", "Telegram отвечает за";
    this_process: "This process", "Эта программа";
    no_answer_yet: "no answer yet", "ответов ещё нет";
    not_kept:
        "The history cannot be saved to disk: it stays in memory and is lost when the program stops. \
         Diagnostics says why.",
        "История не записывается на диск: она хранится в памяти и пропадёт при остановке программы. Причина \
         — в диагностике.";
    filter: "Filter", "Отбор";
    find: "Find by name, state or reason", "Найти по имени, состоянию или причине";
    find_hint: "Name, state or reason", "Имя, состояние или причина";
    kind: "Kind", "Вид";
    all: "All", "Все";
    trouble: "Trouble", "Неполадки";
    group: "Group", "Порядок";
    by_need: "by need", "по срочности";
    by_kind: "by kind", "по виду";
    show: "Show", "Показать";
    moved: "Order changed, sort now", "Порядок изменился, упорядочить";
    name: "Name", "Имя";
    state: "State", "Состояние";
    all_well: "All well", "Всё в порядке";
    for_everything: "for everything", "для всего";
    last_two_hours: "Last 2 hours", "Последние 2 часа";
    sends_an_hour: "Sends an hour", "Отправок в час";
    requests_an_hour: "Requests an hour", "Запросов в час";
    queue: "Queue", "Очередь";
    errors: "Errors", "Ошибки";
    share: "Share", "Доля";
    share_of_calls: "Share of calls", "Доля вызовов";
    cache: "Cache", "Кэш";
    up: "Up", "Работает";
    processor: "Processor", "Процессор";
    memory: "Memory", "Память";
    calls: "Calls", "Вызовы";
    last_answer: "Last answer took", "Последний ответ за";
    last_error: "Last error", "Последняя ошибка";
    since: "Since", "С";
    muted_until: "no alerts until", "без оповещений до";
    clears_itself: "It clears by itself after two answers.", "Снимется сама после двух ответов.";
    show_it: "Show it", "Показать";
    mute: "Mute for 1 h", "Не сообщать 1 ч";
    muted: "No alerts about it for an hour; checks go on.", "Час оповещений не будет; проверки продолжаются.";
    until: "until", "до";
    needs_you: "Needs you", "Требуют внимания";
    waits: "Waiting", "Ждут";
    nothing_found: "Nothing fits", "Ничего не подходит";
    nothing_found_detail:
        "No card has this kind, state or word. The filter is in the address, so a link to it works.",
        "Нет карточки такого вида, состояния или с таким словом. Отбор записан в адресе, поэтому на него \
         можно сослаться.";
    show_all: "Show all", "Показать все";
    nothing_yet: "There is no account yet.", "Аккаунтов ещё нет.";
    nothing_yet_detail:
        "Messages go out through Telegram accounts of yours. Sign in to one, or import session files from \
         another program.",
        "Сообщения уходят через ваши аккаунты Telegram. Войдите в один из них или импортируйте файлы сессий \
         из другой программы.";
    add_account: "Add an account", "Добавить аккаунт";
    import_sessions: "Import sessions", "Импорт сессий";
    recovery: "How to recover", "Как вернуть";
    pages: "Pages", "Страницы";
    first_page: "First page", "Первая страница";
    next_page: "Next page", "Следующая страница";
    still_rows:
        "Trouble comes first; rows do not move while you point at one.",
        "Неполадки сверху; строки не движутся, пока на одну из них указывают.";
    minutes_not_fine: "Minutes that were not fine", "Минуты, когда что-то было не так";
    all_fine:
        "Every minute was answered in time or not checked.",
        "Каждую минуту ответ приходил вовремя или проверки не было.";
    time: "Time", "Время";
    answer: "Answer", "Ответ";
    keep: "Keep it running", "Оставить работать";
    close: "Close", "Закрыть";
    how: "How", "Как";
    gentle: "Pause only accounts in flood wait", "Приостановить только аккаунты в ожидании";
    gentle_help:
        "Each until its own deadline; the others go on sending. Nothing else stops. Enough in nearly every \
         case.",
        "Каждый до своего срока; остальные отправляют дальше. Больше ничего не останавливается. Почти \
         всегда этого хватает.";
    gentle_none:
        "For accounts in flood wait: each is paused until its own deadline.",
        "Для аккаунтов в ожидании: каждый приостанавливается до своего срока.";
    nothing_to_clear:
        "There is nothing to clear: no account is in flood wait.",
        "Сбрасывать нечего: ни один аккаунт не ждёт.";
    stop_all: "Stop everything for 5 minutes", "Остановить всё на 5 минут";
    stop_all_help:
        "Then the services that ran start one by one, 60 s apart: about 10 minutes in all. Accepted messages wait; none is \
         lost. Until then new requests get an error that says why. It can be cancelled at any step and goes on after a \
         restart of the program.",
        "Затем работавшие сервисы запускаются по одному, с промежутком 60 с: всего около 10 минут. Принятые сообщения \
         ждут, ни одно не теряется. До этого новые запросы получают отказ с причиной. Отменить можно на любом \
         шаге; перезапуск программы ничему не мешает.";
    begin: "Clear flood wait", "Сбросить ожидание";
    cancel_clearing: "Cancel and start all now", "Отменить и запустить всё сейчас";
    may_close: "You may leave this page: it goes on.", "Страницу можно закрыть: всё продолжится.";
    services_stopped: "Services stopped; messages are kept", "Сервисы остановлены, сообщения сохранены";
    silence: "Five minutes of silence", "Пять минут тишины";
    accounts_paused: "Paused until the deadline", "На паузе до своего срока";
    clearing_done: "Flood waits are being cleared.", "Ожидание сбрасывается.";
    clearing_cancelled:
        "Cancelled: everything it had stopped goes on.",
        "Отменено: всё, что было остановлено, снова работает.";
    kinds[6]:
        ["service", "account", "session", "port", "store", "queue"],
        ["сервис", "аккаунт", "сессия", "порт", "база", "очередь"];
    kinds_many[6]:
        ["Services", "Accounts", "Sessions", "Ports", "Store", "Queue"],
        ["Сервисы", "Аккаунты", "Сессии", "Порты", "База", "Очередь"];
    actions[7]:
        ["Start", "Stop", "Restart", "Reload cache", "Pause", "Resume", "Sign in"],
        [
            "Запустить",
            "Остановить",
            "Перезапустить",
            "Перечитать кэш",
            "Приостановить",
            "Возобновить",
            "Войти",
        ];
}

impl OverviewWords {
    /// What a card is of, as a small word beside its name.
    pub(crate) fn kind_of(&self, kind: CardKind) -> &'static str {
        self.kinds.get(kind as usize).copied().unwrap_or_default()
    }

    pub(crate) fn kind_many(&self, kind: CardKind) -> &'static str {
        self.kinds_many.get(kind as usize).copied().unwrap_or_default()
    }

    /// The word of a button.
    /// What is counted by the hour: a listener sends nothing by itself.
    pub(crate) const fn an_hour(&self, kind: CardKind) -> &'static str {
        if matches!(kind, CardKind::Port) { self.requests_an_hour } else { self.sends_an_hour }
    }

    pub(crate) fn action(&self, action: CardAction) -> &'static str {
        self.actions.get(action as usize).copied().unwrap_or_default()
    }
}

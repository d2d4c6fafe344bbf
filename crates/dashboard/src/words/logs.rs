//! The words of the pages about log lines.

use logs::ErrorKind;

use super::number::{english, russian, thousands};
use crate::view::Language;

words! {
    LogsWords;
    logs: "Logs", "Журнал";
    lines: "Log lines", "Строки журнала";
    line: "A log line", "Строка журнала";
    around: "The line in its place, newest first.", "Строка среди соседних, новые сверху.";
    to_the_line: "To the line", "К строке";
    line_gone: "This line is gone", "Этой строки больше нет";
    line_gone_detail:
        "The oldest lines are removed when the disk budget is used up. The setting log.budget makes it \
         larger.",
        "Когда отведённое место кончается, самые старые строки удаляются. Больше места даёт настройка \
         log.budget.";
    find: "Find words", "Найти слова";
    find_hint: "Exact words, or name=value", "Точные слова или имя=значение";
    level: "Level", "Уровень";
    service: "Service", "Сервис";
    any_service: "All services", "Все сервисы";
    error_type: "Error type", "Вид ошибки";
    any_error: "Any error type", "Любая ошибка";
    remove: "remove", "убрать";
    refresh: "Refresh", "Обновление";
    refresh_live: "Refresh: live", "Обновление: сразу";
    refresh_30: "Refresh: 30 s", "Обновление: 30 с";
    refresh_off: "Refresh: off", "Обновление: нет";
    download: "Download", "Скачать";
    unread: "Not all lines can be read now", "Сейчас читаются не все строки";
    unread_detail:
        "Others may be searching, or some lines are damaged on disk. Try again in a moment; the program's \
         standard error says why.",
        "Возможно, ищет кто-то ещё или часть строк повреждена на диске. Повторите чуть позже; причина — в \
         потоке ошибок программы.";
    empty: "No lines in this time", "За это время строк нет";
    empty_detail:
        "The program writes a line for each step of each message and for each request. Choose a longer time.",
        "Программа пишет строку о каждом шаге каждого сообщения и о каждом запросе. Выберите время \
         подлиннее.";
    none_yet: "Nothing so far; the search goes on further back", "Пока ничего; поиск продолжается глубже";
    older: "Older lines", "Более старые строки";
    following: "New lines appear by themselves", "Новые строки появляются сами";
    paused: "Paused while you read", "Остановлено, пока вы читаете";
    lost: "Connection lost; trying again", "Связь потеряна; пробуем снова";
    pause: "Pause", "Пауза";
    show_new: "Show the new lines", "Показать новые строки";
    link_to: "Link to line", "Ссылка на строку";
    about: "About", "О чём";
    see_it: "see it", "открыть";
    its_lines: "all its lines", "все его строки";
    what_to_do: "What to do", "Что делать";
    uncounted: "The lines cannot be counted now.", "Сейчас строки не посчитать.";
    all_levels: "All", "Все";
    warnings: "Warnings", "Предупреждения";
    errors: "Errors", "Ошибки";
}

sentences! {
    LogsWords;
    counted_from(at: &str):
        "Counted back to {at}: it took too long to count further. Choose a shorter time.",
        "Посчитано назад до {at}: считать дальше слишком долго. Выберите время покороче.";
    chart(bar: &str, lede: &str): "Lines, a bar for {bar}. {lede}", "Строки, столбик за {bar}. {lede}";
}

impl LogsWords {
    /// The levels that are offered, by their words in addresses.
    pub(crate) fn levels(&self) -> [(&'static str, &'static str); 3] {
        [("", self.all_levels), ("warn", self.warnings), ("error", self.errors)]
    }

    pub(crate) fn lede(&self, lines: u64, errors: u64) -> String {
        let (all, bad) = (thousands(lines), thousands(errors));
        match self.language {
            Language::English => format!(
                "{all} {}, {bad} {} among them.",
                english(lines, "line", "lines"),
                english(errors, "error", "errors")
            ),
            Language::Russian => format!(
                "{all} {}, из них {bad} {}.",
                russian(lines, "строка", "строки", "строк"),
                russian(errors, "ошибка", "ошибки", "ошибок")
            ),
        }
    }

    /// The same where not all were counted.
    pub(crate) fn lede_at_least(&self, lines: u64, errors: u64) -> String {
        let (all, bad) = (thousands(lines), thousands(errors));
        match self.language {
            Language::English => format!(
                "At least {all} {}, at least {bad} {} among them.",
                english(lines, "line", "lines"),
                english(errors, "error", "errors")
            ),
            Language::Russian => format!(
                "Не меньше {all} {}, из них не меньше {bad} {}.",
                russian(lines, "строки", "строк", "строк"),
                russian(errors, "ошибки", "ошибок", "ошибок")
            ),
        }
    }

    pub(crate) fn damaged(&self, blocks: u32) -> String {
        let (number, blocks) = (thousands(blocks.into()), u64::from(blocks));
        match self.language {
            Language::English => {
                format!("Not counted: {number} {} of damaged lines.", english(blocks, "block", "blocks"))
            }
            Language::Russian => format!(
                "Не посчитано: {number} {} повреждённых строк.",
                russian(blocks, "блок", "блока", "блоков")
            ),
        }
    }

    pub(crate) fn trouble(&self, trouble: ErrorKind) -> &'static str {
        let (english, russian) = match trouble {
            ErrorKind::FloodWait => ("FloodWait", "FloodWait"),
            ErrorKind::SlowMode => ("SlowMode", "SlowMode"),
            ErrorKind::PeerFlood => ("PeerFlood", "PeerFlood"),
            ErrorKind::PersistentTimestamp => ("PersistentTimestamp", "PersistentTimestamp"),
            ErrorKind::CannotResolve => ("Cannot resolve", "Чат не найден"),
            ErrorKind::NoRights => ("No rights", "Нет прав"),
            ErrorKind::Rejected => ("Rejected", "Отклонено"),
            ErrorKind::MediaGone => ("File gone", "Файла нет"),
            ErrorKind::ConnectionLost => ("Connection lost", "Связь потеряна"),
            ErrorKind::Timeout => ("Timeout", "Нет ответа"),
            ErrorKind::Banned => ("Banned", "Заблокирован"),
            ErrorKind::SessionLost => ("Session lost", "Сессия утрачена"),
            ErrorKind::AuthKeyDuplicated => ("AuthKeyDuplicated", "AuthKeyDuplicated"),
            ErrorKind::NoAccount => ("No account", "Нет аккаунта"),
            ErrorKind::StorageFull => ("Disk full", "Диск полон"),
            ErrorKind::StoreUnavailable => ("Store unavailable", "База недоступна"),
            ErrorKind::AddressInUse => ("Address in use", "Адрес занят"),
            ErrorKind::CallbackFailed => ("Callback failed", "Обратный вызов не принят"),
            ErrorKind::Broken => ("Broken", "Сбой программы"),
        };
        self.language.of(english, russian)
    }

    /// What to do about it, where something can be done.
    pub(crate) fn advice(&self, trouble: ErrorKind) -> Option<&'static str> {
        let (english, russian) = match trouble {
            ErrorKind::FloodWait => (
                "Nothing at first: the work waits or goes on through another account. If it repeats, send less through this account, or add another one.",
                "Сначала ничего: работа ждёт или идёт через другой аккаунт. Если повторяется, отправляйте через этот аккаунт меньше или добавьте ещё один.",
            ),
            ErrorKind::SlowMode => (
                "The chat allows a message only now and then. An administrator of the chat can switch slow mode off.",
                "Чат разрешает писать лишь изредка. Администратор чата может выключить медленный режим.",
            ),
            ErrorKind::PeerFlood => (
                "Telegram forbids the account new contacts. Let it rest for some days and write only to people who know it.",
                "Telegram запретил аккаунту новые контакты. Дайте ему несколько дней покоя и пишите только знакомым.",
            ),
            ErrorKind::CannotResolve => (
                "No account of yours is in the chat. Fix the automation that asks, or invite an account: Chats, Not found.",
                "Ни одного вашего аккаунта в чате нет. Исправьте автоматизацию или пригласите аккаунт: Чаты, Не найденные.",
            ),
            ErrorKind::NoRights => (
                "The account may not write there. Give it the right in Telegram, or bind the chat to another account.",
                "Аккаунту нельзя туда писать. Дайте ему право в Telegram или передайте чат другому аккаунту.",
            ),
            ErrorKind::Rejected => (
                "Telegram refused the content. Its error code is in the fields; fix what the caller sends.",
                "Telegram отклонил содержимое. Код ошибки есть в полях; исправьте то, что отправляет программа.",
            ),
            ErrorKind::Banned => (
                "Sign in with Telegram’s own app to see why. Until then the other accounts do its work.",
                "Войдите в приложение Telegram и узнайте причину. Пока что работают другие аккаунты.",
            ),
            ErrorKind::SessionLost => (
                "Sign the account in again: Accounts, or switchboard account login NAME.",
                "Войдите в аккаунт заново: Аккаунты, или switchboard account login NAME.",
            ),
            ErrorKind::AuthKeyDuplicated => (
                "Another program uses the same session. Find and stop it with switchboard doctor, then sign in again.",
                "Ту же сессию использует другая программа. Найдите её через switchboard doctor, остановите и войдите заново.",
            ),
            ErrorKind::NoAccount => (
                "No account can do it now. The overview shows what each of them needs.",
                "Сейчас это не может сделать ни один аккаунт. Обзор показывает, что нужно каждому.",
            ),
            ErrorKind::StorageFull => (
                "Free some disk: nothing new is accepted below 64 MB.",
                "Освободите место: когда осталось меньше 64 МБ, ничего нового не принимается.",
            ),
            ErrorKind::AddressInUse => (
                "Another program holds the port; switchboard doctor names it.",
                "Порт занят другой программой; switchboard doctor назовёт её.",
            ),
            ErrorKind::CallbackFailed => (
                "Check the receiver; the callback is retried by itself. When it gives up, you find it under Failed requests.",
                "Проверьте получателя; вызов повторяется сам. Когда попытки кончатся, он окажется среди неудачных запросов.",
            ),
            ErrorKind::Broken => (
                "This is a fault of the program. Please report it with this line and those around it.",
                "Это ошибка программы. Сообщите о ней вместе с этой строкой и соседними.",
            ),
            ErrorKind::PersistentTimestamp
            | ErrorKind::MediaGone
            | ErrorKind::ConnectionLost
            | ErrorKind::Timeout
            | ErrorKind::StoreUnavailable => return None,
        };
        Some(self.language.of(english, russian))
    }
}

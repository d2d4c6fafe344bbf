//! The words of the forms about an account: adding, changing, taking a session out, removing.

use std::borrow::Cow;

use domain::account::{PRIORITIES, SendingLimits};

use crate::view::Language;
use crate::words::number::{english, russian, thousands};

words! {
    /// The words of the forms about an account.
    AccountFormWords;
    add_title: "Add an account", "Добавить аккаунт";
    add_lede:
        "It is kept in the data directory, its secrets encrypted. Next you sign in to it.",
        "Он хранится в каталоге данных, секреты зашифрованы. После этого нужно войти в него.";
    not_taken: "The account is not added yet: a field is wrong", "Аккаунт ещё не добавлен: в форме ошибка";
    not_changed: "Nothing is changed yet: a field is wrong", "Пока ничего не изменено: в форме ошибка";
    name: "Name", "Название";
    name_help:
        "What you call it: small letters, digits, - and _. It cannot be changed later.",
        "Как вы его называете: строчные латинские буквы, цифры, - и _. Потом не меняется.";
    application: "The application", "Приложение";
    application_help:
        "Telegram knows each program by a number and a secret: my.telegram.org, API development tools. \
         Several accounts may share one.",
        "Telegram знает каждую программу по номеру и секрету: my.telegram.org, API development tools. Одно \
         приложение годится для нескольких аккаунтов.";
    api_id: "api_id", "api_id";
    api_hash: "api_hash", "api_hash";
    phone: "Phone number", "Номер телефона";
    phone_help:
        "Optional; with its country code, as in +70000000001. Kept encrypted, never shown whole.",
        "Необязательно; с кодом страны, например +70000000001. Хранится зашифрованным, целиком не \
         показывается.";
    priority: "Priority", "Приоритет";
    priority_help:
        "The lower, the earlier it is chosen. 100 is usual.",
        "Чем меньше, тем раньше выбирается. Обычно 100.";
    pool: "In the pool", "В пуле";
    pool_help:
        "Used when a request names no account. Otherwise it works only for requests that name it.",
        "Выбирается, когда в запросе аккаунт не назван. Иначе работает только для запросов, где назван он.";
    proxy: "Proxy", "Прокси";
    proxy_help:
        "Optional; SOCKS5: socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT. In a private network \
         only if the settings list it (telegram.allow_private_proxies). Kept encrypted.",
        "Необязательно; SOCKS5: socks5://HOST:PORT или socks5://USER:PASSWORD@HOST:PORT. В частной сети — \
         только если она внесена в настройки (telegram.allow_private_proxies). Хранится зашифрованным.";
    limits: "Limits", "Ограничения";
    limits_help:
        "The most messages it sends. Further ones wait, or go through another account that is in the chat. \
         Empty: no limit.",
        "Больше сообщений он не отправит. Остальные ждут или идут через другой аккаунт, который есть в \
         чате. Пусто — без ограничения.";
    per_hour: "Messages an hour", "Сообщений в час";
    per_day: "Messages in 24 hours", "Сообщений за 24 часа";
    keep: "Messages that come in", "Входящие сообщения";
    keep_help:
        "Which are kept here and sent as events. It counts from the next message on.",
        "Какие сохраняются здесь и передаются как события. Действует со следующего сообщения.";
    keep_rule: "Keep those of", "Хранить сообщения из";
    keep_always: "Always of these chats", "Всегда из этих чатов";
    keep_never: "Never of these chats", "Никогда из этих чатов";
    keep_chats_help:
        "Ids of chats, such as -1001234567890, one a line.",
        "Номера чатов, например -1001234567890, по одному в строке.";
    keep_files: "Fetch as they come in", "Загружать сразу";
    keep_files_help:
        "Files of messages that are kept. Others are fetched when they are asked for.",
        "Файлы сообщений, которые хранятся. Остальные загружаются, когда их запрашивают.";
    keep_files_up_to: "Up to, in megabytes", "Не больше, мегабайт";
    add_button: "Add and sign in", "Добавить и войти";
    keep_current: "Leave empty to keep it as it is.", "Оставьте пустым, чтобы не менять.";
    forget_phone: "Forget the number", "Забыть номер";
    no_proxy: "Connect without a proxy", "Подключаться без прокси";
    save: "Change", "Изменить";
    close: "Close", "Закрыть";
    export_lede:
        "A session is exported only in the server’s own shell: anyone who has it can act as the account, so \
         it never goes through a browser.",
        "Сессия выгружается только в консоли самого сервера: кто её получил, может действовать от имени \
         аккаунта, поэтому через браузер она не проходит.";
    export_where:
        "Run one of these on the server, as the user that the program runs as:",
        "Выполните на сервере одну из команд от имени пользователя, под которым работает программа:";
    export_telethon: "A session file for Telethon", "Файл сессии для Telethon";
    export_kurigram: "A session file for Kurigram", "Файл сессии для Kurigram";
    export_string: "A session string for Telethon", "Строка сессии для Telethon";
    export_one_use:
        "The account is stopped first and stays so until you start it: one session in two programs is ended \
         by Telegram for both.",
        "Аккаунт сначала останавливается и не запустится, пока вы его не запустите: одну сессию в двух \
         программах Telegram завершает для обеих.";
    remove_sessions:
        "Its connections end. Its sessions are kept without an account; you can give them to another or \
         delete them.",
        "Соединения закроются. Сессии сохранятся без аккаунта: их можно отдать другому или удалить.";
    remove_history:
        "What it sent stays on record. Other accounts in its chats go on there; where there is none, \
         nothing can be sent until one is invited or an account of this name is added.",
        "Отправленное остаётся известным. В его чатах продолжат другие аккаунты, которые там есть; где их \
         нет, отправить ничего нельзя, пока не пригласят другой или не добавят аккаунт с этим названием.";
    remove_type: "To remove it, type its name:", "Чтобы удалить, введите название:";
    remove_force: "Even while its messages are being sent", "Даже если его сообщения ещё в пути";
    remove_force_help:
        "Other accounts then send them where that is safe; the rest end unsent.",
        "Тогда их попробуют отправить другие, где это безопасно, или они завершатся.";
    remove_button: "Remove the account", "Удалить аккаунт";
    name_differs:
        "What was typed is not the name of the account. Nothing was removed.",
        "Введено не название аккаунта. Ничего не удалено.";
    stop_instead:
        "To keep it and only give it no work, pause it instead.",
        "Чтобы оставить аккаунт и только не давать ему работы, приостановите его.";
}

sentences! {
    AccountFormWords;
    change_title(account: &str): "Change {account}", "Изменить {account}";
    export_title(account: &str): "Export a session of {account}", "Выгрузить сессию {account}";
    remove_question(account: &str): "Remove {account}?", "Удалить {account}?";
    added(account: &str): "{account} is added.", "{account} добавлен.";
    changed(account: &str): "{account} is changed.", "{account} изменён.";
    removed(account: &str): "{account} is removed.", "{account} удалён.";
}

impl AccountFormWords {
    pub(crate) fn remove_chats(&self, chats: u64, more: bool, waiting: u64) -> String {
        let plus = if more { "+" } else { "" };
        let (chats_word, waiting_word) = (thousands(chats), thousands(waiting));
        match self.language {
            Language::English => format!(
                "{chats_word}{plus} {} through it; {waiting_word} {} in its queue.",
                english(chats, "chat goes", "chats go"),
                english(waiting, "message is", "messages are"),
            ),
            Language::Russian => format!(
                "Через него {} {chats_word}{plus} {}; в очереди {waiting_word} {}.",
                russian(chats, "идёт", "идут", "идёт"),
                russian(chats, "чат", "чата", "чатов"),
                russian(waiting, "сообщение", "сообщения", "сообщений"),
            ),
        }
    }

    /// What is wrong with a field that the API did not take, in the reader's language; none where only the API knows.
    pub(crate) fn wrong(&self, field: &str) -> Option<Cow<'static, str>> {
        let (english, russian) = match field {
            "messages_per_hour" | "messages_per_day" => {
                let (first, last) = SendingLimits::RANGE.into_inner();
                return Some(Cow::Owned(self.language.of(
                    format!("Write a number from {first} to {last}, or leave it empty for no limit."),
                    format!("Напишите число от {first} до {last}; пусто — без ограничения."),
                )));
            }
            "priority" => {
                let (first, last) = PRIORITIES.into_inner();
                return Some(Cow::Owned(self.language.of(
                    format!("Write a number from {first} to {last}."),
                    format!("Напишите число от {first} до {last}."),
                )));
            }
            "name" => (
                "Write 1 to 64 small letters, digits, - or _.",
                "Напишите от 1 до 64 строчных латинских букв, цифр, - или _.",
            ),
            "account_exists" => ("An account has this name already.", "Такое название уже занято."),
            "account_is_in_settings" => (
                "An account of the settings file has this name.",
                "Так называется аккаунт из файла настроек.",
            ),
            "api_id" => ("Write the number from my.telegram.org.", "Напишите число с my.telegram.org."),
            "api_hash" => (
                "It has 32 digits and letters a–f, from my.telegram.org.",
                "В нём 32 цифры и буквы a–f, с my.telegram.org.",
            ),
            "keep_messages.always" | "keep_messages.never" => (
                "Write ids of chats, such as -1001234567890; at most 1,000.",
                "Напишите номера чатов, например -1001234567890; не больше 1000.",
            ),
            "keep_messages.files.max_size" => {
                ("Write a number from 1 to 2,000.", "Напишите число от 1 до 2000.")
            }
            "phone" => (
                "Write it with its country code, as in +70000000001.",
                "Напишите с кодом страны, например +70000000001.",
            ),
            _ => return None,
        };
        Some(Cow::Borrowed(self.language.of(english, russian)))
    }
}

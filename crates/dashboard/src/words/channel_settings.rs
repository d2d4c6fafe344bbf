//! The words of the pages on which an account of a channel is added and removed.

use channels::Nature;
use config::{ChannelKey, ChannelKind};

words! {
    ChannelSettingsWords;
    add: "Add an account", "Добавить аккаунт";
    choose: "Which channel?", "Какой канал?";
    choose_lede: "Each has its own keys and steps.", "У каждого свои ключи и шаги.";
    lede:
        "It is written into the settings file once the provider has said that it works. The server takes it up at its next start.",
        "Аккаунт записывается в файл настроек, когда сервис подтвердит, что он работает. Сервер подхватит его при следующем запуске.";
    name_help:
        "A name of yours: small letters a–z, digits, _ and -. No other account has it.",
        "Ваше название: маленькие латинские буквы, цифры, _ и -. Другого такого аккаунта нет.";
    needed: "What it needs", "Что нужно";
    optional: "More for this channel", "Ещё для этого канала";
    of_all: "More for any channel", "Ещё для любого канала";
    not_set: "not set", "не задано";
    secret_help: "Goes into a file of its own beside the settings and is never shown.",
        "Попадёт в отдельный файл рядом с настройками и больше не показывается.";
    no_check: "Do not ask the provider", "Не спрашивать сервис";
    no_check_help:
        "The account is added without a call to the provider.",
        "Аккаунт добавляется без обращения к сервису.";
    not_taken: "The account is not added: nothing was changed", "Аккаунт не добавлен: ничего не изменилось";
    type_secrets_again: "What is secret is to be typed again.", "Секретные поля нужно заполнить снова.";
    close: "Cancel", "Отмена";
    remove: "Remove", "Удалить";
    remove_follows:
        "It is taken out of the settings file, with the files of its secrets that were typed here. What was received and sent \
         through it stays. The server lets it go at its next start.",
        "Аккаунт убирается из файла настроек, вместе с файлами секретов, введённых здесь. Всё полученное и отправленное через него \
         остаётся. Сервер отпустит его при следующем запуске.";
    still_registered:
        "Its provider posts here still: disconnect it first, or messages of customers are lost after that start.",
        "Сервис всё ещё присылает сюда: сначала отключите аккаунт, иначе после запуска сообщения клиентов пропадут.";
    with_waiting: "Although messages wait for it", "Хотя его сообщения ждут";
    with_waiting_help: "They fail after that start.", "После запуска они не будут отправлены.";
}

sentences! {
    ChannelSettingsWords;
    added(name: &str): "{name} is in the settings. The server takes it up at its next start.",
        "{name} записан в настройки. Сервер подхватит его при следующем запуске.";
    added_as(name: &str, is: &str): "{name} ({is}) is in the settings. The server takes it up at its next start.",
        "{name} ({is}) записан в настройки. Сервер подхватит его при следующем запуске.";
    missing(what: &str): " Missing: {what}.", " Не хватает: {what}.";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    removed(name: &str): "{name} is in the settings no more. The server lets it go at its next start.",
        "{name} убран из настроек. Сервер отпустит его при следующем запуске.";
    waiting(messages: u64; noun: ["message waits", "messages wait"], ["сообщение ждёт", "сообщения ждут", "сообщений ждут"]):
        "{messages} {noun} for it.", "{messages} {noun} отправки через него.";
}

impl ChannelSettingsWords {
    /// What a key means.
    pub(crate) fn meaning(&self, channel: ChannelKind, key: &ChannelKey) -> &'static str {
        let (english, russian) =
            if key.name == "token" { Nature::of(channel).token.into() } else { meaning(key.name) };
        self.language.of(english, russian)
    }
}

fn meaning(key: &str) -> (&'static str, &'static str) {
    match key {
        "client_id" => ("The id of the application.", "Номер приложения (client_id)."),
        "client_secret" => (
            "The secret of the application, or what a gateway signs its posts with.",
            "Секрет приложения или то, чем шлюз подписывает запросы.",
        ),
        "app_secret" => (
            "The secret of the app, with which posts are signed.",
            "Секрет приложения, которым подписываются запросы.",
        ),
        "verify_token" => {
            ("The word that Meta's dashboard asks for.", "Слово, которое спрашивает панель Meta.")
        }
        "group_id" => ("The number of the community.", "Номер сообщества."),
        "profile_id" => ("The id of the profile.", "Номер профиля."),
        "gateway" => ("The gateway for messages.", "Шлюз для сообщений."),
        "login" => (
            "The login at the gateway; of Twilio the account's SID.",
            "Логин у шлюза; у Twilio — SID аккаунта.",
        ),
        "sender" => (
            "What messages come from: a registered name or a number.",
            "От кого приходят сообщения: имя или номер.",
        ),
        "smpp" => (
            "The address of a message centre: smpp://SYSTEM_ID:PASSWORD@HOST:PORT.",
            "Адрес центра сообщений: smpp://SYSTEM_ID:PASSWORD@HOST:PORT.",
        ),
        "request" => (
            "For the gateway http: what is posted, with {to} and {text}.",
            "Для шлюза http: что отправлять, с {to} и {text}.",
        ),
        "success" => (
            "For the gateway http: a place in the answer and its value, such as /status=ok.",
            "Для шлюза http: место в ответе и значение, например /status=ok.",
        ),
        "message_id" => (
            "For the gateway http: the place of the message's id.",
            "Для шлюза http: где в ответе номер сообщения.",
        ),
        "address" => ("The address that messages come from.", "Адрес, с которого уходят письма."),
        "reply_to" => {
            ("Where answers go, if not to that address.", "Куда приходят ответы, если не на этот адрес.")
        }
        "smtp" => (
            "The server that takes mail: smtps://USER:PASSWORD@HOST:465.",
            "Сервер отправки почты: smtps://USER:PASSWORD@HOST:465.",
        ),
        "imap" => (
            "The server of the mailbox: imaps://USER:PASSWORD@HOST:993.",
            "Сервер ящика: imaps://USER:PASSWORD@HOST:993.",
        ),
        "folder" => ("The folder of the mailbox.", "Папка ящика."),
        "authserv_id" => (
            "The receiving server in Authentication-Results, whose results prove senders; empty: no sender is proved.",
            "Принимающий сервер из Authentication-Results: его результаты подтверждают отправителей; пусто — отправители не подтверждаются.",
        ),
        "origins" => (
            "The pages that may send forms, with commas between; empty: any.",
            "Страницы, с которых можно отправлять, через запятую; пусто — любые.",
        ),
        "business_accounts" => (
            "The ids of people whose personal accounts the bot answers for, with commas between; empty: none.",
            "Id людей, от чьих личных аккаунтов отвечает бот, через запятую; пусто — ни от чьих.",
        ),
        "direct_message_channels" => (
            "The ids of chats of direct messages to your channels, with commas between; empty: none.",
            "Id чатов личных сообщений ваших каналов, через запятую; пусто — никаких.",
        ),
        "receive" => ("How it hears of what customers write.", "Как узнавать о сообщениях клиентов."),
        "hook_secret" => (
            "The last part of the address that is registered; empty: made once.",
            "Последняя часть адреса для регистрации; пусто — создаётся один раз.",
        ),
        "old_hook" => {
            ("Whether the address of the old server is taken too.", "Принимать ли и адрес старого сервера.")
        }
        "forward_to" => (
            "Where each message that comes in is posted on to.",
            "Куда пересылать каждое входящее сообщение.",
        ),
        "forward_format" => ("In which form it is posted on.", "В каком виде пересылать."),
        "media" => {
            ("Whether files of customers are stored as they come in.", "Хранить ли файлы клиентов сразу.")
        }
        "media_up_to" => (
            "The largest file of a customer that is fetched, such as 64MiB.",
            "Самый большой файл клиента, например 64MiB.",
        ),
        "api" => (
            "Where the provider's API is; empty: at its own address.",
            "Где API сервиса; пусто — по его собственному адресу.",
        ),
        "proxy" => (
            "A SOCKS5 proxy that calls go through: socks5://HOST:PORT.",
            "Прокси SOCKS5 для запросов: socks5://HOST:PORT.",
        ),
        _ => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_meaning_in_both_languages() {
        for key in ChannelKey::all().filter(|key| key.name != "token" && !key.is_of_owner()) {
            let (english, russian) = meaning(key.name);
            assert!(english.is_ascii() && !english.is_empty(), "{}", key.name);
            assert!(russian.chars().any(|letter| ('а'..='я').contains(&letter)), "{}", key.name);
        }
    }
}

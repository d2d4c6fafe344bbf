//! The words of alert targets.

use crate::view::Language;
use crate::words::number::{english, russian, thousands};

words! {
    AlertsWords;
    title: "Alerts", "Оповещения";
    lede:
        "When a check fails three times in a row, everyone listed here gets an alert, and another when it \
         works again. What cannot be delivered is sent again.",
        "Если проверка не проходит три раза подряд, все из этого списка получают оповещение, и ещё одно, \
         когда всё наладится. Недоставленное отправляется снова.";
    none: "No one is notified yet", "Получателей пока нет";
    none_help:
        "Alerts are shown on the overview in any case. Add a chat, a webhook or e-mail addresses below.",
        "Тревоги в любом случае видны в обзоре. Добавьте ниже чат, вебхук или адреса почты.";
    name: "Name", "Название";
    name_help: "Small letters, digits, _ and -.", "Строчные латинские буквы, цифры, _ и -.";
    place: "Place", "Куда";
    state: "State", "Состояние";
    from_settings: "in the settings file", "в файле настроек";
    last_alert: "last alert", "последнее оповещение";
    no_alert_yet: "no alert sent yet", "оповещений ещё не было";
    failed: "delivery failed", "не доставлено";
    off: "refuses further alerts", "отказался от оповещений";
    waiting: "waiting", "ждёт";
    stuck: "not delivered since", "не доставлено с";
    telegram_alone:
        "Alerts to Telegram travel through the accounts that they are about: when those cannot write, no \
         alert arrives. Add a webhook or mailboxes as a second kind of target.",
        "Оповещения в Telegram идут через те же аккаунты, за которыми ведётся наблюдение: если они не могут \
         писать, ничего не придёт. Добавьте второй вид получателя — вебхук или почту.";
    over_accounts:
        "It is written by the accounts that are watched. Add a webhook or mailboxes too, for the day when \
         none of them can write.",
        "Писать будут те же аккаунты, за которыми ведётся наблюдение. Добавьте ещё вебхук или почту — на \
         случай, когда ни один не сможет писать.";
    test: "Test", "Проверить";
    remove: "Remove", "Удалить";
    remove_follows:
        "It gets no more alerts, and those still waiting for it are discarded.",
        "Оповещений больше не будет; те, что ждут отправки, удалятся.";
    cancel: "Cancel", "Отмена";
    add: "Add", "Добавить";
    add_telegram: "A Telegram chat", "Чат Telegram";
    add_webhook: "A webhook", "Вебхук";
    add_email: "Mailboxes", "Почтовые ящики";
    chat: "Chat", "Чат";
    chat_help: "A username such as @demo_main, or an id.", "Имя вида @demo_main или номер.";
    account: "Account", "Аккаунт";
    account_help:
        "The account that writes there. Leave empty for any that can.",
        "Какой аккаунт туда пишет; если пусто, любой, который может.";
    url: "Address", "Адрес";
    secret: "Secret", "Секрет";
    secret_help:
        "Requests are signed with it. Optional. It is not shown again.",
        "Им подписываются запросы; можно оставить пустым. Больше не показывается.";
    smtp: "Mail server", "Почтовый сервер";
    smtp_help:
        "smtps://USER:PASSWORD@mail.example.com. Stored encrypted and not shown again.",
        "smtps://ИМЯ:ПАРОЛЬ@mail.example.com; хранится зашифрованным и больше не показывается.";
    from: "Sender", "Отправитель";
    to: "To", "Кому";
    to_help: "Separate several with commas.", "Несколько через запятую.";
    telegram: "Telegram", "Telegram";
    webhook: "webhook", "вебхук";
    email: "e-mail", "почта";
}

sentences! {
    AlertsWords;
    added(name: &str):
        "{name} gets alerts from now on. Press Test to try it.",
        "{name} теперь получает оповещения. Нажмите «Проверить».";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    removed(name: &str): "{name} gets no more alerts.", "{name} больше не получает оповещений.";
}

impl AlertsWords {
    pub(crate) fn kind<'a>(&self, kind: &'a str) -> &'a str {
        match kind {
            "telegram" => self.telegram,
            "webhook" => self.webhook,
            "email" => self.email,
            other => other,
        }
    }

    pub(crate) fn verdict(&self, targets: u64) -> String {
        if targets == 0 {
            return self.none.to_owned();
        }
        let number = thousands(targets);
        match self.language {
            Language::English => {
                format!("{number} {} notified.", english(targets, "recipient is", "recipients are"))
            }
            Language::Russian => {
                format!("{number} {}.", russian(targets, "получатель", "получателя", "получателей"))
            }
        }
    }

    /// What came of a test; `why` says what one waits for that is on its way.
    pub(crate) fn tested(&self, name: &str, delivered: bool, why: Option<&str>) -> String {
        if let Some(why) = why {
            return match self.language {
                Language::English => format!("The test is still on its way to {name}: {why}."),
                Language::Russian => format!("{name}: проверка ещё в пути ({why})."),
            };
        }
        match (self.language, delivered) {
            (Language::English, true) => format!("The test reached {name}."),
            (Language::English, false) => format!("The test is on its way to {name}."),
            (Language::Russian, true) => format!("{name}: проверочное оповещение доставлено."),
            (Language::Russian, false) => format!("{name}: проверочное оповещение отправляется."),
        }
    }
}

//! The words of alert targets.

use crate::visitor::Language;
use crate::words::number::{english, russian, thousands};

/// The words of alert targets.
pub(crate) struct AlertsWords {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_help: &'static str,
    pub(crate) name: &'static str,
    pub(crate) name_help: &'static str,
    pub(crate) place: &'static str,
    pub(crate) state: &'static str,
    pub(crate) from_settings: &'static str,
    pub(crate) told: &'static str,
    pub(crate) never_told: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) off: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) stuck: &'static str,
    pub(crate) telegram_alone: &'static str,
    pub(crate) over_accounts: &'static str,
    pub(crate) test: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) remove_follows: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) add: &'static str,
    pub(crate) add_telegram: &'static str,
    pub(crate) add_webhook: &'static str,
    pub(crate) add_email: &'static str,
    pub(crate) chat: &'static str,
    pub(crate) chat_help: &'static str,
    pub(crate) account: &'static str,
    pub(crate) account_help: &'static str,
    pub(crate) url: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) secret_help: &'static str,
    pub(crate) smtp: &'static str,
    pub(crate) smtp_help: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) to_help: &'static str,
    telegram: &'static str,
    webhook: &'static str,
    email: &'static str,
}

const EN: AlertsWords = AlertsWords {
    language: Language::English,
    title: "Alerts",
    lede: "When a check fails three times in a row, everyone listed here gets an alert, and another when it works again. \
           What cannot be delivered is sent again.",
    none: "No one is notified yet",
    none_help: "Alerts are shown on the overview in any case. Add a chat, a webhook or e-mail addresses below.",
    name: "Name",
    name_help: "Small letters, digits, _ and -.",
    place: "Place",
    state: "State",
    from_settings: "in the settings file",
    told: "last alert",
    never_told: "no alert sent yet",
    failed: "delivery failed",
    off: "refuses further alerts",
    waiting: "waiting",
    stuck: "not delivered since",
    telegram_alone: "Alerts to Telegram travel through the accounts that they are about: when those cannot write, no alert arrives. \
                     Add a webhook or mailboxes as a second kind of target.",
    over_accounts: "It is written by the accounts that are watched. Add a webhook or mailboxes too, for the day when none of them can \
                    write.",
    test: "Test",
    remove: "Remove",
    remove_follows: "It gets no more alerts, and those still waiting for it are discarded.",
    cancel: "Cancel",
    add: "Add",
    add_telegram: "A Telegram chat",
    add_webhook: "A webhook",
    add_email: "Mailboxes",
    chat: "Chat",
    chat_help: "A username such as @demo_main, or an id.",
    account: "Account",
    account_help: "The account that writes there. Leave empty for any that can.",
    url: "Address",
    secret: "Secret",
    secret_help: "Requests are signed with it. Optional. It is not shown again.",
    smtp: "Mail server",
    smtp_help: "smtps://USER:PASSWORD@mail.example.com. Stored encrypted and not shown again.",
    from: "Sender",
    to: "To",
    to_help: "Separate several with commas.",
    telegram: "Telegram",
    webhook: "webhook",
    email: "e-mail",
};

const RU: AlertsWords = AlertsWords {
    language: Language::Russian,
    title: "Оповещения",
    lede: "Если проверка не проходит три раза подряд, все из этого списка получают оповещение, и ещё одно, когда всё наладится. \
           Недоставленное отправляется снова.",
    none: "Получателей пока нет",
    none_help: "Тревоги в любом случае видны в обзоре. Добавьте ниже чат, вебхук или адреса почты.",
    name: "Название",
    name_help: "Маленькие латинские буквы, цифры, _ и -.",
    place: "Куда",
    state: "Состояние",
    from_settings: "в файле настроек",
    told: "последнее оповещение",
    never_told: "оповещений ещё не было",
    failed: "не доставлено",
    off: "отказался от оповещений",
    waiting: "ждёт",
    stuck: "не доставлено с",
    telegram_alone: "Оповещения в Telegram идут через те же аккаунты, за которыми ведётся наблюдение: если они не могут писать, \
                     ничего не придёт. Добавьте второй вид получателя — вебхук или почту.",
    over_accounts: "Писать будут те же аккаунты, за которыми ведётся наблюдение. Добавьте ещё вебхук или почту — на случай, когда \
                    ни один не сможет писать.",
    test: "Проверить",
    remove: "Удалить",
    remove_follows: "Оповещений больше не будет; те, что ждут отправки, удалятся.",
    cancel: "Отмена",
    add: "Добавить",
    add_telegram: "Чат Telegram",
    add_webhook: "Вебхук",
    add_email: "Почтовые ящики",
    chat: "Чат",
    chat_help: "Имя вида @demo_main или номер.",
    account: "Аккаунт",
    account_help: "Какой аккаунт туда пишет; если пусто, любой, который может.",
    url: "Адрес",
    secret: "Секрет",
    secret_help: "Им подписываются запросы; можно оставить пустым. Больше не показывается.",
    smtp: "Почтовый сервер",
    smtp_help: "smtps://ИМЯ:ПАРОЛЬ@mail.example.com; хранится зашифрованным и больше не показывается.",
    from: "Отправитель",
    to: "Кому",
    to_help: "Несколько через запятую.",
    telegram: "Telegram",
    webhook: "вебхук",
    email: "почта",
};

impl AlertsWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    pub(crate) fn kind<'a>(&self, kind: &'a str) -> &'a str {
        match kind {
            "telegram" => self.telegram,
            "webhook" => self.webhook,
            "email" => self.email,
            other => other,
        }
    }

    /// How many are told.
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

    pub(crate) fn added(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} gets alerts from now on. Press Test to try it."),
            Language::Russian => format!("{name} теперь получает оповещения. Нажмите «Проверить»."),
        }
    }

    /// What came of a test; `why` says what one waits for that is on its way.
    pub(crate) fn tested(&self, name: &str, told: bool, why: Option<&str>) -> String {
        if let Some(why) = why {
            return match self.language {
                Language::English => format!("The test is still on its way to {name}: {why}."),
                Language::Russian => format!("{name}: проверка ещё в пути ({why})."),
            };
        }
        match (self.language, told) {
            (Language::English, true) => format!("The test reached {name}."),
            (Language::English, false) => format!("The test is on its way to {name}."),
            (Language::Russian, true) => format!("{name}: проверочное оповещение доставлено."),
            (Language::Russian, false) => format!("{name}: проверочное оповещение отправляется."),
        }
    }

    pub(crate) fn remove_question(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("Remove {name}?"),
            Language::Russian => format!("Удалить {name}?"),
        }
    }

    pub(crate) fn removed(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} gets no more alerts."),
            Language::Russian => format!("{name} больше не получает оповещений."),
        }
    }
}

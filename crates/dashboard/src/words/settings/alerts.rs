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
    lede: "What fails three checks in a row, about a minute, is told to every target here, and told again once it is well. What a target \
           does not take is sent again.",
    none: "Nobody is told yet",
    none_help: "Alerts stand on the overview all the same. Add a chat, a webhook or mailboxes below.",
    name: "Name",
    name_help: "Small letters, digits, _ and -.",
    place: "Place",
    state: "State",
    from_settings: "in the settings file",
    told: "told",
    never_told: "not told anything yet",
    failed: "did not take it",
    off: "wants nothing more",
    waiting: "waiting",
    stuck: "not delivered since",
    telegram_alone: "Alerts to Telegram travel through the accounts that they are about: when those cannot write, no alert arrives. \
                     Add a webhook or mailboxes as a second kind of target.",
    over_accounts: "It is written by the accounts that are watched. Add a webhook or mailboxes too, for the day when none of them can \
                    write.",
    test: "Test",
    remove: "Remove",
    remove_follows: "It is told nothing more, and what waits for it is thrown away.",
    cancel: "Cancel",
    add: "Add",
    add_telegram: "A Telegram chat",
    add_webhook: "A webhook",
    add_email: "Mailboxes",
    chat: "Chat",
    chat_help: "A username such as @demo_main, or an id.",
    account: "Account",
    account_help: "Which account writes there; left out, any that can.",
    url: "Address",
    secret: "Secret",
    secret_help: "Posts are signed with it; may be left out. It is not shown again.",
    smtp: "Mail server",
    smtp_help: "smtps://USER:PASSWORD@mail.example.com; it is kept encrypted and not shown again.",
    from: "Sender",
    to: "To",
    to_help: "Several with commas between them.",
    telegram: "Telegram",
    webhook: "webhook",
    email: "e-mail",
};

const RU: AlertsWords = AlertsWords {
    language: Language::Russian,
    title: "Оповещения",
    lede: "Если три проверки подряд (около минуты) неудачны, оповещение получают все из этого списка, и ещё одно — когда всё наладится. Что не \
           дошло, отправляется снова.",
    none: "Пока никто не узнаёт",
    none_help: "Тревоги всё равно видны в обзоре. Добавьте ниже чат, веб-хук или почтовые ящики.",
    name: "Название",
    name_help: "Маленькие латинские буквы, цифры, _ и -.",
    place: "Куда",
    state: "Состояние",
    from_settings: "в файле настроек",
    told: "получил",
    never_told: "ещё ничего не получал",
    failed: "не принял",
    off: "больше не хочет",
    waiting: "ждёт",
    stuck: "не доставлено с",
    telegram_alone: "Оповещения в Telegram идут через те же аккаунты, за которыми ведётся наблюдение: если они не могут писать, \
                     ничего не придёт. Добавьте второй вид получателя — веб-хук или почту.",
    over_accounts: "Писать будут те же аккаунты, за которыми ведётся наблюдение. Добавьте ещё веб-хук или почту — на случай, когда \
                    ни один не сможет писать.",
    test: "Проверить",
    remove: "Удалить",
    remove_follows: "Больше ничего не получит; что его ждёт, будет выброшено.",
    cancel: "Отмена",
    add: "Добавить",
    add_telegram: "Чат Telegram",
    add_webhook: "Веб-хук",
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
    webhook: "веб-хук",
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
            Language::English => format!("{number} {} told.", english(targets, "target is", "targets are")),
            Language::Russian => {
                format!("{number} {}.", russian(targets, "получатель", "получателя", "получателей"))
            }
        }
    }

    pub(crate) fn added(&self, name: &str) -> String {
        match self.language {
            Language::English => format!("{name} is told from now on. Test it."),
            Language::Russian => format!("{name} теперь узнаёт о тревогах. Проверьте."),
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
            (Language::English, true) => format!("{name} has taken the test."),
            (Language::English, false) => format!("The test is on its way to {name}."),
            (Language::Russian, true) => format!("{name}: проверка принята."),
            (Language::Russian, false) => format!("{name}: проверка в пути."),
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
            Language::English => format!("{name} is told nothing more."),
            Language::Russian => format!("{name} больше ничего не получит."),
        }
    }
}

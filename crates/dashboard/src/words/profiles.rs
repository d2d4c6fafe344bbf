//! The words of the pages about browser profiles and their proxies.

use api::CampaignProfile;

use crate::view::{Pill, Tint};

words! {
    ProfilesWords;
    profiles: "Browser profiles", "Профили браузера";
    lede:
        "Browsers in which a person has logged in at Telegram Web. They send for campaigns as accounts do.",
        "Браузеры, в которых человек вошёл в Telegram Web. Отправляют рассылки наравне с аккаунтами.";
    none: "No browser profiles", "Профилей браузера нет";
    none_detail: "Campaigns can do without: accounts send for them too.", "Рассылки обходятся и без них: отправляют и аккаунты.";
    profile: "Profile", "Профиль";
    proxy: "Proxy", "Прокси";
    no_proxy: "none", "нет";
    last_error: "What went wrong last", "Последняя ошибка";
    no_error: "Nothing", "Ошибок нет";
    picture_of: "The page as it was", "Страница в тот момент";
    add: "New profile", "Новый профиль";
    name_help:
        "In any language. It is kept as small Latin letters, digits, _ and -.",
        "На любом языке. Сохраняется маленькими латинскими буквами, цифрами, _ и -.";
    other_kinds:
        "Profiles of Donut and browsers on other machines are set up with switchboard campaign profiles add.",
        "Профили Donut и браузеры на других машинах добавляет команда switchboard campaign profiles add.";
    browser: "Browser on this machine", "Браузер на этой машине";
    no_name: "is missing", "не указано";
    is_there: "There is a profile of this name already.", "Профиль с таким названием уже есть.";
    kind: "Kind", "Вид";
    user: "Logged in", "Вошёл";
    no_user: "no one yet", "пока никто";
    no_campaigns: "none", "ни для одной";
    log_in: "Log in", "Войти";
    log_in_lede:
        "The code is scanned by the account’s owner. Who scans it is let in.",
        "Код сканирует владелец аккаунта. Войдёт тот, кто его отсканирует.";
    not_opened: "The browser is not opened", "Браузер не открыт";
    to_profile: "To the profile", "К профилю";
    check: "Test", "Проверить";
    checked: "Tested", "Проверен";
    remove: "Remove", "Удалить";
    remove_follows:
        "It sends for no campaign any more. What it sent stays on record, and so does the folder of its browser.",
        "Профиль больше не отправляет рассылки. Отправленное и папка браузера останутся.";
    remove_proxy_follows: "No profile has it.", "Ни один профиль им не пользуется.";
    proxies: "Proxies", "Прокси";
    proxies_lede:
        "What browser profiles reach Telegram through. A sick one is replaced by one that was tested.",
        "Через них профили браузера выходят в Telegram. Неисправный заменяется проверенным.";
    no_proxies: "No proxies", "Прокси нет";
    no_proxies_detail: "Profiles reach Telegram directly.", "Профили выходят в Telegram напрямую.";
    add_proxies: "Add proxies", "Добавить прокси";
    proxies_help:
        "One a line: HOST:PORT, HOST:PORT:USER:PASSWORD or USER:PASSWORD@HOST:PORT. Passwords are never shown.",
        "По одному в строке: АДРЕС:ПОРТ, АДРЕС:ПОРТ:ИМЯ:ПАРОЛЬ или ИМЯ:ПАРОЛЬ@АДРЕС:ПОРТ. Пароли не показываются.";
}

sentences! {
    ProfilesWords;
    of_limit(count: u64, most: u64): "{count} of {most}", "{count} из {most}";
    log_in_title(name: &str): "Log in: {name}", "Вход: {name}";
    remove_question(name: &str): "Remove {name}?", "Удалить {name}?";
    made_note(name: &str): "{name} is there. Now its owner logs in.", "{name}: профиль создан. Теперь пусть войдёт владелец.";
    saved_note(name: &str): "{name} is saved.", "{name}: сохранено.";
    removed_note(name: &str): "{name} is removed.", "{name}: удалено.";
    checked_note(name: &str): "{name} works.", "{name}: работает.";
    unblocked_note(name: &str): "{name} is not blocked.", "{name}: блокировка снята.";
    wrong_note(name: &str): "Something is wrong with {name}; it says what.", "{name}: ошибка, она указана рядом.";
}

impl ProfilesWords {
    pub(crate) fn pill(&self, profile: &CampaignProfile) -> Pill {
        let (tint, english, russian) = match (profile.state.as_str(), profile.user_id) {
            ("active", Some(_)) => (Tint::Good, "May send", "Отправляет"),
            ("active", None) => (Tint::Waiting, "Not logged in", "Нужен вход"),
            ("logged_out", _) => (Tint::Bad, "Logged out", "Нужен вход"),
            _ => (Tint::Bad, "Blocked", "Заблокирован"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    pub(crate) fn pill_of_proxy(&self, health: &str) -> Pill {
        let (tint, english, russian) = match health {
            "healthy" => (Tint::Good, "Works", "Работает"),
            "sick" => (Tint::Bad, "Sick", "Неисправен"),
            _ => (Tint::Idle, "Not tested", "Не проверен"),
        };
        Pill { tint, word: self.language.of(english, russian) }
    }

    /// What it sent within the last hour, of what it may.
    pub(crate) fn rate(&self, profile: &CampaignProfile) -> String {
        match profile.max_messages_per_hour {
            Some(most) => self.of_limit(profile.sent_last_hour, most.into()),
            None => super::number::thousands(profile.sent_last_hour),
        }
    }

    /// What the window shows, by the word of the API.
    pub(crate) fn seen(&self, state: &str) -> &'static str {
        let (english, russian) = match state {
            "code" => ("Scan the code", "Отсканируйте код"),
            "done" => ("Logged in", "Вход выполнен"),
            "loading" => ("The page is coming", "Страница загружается"),
            _ => ("Something is to be typed in the window", "В окне просят что-то ввести"),
        };
        self.language.of(english, russian)
    }

    /// What to do about it.
    pub(crate) fn seen_detail(&self, state: &str) -> &'static str {
        let (english, russian) = match state {
            "loading" => ("It takes a few seconds.", "Это занимает несколько секунд."),
            "password" => {
                ("Telegram asks for the password of the account.", "Telegram просит пароль аккаунта.")
            }
            "phone" => ("Telegram asks for the phone number.", "Telegram просит номер телефона."),
            "passcode" => ("The window is locked with a passcode.", "Окно закрыто код-паролем."),
            _ => ("Look at the window of the browser.", "Посмотрите в окно браузера."),
        };
        self.language.of(english, russian)
    }
}

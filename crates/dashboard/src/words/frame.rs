//! The words of the frame.

use crate::page::{Group, Section};
use crate::visitor::{Language, Theme};

/// The words of the frame round every page.
pub(crate) struct FrameWords {
    pub(crate) skip: &'static str,
    pub(crate) menu: &'static str,
    pub(crate) main: &'static str,
    pub(crate) live: &'static str,
    pub(crate) still: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) other_language: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) close: &'static str,
    pub(crate) in_trouble: &'static str,
    pub(crate) to_decide: &'static str,
    pub(crate) not_sent: &'static str,
    theme_browser: &'static str,
    theme_light: &'static str,
    theme_dark: &'static str,
    work: &'static str,
    watch: &'static str,
    set_up: &'static str,
    overview: &'static str,
    messages: &'static str,
    chats: &'static str,
    doubt: &'static str,
    logs: &'static str,
    operations: &'static str,
    failed: &'static str,
    diagnostics: &'static str,
    accounts: &'static str,
    settings: &'static str,
}

const EN: FrameWords = FrameWords {
    skip: "Skip to content",
    menu: "Menu",
    main: "Main",
    live: "Live",
    still: "As of",
    lost: "Connection lost; data from",
    other_language: "Русский",
    sign_out: "Sign out",
    close: "Close",
    in_trouble: "in trouble",
    to_decide: "to decide",
    not_sent: "Not sent: the program does not answer.",
    theme_browser: "Colours: as the browser",
    theme_light: "Colours: light",
    theme_dark: "Colours: dark",
    work: "Work",
    watch: "Watch",
    set_up: "Set up",
    overview: "Overview",
    messages: "Messages",
    chats: "Chats",
    doubt: "In doubt",
    logs: "Logs",
    operations: "Operations",
    failed: "Failed requests",
    diagnostics: "Diagnostics",
    accounts: "Accounts",
    settings: "Settings",
};

const RU: FrameWords = FrameWords {
    skip: "К содержанию",
    menu: "Меню",
    main: "Главное",
    live: "На связи",
    still: "Данные от",
    lost: "Связь потеряна; данные от",
    other_language: "English",
    sign_out: "Выйти",
    close: "Закрыть",
    in_trouble: "с неполадками",
    to_decide: "ждут решения",
    not_sent: "Не отправлено: программа не отвечает.",
    theme_browser: "Цвета: как в браузере",
    theme_light: "Цвета: светлые",
    theme_dark: "Цвета: тёмные",
    work: "Работа",
    watch: "Наблюдение",
    set_up: "Настройка",
    overview: "Обзор",
    messages: "Сообщения",
    chats: "Чаты",
    doubt: "Под вопросом",
    logs: "Журнал",
    operations: "Операции",
    failed: "Неудачные запросы",
    diagnostics: "Диагностика",
    accounts: "Аккаунты",
    settings: "Настройки",
};

impl FrameWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }

    pub(crate) fn theme(&self, theme: Theme) -> &'static str {
        match theme {
            Theme::Browser => self.theme_browser,
            Theme::Light => self.theme_light,
            Theme::Dark => self.theme_dark,
        }
    }

    pub(crate) fn group(&self, group: Group) -> &'static str {
        match group {
            Group::Work => self.work,
            Group::Watch => self.watch,
            Group::SetUp => self.set_up,
        }
    }

    pub(crate) fn section(&self, section: Section) -> &'static str {
        match section {
            Section::Overview => self.overview,
            Section::Messages => self.messages,
            Section::Chats => self.chats,
            Section::Doubt => self.doubt,
            Section::Logs => self.logs,
            Section::Operations => self.operations,
            Section::Failed => self.failed,
            Section::Diagnostics => self.diagnostics,
            Section::Accounts => self.accounts,
            Section::Settings => self.settings,
            Section::None => "",
        }
    }
}

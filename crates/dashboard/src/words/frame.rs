//! The words of the frame.

use crate::view::{Group, Section, Theme};

words! {
    /// The words of the frame round every page.
    FrameWords;
    skip: "Skip to content", "К содержанию";
    menu: "Menu", "Меню";
    main: "Main", "Главное";
    live: "Live", "На связи";
    still: "As of", "Данные от";
    lost: "Connection lost; data from", "Связь потеряна; данные от";
    other_language: "Русский", "English";
    sign_out: "Sign out", "Выйти";
    close: "Close", "Закрыть";
    in_trouble: "in trouble", "с неполадками";
    to_decide: "to decide", "ждут решения";
    unread: "unread", "непрочитанных";
    not_sent: "Not sent: the program does not answer.", "Не отправлено: программа не отвечает.";
    theme_browser: "Colours: as the browser", "Цвета: как в браузере";
    theme_light: "Colours: light", "Цвета: светлые";
    theme_dark: "Colours: dark", "Цвета: тёмные";
    work: "Work", "Работа";
    watch: "Watch", "Наблюдение";
    set_up: "Set up", "Настройка";
    overview: "Overview", "Обзор";
    inbox: "Inbox", "Входящие";
    messages: "Messages", "Сообщения";
    chats: "Chats", "Чаты";
    doubt: "In doubt", "Под вопросом";
    logs: "Logs", "Журнал";
    operations: "Operations", "Операции";
    failed: "Failed requests", "Неудачные запросы";
    pipeline: "Pipeline", "Обработка";
    diagnostics: "Diagnostics", "Диагностика";
    accounts: "Accounts", "Аккаунты";
    campaigns: "Campaigns", "Рассылки";
    channels: "Channels", "Каналы";
    flows: "Flows", "Сценарии";
    webhooks: "Webhooks", "Вебхуки";
    settings: "Settings", "Настройки";
}

impl FrameWords {
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
            Section::Inbox => self.inbox,
            Section::Messages => self.messages,
            Section::Chats => self.chats,
            Section::Doubt => self.doubt,
            Section::Logs => self.logs,
            Section::Operations => self.operations,
            Section::Failed => self.failed,
            Section::Pipeline => self.pipeline,
            Section::Diagnostics => self.diagnostics,
            Section::Accounts => self.accounts,
            Section::Campaigns => self.campaigns,
            Section::Channels => self.channels,
            Section::Flows => self.flows,
            Section::Webhooks => self.webhooks,
            Section::Settings => self.settings,
            Section::None => "",
        }
    }
}

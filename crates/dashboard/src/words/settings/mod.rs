//! The words of settings: one file a page.

mod actions;
mod alerts;
mod audit;
mod backups;
mod browser;
mod keys;
mod maintenance;
mod me;
mod people;

pub(crate) use alerts::AlertsWords;
pub(crate) use audit::AuditWords;
pub(crate) use backups::BackupsWords;
pub(crate) use browser::browser;
pub(crate) use keys::KeysWords;
pub(crate) use maintenance::MaintenanceWords;
pub(crate) use me::MeWords;
pub(crate) use people::PeopleWords;

use crate::view::{Language, Tab};
use access::Role;

words! {
    /// The words of the row of settings.
    SettingsWords;
    settings: "Settings", "Настройки";
    me: "You", "Вы";
    people: "People", "Люди";
    keys: "API keys", "Ключи API";
    alerts: "Alerts", "Оповещения";
    maintenance: "Maintenance", "Обслуживание";
    backups: "Backups", "Резервные копии";
    audit: "Audit log", "Журнал действий";
}

impl SettingsWords {
    pub(crate) fn tab(&self, tab: Tab) -> &'static str {
        match tab {
            Tab::Me => self.me,
            Tab::People => self.people,
            Tab::Keys => self.keys,
            Tab::Alerts => self.alerts,
            Tab::Maintenance => self.maintenance,
            Tab::Backups => self.backups,
            Tab::Audit => self.audit,
        }
    }
}

/// A role as a word.
pub(super) const fn role(language: Language, role: Role) -> &'static str {
    match (language, role) {
        (Language::English, Role::Agent) => "agent",
        (Language::English, Role::Viewer) => "viewer",
        (Language::English, Role::Operator) => "operator",
        (Language::English, Role::Admin) => "admin",
        (Language::Russian, Role::Agent) => "менеджер",
        (Language::Russian, Role::Viewer) => "наблюдатель",
        (Language::Russian, Role::Operator) => "оператор",
        (Language::Russian, Role::Admin) => "администратор",
    }
}

/// What a role may.
pub(super) const fn may(language: Language, role: Role) -> &'static str {
    match (language, role) {
        (Language::English, Role::Agent) => "Sees the inbox alone and answers clients there.",
        (Language::English, Role::Viewer) => "Sees everything and changes nothing.",
        (Language::English, Role::Operator) => {
            "Also keeps it running: starts, stops and retries, decides what is in doubt, sends."
        }
        (Language::English, Role::Admin) => "Can do everything: accounts, keys, people, alerts.",
        (Language::Russian, Role::Agent) => "Видит только входящие и отвечает там клиентам.",
        (Language::Russian, Role::Viewer) => "Видит всё и ничего не меняет.",
        (Language::Russian, Role::Operator) => {
            "Следит за работой: запускает и останавливает, повторяет, решает то, что под вопросом, отправляет."
        }
        (Language::Russian, Role::Admin) => "Может всё: аккаунты, ключи, люди, оповещения.",
    }
}

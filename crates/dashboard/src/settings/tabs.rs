//! The row of settings: each page of them, as far as the visitor's role goes.

use access::Right;
use askama::Template;

use crate::visitor::Visitor;
use crate::words::SettingsWords;

/// A page of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// Oneself.
    Me,
    /// Users and roles.
    People,
    /// API keys.
    Keys,
    /// Who is told of alerts.
    Alerts,
    /// Times for which nobody wants to be told.
    Maintenance,
    /// Backups of this server.
    Backups,
    /// The audit log.
    Audit,
}

impl Tab {
    const ALL: [Self; 7] =
        [Self::Me, Self::People, Self::Keys, Self::Alerts, Self::Maintenance, Self::Backups, Self::Audit];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Me => "/settings/me",
            Self::People => "/settings/people",
            Self::Keys => "/settings/keys",
            Self::Alerts => "/settings/alerts",
            Self::Maintenance => "/settings/maintenance",
            Self::Backups => "/settings/backups",
            Self::Audit => "/settings/audit",
        }
    }

    /// What it takes to see it; nothing for one's own page.
    const fn right(self) -> Option<Right> {
        match self {
            Self::Me => None,
            Self::People => Some(Right::ManagePeople),
            Self::Keys => Some(Right::ManageKeys),
            Self::Alerts => Some(Right::ArrangeAlerts),
            Self::Maintenance => Some(Right::Operate),
            Self::Backups => Some(Right::Look),
            Self::Audit => Some(Right::ReadAudit),
        }
    }
}

/// The row itself.
#[derive(Template)]
#[template(path = "settings/tabs.html")]
pub(super) struct Tabs {
    words: &'static SettingsWords,
    current: Tab,
    open: Vec<Tab>,
}

impl Tabs {
    pub(super) fn new(visitor: &Visitor, current: Tab) -> Self {
        let is_open = |tab: &Tab| tab.right().is_none_or(|right| visitor.may(right));
        let open = Tab::ALL.into_iter().filter(is_open).collect();
        Self { words: SettingsWords::of(visitor.language), current, open }
    }
}

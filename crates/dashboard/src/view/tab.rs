//! A page of settings: where it is, and the right that it takes.

use access::Right;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Me,
    People,
    Keys,
    Alerts,
    /// Times for which no one wants to be notified.
    Maintenance,
    Backups,
    Audit,
}

impl Tab {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 7] =
        [Self::Me, Self::People, Self::Keys, Self::Alerts, Self::Maintenance, Self::Backups, Self::Audit];

    /// Where it is.
    pub(crate) const fn path(self) -> &'static str {
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
    pub(crate) const fn right(self) -> Option<Right> {
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

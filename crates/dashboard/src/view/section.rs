//! The sections of the rail: where each is and which icon it has.

/// A section that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What works and what does not.
    Overview,
    /// Conversations with clients.
    Inbox,
    Messages,
    /// Where to.
    Chats,
    /// What may have happened or not.
    Doubt,
    /// What the program writes about itself.
    Logs,
    /// All work, and where it went another way.
    Operations,
    /// What is kept for a retry by hand.
    Failed,
    /// The way of what clients write to its answer.
    Pipeline,
    Diagnostics,
    Accounts,
    /// Messages to lists of chats.
    Campaigns,
    /// Where customers write besides accounts.
    Channels,
    /// The buttons of bots, pressed as soon as they are there.
    Flows,
    /// The endpoints of other programs.
    Webhooks,
    Settings,
    /// A page of no section of its own.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// What is sent, and to which chats.
    Work,
    Watch,
    SetUp,
}

/// The rail from top to bottom. A section is here once its page is.
pub(crate) const GROUPS: &[(Group, &[Section])] = &[
    (
        Group::Work,
        &[
            Section::Overview,
            Section::Inbox,
            Section::Messages,
            Section::Chats,
            Section::Channels,
            Section::Campaigns,
            Section::Flows,
            Section::Doubt,
        ],
    ),
    (
        Group::Watch,
        &[Section::Logs, Section::Operations, Section::Failed, Section::Pipeline, Section::Diagnostics],
    ),
    (Group::SetUp, &[Section::Accounts, Section::Webhooks, Section::Settings]),
];

impl Section {
    /// Whether its pages keep themselves up to date by the stream of changes.
    pub(crate) const fn is_live(self) -> bool {
        matches!(
            self,
            Self::Overview
                | Self::Inbox
                | Self::Messages
                | Self::Chats
                | Self::Doubt
                | Self::Operations
                | Self::Failed
                | Self::Pipeline
                | Self::Accounts
                | Self::Campaigns
                | Self::Channels
                | Self::Flows
                | Self::Webhooks
        )
    }

    /// Where its first page is.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Overview | Self::None => "/",
            Self::Inbox => "/inbox",
            Self::Messages => "/messages",
            Self::Chats => "/chats",
            Self::Doubt => "/doubt",
            Self::Logs => "/logs",
            Self::Operations => "/operations",
            Self::Failed => "/failed",
            Self::Pipeline => "/pipeline",
            Self::Diagnostics => "/diagnostics",
            Self::Accounts => "/accounts",
            Self::Campaigns => "/campaigns",
            Self::Channels => "/channels",
            Self::Flows => "/flows",
            Self::Webhooks => "/webhooks",
            Self::Settings => "/settings/me",
        }
    }

    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Inbox => "inbox",
            Self::Messages => "messages",
            Self::Chats => "chats",
            Self::Doubt => "info",
            Self::Logs => "logs",
            Self::Operations => "ops",
            Self::Failed => "dead",
            Self::Pipeline => "merge",
            Self::Diagnostics => "doctor",
            Self::Accounts => "accounts",
            Self::Campaigns => "campaign",
            Self::Channels => "phone",
            Self::Flows => "flow",
            Self::Webhooks => "hook",
            Self::Settings => "settings",
            Self::None => "brand",
        }
    }
}

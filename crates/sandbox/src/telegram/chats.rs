//! Basic groups, supergroups and channels: who is in them and may do what.

use std::collections::BTreeMap;

use grammers_tl_types::types;

use super::message::{History, Stored};
use super::update_log::UpdateLog;

/// A member's standing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    Creator,
    Admin { rights: Box<types::ChatAdminRights>, promoted_by: i64, rank: Option<String> },
    Member,
}

/// Someone in a chat.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) role: Role,
    pub(crate) invited_by: i64,
    pub(crate) date: i32,
    /// May read, but not write.
    pub(crate) muted: bool,
    /// The channel's newest message when the member came.
    pub(crate) came_after: i32,
}

impl Member {
    pub(crate) fn plain(invited_by: i64, date: i32) -> Self {
        Self { role: Role::Member, invited_by, date, muted: false, came_after: 0 }
    }

    pub(crate) fn creator(user: i64, date: i32) -> Self {
        Self { role: Role::Creator, invited_by: user, date, muted: false, came_after: 0 }
    }

    /// Whether the member is the creator or has this admin right.
    pub(crate) fn may(&self, right: fn(&types::ChatAdminRights) -> bool) -> bool {
        match &self.role {
            Role::Creator => true,
            Role::Admin { rights, .. } => right(rights),
            Role::Member => false,
        }
    }

    pub(crate) fn is_admin(&self) -> bool {
        !matches!(self.role, Role::Member)
    }
}

/// Someone who was thrown out and may not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kicked {
    pub(crate) by: i64,
    pub(crate) date: i32,
}

/// An invite link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) hash: String,
    pub(crate) date: i32,
}

/// A basic group. Each member keeps a copy of its messages.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) version: i32,
    pub(crate) members: BTreeMap<i64, Member>,
    /// The primary invite link of each admin that made one.
    pub(crate) links: BTreeMap<i64, Link>,
    /// The creator closed it, or it became a supergroup.
    pub(crate) deactivated: bool,
    /// The supergroup it became.
    pub(crate) migrated_to: Option<i64>,
}

/// A supergroup or a broadcast channel, with one numbering for all.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) username: Option<String>,
    pub(crate) megagroup: bool,
    pub(crate) date: i32,
    pub(crate) hidden_prehistory: bool,
    /// The basic group it was.
    pub(crate) migrated_from: Option<i64>,
    pub(crate) members: BTreeMap<i64, Member>,
    pub(crate) kicked: BTreeMap<i64, Kicked>,
    /// The primary invite link of each admin that made one.
    pub(crate) links: BTreeMap<i64, Link>,
    pub(crate) last_id: i32,
    pub(crate) history: History,
    pub(crate) log: UpdateLog,
    /// When pts last moved.
    pub(crate) changed: i32,
}

impl Channel {
    pub(crate) fn new(id: i64, title: String, megagroup: bool, date: i32) -> Self {
        Self {
            id,
            title,
            about: String::new(),
            username: None,
            megagroup,
            date,
            hidden_prehistory: true,
            migrated_from: None,
            members: BTreeMap::new(),
            kicked: BTreeMap::new(),
            links: BTreeMap::new(),
            last_id: 0,
            history: History::default(),
            log: UpdateLog::starting_at(1),
            changed: date,
        }
    }

    /// The newest message that this reader does not see: what was said before it came, if that is hidden.
    pub(crate) fn hidden_up_to(&self, user: i64) -> i32 {
        let member = self.members.get(&user);
        let hides = self.megagroup && self.hidden_prehistory && self.username.is_none();
        member.filter(|_| hides).map_or(0, |member| member.came_after)
    }

    /// A message, if this reader sees it.
    pub(crate) fn message_visible_to(&self, user: i64, id: i32) -> Option<&Stored> {
        (id > self.hidden_up_to(user)).then(|| self.history.get(id)).flatten()
    }

    /// Whether this user sees what is written: a member, or anyone in a public one.
    pub(crate) fn readable_by(&self, user: i64) -> bool {
        self.members.contains_key(&user) || (self.username.is_some() && !self.kicked.contains_key(&user))
    }
}

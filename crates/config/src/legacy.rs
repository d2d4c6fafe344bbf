//! The old gateway's ports.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use domain::account::{AccountName, Purpose};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::alerts::WebhookSecret;
use crate::secret;

/// The section `[legacy]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LegacySettings {
    /// How long a caller is kept waiting.
    #[serde(with = "crate::duration")]
    pub hold: Duration,
    /// How long the same body joins a call whose end was never told.
    #[serde(with = "crate::duration")]
    pub join_repeats: Duration,
    /// Whether leaving a chat removes its other members first.
    pub leave_removes_members: bool,
    /// Whether leaving a chat that the account owns removes its other members too; else it is refused before.
    pub leave_own_chats: bool,
    /// Whom to tell about an invite link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_callback: Option<InviteCallback>,
    /// The ports.
    pub ports: Vec<LegacyPort>,
}

impl Default for LegacySettings {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(100),
            join_repeats: Duration::from_mins(1),
            leave_removes_members: true,
            leave_own_chats: true,
            invite_callback: None,
            ports: Vec::new(),
        }
    }
}

/// Whom to tell about an invite link.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteCallback {
    /// The address to post to.
    pub url: String,
    /// The group that the receiver wants to be told.
    pub group_id: String,
    /// What posts are signed with, as Standard Webhooks do.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
    pub secret: Option<SecretString>,
    /// A header that each post carries: `Name: value`.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
    pub header: Option<SecretString>,
}

impl InviteCallback {
    /// Name and value of the header that each post carries.
    pub fn header(&self) -> Option<(&str, &str)> {
        self.header.as_ref().and_then(|text| header(text.expose_secret()))
    }

    /// What posts are signed with.
    pub fn secret(&self) -> Option<WebhookSecret> {
        self.secret.as_ref().and_then(|text| WebhookSecret::read(text.expose_secret()).ok())
    }
}

/// Reads `Name: value`.
fn header(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
    let is_right = !name.is_empty()
        && name.bytes().all(is_name)
        && !value.is_empty()
        && value.bytes().all(|letter| (b' '..=b'~').contains(&letter));
    is_right.then_some((name, value))
}

/// Whether a text is a header of a post.
pub(crate) fn is_header(text: &str) -> bool {
    header(text).is_some()
}

/// One port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyPort {
    /// Its number; 0 takes any that is free.
    pub port: u16,
    /// What it does.
    pub service: LegacyService,
    /// The address it listens on.
    #[serde(default = "LegacyPort::default_listen")]
    pub listen: IpAddr,
    /// The one account it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The networks whose callers it answers; none means any.
    #[serde(default)]
    pub allow_from: Vec<IpNet>,
    /// Whether callers need an API key.
    #[serde(default)]
    pub key_required: bool,
    /// Who is told about the invite links of its chats instead of the receiver of `invite_callback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_callback_url: Option<String>,
    /// How long the same body, sent without an `Idempotency-Key`, is a repeat and not a new request.
    #[serde(default, with = "crate::duration::optional", skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Duration>,
}

impl LegacyPort {
    fn default_listen() -> IpAddr {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }
}

/// What a legacy port does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegacyService {
    /// Creating chats.
    CreateChat,
    /// Sending text.
    SendText,
    /// Sending files.
    SendMedia,
    /// Leaving chats.
    LeaveChat,
}

impl LegacyService {
    /// Every service's name.
    pub const NAMES: [&str; 4] = ["create_chat", "send_text", "send_media", "leave_chat"];

    /// The name in settings and in paths.
    pub const fn as_str(self) -> &'static str {
        self.purpose().as_str()
    }

    /// What its sessions are for.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::CreateChat => Purpose::CreateChat,
            Self::SendText => Purpose::SendText,
            Self::SendMedia => Purpose::SendMedia,
            Self::LeaveChat => Purpose::LeaveChat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        for (text, read) in [
            ("X-Token: abc", Some(("X-Token", "abc"))),
            ("Authorization:Bearer a:b", Some(("Authorization", "Bearer a:b"))),
            ("X-Token", None),
            ("X-Token: ", None),
            ("X Token: abc", None),
            ("X-Token: a\nHost: b", None),
            ("X-Token: ключ", None),
        ] {
            assert_eq!(header(text), read, "{text:?}");
        }
    }
}

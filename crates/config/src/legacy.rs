//! The ports of the programs that are replaced: the old gateway's, and those of the old channel servers.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use domain::{AccountName, Service};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    alerts::{WebhookSecret, webhook_secret},
    channels::ChannelKind,
    keys::settings,
    repeats, secret,
    value_kind::{
        ACCOUNT, NETWORKS, SIGNING_SECRET, ValueKind, duration, http_url, not_blank, reads, secret, word,
    },
};

settings! {
    /// The section `[legacy]`.
    pub section LegacySettings at "legacy." {
        /// How long a caller of a legacy port is kept waiting.
        #[serde(with = "crate::duration")]
        hold: Duration = "100s", duration("1s", "10m") => live;
        /// How long the same body joins a call that ended in doubt or whose answer was never read.
        #[serde(with = "crate::duration")]
        join_repeats: Duration = "60s", duration("0s", "1d") => live;
        /// Whether leaving a chat on a legacy port removes its other members first.
        leave_removes_members: bool = true, boolean() => live;
        /// Whether a legacy port empties and leaves chats that the leaving account owns too; `false` refuses it before anyone
        /// is removed.
        leave_own_chats: bool = true, boolean() => live;
        /// Who is notified of an invite link.
        #[serde(skip_serializing_if = "Option::is_none")]
        invite_callback: Option<InviteCallback> => live;
        /// The ports.
        ports: Vec<LegacyPort> => live;
        /// The ports of the old channel servers.
        channel_ports: Vec<ChannelPort> => live;
    }
}

impl LegacySettings {
    /// Where each port listens, and the key that names it.
    pub fn addresses(&self) -> impl Iterator<Item = (SocketAddr, &'static str)> {
        let gateway = self.ports.iter().map(|port| (SocketAddr::new(port.listen, port.port), "legacy.ports"));
        let channels = self.channel_ports.iter();
        gateway.chain(channels.map(|port| (SocketAddr::new(port.listen, port.port), "legacy.channel_ports")))
    }
}

settings! {
    /// Who is notified of an invite link.
    #[derive(Default)]
    pub item InviteCallback at "legacy.invite_callback." {
        /// Where the invite link of a chat is posted that was created for a client.
        url: String, word("an http or https address", http_url), "\"https://example.com/hook\"";
        /// The group that the receiver of the callback expects.
        group_id: String, word("a text", not_blank), "\"demo\"";
        /// What posts are signed with, as Standard Webhooks do (header `webhook-signature`).
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        secret: Option<SecretString>,
            optional(secret(SIGNING_SECRET, webhook_secret)), "{ env = \"INVITE_HOOK_SECRET\" }";
        /// A header that each post carries, such as the one that a webhook of n8n asks for.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        header: Option<SecretString>,
            optional(secret("a header, its name, a colon and its value", is_header)), "\"X-Token: made-up\"";
    }
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

/// For how long the same body counts as a repeat.
const REPEATS: ValueKind = duration(repeats::SHORTEST, repeats::LONGEST);

settings! {
    /// One port.
    #[derive(PartialEq, Eq)]
    pub item LegacyPort at "legacy.ports[]." {
        /// The number of a legacy port; 0 takes any that is free.
        port: u16, integer(0, 65535), "5022";
        /// What the port does.
        service: Service, choice(<Service as strum::VariantNames>::VARIANTS), "\"send_text\"";
        /// The address it listens on; beyond loopback it needs `allow_from` or `key_required`.
        #[serde(default = "LegacyPort::default_listen")]
        listen: IpAddr = LegacyPort::default_listen(), word("an address without a port", reads::<IpAddr>);
        /// The one account it uses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountName>, optional(ACCOUNT), "\"backup_1\"";
        /// The networks whose callers it answers; empty means any that reach it.
        #[serde(default)]
        allow_from: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"10.0.0.0/8\"]";
        /// Whether its callers need an API key.
        #[serde(default)]
        key_required: bool = false, boolean(), "true";
        /// Where the invite links of this port's chats are posted instead of `legacy.invite_callback.url`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite_callback_url: Option<String>,
            optional(word("an http or https address", http_url)), "\"https://example.com/hook\"";
        /// For how long the same body, sent without an `Idempotency-Key`, is a repeat and not a new request; left out: never.
        #[serde(default, with = "crate::duration::optional", skip_serializing_if = "Option::is_none")]
        repeats: Option<Duration>, optional(REPEATS), "\"10m\"";
    }
}

impl LegacyPort {
    fn default_listen() -> IpAddr {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }
}

settings! {
    /// The port of an old channel server.
    pub item ChannelPort at "legacy.channel_ports[]." {
        /// The number of the port; 0 takes any that is free.
        port: u16, integer(0, 65535), "8765";
        /// Whose calls it takes: `avito`, `whatsapp`, `vk`, `max`, `instagram` or `form`.
        channel: ChannelKind, choice(ChannelKind::OLD_SERVERS), "\"avito\"";
        /// The account of the channel; may be left out where the channel has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountName>, optional(ACCOUNT), "\"shop\"";
        /// The address it listens on; beyond loopback it needs `allow_from` or `key`.
        #[serde(default = "LegacyPort::default_listen")]
        listen: IpAddr = LegacyPort::default_listen(), word("an address without a port", reads::<IpAddr>);
        /// The networks whose callers it answers; empty means any that reach it. What needs no key, such as posts of the provider, is
        /// taken from anywhere.
        #[serde(default)]
        allow_from: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"10.0.0.0/8\"]";
        /// What its callers send as `X-API-Key`, as they sent it to the old server; left out: nothing.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        key: Option<SecretString>, optional(secret("a text", not_blank)), "{ env = \"OLD_AVITO_KEY\" }";
        /// For how long the same body, sent without an `Idempotency-Key`, is a repeat and not a new request; left out: never.
        #[serde(default, with = "crate::duration::optional", skip_serializing_if = "Option::is_none")]
        repeats: Option<Duration>, optional(REPEATS), "\"10m\"";
    }
}

impl PartialEq for ChannelPort {
    fn eq(&self, other: &Self) -> bool {
        let key = |port: &Self| port.key.as_ref().map(|key| key.expose_secret().to_owned());
        (self.port, self.channel, &self.account, self.listen)
            == (other.port, other.channel, &other.account, other.listen)
            && (&self.allow_from, self.repeats) == (&other.allow_from, other.repeats)
            && key(self) == key(other)
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

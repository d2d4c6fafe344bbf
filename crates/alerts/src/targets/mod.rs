//! Targets: who is notified, and over which channel.

pub(crate) mod chat;
mod email;
mod webhook;

use std::time::Duration;

use ambient::Clock;
use config::{AlertTarget, AlertTargetFields, AlertTargetKind, WrongField};
use domain::{AccountName, ChatRef, Timestamp};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use outbound::{AllowList, Allowed};

use crate::notice::Words;
use crate::view::TargetOrigin;

/// How long a target may take with an alert.
pub(crate) const LIMIT: Duration = events::Kind::Alert.limit();

/// Why a target does not have a notice, or may not have it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// It may take it another time.
    #[error("{0}")]
    Failed(String),
    /// It wants nothing more.
    #[error("{0}")]
    Off(String),
}

/// A target of notices.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: AlertTargetKind,
    /// Where it is, as far as that is no secret.
    pub(crate) place: String,
    pub(crate) signed: bool,
    pub(crate) origin: TargetOrigin,
    /// When it was made, and by whom, if it was made here.
    pub(crate) made: Option<(Timestamp, String)>,
    pub(crate) channel: Channel,
}

/// How a target is reached.
#[derive(Debug)]
pub(crate) enum Channel {
    /// Through the outbox, as any other message.
    Chat {
        chat: ChatRef,
        account: Option<AccountName>,
    },
    Hook(webhook::Hook),
    Mail(email::Mail),
}

impl Target {
    /// A target of the settings, which may be at any address: their author owns the machine.
    pub(crate) fn of_settings(fields: &AlertTargetFields) -> Result<Self, Vec<WrongField>> {
        let everywhere = vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
        Self::new(fields, &Allowed::new(AllowList::Events, everywhere), TargetOrigin::Settings, None)
    }

    /// A target made over the API, whose address must be one that callers may use.
    pub(crate) fn of_store(
        fields: &AlertTargetFields,
        allowed: &Allowed,
        made: (Timestamp, String),
    ) -> Result<Self, Vec<WrongField>> {
        Self::new(fields, allowed, TargetOrigin::Store, Some(made))
    }

    fn new(
        fields: &AlertTargetFields,
        allowed: &Allowed,
        origin: TargetOrigin,
        made: Option<(Timestamp, String)>,
    ) -> Result<Self, Vec<WrongField>> {
        let wrong = |field, message: String| vec![WrongField { field, message }];
        let mut signed = false;
        let (place, channel) = match fields.check()? {
            AlertTarget::Telegram { chat, account } => (chat.to_string(), Channel::Chat { chat, account }),
            AlertTarget::Webhook { url, secret } => {
                signed = secret.is_some();
                let hook = webhook::Hook::new(&url, secret.as_ref(), allowed)
                    .map_err(|error| wrong("url", format!("cannot be used: {error}")))?;
                (hook.place(), Channel::Hook(hook))
            }
            AlertTarget::Email { smtp, from, to } => {
                let place = format!("{} by {}", to.join(", "), smtp.host);
                let mail = email::Mail::new(smtp, &from, &to, allowed)
                    .map_err(|(field, error)| wrong(field, error))?;
                (place, Channel::Mail(mail))
            }
        };
        let (name, kind) = (fields.name.clone(), fields.kind);
        Ok(Self { name, kind, place, signed, origin, made, channel })
    }

    /// Where it listens, if it is no chat: a host and a port.
    pub(crate) fn address(&self) -> Option<(String, u16)> {
        match &self.channel {
            Channel::Chat { .. } => None,
            Channel::Hook(hook) => hook.address(),
            Channel::Mail(mail) => Some(mail.address()),
        }
    }

    /// Notifies a webhook or a mailbox within `limit`; chats are notified through the outbox.
    pub(crate) async fn tell(
        &self,
        clock: &Clock,
        words: &Words,
        limit: Duration,
    ) -> Result<(), DeliveryError> {
        let telling = async {
            match &self.channel {
                Channel::Hook(hook) => hook.post(clock, words).await,
                Channel::Mail(mail) => mail.send(words).await,
                Channel::Chat { .. } => {
                    Err(DeliveryError::Failed("only a running server notifies a chat".to_owned()))
                }
            }
        };
        match clock.timeout(limit, telling).await {
            Ok(result) => result,
            Err(_) => Err(DeliveryError::Failed(format!("no answer within {} s", limit.as_secs()))),
        }
    }
}

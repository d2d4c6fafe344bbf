//! The way of a message, step by step, each as a sentence.

use std::net::IpAddr;

use delivery::{Candidates, Readiness};
use domain::outcome::{Failure, OutcomeKind};
use domain::timeline::Entry;
use domain::timeline::Step as Event;
use domain::{AccountName, ApiKeyId, MessageId, MessageState, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// What happened to a message, step by step.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// The message.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// How far it is now.
    #[schema(schema_with = schemas::message_state)]
    pub state: MessageState,
    /// Who asked for it, and where.
    pub origin: Option<Origin>,
    /// The accounts that could send into its chat now, best first, and then those that cannot; empty while Telegram would
    /// have to be asked.
    pub candidates: Vec<MessageCandidate>,
    /// The steps, oldest first.
    pub timeline: Vec<Step>,
}

/// Who asked for a message, and where.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// Where: `v1`, or the number of a legacy port.
    #[schema(example = "v1")]
    pub listener: String,
    /// The API key that was shown.
    #[schema(value_type = Option<String>, example = "key_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub api_key: Option<ApiKeyId>,
    /// The name of that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "n8n")]
    pub api_key_name: Option<String>,
    /// The address of the caller.
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    pub address: Option<IpAddr>,
}

impl Origin {
    pub fn new(origin: store::Origin, api_key_name: Option<String>) -> Self {
        let store::Origin { listener, api_key, address } = origin;
        Self { listener, api_key, api_key_name, address }
    }
}

/// An account that was considered for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageCandidate {
    /// The account.
    #[schema(value_type = String, example = "main")]
    pub account: AccountName,
    /// `first`: it is tried first. `next`: it is tried if those before it cannot. `waits`: it could, and has to wait.
    /// `cannot`: it is left out.
    #[schema(example = "first")]
    pub verdict: String,
    /// Until when it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether the chat is bound to it, or it is the first by rank.
    pub preferred: bool,
    /// Why it waits or cannot, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "is paused")]
    pub why: Option<String>,
}

impl MessageCandidate {
    pub fn all(candidates: Candidates) -> Vec<Self> {
        let Candidates { able, refused, preferred, .. } = candidates;
        let is_preferred = |account: &AccountName| preferred.as_ref() == Some(account);
        let able = able.into_iter().enumerate().map(|(place, candidate)| {
            let (verdict, why) = match (candidate.readiness, place) {
                (Readiness::Ready, 0) => ("first", None),
                (Readiness::Ready, _) => ("next", None),
                (Readiness::HeldUntil(_), _) => ("waits", Some("must wait, as Telegram asked")),
                (Readiness::LimitedUntil(_), _) => {
                    ("waits", Some("has sent as many messages as its limit allows"))
                }
                (Readiness::Connecting, _) => ("waits", Some("is connecting")),
                (Readiness::Paused, _) => ("waits", Some("is paused")),
            };
            Self {
                preferred: is_preferred(&candidate.account),
                until: candidate.readiness.until(),
                account: candidate.account,
                verdict: verdict.to_owned(),
                why: why.map(str::to_owned),
            }
        });
        let refused = refused.into_iter().map(|(refusal, _)| Self {
            preferred: is_preferred(&refusal.account),
            account: refusal.account,
            verdict: "cannot".to_owned(),
            until: None,
            why: Some(refusal.why),
        });
        able.chain(refused).collect()
    }
}

/// One step on a message's way.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// `accepted`, `begun`, `attempted`, `waiting`, `moved_on`, `joined`, `sent`, `failed`, `cancelled`, `in_doubt`,
    /// `resolved`, `resumed` or `retried`.
    #[schema(value_type = String, example = "attempted")]
    pub step: Event,
    /// The part it is about, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    /// The account it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account: Option<AccountName>,
    /// The outcome of an attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// More, as it was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The step as a sentence.
    #[schema(example = "main tried to send it: sent (message 45).")]
    pub says: String,
}

impl From<&Entry> for Step {
    fn from(entry: &Entry) -> Self {
        Self {
            at: entry.at,
            step: entry.step,
            part: entry.part,
            account: entry.account.clone(),
            outcome: entry.outcome.map(|outcome| outcome.as_str().to_owned()),
            detail: entry.detail.clone(),
            says: sentence(entry),
        }
    }
}

pub(crate) fn sentence(entry: &Entry) -> String {
    let account = entry.account.as_ref().map_or("an account", AccountName::as_str);
    let part = match entry.part {
        Some(part) if part > 0 => format!("part {}", part + 1),
        _ => "it".to_owned(),
    };
    let what = match entry.step {
        Event::Accepted => "It was accepted and stored".to_owned(),
        Event::Begun => format!("{account} was given {part} to send"),
        Event::Attempted => {
            let outcome = entry.outcome.map_or("unknown", OutcomeKind::as_str).replace('_', " ");
            return match &entry.detail {
                Some(detail) => format!("{account} tried to send {part}: {outcome} ({detail})."),
                None => format!("{account} tried to send {part}: {outcome}."),
            };
        }
        Event::Waiting => "It waits".to_owned(),
        Event::MovedOn => format!("It moved on to {account}"),
        Event::Joined => "A caller asked for the same again and joined it".to_owned(),
        Event::Sent => match entry.part {
            Some(_) => format!("{account} sent {part}"),
            None => "It is sent".to_owned(),
        },
        Event::Failed if entry.detail.as_deref() == Some(Failure::RESTORED) => {
            return "It was held back after a restore: it may have been sent since the backup was made."
                .to_owned();
        }
        Event::Failed => "It ended unsent".to_owned(),
        Event::Cancelled => "It was cancelled before it left".to_owned(),
        Event::InDoubt => {
            "It may have been sent, and that can no longer be found out; resolve it by hand".to_owned()
        }
        Event::Resolved => "A person resolved it".to_owned(),
        Event::Resumed => format!("{account} took {part} up again after a restart"),
        Event::Retried => "It was put in the queue again by hand".to_owned(),
        Event::Delivered => "The provider says that it arrived".to_owned(),
        Event::Read => "The provider says that it was read".to_owned(),
        Event::Approved => "A person let it out".to_owned(),
        Event::Rejected => "A person refused to let it out".to_owned(),
    };
    match &entry.detail {
        Some(detail) => format!("{what}: {detail}."),
        None => format!("{what}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_a_sentence() {
        for step in Event::ALL {
            for account in [None, "main".parse().ok()] {
                for detail in [None, Some("message 45".to_owned()), Some(Failure::RESTORED.to_owned())] {
                    let entry = Entry {
                        at: Timestamp::default(),
                        step,
                        part: Some(1),
                        account: account.clone(),
                        outcome: Some(OutcomeKind::FloodWait),
                        detail,
                    };
                    let says = sentence(&entry);
                    assert!(says.ends_with('.') && !says.contains('_'), "{says}");
                }
            }
        }
    }
}

//! The way of a message in words: each step of its timeline as a sentence. Pure.

use std::net::IpAddr;

use delivery::{Candidates, Readiness};
use domain::outcome::{Failure, OutcomeKind};
use domain::timeline::{Entry, Step};
use domain::{AccountName, ApiKeyId, MessageId, MessageState, Timestamp};
use serde::Serialize;
use store::Origin;
use utoipa::ToSchema;

use super::keys::KeyNames;
use super::words;

/// What happened to a message, step by step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Why<'a> {
    /// The message.
    #[schema(value_type = String)]
    pub(crate) id: MessageId,
    /// How far it is now.
    #[schema(schema_with = words::message_state)]
    pub(crate) state: MessageState,
    /// Who asked for it, and where.
    pub(crate) origin: Option<OriginView>,
    /// The accounts that could send into its chat now, best first, and then those that cannot; empty while Telegram would
    /// have to be asked.
    pub(crate) candidates: Vec<CandidateView>,
    /// The steps, oldest first.
    pub(crate) timeline: Vec<StepView<'a>>,
}

/// Who asked for a message, and where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Origin)]
pub(crate) struct OriginView {
    /// Where: `v1`, or the number of a legacy port.
    #[schema(example = "v1")]
    listener: String,
    /// The API key that was shown.
    #[schema(value_type = Option<String>, example = "key_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    api_key: Option<ApiKeyId>,
    /// The name of that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "n8n")]
    api_key_name: Option<String>,
    /// The address of the caller.
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    address: Option<IpAddr>,
}

impl OriginView {
    pub(super) fn new(Origin { listener, api_key, address }: Origin, keys: &KeyNames) -> Self {
        Self { listener, api_key, api_key_name: api_key.and_then(|id| keys.name(&id.to_string())), address }
    }
}

/// An account that was considered for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageCandidate)]
pub(crate) struct CandidateView {
    /// The account.
    #[schema(value_type = String, example = "main")]
    account: AccountName,
    /// `first`: it is tried first. `next`: it is tried if those before it cannot. `waits`: it could, and has to wait.
    /// `cannot`: it is left out.
    #[schema(example = "first")]
    verdict: &'static str,
    /// Until when it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// Whether the chat is bound to it, or it is the first by rank.
    preferred: bool,
    /// Why it waits or cannot, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "is paused")]
    why: Option<String>,
}

impl CandidateView {
    /// All who were considered.
    pub(super) fn all(candidates: Candidates) -> Vec<Self> {
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
            };
            Self {
                preferred: is_preferred(&candidate.account),
                until: candidate.readiness.until(),
                account: candidate.account,
                verdict,
                why: why.map(str::to_owned),
            }
        });
        let refused = refused.into_iter().map(|(refusal, _)| Self {
            preferred: is_preferred(&refusal.account),
            account: refusal.account,
            verdict: "cannot",
            until: None,
            why: Some(refusal.why),
        });
        able.chain(refused).collect()
    }
}

/// One step on a message's way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepView<'a> {
    /// When.
    at: Timestamp,
    /// `accepted`, `begun`, `attempted`, `waiting`, `moved_on`, `joined`, `sent`, `failed`, `cancelled`, `in_doubt`,
    /// `resolved`, `resumed` or `retried`.
    #[schema(value_type = String, example = "attempted")]
    step: Step,
    /// The part it is about, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u16>,
    /// The account it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    account: Option<&'a AccountName>,
    /// The outcome of an attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    /// More, as it was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The step as a sentence.
    #[schema(example = "main tried to send it: sent (message 45).")]
    says: String,
}

impl<'a> From<&'a Entry> for StepView<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            at: entry.at,
            step: entry.step,
            part: entry.part,
            account: entry.account.as_ref(),
            outcome: entry.outcome.map(OutcomeKind::as_str),
            detail: entry.detail.as_deref(),
            says: sentence(entry),
        }
    }
}

/// One step as a sentence.
pub(super) fn sentence(entry: &Entry) -> String {
    let account = entry.account.as_ref().map_or("an account", AccountName::as_str);
    let part = match entry.part {
        Some(part) if part > 0 => format!("part {}", part + 1),
        _ => "it".to_owned(),
    };
    let what = match entry.step {
        Step::Accepted => "It was accepted and stored".to_owned(),
        Step::Begun => format!("{account} was given {part} to send"),
        Step::Attempted => {
            let outcome = entry.outcome.map_or("unknown", OutcomeKind::as_str).replace('_', " ");
            return match &entry.detail {
                Some(detail) => format!("{account} tried to send {part}: {outcome} ({detail})."),
                None => format!("{account} tried to send {part}: {outcome}."),
            };
        }
        Step::Waiting => "It waits".to_owned(),
        Step::MovedOn => format!("It moved on to {account}"),
        Step::Joined => "A caller asked for the same again and joined it".to_owned(),
        Step::Sent => match entry.part {
            Some(_) => format!("{account} sent {part}"),
            None => "It is sent".to_owned(),
        },
        Step::Failed if entry.detail.as_deref() == Some(Failure::RESTORED) => {
            return "It was held back after a restore: it may have been sent since the backup was made."
                .to_owned();
        }
        Step::Failed => "It ended unsent".to_owned(),
        Step::Cancelled => "It was cancelled before it left".to_owned(),
        Step::InDoubt => {
            "It may have been sent, and that can no longer be found out; resolve it by hand".to_owned()
        }
        Step::Resolved => "A person resolved it".to_owned(),
        Step::Resumed => format!("{account} took {part} up again after a restart"),
        Step::Retried => "It was put in the queue again by hand".to_owned(),
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
        for step in Step::ALL {
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

//! The context of one step: the account and the line it goes through, its calls, and what their errors say.

use std::sync::Arc;
use std::time::Duration;

use domain::account::Operation;
use domain::{ChatId, ChatKind, Outcome};
use futures::FutureExt;
use futures::future::BoxFuture;
use grammers_tl_types::{RemoteCall, enums};

use crate::account::{Account, Learned};
use crate::calls::classify::{self, CallError};
use crate::line::Line;
use crate::peers::lookup;
use crate::steps::meaning;

/// How long a call that changes something may take. After that no one knows whether it did.
const CHANGE: Duration = Duration::from_secs(15);

pub(super) struct StepContext<'a> {
    pub(super) account: &'a Account,
    pub(super) line: Arc<Line>,
    /// By which its floods are kept.
    pub(super) operation: Operation,
    pub(super) chat_id: Option<ChatId>,
}

impl StepContext<'_> {
    pub(super) async fn change<R: RemoteCall>(&self, request: &R) -> Result<R::Return, CallError> {
        let working = self.account.health.sending();
        failpoint::reach("telegram.step.before").await;
        let answer = self.line.call(self.operation, request, CHANGE).await;
        failpoint::reach("telegram.step.after").await;
        drop(working);
        answer
    }

    pub(super) fn chat_id(&self) -> Result<ChatId, Outcome> {
        self.chat_id.ok_or_else(|| Outcome::Rejected { code: "CHAT_ID_INVALID".into() })
    }

    /// The chat in the form that most calls take.
    pub(super) async fn peer(&self) -> Result<enums::InputPeer, Outcome> {
        let chat_id = self.chat_id()?;
        lookup::input(self.account, chat_id).await.ok_or_else(unknown_chat)
    }

    /// The chat, as what it is: basic groups and all others are asked differently.
    pub(super) async fn chat(&self) -> Result<StepChat, Outcome> {
        let chat_id = self.chat_id()?;
        match chat_id.kind() {
            ChatKind::Group => Ok(StepChat::Group(chat_id.bare())),
            ChatKind::User => Err(Outcome::Rejected { code: "CHAT_ID_INVALID".into() }),
            ChatKind::Channel => {
                if self.account.peers.input_channel(chat_id).is_none() {
                    self.peer().await?;
                }
                self.account.peers.input_channel(chat_id).map(StepChat::Channel).ok_or_else(unknown_chat)
            }
        }
    }

    /// What an error of a call makes of the step; what it says about the account is in memory before this returns.
    pub(super) fn refused<'b>(&'b self, error: &'b CallError) -> BoxFuture<'b, Outcome> {
        self.judge(error).boxed()
    }

    async fn judge(&self, error: &CallError) -> Outcome {
        let (account, now) = (self.account, self.account.now());
        let outcome = classify::outcome(error, now);
        match &outcome {
            Outcome::Held { until, .. } => {
                account.flood_waits.keep_flood(self.operation, *until, now);
            }
            // Another session of the same account goes on where this one ended.
            Outcome::SessionLost(reason) if account.can_still_tell() => {
                return Outcome::Unavailable(format!("a session was lost: {reason}"));
            }
            Outcome::NotFound(_) | Outcome::Forbidden(_) | Outcome::NotInChat(_) => {
                if let Some(chat_id) = self.chat_id {
                    return self.look_at(chat_id, error.name().unwrap_or_default(), outcome).await;
                }
            }
            _ => {}
        }
        outcome
    }

    /// After a refusal that may be about the chat: it may have become another one, or the account is not in it any
    /// more.
    async fn look_at(&self, chat_id: ChatId, error: &str, outcome: Outcome) -> Outcome {
        let account = self.account;
        if chat_id.kind() == ChatKind::Group {
            // Only whether it helped counts.
            let _ = lookup::by_id(account, chat_id).await;
            if account.registry.today(chat_id) != chat_id {
                return Outcome::Unavailable("the group has become a supergroup".to_owned());
            }
        } else if error == "CHANNEL_INVALID" {
            account.peers.forget(chat_id);
        } else if meaning::means_left(error) {
            self.is_out(chat_id).await;
        }
        outcome
    }

    /// The account is not in the chat any more.
    pub(super) async fn is_out(&self, chat_id: ChatId) {
        if self.account.peers.leave(chat_id) {
            self.account.store_learned(Learned { gone: vec![chat_id], ..Learned::default() }).await;
        }
    }

    pub(super) async fn learn(&self, updates: &enums::Updates) {
        let (users, chats) = peers_of(updates);
        self.account.learn(users, chats, &[]).await;
    }
}

pub(super) enum StepChat {
    /// A basic group, by its bare id.
    Group(i64),
    /// A supergroup or channel.
    Channel(enums::InputChannel),
}

fn unknown_chat() -> Outcome {
    Outcome::NotFound("this account does not know the chat".to_owned())
}

pub(super) fn peers_of(updates: &enums::Updates) -> (&[enums::User], &[enums::Chat]) {
    match updates {
        enums::Updates::Updates(all) => (&all.users, &all.chats),
        enums::Updates::Combined(all) => (&all.users, &all.chats),
        _ => (&[], &[]),
    }
}

pub(super) fn happened(updates: &enums::Updates) -> &[enums::Update] {
    match updates {
        enums::Updates::Updates(all) => &all.updates,
        enums::Updates::Combined(all) => &all.updates,
        _ => &[],
    }
}

//! What callers hand in, and what they are told.

use domain::message::{Content, MessageState, OnFlood, OutboundMessage};
use domain::{AccountName, ChatRef, MessageId, Timestamp};
use store::{Idempotency, Join, Origin, StoreError};

use crate::{Ambient, plan};

/// A message to be accepted.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Where to.
    pub chat: ChatRef,
    /// What.
    pub content: Content,
    /// Only through this account.
    pub pin: Option<AccountName>,
    /// What to do when all must wait.
    pub on_flood: OnFlood,
    /// Not before this instant.
    pub send_at: Option<Timestamp>,
    /// Who asks.
    pub origin: Origin,
    /// The caller's key against doubles.
    pub idempotency: Option<Idempotency>,
    /// What a caller without a key is recognised by when it asks again.
    pub join: Option<Join>,
}

/// An accepted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// Its id.
    pub id: MessageId,
    /// Whether it is new.
    pub how: How,
}

/// Whether a message is new or one that was accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is new.
    New,
    /// The same `Idempotency-Key` brought it before.
    Replayed,
    /// The same body was asked for before, and that caller got no answer.
    Joined,
}

/// Why a message was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The pinned account is not configured.
    #[error("there is no account named {0}; see /v1/accounts for those there are")]
    UnknownAccount(AccountName),
    /// The same key came with another body.
    #[error("this Idempotency-Key was used with another body; use a new key for a new message")]
    Conflict,
    /// There is nothing to send.
    #[error("the text is empty")]
    Empty,
    /// Too much is waiting already.
    #[error("{queued} messages wait already; try again later")]
    TooMany {
        /// How many wait.
        queued: usize,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is ending.
    #[error("the program is shutting down; send it again in a moment")]
    ShuttingDown,
}

/// What came of a wish to change a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Done; the message as it is now.
    Done(Box<OutboundMessage>),
    /// Its state does not allow it; the message as it is.
    Refused(Box<OutboundMessage>),
    /// There is none with this id.
    NoSuchMessage,
}

/// Builds the message: ids drawn, parts made as far as they can be.
pub(crate) fn build(submission: &Submission, ambient: &Ambient) -> Result<OutboundMessage, SubmitError> {
    let content = &submission.content;
    if content.text.is_blank() && content.mention.is_none() {
        return Err(SubmitError::Empty);
    }
    let now = ambient.clock.now();
    let parts = match content.mention {
        None => plan::parts(&content.text, || ambient.chance.random_id()),
        Some(_) => Vec::new(),
    };
    let send_at = submission.send_at.filter(|at| *at > now);
    Ok(OutboundMessage {
        id: MessageId::from_uuid(ambient.ids.next()),
        chat: submission.chat.clone(),
        chat_id: None,
        pin: submission.pin.clone(),
        account: None,
        content: content.clone(),
        parts,
        state: if send_at.is_some() { MessageState::Scheduled } else { MessageState::Queued },
        failure: None,
        on_flood: submission.on_flood,
        send_at,
        created_at: now,
        updated_at: now,
    })
}

//! What callers hand in, and what they are answered.

use std::sync::Arc;

use domain::message::{Content, MessageState, OnFlood, OutboundMessage};
use domain::text::{FormattedText, ParseMode};
use domain::{AccountName, ApiKeyId, ChatRef, MessageId, Timestamp, UnreadNumber};
use store::{Accept, Idempotency, Join, Origin, Queue, StoreError};

use crate::capabilities::NotCarried;
use crate::plan::{self, MOST_MEDIA};
use crate::{Ambient, Capabilities};

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
    /// Not before a person has let it out.
    pub needs_approval: bool,
    /// Who asks.
    pub origin: Origin,
    /// The caller's key against doubles.
    pub idempotency: Option<Idempotency>,
    /// What a caller without a key is recognised by when it asks again.
    pub join: Option<Join>,
}

impl Submission {
    /// A text of the program itself, which leaves as soon as it may; `listener` is the part that says it.
    pub fn plain(chat: ChatRef, text: &str, listener: &str) -> Self {
        Self {
            chat,
            content: Content {
                text: FormattedText::plain(text),
                parse_mode: ParseMode::None,
                reply_to: None,
                mention: None,
                mention_optional: false,
                written_by: domain::message::Writer::Program,
                silent: false,
                preview: false,
                media: Vec::new(),
                provider_options: None,
            },
            pin: None,
            on_flood: OnFlood::Wait,
            send_at: None,
            needs_approval: false,
            origin: Origin { listener: listener.to_owned(), api_key: None, address: None },
            idempotency: None,
            join: None,
        }
    }
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
    /// It carries more than one message may.
    #[error(
        "{given} media are too many for one message; send at most {MOST_MEDIA}, and the rest in another one"
    )]
    TooManyMedia {
        /// How many it carries.
        given: usize,
    },
    /// It has something that its provider does not carry.
    #[error(transparent)]
    NotCarried(#[from] NotCarried),
    /// Too much is waiting already.
    #[error(transparent)]
    TooMany(#[from] Full),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is ending, and the store does not report whether it took the message: then the next start sends it.
    #[error(
        "the program is shutting down and the store does not answer; look for {id} before sending it again"
    )]
    OutcomeUnknown {
        /// The id that it has if it was accepted.
        id: MessageId,
    },
    /// No sender serves the chat.
    #[error("no channel here leads to {0}; GET /v1/channels lists the accounts of channels")]
    NotServed(ChatRef),
    /// It is for a number that no one can read for certain.
    #[error(transparent)]
    UnreadNumber(#[from] UnreadNumber),
    /// The program is ending.
    #[error("the program is shutting down; send it again in a moment")]
    ShuttingDown,
}

/// Whether the files of a message are its own from now on: it is new, or may have been accepted all the same. The sweep of files finds
/// those of one that was not.
pub fn takes_files(submitted: &Result<Submitted, SubmitError>) -> bool {
    match submitted {
        Ok(submitted) => submitted.how == How::New,
        Err(SubmitError::Store(StoreError::DoNotContact { .. })) => false,
        Err(SubmitError::Store(_) | SubmitError::ShuttingDown | SubmitError::OutcomeUnknown { .. }) => true,
        Err(_) => false,
    }
}

/// A quota that is used up. What waits for other accounts and comes from other callers has room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Of the messages for one account.
    #[error("as many messages as may wait for account {0} do (limits.waiting_per_account); try again later")]
    Account(AccountName),
    /// Of the messages that any account may carry.
    #[error("as many messages as may wait for any account do (limits.waiting_per_account); try again later")]
    Pool,
    /// Of the messages of one API key.
    #[error(
        "as many messages as API key {0} may have waiting do wait (limits.waiting_per_key); try again later"
    )]
    Key(ApiKeyId),
    /// Of the messages of the callers without a key at one listener.
    #[error(
        "as many messages as listener {0} may have waiting do wait (limits.waiting_per_key); try again later"
    )]
    Listener(Arc<str>),
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

/// Builds the message, ready to be accepted: ids drawn, parts made as far as they can be.
pub(crate) fn build(
    submission: Submission,
    capabilities: &Capabilities,
    ambient: &Ambient,
) -> Result<Accept, SubmitError> {
    let Submission { chat, content, pin, on_flood, send_at, needs_approval, origin, idempotency, join } =
        submission;
    if content.text.is_blank() && content.mention.is_none() && content.media.is_empty() {
        return Err(SubmitError::Empty);
    }
    if content.media.len() > MOST_MEDIA {
        return Err(SubmitError::TooManyMedia { given: content.media.len() });
    }
    capabilities.carries(&content)?;
    let now = ambient.clock.now();
    let parts = match content.mention {
        None => plan::parts(&content.text, &content.media, capabilities, || ambient.chance.random_id()),
        Some(_) => Vec::new(),
    };
    let send_at = send_at.filter(|at| *at > now);
    let message = OutboundMessage {
        id: MessageId::from_uuid(ambient.ids.next()),
        chat,
        address: None,
        pin,
        account: None,
        content,
        parts,
        state: match send_at {
            _ if needs_approval => MessageState::AwaitingApproval,
            Some(_) => MessageState::Scheduled,
            None => MessageState::Queued,
        },
        failure: None,
        on_flood,
        send_at,
        created_at: now,
        updated_at: now,
    };
    Ok(Accept { message, origin, idempotency, join, queue: Queue::Pool })
}

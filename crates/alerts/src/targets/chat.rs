//! A Telegram chat, notified by a message of the outbox.

use std::time::Duration;

use delivery::{Delivery, Submission, SubmitError};
use domain::message::{MessageState, OutboundMessage};
use domain::{AccountName, ChatRef, MessageId};
use sha2::{Digest, Sha256};
use store::{Idempotency, SameBy};

use crate::notice::{self, Words};

/// How long a message is waited for before others have their turn.
pub(crate) const LOOKS_FOR: Duration = Duration::from_secs(20);

/// The name of alerts among those who ask for messages.
const LISTENER: &str = "alerts";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChatDelivery {
    Sent,
    /// It is in the outbox; look again later.
    Queued(MessageId),
    Failed(String),
}

/// Puts a message into the outbox and waits for its end, at most `limit`. The same words with the same attempt are one message.
pub(crate) async fn begin(
    delivery: &Delivery,
    chat: &ChatRef,
    account: Option<AccountName>,
    words: &Words,
    attempt: u32,
    limit: Duration,
) -> ChatDelivery {
    let scope = Sha256::new()
        .chain_update(b"alert")
        .chain_update(words.id.as_bytes())
        .chain_update(chat.to_string().as_bytes())
        .chain_update(attempt.to_be_bytes())
        .finalize();
    let submission = Submission {
        pin: account,
        idempotency: Some(Idempotency {
            scope: scope.into(),
            fingerprint: Sha256::digest(words.text.as_bytes()).into(),
            same_by: SameBy::Key,
        }),
        ..Submission::plain(chat.clone(), &words.text, LISTENER)
    };
    match delivery.submit(submission).await {
        Ok(submitted) => look(delivery, submitted.id, limit).await,
        // It may be in the outbox: then it is found there.
        Err(SubmitError::OutcomeUnknown { id }) => ChatDelivery::Queued(id),
        Err(error) => ChatDelivery::Failed(error.to_string()),
    }
}

/// Looks how far a message is, and waits for its end, at most `limit`.
pub(crate) async fn look(delivery: &Delivery, id: MessageId, limit: Duration) -> ChatDelivery {
    match delivery.settled(id, limit).await {
        Ok(Some(message)) => judge(&message),
        Ok(None) => ChatDelivery::Failed("the message is not in the outbox any more".to_owned()),
        Err(error) => {
            tracing::warn!(message = %id, %error, "how far an alert's message is cannot be read");
            ChatDelivery::Queued(id)
        }
    }
}

/// What a message on its way waits for, in words.
pub(crate) async fn waits_for(delivery: &Delivery, id: MessageId) -> String {
    if let Some(until) = delivery.held_until(id) {
        return format!("every account that may write there has to wait until {}", notice::minute(until));
    }
    match delivery.get(id).await.ok().flatten() {
        Some(OutboundMessage { state: MessageState::Sending, account: Some(account), .. }) => {
            format!("{account} has it, and Telegram has not answered yet")
        }
        Some(OutboundMessage { state: MessageState::InDoubt, .. }) => {
            "it may have arrived, and no account can tell".to_owned()
        }
        _ => "no account can write there at the moment".to_owned(),
    }
}

fn judge(message: &OutboundMessage) -> ChatDelivery {
    match message.state {
        MessageState::Sent | MessageState::Delivered | MessageState::Read => ChatDelivery::Sent,
        MessageState::Failed => {
            let why = message.failure.as_ref().map(domain::outcome::Failure::describe);
            ChatDelivery::Failed(why.unwrap_or_else(|| "it was not sent".to_owned()))
        }
        MessageState::Cancelled => ChatDelivery::Failed("the message was cancelled".to_owned()),
        // In doubt: a person says what became of it; a second one may say the same twice.
        MessageState::Queued
        | MessageState::Scheduled
        | MessageState::AwaitingApproval
        | MessageState::Sending
        | MessageState::InDoubt => ChatDelivery::Queued(message.id),
    }
}

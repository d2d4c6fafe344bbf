//! What someone does about a message that was accepted: ends it, has it sent after all, ends its doubt.

use std::time::Duration;

use domain::MessageId;
use domain::message::MessageState;
use store::{Approval, Resolution, StoreError};

use crate::submission::Change;
use crate::{Delivery, log_events};

/// How long the attempt that is on the wire is waited for.
const ATTEMPT_ENDS: Duration = Duration::from_secs(20);

impl Delivery {
    /// Ends a message that was not given to an account yet.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn cancel(&self, id: MessageId, detail: Option<String>) -> Result<Change, StoreError> {
        let delivery = self.clone();
        self.to_the_end(async move { delivery.end_unsent(id, detail).await }).await?
    }

    async fn end_unsent(&self, id: MessageId, detail: Option<String>) -> Result<Change, StoreError> {
        let now = self.0.ambient.clock.now();
        let waited = self.0.store.outbox().take_back(id, now, detail).await?;
        let Some(message) = self.get(id).await? else { return Ok(Change::NoSuchMessage) };
        let Some((scope, waited)) = waited else { return Ok(Change::Refused(Box::new(message))) };
        if waited != MessageState::AwaitingApproval {
            self.0.counts.end(&scope, waited == MessageState::Scheduled);
        }
        self.0.metrics.cancelled();
        // The one who holds it at this moment finds out from the store; the one who waits for its turn never gets one.
        for chat in [message.chat.clone(), message.place()] {
            self.lanes().remove(&chat, id);
        }
        if message.state.is_final() {
            log_events::ended(&message, None);
            self.end(&message, None);
        }
        // A retry between the write and the removal would have lost its place.
        let now = self.get(id).await?;
        if let Some(again) = now.filter(|now| waits(now.state)) {
            self.line_up_again(again, &scope);
        }
        Ok(Change::Done(Box::new(message)))
    }

    /// Has a message tried no longer that is being sent and of which an attempt may have arrived: it is in doubt then, unless the
    /// attempt that is on the wire shows more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn stop_trying(&self, id: MessageId) -> Result<Change, StoreError> {
        let is_stopped = self.0.waiters.stop(id);
        let message = if is_stopped { self.settled(id, ATTEMPT_ENDS).await? } else { self.get(id).await? };
        Ok(match message {
            None => Change::NoSuchMessage,
            Some(message) if is_stopped && message.state == MessageState::InDoubt => {
                Change::Done(Box::new(message))
            }
            Some(message) => Change::Refused(Box::new(message)),
        })
    }

    /// Sends a failed or cancelled message again; its unsent parts keep their `random_id`s.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn retry(&self, id: MessageId) -> Result<Change, StoreError> {
        let delivery = self.clone();
        self.to_the_end(async move {
            let done = delivery.0.store.outbox().retry(id, delivery.0.ambient.clock.now()).await;
            delivery.back_in_line(id, done, true).await
        })
        .await?
    }

    /// Lets a message out that waits for a person's word, or ends it; `by` says whose word it is.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn decide(&self, id: MessageId, approval: Approval, by: String) -> Result<Change, StoreError> {
        let delivery = self.clone();
        self.to_the_end(async move {
            let now = delivery.0.ambient.clock.now();
            let done = delivery.0.store.outbox().decide(id, approval, now, by).await;
            delivery.back_in_line(id, done, approval == Approval::Approved).await
        })
        .await?
    }

    /// Ends a doubt by a person's word; of a message that is still tried, the tries as well.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn resolve(&self, id: MessageId, resolution: Resolution) -> Result<Change, StoreError> {
        self.stop_trying(id).await?;
        let delivery = self.clone();
        self.to_the_end(async move {
            let now = delivery.0.ambient.clock.now();
            let done = delivery.0.store.outbox().resolve(id, resolution, now).await;
            delivery.back_in_line(id, done, false).await
        })
        .await?
    }

    /// Gives a message its turn again once the store says that it may have one. Where the store says nothing, it may be put
    /// back all the same. `waits_then`: a change that was done had it wait, whatever has come of it since.
    async fn back_in_line(
        &self,
        id: MessageId,
        done: Result<bool, StoreError>,
        waits_then: bool,
    ) -> Result<Change, StoreError> {
        let change = self.take_back(id, done, waits_then).await;
        if change.is_err() {
            self.find_out(id);
        }
        change
    }

    async fn take_back(
        &self,
        id: MessageId,
        done: Result<bool, StoreError>,
        waits_then: bool,
    ) -> Result<Change, StoreError> {
        let done = done?;
        let Some(message) = self.get(id).await? else { return Ok(Change::NoSuchMessage) };
        if !done {
            return Ok(Change::Refused(Box::new(message)));
        }
        // Sending: the one who held it through the cancel has it already, and a second job would not ask the store again.
        let waits_now = waits(message.state);
        if (waits_then || waits_now)
            && let Some(scope) = self.0.store.outbox().place(id).await?
        {
            self.0.counts.begin(&scope, message.state == MessageState::Scheduled);
            if waits_now {
                self.line_up_again(message.clone(), &scope);
            }
        }
        // A person may have said of a doubt that it was sent.
        self.0.media_released.tell(&message);
        Ok(Change::Done(Box::new(message)))
    }
}

/// Whether a message waits for its turn or its time, in no one's hands.
pub(crate) fn waits(state: MessageState) -> bool {
    matches!(state, MessageState::Queued | MessageState::Scheduled)
}

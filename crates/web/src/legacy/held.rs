//! What a call becomes, a message or a saga: how it is waited for, cancelled, and how its caller is noted.

use std::fmt::Display;
use std::time::Duration;

use delivery::{Change, SagaChanged};
use domain::message::OutboundMessage;
use domain::saga::{Saga, SagaState};
use domain::{AccountName, ChatRef, MessageId, OperationId, Timestamp};
use store::StoreError;

use crate::state::State;

/// The result of a wish to cancel.
pub(super) enum Cancelled<H> {
    /// It is cancelled: nothing was done, and nothing will be.
    Yes(Box<H>),
    /// It may have been done; as it is now.
    TooLate(Box<H>),
    /// It is not in the store.
    Gone,
}

/// Something that was accepted and whose caller waits for it.
pub(super) trait Held: Sized + Send + Sync + 'static {
    type Id: Copy + Display + Send + Sync + 'static;

    /// Whether it can still be cancelled.
    fn can_cancel(&self) -> bool;

    /// The only account that may do it.
    fn pin(&self) -> Option<&AccountName>;

    /// Waits until it is final, at most `limit`; `None` if the store has none with this id.
    fn settled(
        state: &State,
        id: Self::Id,
        limit: Duration,
    ) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// Until when everyone who could do it must wait, if that is what it waits for: it, or what it waits behind.
    fn held_until(&self, state: &State) -> Option<Timestamp>;

    /// Cancels it if nothing was done.
    fn cancel(
        state: &State,
        id: Self::Id,
        why: String,
    ) -> impl Future<Output = Result<Cancelled<Self>, StoreError>> + Send;

    /// Notes that a caller without a key has its answer.
    fn answered(state: State, id: Self::Id) -> impl Future<Output = ()> + Send + 'static;

    /// Notes that a caller without a key is gone or in doubt.
    fn unanswered(state: State, id: Self::Id) -> impl Future<Output = ()> + Send + 'static;
}

impl Held for OutboundMessage {
    type Id = MessageId;

    fn can_cancel(&self) -> bool {
        self.state.can_cancel()
    }

    fn pin(&self) -> Option<&AccountName> {
        match &self.chat {
            ChatRef::Channel(chat) => Some(&chat.account),
            ChatRef::Id(_) | ChatRef::Username(_) => self.pin.as_ref(),
        }
    }

    async fn settled(state: &State, id: MessageId, limit: Duration) -> Result<Option<Self>, StoreError> {
        Ok(state.settled(id, limit).await?.map(|settled| settled.message))
    }

    fn held_until(&self, state: &State) -> Option<Timestamp> {
        let delivery = state.delivery();
        delivery.held_until(self.id).or_else(|| delivery.held_behind(self))
    }

    async fn cancel(state: &State, id: MessageId, why: String) -> Result<Cancelled<Self>, StoreError> {
        Ok(match state.delivery().cancel(id, Some(why)).await? {
            Change::Done(message) => Cancelled::Yes(message),
            Change::Refused(message) => Cancelled::TooLate(message),
            Change::NoSuchMessage => Cancelled::Gone,
        })
    }

    async fn answered(state: State, id: MessageId) {
        state.delivery().answered(id).await;
    }

    async fn unanswered(state: State, id: MessageId) {
        state.delivery().unanswered(id).await;
    }
}

impl Held for Saga {
    type Id = OperationId;

    fn can_cancel(&self) -> bool {
        self.state == SagaState::Queued
    }

    fn pin(&self) -> Option<&AccountName> {
        self.pin.as_ref()
    }

    async fn settled(state: &State, id: OperationId, limit: Duration) -> Result<Option<Self>, StoreError> {
        state.settled_saga(id, limit).await
    }

    fn held_until(&self, state: &State) -> Option<Timestamp> {
        state.sagas().held_until(self.id)
    }

    async fn cancel(state: &State, id: OperationId, why: String) -> Result<Cancelled<Self>, StoreError> {
        Ok(match state.sagas().cancel(id, Some(why)).await? {
            SagaChanged::Done(saga) => Cancelled::Yes(saga),
            SagaChanged::Refused(saga) => Cancelled::TooLate(saga),
            SagaChanged::NoSuchOperation => Cancelled::Gone,
        })
    }

    async fn answered(state: State, id: OperationId) {
        state.sagas().answered(id).await;
    }

    async fn unanswered(state: State, id: OperationId) {
        state.sagas().unanswered(id).await;
    }
}

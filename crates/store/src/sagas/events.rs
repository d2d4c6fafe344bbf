//! What other programs hear of sagas and of what they do to chats.

use domain::event::{MemberEvent, OperationEvent};
use domain::outcome::Failure;
use domain::saga::{MemberResult, Progress, Saga, SagaState};
use domain::{AccountName, ChatRef, Event, Timestamp};

use crate::events::NewEvent;
use crate::write::Transaction;

/// A saga was taken in.
pub(super) fn accepted(transaction: &Transaction<'_>, saga: &Saga) {
    tell(transaction, saga, saga.created_at, Event::OperationAccepted);
}

/// A person let it go on or begin again.
pub(super) fn resumed(transaction: &Transaction<'_>, saga: &Saga, at: Timestamp) {
    tell(transaction, saga, at, Event::OperationResumed);
}

/// It ended, or no one knows whether it did.
pub(super) fn ended(transaction: &Transaction<'_>, saga: &Saga, state: SagaState, at: Timestamp) {
    let event = match state {
        SagaState::Queued | SagaState::Running => return,
        SagaState::Done => Event::OperationDone,
        SagaState::Failed => Event::OperationFailed,
        SagaState::Cancelled => Event::OperationCancelled,
        SagaState::InDoubt => Event::OperationInDoubt,
    };
    tell(transaction, saga, at, event);
}

/// Who came into the chat and who was removed from it since it was as `before`.
pub(super) fn members(transaction: &Transaction<'_>, saga: &Saga, before: &Progress) {
    for (place, member) in saga.progress.members.iter().enumerate() {
        if before.members.get(place).is_some_and(|before| before.result == member.result) {
            continue;
        }
        let data = || MemberEvent { who: member.who.clone(), operation_id: saga.id };
        let event = match member.result {
            Some(MemberResult::Added) => Event::ChatMemberAdded(data()),
            Some(MemberResult::Removed) => Event::ChatMemberRemoved(data()),
            _ => continue,
        };
        push(transaction, saga, saga.updated_at, event);
    }
}

fn tell(
    transaction: &Transaction<'_>,
    saga: &Saga,
    at: Timestamp,
    event: impl FnOnce(OperationEvent) -> Event,
) {
    let code = saga.failure.as_ref().map(|failure| Failure::code(failure).to_owned());
    push(
        transaction,
        saga,
        at,
        event(OperationEvent { operation_id: saga.id, kind: saga.task.kind(), code }),
    );
}

fn push(transaction: &Transaction<'_>, saga: &Saga, at: Timestamp, event: Event) {
    let account: Option<AccountName> = saga.account.as_ref().or(saga.pin.as_ref()).cloned();
    let chat = saga.chat_id.map(ChatRef::Id).or_else(|| saga.task.chat().cloned());
    transaction.tell(NewEvent { at, account, chat: chat.map(|chat| chat.to_string()), event });
}

//! Taking messages in: once for each key, on disk before it is said, and begun in the same write where nothing is in the way.

use domain::message::{MessageState, OutboundMessage, Part, PartState};
use domain::timeline::{Entry, Step};
use domain::{Address, ChatRef, MessageId, Service};
use store::{Accept, Accepted, Binding, Caller, LaneKey, Queue, SameBy, StoreError};

use crate::decide::{self, Choice};
use crate::durability::Fate;
use crate::lanes::{LaneId, LaneTarget, NoneStored};
use crate::pace::Slot;
use crate::sender::{Candidates, Query};
use crate::submission::{self, How, Submission, SubmitError, Submitted};
use crate::{Delivery, Inner, due_since, durability, log_events, query, service, worker};

impl Delivery {
    /// Accepts a message: when this returns `New`, it is on disk and will be carried.
    ///
    /// # Errors
    /// See [`SubmitError`]; nothing was accepted then, unless it is [`SubmitError::OutcomeUnknown`].
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        self.submit_then(submission, |submitted| submitted).await?
    }

    /// Accepts a message and hands the result to `then`, even if its caller goes away meanwhile.
    ///
    /// # Errors
    /// The program ends before the store has answered.
    pub fn submit_then<T, F>(
        &self,
        submission: Submission,
        then: F,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(Result<Submitted, SubmitError>) -> T + Send + 'static,
    {
        let delivery = self.clone();
        self.to_the_end(async move { then(delivery.accept(submission).await) })
    }

    /// What a key stands for already; `None` when it is free. For callers who may not submit any more what they once
    /// did, such as a message whose time is over.
    ///
    /// # Errors
    /// [`SubmitError::Conflict`] when it stands for another request, and when the store cannot be read.
    pub async fn repeated(&self, key: store::Idempotency) -> Result<Option<Submitted>, SubmitError> {
        let now = self.0.ambient.clock.now();
        match self.0.store.outbox().keyed(key, now).await? {
            Some(Accepted::Repeated(id)) => {
                self.note_joined(id, key.same_by.words()).await;
                Ok(Some(Submitted { id, how: How::Replayed }))
            }
            Some(Accepted::Conflict) => Err(SubmitError::Conflict),
            _ => Ok(None),
        }
    }

    /// The message that the same body would join now, if no one has its answer; `None` when it would be a message of its
    /// own. For callers for whom the making of a submission costs much, such as one that fetches files first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn joined(&self, join: store::Join) -> Result<Option<Submitted>, SubmitError> {
        let now = self.0.ambient.clock.now();
        let Some(id) = self.0.store.outbox().joined(join, now).await? else { return Ok(None) };
        self.note_joined(id, "with the same body").await;
        Ok(Some(Submitted { id, how: How::Joined }))
    }

    async fn accept(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        let key = submission.idempotency;
        let taken = self.take_in(submission).await;
        let is_conflict = |error: &SubmitError| matches!(error, SubmitError::Conflict);
        durability::unless_repeated(taken, key.map(|key| self.repeated(key)), is_conflict).await
    }

    async fn take_in(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        let inner = &self.0;
        let submission = Submission { chat: submission.chat.clone().in_one_form()?, ..submission };
        if inner.closing.is_cancelled() {
            return Err(SubmitError::ShuttingDown);
        }
        if let Some(pin) = submission.pin.as_ref().filter(|pin| !inner.sender.knows(pin)) {
            return Err(SubmitError::UnknownAccount(pin.clone()));
        }
        if !inner.sender.serves(&submission.chat) {
            return Err(SubmitError::NotServed(submission.chat));
        }
        let same_by = submission.idempotency.map_or(SameBy::Key, |key| key.same_by);
        let capabilities = inner.sender.capabilities(&submission.chat);
        let mut accept = submission::build(submission, &capabilities, &inner.ambient)?;
        let message = &mut accept.message;
        let id = message.id;
        // Behind others that wait under the name, or under the id of a basic group that has become a supergroup, it
        // takes the same path as they, or it would pass them.
        message.address = match &message.chat {
            chat if !self.lanes().lead_to(chat) => inner.sender.locate(chat),
            chat => Address::written(chat),
        };
        let query = query(message);
        let candidates = inner.sender.candidates_now(&query);
        let scope = store::QuotaScope {
            queue: queue(message, candidates.as_ref()),
            caller: Caller::of(&accept.origin),
            service: Service::sending_to(&message.chat, !message.content.media.is_empty()),
        };
        let scheduled = message.state == MessageState::Scheduled;
        inner.counts.accept(&scope, scheduled, inner.limits().quotas)?;
        let none_stored = self.none_stored(message).await;
        let reserved = candidates.and_then(|candidates| {
            self.begin_at_acceptance(message, &query, &candidates, &scope, none_stored)
        });
        accept.queue = scope.queue.clone();
        let mut message = message.clone();
        let listener = accept.origin.listener.clone();
        inner.waiters.begin(id, scope.clone());
        let queued = if reserved.is_some() { not_begun(&accept) } else { None };
        let mut reserved = reserved;
        let mut answer = inner.store.outbox().accept(accept).await;
        if let (Err(StoreError::FirstContacts { .. }), Some(queued)) = (&answer, queued) {
            // Its lane finds another account, or waits for this one.
            self.start_new(reserved.take().map(|(lane, ..)| lane));
            message = queued.message.clone();
            answer = inner.store.outbox().accept(queued).await;
        }
        let unknown = SubmitError::OutcomeUnknown { id };
        let accepted = durability::answer_or_fate(answer, &id, self.fate(id), unknown).await;
        let other = match accepted.map(|answer| answer.unwrap_or(Accepted::New)) {
            Ok(Accepted::New) => {
                inner.metrics.accepted();
                log_events::accepted(&message, &listener);
                match reserved {
                    Some((lane, slot, binding)) => {
                        inner.waiters.set_due(
                            id,
                            due_since(&message),
                            service(&message),
                            message.pin.clone(),
                        );
                        self.start(lane, Some(worker::first_job(message, slot, binding)));
                    }
                    // No one waits for a person: its callers hear at once that it is accepted.
                    None if message.state == MessageState::AwaitingApproval => {
                        inner.waiters.abandon(id);
                        inner.counts.end(&scope, scheduled);
                    }
                    None => self.enqueue(message, &scope, none_stored),
                }
                return Ok(Submitted { id, how: How::New });
            }
            Ok(Accepted::Repeated(other)) => {
                self.note_joined(other, same_by.words()).await;
                Ok(Submitted { id: other, how: How::Replayed })
            }
            Ok(Accepted::Joined(other)) => {
                self.note_joined(other, "with the same body").await;
                Ok(Submitted { id: other, how: How::Joined })
            }
            Ok(Accepted::Conflict) => Err(SubmitError::Conflict),
            Err(not_accepted) => Err(not_accepted),
        };
        inner.waiters.abandon(id);
        inner.counts.end(&scope, scheduled);
        // The one who queued up behind it goes on.
        self.start_new(reserved.map(|(lane, ..)| lane));
        other
    }

    async fn note_joined(&self, id: MessageId, how: &str) {
        log_events::joined(id, how);
        let at = self.0.ambient.clock.now();
        let detail = Some(how.to_owned());
        let entry = Entry { at, step: Step::Joined, part: None, account: None, outcome: None, detail };
        if let Err(error) = self.0.store.outbox().note(id, entry).await {
            tracing::warn!(subject = %id, %error, "a step could not be written into the timeline");
        }
    }

    async fn fate(&self, id: MessageId) -> Fate {
        let Inner { store, ambient, closing, .. } = &*self.0;
        let why = Some("the store was late to accept it".to_owned());
        let outbox = store.outbox();
        let cancel = || outbox.cancel(id, ambient.clock.now(), why.clone());
        let fate = durability::fate(ambient, closing, &id, cancel).await;
        if fate == Fate::NotAccepted {
            self.answered(id).await;
        }
        fate
    }

    /// Notes that a caller without a key got its answer, so that the same body is a new message from now on.
    pub async fn answered(&self, id: MessageId) {
        if let Err(error) = self.0.store.outbox().answered(id).await {
            tracing::warn!(subject = %id, %error, "the note that a caller was answered could not be stored");
        }
    }

    /// Notes that a caller without a key is gone or was left in doubt, so that the same body joins the message from now
    /// on. Tries until it is stored: without the note a repeat would be sent as a message of its own.
    pub async fn unanswered(&self, id: MessageId) {
        let Inner { store, ambient, closing, .. } = &*self.0;
        let outbox = store.outbox();
        durability::unanswered(ambient, closing, &id, || outbox.unanswered(id)).await;
    }

    /// Whether the store has none of the messages of a lane that is not open.
    async fn none_stored(&self, message: &OutboundMessage) -> NoneStored {
        let none_stored = self.lanes().ask_store(&message.place(), message.pin.as_ref());
        if none_stored.is_some() {
            let names = vec![message.chat.clone()];
            let key = LaneKey { chat_id: message.chat_id(), names, pin: message.pin.clone() };
            if self.0.store.outbox().waits_in(key).await.unwrap_or(true) {
                return None;
            }
        }
        none_stored
    }

    /// Whether the message can go to its account in the same write that accepts it: one write to disk instead of two.
    /// Only when nothing waits for its chat and an account is ready; opens the lane then.
    fn begin_at_acceptance(
        &self,
        message: &mut OutboundMessage,
        query: &Query,
        candidates: &Candidates,
        scope: &store::QuotaScope,
        none_stored: NoneStored,
    ) -> Option<(LaneId, Option<Slot>, Binding)> {
        let address = message.address.clone()?;
        // Media have to be prepared first, which may take long and is no promise to anybody.
        if message.state != MessageState::Queued || message.parts.first().is_none_or(Part::is_media) {
            return None;
        }
        let Choice::Go(account) = decide::choose(candidates, Some(&query.chat), &[], None, false) else {
            return None;
        };
        // What is said about another route than the first one goes with a write of its own.
        let is_elsewhere = candidates.address.as_ref().is_some_and(|other| *other != address);
        let stands_in = message.pin.is_none() && decide::failover(candidates, &[], &account, None).is_some();
        if is_elsewhere || stands_in || candidates.lost {
            return None;
        }
        let slot = self.admit(&account).ok()?;
        let binding = decide::binding(&address, message.pin.as_ref(), candidates);
        let (chat, named) = (address.into(), message.chat.clone());
        let at = LaneTarget { chat, named, queue: scope.queue.clone() };
        let lane = self.lanes().reserve(&at, message.pin.as_ref(), none_stored)?;
        message.account = Some(account);
        message.state = MessageState::Sending;
        message.parts[0].state = PartState::Begun;
        Some((lane, slot, binding))
    }
}

/// The same message with nothing begun, where it is for a person: the account may have no first contact left.
fn not_begun(accept: &Accept) -> Option<Accept> {
    let mut accept = Some(accept).filter(|accept| accept.message.is_for_a_person())?.clone();
    accept.message.account = None;
    accept.message.state = MessageState::Queued;
    accept.message.parts.iter_mut().for_each(|part| part.state = PartState::Waiting);
    Some(accept)
}

/// Whose queue a message waits in: that of the account it is pinned to, else of its channel's, else of the first choice for
/// its chat.
fn queue(message: &OutboundMessage, candidates: Option<&Candidates>) -> Queue {
    let first = || candidates.and_then(|candidates| candidates.preferred.clone());
    match (&message.pin, &message.chat) {
        (Some(pin), _) => Queue::Pinned(pin.clone()),
        (None, ChatRef::Channel(chat)) => Queue::Account(chat.account.clone()),
        (None, ChatRef::Id(_) | ChatRef::Username(_)) => first().map_or(Queue::Pool, Queue::Account),
    }
}

//! The way of a message from its acceptance to its outcome: outbox, lanes, attempts, doubt.
//!
//! A message is on disk before [`Delivery::submit`] returns. From then on its lane carries it, part by part, through a
//! [`Sender`]; each step is written to the store before and after it happens, so that a crash at any instant resumes at
//! the first unfinished part, with the same `random_id`, through the same account.
//!
//! Work on chats (making, changing and leaving them) takes several calls without a `random_id`: [`Sagas`] carries it
//! step by step through [`Steps`].

mod attempt;
mod begin;
mod decide;
mod evidence;
mod lanes;
mod live;
mod persist;
mod plan;
mod prepare;
mod promise;
pub mod saga;
mod schedule;
pub mod sender;
pub mod steps;
mod submission;
pub mod tally;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ambient::{Chance, Clock, Ids};
use domain::message::{MessageState, OutboundMessage, Part, PartState};
use domain::timeline::{Entry, Step};
use domain::{ChatRef, MessageId, Purpose, Timestamp};
use store::{Accepted, Resolution, Store, StoreError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use plan::MOST_MEDIA;
pub use saga::{SagaChanged, SagaError, SagaLimits, SagaSubmitted, Sagas, TaskSubmission};
pub use sender::{Attempt, Candidate, Candidates, Found, Query, Readiness, Sender, Testimony, Why};
pub use steps::{Call, FoundChat, Steps};
pub use submission::{Change, How, Submission, SubmitError, Submitted};

use decide::Choice;
use lanes::{Job, LaneId, Lanes};
use live::Live;
use promise::Fate;
use schedule::Schedule;
use tally::{MessagesCounted, Tally};
use worker::Load;

/// Time, ids and chance, as the delivery uses them.
#[derive(Clone)]
pub struct Ambient {
    /// What time it is.
    pub clock: Clock,
    /// Ids of messages.
    pub ids: Ids,
    /// `random_id`s and jitter.
    pub chance: Chance,
}

/// How much the delivery holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages that are not finished, at most; over it [`SubmitError::TooMany`].
    pub queued: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queued: 100_000 }
    }
}

/// Carries messages. Cheap to clone.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    store: Store,
    sender: Arc<dyn Sender>,
    ambient: Ambient,
    limits: Limits,
    lanes: Mutex<Lanes<Box<Load>>>,
    live: Live<MessageId, OutboundMessage>,
    schedule: Schedule,
    tally: Tally,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Delivery {
    /// A delivery over this store and this way out. Nothing moves before [`Delivery::resume`] or the first message.
    pub fn new(store: Store, sender: Arc<dyn Sender>, ambient: Ambient, limits: Limits) -> Self {
        let delivery = Self(Arc::new(Inner {
            store,
            sender,
            ambient,
            limits,
            lanes: Mutex::default(),
            live: Live::default(),
            schedule: Schedule::default(),
            tally: Tally::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }));
        delivery.0.tasks.spawn(schedule::run(delivery.clone()));
        delivery.0.tasks.spawn(evidence::run(delivery.clone()));
        delivery
    }

    /// Takes up what an earlier run left unfinished; call it once, before the first [`Delivery::submit`]. Tells how many.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn resume(&self) -> Result<usize, StoreError> {
        let mut resumed = 0;
        let mut after = None;
        loop {
            let page = self.0.store.outbox().unfinished(after, 500).await?;
            let Some(last) = page.last() else { return Ok(resumed) };
            after = Some(last.id);
            // A clock that was set back must not put new messages before those that wait.
            self.0.ambient.ids.follow(*last.id.as_uuid());
            for message in page {
                resumed += 1;
                self.0.tally.resumed();
                self.0.live.begin(message.id);
                self.enqueue(message);
            }
        }
    }

    /// Accepts a message: when this returns `New`, it is on disk and will be carried.
    ///
    /// # Errors
    /// See [`SubmitError`]; nothing was accepted then, unless it is [`SubmitError::NotKnown`].
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        let delivery = self.clone();
        self.to_the_end(async move { delivery.accept(submission).await }).await?
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
                self.note_joined(id, "with the same Idempotency-Key").await;
                Ok(Some(Submitted { id, how: How::Replayed }))
            }
            Some(Accepted::Conflict) => Err(SubmitError::Conflict),
            _ => Ok(None),
        }
    }

    /// The message that the same body would join now, if nobody has its answer; `None` when it would be a message of its
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
        let is_conflict = |error: &SubmitError| matches!(error, SubmitError::Conflict);
        match self.take_in(submission).await {
            Err(refused) if !is_conflict(&refused) => {
                promise::unless_repeated(refused, key.map(|key| self.repeated(key)), is_conflict).await
            }
            taken => taken,
        }
    }

    async fn take_in(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        let inner = &self.0;
        if inner.closing.is_cancelled() {
            return Err(SubmitError::ShuttingDown);
        }
        if let Some(pin) = submission.pin.as_ref().filter(|pin| !inner.sender.knows(pin)) {
            return Err(SubmitError::UnknownAccount(pin.clone()));
        }
        let queued = inner.live.len();
        if queued >= inner.limits.queued {
            return Err(SubmitError::TooMany { queued });
        }
        let mut accept = submission::build(submission, &inner.ambient)?;
        let message = &mut accept.message;
        let id = message.id;
        // Behind others that wait under the name, or under the id of a basic group that has become a supergroup, it
        // takes the same way as they, or it would pass them.
        message.chat_id = match &message.chat {
            chat if !self.lanes().lead_to(chat) => inner.sender.locate(chat),
            ChatRef::Id(chat_id) => Some(*chat_id),
            ChatRef::Username(_) => None,
        };
        let reserved = self.begin_at_acceptance(message);
        let message = message.clone();
        inner.live.begin(id);
        let accepted = match inner.store.outbox().accept(accept).await {
            Ok(accepted) => accepted,
            Err(StoreError::Unavailable(why)) => match self.fate(id).await {
                Fate::Accepted => {
                    tracing::warn!(message = %id, why, "accepted, though the store was late to say so");
                    Accepted::New
                }
                fate => {
                    inner.live.abandon(id);
                    self.release(reserved);
                    return Err(match fate {
                        Fate::NotKnown => SubmitError::NotKnown { id },
                        Fate::Accepted | Fate::NotAccepted => StoreError::Unavailable(why).into(),
                    });
                }
            },
            Err(error) => {
                inner.live.abandon(id);
                self.release(reserved);
                return Err(error.into());
            }
        };
        let other = match accepted {
            Accepted::New => {
                inner.tally.accepted();
                match reserved {
                    Some(lane) => self.start(lane, Some(worker::first_job(message))),
                    None => self.enqueue(message),
                }
                return Ok(Submitted { id, how: How::New });
            }
            Accepted::Repeated(other) => {
                self.note_joined(other, "with the same Idempotency-Key").await;
                Ok(Submitted { id: other, how: How::Replayed })
            }
            Accepted::Joined(other) => {
                self.note_joined(other, "with the same body").await;
                Ok(Submitted { id: other, how: How::Joined })
            }
            Accepted::Conflict => Err(SubmitError::Conflict),
        };
        inner.live.abandon(id);
        self.release(reserved);
        other
    }

    async fn note_joined(&self, id: MessageId, how: &str) {
        let at = self.0.ambient.clock.now();
        let detail = Some(how.to_owned());
        let entry = Entry { at, step: Step::Joined, part: None, account: None, outcome: None, detail };
        if let Err(error) = self.0.store.outbox().note(id, entry).await {
            tracing::warn!(message = %id, %error, "a step could not be written into the timeline");
        }
    }

    async fn fate(&self, id: MessageId) -> Fate {
        let Inner { store, ambient, closing, .. } = &*self.0;
        let why = Some("the store was late to accept it".to_owned());
        let outbox = store.outbox();
        promise::fate(ambient, closing, &id, || outbox.cancel(id, ambient.clock.now(), why.clone())).await
    }

    /// Waits until a message is final, at most `limit`, and tells its state then; `None` if there is no such message.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn settled(
        &self,
        id: MessageId,
        limit: Duration,
    ) -> Result<Option<OutboundMessage>, StoreError> {
        if let Some(waiting) = self.0.live.wait(id)
            && let Ok(Ok(message)) = self.0.ambient.clock.timeout(limit, waiting).await
        {
            return Ok(Some(*message));
        }
        self.get(id).await
    }

    /// A message as it is now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self, id: MessageId) -> Result<Option<OutboundMessage>, StoreError> {
        self.0.store.outbox().get(id).await
    }

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
        let done = self.0.store.outbox().cancel(id, now, detail).await?;
        let Some(message) = self.get(id).await? else { return Ok(Change::NoSuchMessage) };
        if !done {
            return Ok(Change::Refused(Box::new(message)));
        }
        self.0.schedule.remove(id);
        // Whoever holds it at this moment finds out from the store; whoever waits for its turn never gets one.
        let chats = [Some(message.chat.clone()), message.chat_id.map(ChatRef::Id)];
        for chat in chats.into_iter().flatten() {
            self.lanes().remove(&chat, id);
        }
        if message.state.is_final() {
            self.end(&message);
        }
        // A retry between the write and the removal would have lost its place.
        let now = self.get(id).await?;
        if let Some(again) = now.filter(|now| waits(now.state)) {
            self.0.live.begin(id);
            self.enqueue(again);
        }
        Ok(Change::Done(Box::new(message)))
    }

    /// Sends a failed or cancelled message again; its unsent parts keep their `random_id`s.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn retry(&self, id: MessageId) -> Result<Change, StoreError> {
        let delivery = self.clone();
        self.to_the_end(async move {
            let done = delivery.0.store.outbox().retry(id, delivery.0.ambient.clock.now()).await?;
            delivery.back_in_line(id, done).await
        })
        .await?
    }

    /// Ends a doubt by a person's word.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn resolve(&self, id: MessageId, resolution: Resolution) -> Result<Change, StoreError> {
        let delivery = self.clone();
        self.to_the_end(async move {
            let now = delivery.0.ambient.clock.now();
            let done = delivery.0.store.outbox().resolve(id, resolution, now).await?;
            delivery.back_in_line(id, done).await
        })
        .await?
    }

    async fn back_in_line(&self, id: MessageId, done: bool) -> Result<Change, StoreError> {
        let Some(message) = self.get(id).await? else { return Ok(Change::NoSuchMessage) };
        if !done {
            return Ok(Change::Refused(Box::new(message)));
        }
        // Sending: whoever held it through the cancel has it already, and a second job would not ask the store again.
        if waits(message.state) {
            self.0.live.begin(id);
            self.enqueue(message.clone());
        }
        Ok(Change::Done(Box::new(message)))
    }

    /// Puts a message in line that waits in the store and in no lane.
    async fn take_up(&self, id: MessageId) -> Result<(), StoreError> {
        if let Some(message) = self.get(id).await?.filter(|message| message.state == MessageState::Queued) {
            self.0.live.begin(id);
            self.enqueue(message);
        }
        Ok(())
    }

    /// Until when every account that could carry a message is held back, if that is what it waits for.
    pub fn held_until(&self, id: MessageId) -> Option<Timestamp> {
        self.0.live.held_until(id)
    }

    /// Notes that a caller without a key got its answer, so that the same body is a new message from now on.
    pub async fn answered(&self, id: MessageId) {
        if let Err(error) = self.0.store.outbox().answered(id).await {
            tracing::warn!(message = %id, %error, "the note that a caller was answered could not be stored");
        }
    }

    /// Notes that a caller without a key is gone or was left in doubt, so that the same body joins the message from now
    /// on. Tries until it is stored: without the note a repeat would be sent as a message of its own.
    pub async fn unanswered(&self, id: MessageId) {
        let Inner { store, ambient, closing, .. } = &*self.0;
        let outbox = store.outbox();
        promise::unanswered(ambient, closing, &id, || outbox.unanswered(id)).await;
    }

    /// What came of messages since the start.
    pub fn counted(&self) -> MessagesCounted {
        self.0.tally.counted()
    }

    /// Tells whoever waits that a message is final; the store has it already.
    fn end(&self, message: &OutboundMessage) {
        self.0.live.finish(message.id, message, |message| self.0.tally.ended(message));
    }

    /// Notes how long a message took that is sent now.
    fn note_times(&self, load: &Load) {
        let message = &load.message;
        let begun = message.send_at.map_or(message.created_at, |at| at.max(message.created_at));
        self.0.tally.sent_after(self.0.ambient.clock.now().since(begun), load.on_the_wire);
    }

    /// Messages that are not finished.
    pub fn queued(&self) -> usize {
        self.0.live.len()
    }

    /// Ends cleanly: nothing new is begun, what is on the wire is waited for, at most `limit`. The rest stays in the store.
    pub async fn drain(&self, limit: Duration) {
        self.0.closing.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.0.live.len(), "still on the wire; the next start takes it up");
        }
    }

    fn to_the_end<T, F>(&self, change: F) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        promise::to_the_end(&self.0.tasks, change)
    }

    /// Whether the message can go to its account in the same write that accepts it: one write to disk instead of two.
    /// Only when nothing waits for its chat and an account is ready; opens the lane then.
    fn begin_at_acceptance(&self, message: &mut OutboundMessage) -> Option<LaneId> {
        let chat_id = message.chat_id?;
        // Media have to be prepared first, which may take long and is no promise to anybody.
        if message.state != MessageState::Queued || message.parts.first().is_none_or(Part::is_media) {
            return None;
        }
        let query = query(message);
        let candidates = self.0.sender.candidates_now(&query)?;
        let Choice::Go(account) = decide::choose(&candidates, Some(&query.chat), &[], None, false) else {
            return None;
        };
        // What is said about another way than the first one goes with a write of its own.
        let is_elsewhere = candidates.chat_id.is_some_and(|other| other != chat_id);
        let stands_in = message.pin.is_none() && decide::failover(&candidates, &[], &account).is_some();
        if is_elsewhere || stands_in || candidates.lost {
            return None;
        }
        let lane = self.lanes().reserve(&ChatRef::Id(chat_id), message.pin.as_ref(), account.clone())?;
        message.account = Some(account);
        message.state = MessageState::Sending;
        message.parts[0].state = PartState::Begun;
        Some(lane)
    }

    /// Puts an accepted message in its lane, or in the schedule if its time has not come.
    fn enqueue(&self, message: OutboundMessage) {
        if message.state == MessageState::Scheduled
            && let Some(at) = message.send_at.filter(|at| *at > self.0.ambient.clock.now())
        {
            self.0.schedule.add(at, message);
            return;
        }
        let chat = message.chat_id.map_or_else(|| message.chat.clone(), ChatRef::Id);
        let through = message.in_flight().then(|| message.account.clone()).flatten();
        let (id, pin) = (message.id, message.pin.clone());
        let job = Job { id, pin, through, load: Box::new(Load::new(message)) };
        let lane = self.lanes().push(&chat, job);
        if let Some(lane) = lane {
            self.start(lane, None);
        }
    }

    fn start(&self, lane: LaneId, first: Option<Job<Box<Load>>>) {
        self.0.tasks.spawn(worker::run(self.clone(), lane, first));
    }

    /// A reserved lane whose first message was not accepted: whoever queued up behind it goes on.
    fn release(&self, reserved: Option<LaneId>) {
        if let Some(lane) = reserved {
            self.start(lane, None);
        }
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, Lanes<Box<Load>>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a message waits for its turn or its time, in nobody's hands.
fn waits(state: MessageState) -> bool {
    matches!(state, MessageState::Queued | MessageState::Scheduled)
}

fn query(message: &OutboundMessage) -> Query {
    Query {
        chat: message.chat_id.map_or_else(|| message.chat.clone(), ChatRef::Id),
        pin: message.pin.clone(),
        purpose: purpose(message),
    }
}

/// What the session must be for that carries the next part.
fn purpose(message: &OutboundMessage) -> Purpose {
    let carries_media = match message.next_part() {
        Some(part) => part.is_media(),
        // Not planned before its mention is known; the media go first.
        None => !message.content.media.is_empty(),
    };
    if carries_media { Purpose::SendMedia } else { Purpose::SendText }
}

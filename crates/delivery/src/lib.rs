//! The path of a message from its acceptance to its outcome: outbox, lanes, attempts, doubt.
//!
//! A message is on disk before [`Delivery::submit`] returns. From then on its lane carries it, part by part, through a
//! [`Sender`]; each step is written to the store before and after it happens, so that a crash at any instant resumes at
//! the first unfinished part, with the same `random_id`, through the same account.
//!
//! Work on chats (making, changing and leaving them) takes several calls without a `random_id`: [`Sagas`] carries it
//! step by step through [`Steps`].

mod acceptance;
mod attempt;
mod backlog;
mod begin;
mod capabilities;
mod decide;
#[cfg(test)]
mod decide_tests;
mod durability;
mod ending;
mod evidence;
mod intervention;
mod lanes;
mod log_events;
mod media_released;
pub mod metrics;
pub mod pace;
mod persist;
mod plan;
mod prepare;
mod queueing;
mod receipts;
pub mod saga;
mod schedule;
pub mod sender;
mod senders;
pub mod steps;
mod submission;
mod waiters;
mod waiting;
mod watchdog;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ambient::{Chance, Clock, Handle, Ids};
use domain::message::{MessageState, OutboundMessage};
use domain::outcome::Failure;
use domain::timeline::Entry;
use domain::{AccountName, ChatRef, MessageId, Service, Timestamp};
use store::{QuotaScope, Store, StoreError};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use capabilities::{Action, Album, Capabilities, Dedup, MediaKind, NotCarried};
pub use ending::Settled;
pub use lanes::Window;
pub use plan::MOST_MEDIA;
pub use saga::{SagaChanged, SagaError, SagaLimits, SagaSubmitted, Sagas, TaskSubmission};
pub use sender::{
    Attempt, Candidate, Candidates, Evidence, MessageLookup, Query, Readiness, RefusalKind, Sender,
};
pub use senders::{Senders, SharedName};
pub use steps::{Call, ChatLookup, Steps};
pub use submission::{Change, Full, How, Submission, SubmitError, Submitted, takes_files};
pub use waiting::Quotas;
pub use watchdog::Unbegun;

use lanes::{LaneId, Lanes};
use media_released::MediaReleased;
use metrics::{MessageMetrics, MessagesCounted};
use schedule::Schedule;
use waiters::Waiters;
pub use waiters::{Due, InHand};
use waiting::WaitingCounts;
use watchdog::Watchdog;
use worker::{InFlight, Payload};

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

/// How much the delivery holds, and how long it tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages that are not finished, at most; over it [`SubmitError::TooMany`].
    pub quotas: Quotas,
    /// How many of them memory holds.
    pub window: Window,
    /// How long a part is tried of which it is not known what came of it. After that a look at the chat decides.
    pub give_up_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quotas: Quotas { account: 100_000, caller: 100_000 },
            window: Window { queue: 1_000, lane: 16 },
            give_up_after: Duration::from_mins(10),
        }
    }
}

/// Carries messages. Cheap to clone.
#[derive(Clone)]
pub struct Delivery(Handle<Inner>);

struct Inner {
    store: Store,
    sender: Arc<dyn Sender>,
    ambient: Ambient,
    limits: RwLock<Limits>,
    lanes: Mutex<Lanes<Payload>>,
    waiters: Waiters<MessageId, Settled, QuotaScope>,
    counts: WaitingCounts,
    schedule: Schedule,
    /// Wakes the reader of what the store has beyond the window.
    backlog: Notify,
    watchdog: Watchdog<LaneId>,
    metrics: MessageMetrics,
    media_released: MediaReleased,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Inner {
    fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delivery {
    /// A delivery over this store and this sender. Nothing moves before [`Delivery::resume`] or the first message.
    pub fn new(store: Store, sender: Arc<dyn Sender>, ambient: Ambient, limits: Limits) -> Self {
        let delivery = Self(Handle::new(Inner {
            store,
            sender,
            ambient,
            limits: RwLock::new(limits),
            lanes: Mutex::new(Lanes::new(limits.window)),
            waiters: Waiters::default(),
            counts: WaitingCounts::default(),
            schedule: Schedule::default(),
            backlog: Notify::new(),
            watchdog: Watchdog::default(),
            metrics: MessageMetrics::default(),
            media_released: MediaReleased::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }));
        delivery.0.tasks.spawn(schedule::run(delivery.clone()));
        delivery.0.tasks.spawn(backlog::run(delivery.clone()));
        delivery.0.tasks.spawn(evidence::run(delivery.clone()));
        delivery
    }

    /// Takes up what an earlier run left unfinished; call it once, before the first [`Delivery::submit`]. Returns how many.
    /// What was under way is read now; of what waits only the count, and the messages as there is room for them.
    ///
    /// A message that cannot be read is taken up once it can, and those behind it in its lane wait for it. Only one whose
    /// chat or pin cannot be read either holds no lane: nothing says which.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn resume(&self) -> Result<usize, StoreError> {
        let outbox = self.0.store.outbox();
        if let Some(last) = outbox.last_id().await? {
            // A clock that was set back must not put new messages before those that wait.
            self.0.ambient.ids.follow(*last.as_uuid());
        }
        for (account, parts) in self.0.store.sent_counts().begun().await? {
            if let Some(pace) = self.0.sender.pace(&account) {
                pace.resume(parts);
            }
        }
        for waiting in outbox.count_waiting().await? {
            self.0.counts.resume(&waiting);
            if !waiting.scheduled {
                self.lanes().resume(&waiting.place.queue);
            }
        }
        let mut after = None;
        loop {
            let page = outbox.under_way(after, 500).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for id in page {
                self.take_up_again(id).await?;
            }
        }
        self.lanes().resumed();
        let resumed = self.0.counts.all();
        self.0.metrics.resumed(resumed);
        self.0.schedule.resume(outbox).await?;
        self.0.backlog.notify_one();
        Ok(resumed)
    }

    /// A message once it is final or waits for a person, or after `limit`; `None` if there is no such message.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn settled(
        &self,
        id: MessageId,
        limit: Duration,
    ) -> Result<Option<OutboundMessage>, StoreError> {
        Ok(self.settled_with_attempt(id, limit).await?.map(|settled| settled.message))
    }

    /// The same with the attempt that sent it, where it had no other.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn settled_with_attempt(
        &self,
        id: MessageId,
        limit: Duration,
    ) -> Result<Option<Settled>, StoreError> {
        let stored = |message: Option<OutboundMessage>| message.map(Settled::from);
        let (ended, is_here) = self.0.waiters.listen(id);
        if !is_here {
            let now = self.get(id).await;
            if !now.as_ref().is_ok_and(|now| now.as_ref().is_some_and(may_end_soon)) {
                drop(ended);
                self.0.waiters.stop_listening(id);
                return now.map(stored);
            }
        }
        if let Ok(Ok(settled)) = self.0.ambient.clock.timeout(limit, ended).await {
            return Ok(Some(*settled));
        }
        self.0.waiters.stop_listening(id);
        self.get(id).await.map(stored)
    }

    /// A message as it is now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self, id: MessageId) -> Result<Option<OutboundMessage>, StoreError> {
        self.0.store.outbox().get(id).await
    }

    /// Until when every account that could carry a message is held back, if that is what it waits for.
    pub fn held_until(&self, id: MessageId) -> Option<Timestamp> {
        self.0.waiters.held_until(id)
    }

    /// Until when a message is tried of which it is not known whether it arrived, if that is so.
    pub fn gives_up_at(&self, id: MessageId) -> Option<Timestamp> {
        self.0.waiters.gives_up_at(id)
    }

    /// The same for a message that waits behind others of its chat: until when the first of them is held back.
    pub fn held_behind(&self, message: &OutboundMessage) -> Option<Timestamp> {
        let known = self.0.sender.locate(&message.chat).map(ChatRef::from);
        let lanes = self.lanes();
        let held_until = |chat: ChatRef| lanes.held_until(&chat, message.pin.as_ref(), message.id);
        [message.place(), message.chat.clone()].into_iter().chain(known).find_map(held_until)
    }

    /// Whether no account finds a chat, as sending there would say. For callers that ask for what costs much first.
    pub async fn has_no_account_for(
        &self,
        chat: &ChatRef,
        pin: Option<&AccountName>,
        service: Service,
    ) -> bool {
        let query = Query { chat: chat.clone(), pin: pin.cloned(), service: Some(service) };
        let candidates = self.candidates(&query).await;
        let chosen = decide::choose(&candidates, Some(chat), &[], None, false);
        matches!(chosen, decide::Choice::Fail(Failure::ChatNotFound { .. }))
    }

    /// Where a chat is and who could carry a message there, asking the provider where memory does not know it.
    pub async fn candidates(&self, query: &Query) -> Candidates {
        match self.0.sender.candidates_now(query) {
            Some(candidates) => candidates,
            None => self.0.sender.candidates(query).await,
        }
    }

    /// What can be carried into a chat.
    pub fn capabilities(&self, chat: &ChatRef) -> Capabilities {
        self.0.sender.capabilities(chat)
    }

    /// What came of messages since the start.
    pub fn counted(&self) -> MessagesCounted {
        self.0.metrics.counted()
    }

    /// Notifies callers that a message is final; the store has it already.
    fn end(&self, message: &OutboundMessage, only_attempt: Option<&Entry>) {
        let count = |scope| {
            // A cancel counts where it is made, whether memory has the message or not.
            if message.state != MessageState::Cancelled {
                self.0.metrics.ended(message);
                self.0.counts.end(&scope, false);
            }
        };
        let settled = || Settled { message: message.clone(), only_attempt: only_attempt.cloned() };
        self.0.waiters.finish(message.id, count, settled);
        self.0.media_released.tell(message);
    }

    /// Messages that were sent and whose files no one needs for them any more, as that happens. A listener that is slow
    /// misses some, and what ends while no one listens is announced to no one: it is for doing early what is done anyway.
    pub fn media_released(&self) -> broadcast::Receiver<MessageId> {
        self.0.media_released.listen()
    }

    /// Notes how long a message took that is sent now.
    fn note_times(&self, work: &InFlight) {
        let message = &work.message;
        self.0.metrics.sent_after(self.0.ambient.clock.now().since(due_since(message)), work.on_the_wire);
    }

    /// Messages that are not finished.
    pub fn queued(&self) -> usize {
        self.0.counts.all()
    }

    /// Messages that memory holds; the others wait in the store.
    pub fn in_memory(&self) -> usize {
        self.0.waiters.len()
    }

    /// Messages that could leave and have not, by service; those that wait for their time are left out.
    pub fn due(&self) -> Vec<Due> {
        let here = self.0.waiters.due();
        let counted = self.0.counts.due_by_service().into_iter().filter(|(_, count)| *count > 0);
        let due = |(service, count)| {
            // The oldest ones are read from the store first.
            let oldest = here.iter().find(|due| due.service == service).map(|due| due.oldest);
            Due { service, count, oldest: oldest.unwrap_or_else(|| self.0.ambient.clock.now()) }
        };
        counted.map(due).collect()
    }

    /// How many of them wait for one account and no other, by account.
    pub fn due_of_accounts(&self) -> HashMap<AccountName, u64> {
        self.0.counts.due_of_accounts()
    }

    /// Messages that an account has and of which no result is known yet.
    pub fn in_hand(&self) -> Vec<InHand> {
        self.0.waiters.in_hand()
    }

    /// How much waits at most and how long is tried, from now on.
    pub fn limit(&self, quotas: Quotas, give_up_after: Duration) {
        let mut limits = self.0.limits.write().unwrap_or_else(PoisonError::into_inner);
        *limits = Limits { quotas, give_up_after, ..*limits };
    }

    /// Whether an account or a caller has no room for more.
    pub fn is_full(&self) -> bool {
        self.0.counts.is_full(self.0.limits().quotas)
    }

    /// Messages that nothing is waited for and that are not given to an account this very moment. One that is among
    /// them twice in a row, seconds apart, has a worker that stands still.
    pub fn unbegun(&self) -> Vec<Unbegun> {
        let mut unbegun = self.0.watchdog.unbegun();
        unbegun.extend(self.0.schedule.overdue(self.0.ambient.clock.now()));
        unbegun
    }

    /// Ends cleanly: nothing new is begun, what is on the wire is waited for, at most `limit`. The rest stays in the store.
    pub async fn drain(&self, limit: Duration) {
        if !durability::wound_up(&self.0.closing, &self.0.tasks, limit).await {
            tracing::warn!(left = self.0.waiters.len(), "still on the wire; the next start takes it up");
        }
    }

    /// A place for a part among what an account may send; none where nothing is limited.
    fn admit(&self, account: &AccountName) -> Result<Option<pace::Slot>, Timestamp> {
        self.0.sender.pace(account).map(|pace| pace.take()).transpose()
    }

    fn to_the_end<T, F>(&self, change: F) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        durability::to_the_end(&self.0.tasks, change)
    }
}

/// Whether waiting for its end makes sense: no one waits for a person.
fn may_end_soon(message: &OutboundMessage) -> bool {
    !message.state.is_final() && message.state != MessageState::AwaitingApproval
}

/// Since when a message could leave.
fn due_since(message: &OutboundMessage) -> Timestamp {
    message.send_at.map_or(message.created_at, |at| at.max(message.created_at))
}

fn query(message: &OutboundMessage) -> Query {
    Query { chat: message.place(), pin: message.pin.clone(), service: service(message) }
}

/// The service that carries the next part; none in a channel.
fn service(message: &OutboundMessage) -> Option<Service> {
    let carries_media = match message.next_part() {
        Some(part) => part.is_media(),
        // Not planned before its mention is known; the media go first.
        None => !message.content.media.is_empty(),
    };
    Service::sending_to(&message.chat, carries_media)
}

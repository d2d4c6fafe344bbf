//! A lane's worker: takes one message after the other and brings each to its end.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::message::{MessageState, OnFlood, OutboundMessage, Part, PartState};
use domain::outcome::{Failure, Refusal};
use domain::timeline::{Entry, Step};
use domain::{AccountName, ChatId, ChatKind, ChatRef, MessageId, Outcome, Timestamp};
use store::{Begin, Doubt, Fail, Hold, PartSent, PartUnsent, StoreError, Then};

use crate::decide::{self, Choice, Next, Pause};
use crate::lanes::{Job, LaneId, Seat};
use crate::sender::{Attempt, Why};
use crate::{Delivery, plan, query};

/// How long a store that does not answer is left alone before the same write is tried again.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// After a call that could not even be made, how long until the accounts are looked at again.
const UNAVAILABLE_PAUSE: Duration = Duration::from_millis(500);

/// A message in the hands of the delivery, and what this run knows about it beyond the store.
#[derive(Debug)]
pub(crate) struct Load {
    message: OutboundMessage,
    /// Accounts that refused it.
    tried: Vec<(Refusal, Why)>,
    /// An attempt of its begun part may have arrived.
    doubtful: bool,
    /// Attempts of the begun part without a result.
    attempts: u32,
    /// How often in a row the provider said that the same `random_id` is being handled.
    in_progress: u32,
    /// Taken up from an earlier run.
    resumed: bool,
    /// The deadline last written into the timeline, so that one wait is one line.
    noted_wait: Option<Option<Timestamp>>,
}

impl Load {
    pub(crate) fn new(message: OutboundMessage, resumed: bool) -> Self {
        // A part that an earlier run had begun may have been sent; only the provider knows.
        let doubtful = message.in_flight();
        Self { message, tried: Vec::new(), doubtful, attempts: 0, in_progress: 0, resumed, noted_wait: None }
    }
}

/// The first message of a lane that was opened for it, begun in the write that accepted it.
pub(crate) fn first_job(message: OutboundMessage) -> Job<Box<Load>> {
    let mut load = Load::new(message, false);
    load.doubtful = false;
    Job { id: load.message.id, pin: load.message.pin.clone(), load: Box::new(load) }
}

/// What became of a message in one go.
enum Carried {
    /// It is final; whoever waits was told.
    Finished,
    /// It stands in another lane now.
    Elsewhere,
    /// The program is ending, or the message is gone from the store.
    Dropped,
}

/// Runs a lane until it is empty or the delivery closes.
pub(crate) async fn run(delivery: Delivery, lane: LaneId, first: Option<Job<Box<Load>>>) {
    let mut next = first.or_else(|| delivery.lanes().take(lane));
    while let Some(job) = next {
        match (Walk { delivery: &delivery, lane }).carry(job).await {
            Carried::Finished | Carried::Elsewhere => {}
            Carried::Dropped if delivery.0.closing.is_cancelled() => return,
            Carried::Dropped => {}
        }
        next = delivery.lanes().take(lane);
    }
}

/// A worker at one place in its lane.
struct Walk<'a> {
    delivery: &'a Delivery,
    lane: LaneId,
}

/// The account and chat a part goes through.
struct Way {
    account: AccountName,
    chat_id: ChatId,
}

impl Walk<'_> {
    async fn carry(&self, mut job: Job<Box<Load>>) -> Carried {
        loop {
            let load = &mut job.load;
            let begun = load.message.parts.iter().position(|part| part.state == PartState::Begun);
            let (way, part) = match (begun, &load.message.account, load.message.chat_id) {
                (Some(part), Some(account), Some(chat_id)) => {
                    (Way { account: account.clone(), chat_id }, part)
                }
                _ => match self.begin(job).await {
                    Ok((begun, way, part)) => {
                        job = begun;
                        (way, part)
                    }
                    Err(carried) => return carried,
                },
            };
            match self.attempt(&mut job.load, &way, part).await {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(carried) => return carried,
            }
        }
    }

    // ---- before the wire -------------------------------------------------------------------------------------

    /// Finds an account for the next part and writes down that it has it.
    async fn begin(&self, mut job: Job<Box<Load>>) -> Result<(Job<Box<Load>>, Way, usize), Carried> {
        let inner = &self.delivery.0;
        loop {
            if inner.closing.is_cancelled() {
                return Err(Carried::Dropped);
            }
            let mut changes = inner.sender.changes();
            changes.mark_unchanged();
            let query = query(&job.load.message);
            let candidates = match inner.sender.candidates_now(&query) {
                Some(candidates) => candidates,
                None => inner.sender.candidates(&query).await,
            };
            if let Some(chat_id) = candidates.chat_id
                && job.load.message.chat_id.is_none()
            {
                job.load.message.chat_id = Some(chat_id);
                if matches!(query.chat, ChatRef::Username(_)) {
                    return Err(self.relocate(chat_id, job));
                }
            }
            let load = &mut job.load;
            let sent_by = load
                .message
                .parts
                .iter()
                .any(|part| part.state == PartState::Sent)
                .then_some(load.message.account.as_ref())
                .flatten();
            let fail_on_flood = load.message.on_flood == OnFlood::Fail;
            let account = match decide::choose(&candidates, &load.tried, sent_by, fail_on_flood) {
                Choice::Go(account) => account,
                Choice::Wait { until } => {
                    self.note_wait(load, until).await;
                    self.wait(until, &mut changes).await;
                    if self.is_over(&mut job.load).await {
                        return Err(Carried::Dropped);
                    }
                    continue;
                }
                Choice::Fail(failure) => return Err(self.fail(&mut load.message, failure).await),
            };
            let Some(chat_id) = load.message.chat_id.or(candidates.chat_id) else {
                let failure = Failure::ChatNotFound { asked: Vec::new() };
                return Err(self.fail(&mut load.message, failure).await);
            };
            // Bound to a value first: the lock must be gone before the next wait.
            let seat = self.delivery.lanes().sit(self.lane, &account, job);
            job = match seat {
                Seat::Moved => return Err(Carried::Elsewhere),
                Seat::Stay { job, split_off } => {
                    if let Some(lane) = split_off {
                        self.delivery.start(lane, None);
                    }
                    job
                }
            };
            let way = Way { account, chat_id };
            match self.write_begin(&mut job.load, &way).await {
                Ok(part) => return Ok((job, way, part)),
                Err(ControlFlow::Continue(())) => {}
                Err(ControlFlow::Break(carried)) => return Err(carried),
            }
        }
    }

    /// The write that must be on disk before anything goes to the wire.
    async fn write_begin(&self, load: &mut Load, way: &Way) -> Result<usize, ControlFlow<Carried>> {
        let inner = &self.delivery.0;
        let mut planned = None;
        if load.message.parts.is_empty() {
            let placed = inner.sender.place_mention(&way.account, way.chat_id, &load.message.content).await;
            match placed {
                Ok(text) => {
                    let parts = plan::parts(&text, || inner.ambient.chance.random_id());
                    load.message.parts.clone_from(&parts);
                    planned = Some(parts);
                }
                Err(outcome) => return Err(self.mention_refused(load, way, &outcome).await),
            }
        }
        let Some(part) = load.message.next_part().map(|part| part.index) else {
            let failure = Failure::Rejected { provider_code: "MESSAGE_EMPTY".to_owned() };
            return Err(ControlFlow::Break(self.fail(&mut load.message, failure).await));
        };
        let begin = Begin {
            id: load.message.id,
            account: way.account.clone(),
            chat_id: way.chat_id,
            part,
            plan: planned,
            at: inner.ambient.clock.now(),
            resumed: load.resumed,
        };
        let outbox = inner.store.outbox();
        let written = self.persist(load.message.id, || outbox.begin(begin.clone())).await;
        if written.is_err() {
            return Err(ControlFlow::Break(Carried::Dropped));
        }
        let message = &mut load.message;
        message.account = Some(way.account.clone());
        message.chat_id = Some(way.chat_id);
        message.state = MessageState::Sending;
        load.doubtful = false;
        load.attempts = 0;
        load.in_progress = 0;
        load.resumed = false;
        let position = usize::from(part);
        if let Some(part) = message.parts.get_mut(position) {
            part.state = PartState::Begun;
        }
        Ok(position)
    }

    /// Nobody could be asked whom to mention: as a refusal of the message by this account.
    async fn mention_refused(&self, load: &mut Load, way: &Way, outcome: &Outcome) -> ControlFlow<Carried> {
        match decide::after(outcome, false, 0) {
            Next::Fail(failure) => ControlFlow::Break(self.fail(&mut load.message, failure).await),
            Next::GiveBack { exclude: Some(why) } => {
                load.tried.push((refusal(&way.account, outcome), why));
                ControlFlow::Continue(())
            }
            _ => {
                let mut changes = self.delivery.0.sender.changes();
                let until = self.delivery.0.ambient.clock.now().plus(UNAVAILABLE_PAUSE);
                self.wait(Some(until), &mut changes).await;
                ControlFlow::Continue(())
            }
        }
    }

    fn relocate(&self, chat_id: ChatId, job: Job<Box<Load>>) -> Carried {
        let lanes = self.delivery.lanes().relocate(self.lane, chat_id, job);
        for lane in lanes {
            self.delivery.start(lane, None);
        }
        Carried::Elsewhere
    }

    /// Waits for an instant or a change, whichever comes first.
    async fn wait(&self, until: Option<Timestamp>, changes: &mut tokio::sync::watch::Receiver<u64>) {
        let inner = &self.delivery.0;
        // Even without a deadline the accounts are looked at again now and then: a missed change must not strand a lane.
        let until = until.unwrap_or_else(|| inner.ambient.clock.now().plus(Duration::from_secs(5)));
        tokio::select! {
            () = inner.ambient.clock.sleep_until(until) => {}
            _ = changes.changed() => {}
            () = inner.closing.cancelled() => {}
        }
    }

    async fn note_wait(&self, load: &mut Load, until: Option<Timestamp>) {
        if load.noted_wait == Some(until) {
            return;
        }
        load.noted_wait = Some(until);
        let detail = match until {
            Some(until) => format!("every account that could send must wait until {until}"),
            None => "every account that could send is connecting".to_owned(),
        };
        let entry = self.entry(Step::Waiting, load, None, Some(detail));
        self.note(load.message.id, entry).await;
    }

    /// Whether a message that waited was ended meanwhile, by a cancel.
    async fn is_over(&self, load: &mut Load) -> bool {
        let stored = self.delivery.0.store.outbox().get(load.message.id).await;
        matches!(stored, Ok(None)) || matches!(stored, Ok(Some(message)) if message.state.is_final())
    }

    // ---- the wire and after ----------------------------------------------------------------------------------

    /// One attempt of a begun part, and what follows from its outcome.
    async fn attempt(&self, load: &mut Load, way: &Way, part: usize) -> ControlFlow<Carried> {
        let inner = &self.delivery.0;
        if load.doubtful && !inner.sender.can_still_tell(&way.account) {
            return ControlFlow::Break(self.doubt(load, way, part, "the account that knows is gone").await);
        }
        let started = inner.ambient.clock.now();
        let outcome = {
            let Some(part) = load.message.parts.get(part) else {
                return ControlFlow::Break(Carried::Dropped);
            };
            inner.sender.send(attempt(way, part, &load.message)).await
        };
        load.attempts += 1;
        load.in_progress = if outcome == Outcome::InProgress { load.in_progress + 1 } else { 0 };
        let mut next = decide::after(&outcome, load.doubtful, load.in_progress);
        if next == Next::Look {
            let since = load.message.created_at.min(started);
            let found = match load.message.parts.get(part) {
                Some(part) => inner.sender.find(attempt(way, part, &load.message), since).await,
                None => crate::Found::CannotTell,
            };
            next = decide::after_look(found, &outcome);
        }
        match next {
            Next::Done(message_id) => self.sent(load, way, part, message_id).await,
            Next::GiveBack { exclude } => self.give_back(load, way, part, &outcome, exclude).await,
            Next::Fail(failure) => {
                let unsent = self.unsent(load, way, part, &outcome, Then::Fail(failure.clone()));
                if self.write_unsent(unsent).await.is_err() {
                    return ControlFlow::Break(Carried::Dropped);
                }
                load.message.failure = Some(failure);
                ControlFlow::Break(self.finish(&mut load.message, MessageState::Failed))
            }
            Next::Again(pause) => {
                self.again(load, way, part, &outcome, pause).await;
                if inner.closing.is_cancelled() {
                    return ControlFlow::Break(Carried::Dropped);
                }
                ControlFlow::Continue(())
            }
            Next::Look | Next::Doubt => {
                let detail = outcome.detail().unwrap_or_else(|| outcome.word().to_owned());
                ControlFlow::Break(self.doubt(load, way, part, &detail).await)
            }
        }
    }

    async fn sent(
        &self,
        load: &mut Load,
        way: &Way,
        part: usize,
        message_id: Option<i64>,
    ) -> ControlFlow<Carried> {
        let message = &mut load.message;
        let finished =
            message.parts.iter().enumerate().all(|(n, other)| n == part || other.state == PartState::Sent);
        let write = PartSent {
            id: message.id,
            part: index(part),
            account: way.account.clone(),
            chat_id: way.chat_id,
            message_id,
            finished,
            // A private dialog stays with the account that began it; a group is written to by whoever is in it.
            bind: way.chat_id.kind() == ChatKind::User && message.pin.is_none(),
            at: self.delivery.0.ambient.clock.now(),
            attempts: Vec::new(),
        };
        let id = message.id;
        let outbox = self.delivery.0.store.outbox();
        let written = self.persist(id, || outbox.part_sent(write.clone())).await;
        if written.is_err() {
            return ControlFlow::Break(Carried::Dropped);
        }
        if let Some(part) = message.parts.get_mut(part) {
            part.state = PartState::Sent;
            part.message_id = message_id;
        }
        load.doubtful = false;
        if finished {
            ControlFlow::Break(self.finish(&mut load.message, MessageState::Sent))
        } else {
            ControlFlow::Continue(())
        }
    }

    async fn give_back(
        &self,
        load: &mut Load,
        way: &Way,
        part: usize,
        outcome: &Outcome,
        exclude: Option<Why>,
    ) -> ControlFlow<Carried> {
        let unsent = self.unsent(load, way, part, outcome, Then::Requeue { account: None });
        if self.write_unsent(unsent).await.is_err() {
            return ControlFlow::Break(Carried::Dropped);
        }
        if let Some(part) = load.message.parts.get_mut(part) {
            part.state = PartState::Waiting;
        }
        load.message.state = MessageState::Queued;
        load.doubtful = false;
        if let Some(why) = exclude {
            load.tried.push((refusal(&way.account, outcome), why));
        }
        if matches!(outcome, Outcome::Unavailable(_)) {
            let mut changes = self.delivery.0.sender.changes();
            changes.mark_unchanged();
            let until = self.delivery.0.ambient.clock.now().plus(UNAVAILABLE_PAUSE);
            self.wait(Some(until), &mut changes).await;
        }
        ControlFlow::Continue(())
    }

    /// Notes an attempt without a result and waits before the same one is made again.
    async fn again(&self, load: &mut Load, way: &Way, part: usize, outcome: &Outcome, pause: Pause) {
        if !matches!(outcome, Outcome::Unavailable(_)) {
            load.doubtful = true;
        }
        // The first few are worth a line each; a provider that stays away for hours is not worth thousands.
        if load.attempts <= 5 || load.attempts.is_multiple_of(20) {
            let entry = Entry {
                at: self.delivery.0.ambient.clock.now(),
                step: Step::Attempted,
                part: Some(index(part)),
                account: Some(way.account.clone()),
                outcome: Some(outcome.word().to_owned()),
                detail: outcome.detail(),
            };
            self.note(load.message.id, entry).await;
        }
        let inner = &self.delivery.0;
        let until = match pause {
            Pause::Until(until) => until,
            Pause::BackOff => {
                let wait = inner.ambient.chance.jitter(decide::back_off(load.attempts));
                inner.ambient.clock.now().plus(wait)
            }
        };
        let mut changes = inner.sender.changes();
        changes.mark_unchanged();
        tokio::select! {
            () = inner.ambient.clock.sleep_until(until) => {}
            _ = changes.changed(), if !inner.sender.can_still_tell(&way.account) => {}
            () = inner.closing.cancelled() => {}
        }
    }

    async fn doubt(&self, load: &mut Load, way: &Way, part: usize, why: &str) -> Carried {
        let entry = Entry {
            at: self.delivery.0.ambient.clock.now(),
            step: Step::InDoubt,
            part: Some(index(part)),
            account: Some(way.account.clone()),
            outcome: None,
            detail: Some(why.to_owned()),
        };
        let doubt = Doubt { id: load.message.id, entry: entry.clone(), at: entry.at };
        let id = load.message.id;
        let outbox = self.delivery.0.store.outbox();
        if self.persist(id, || outbox.doubt(doubt.clone())).await.is_err() {
            return Carried::Dropped;
        }
        self.finish(&mut load.message, MessageState::InDoubt)
    }

    async fn fail(&self, message: &mut OutboundMessage, failure: Failure) -> Carried {
        let fail = Fail { id: message.id, failure: failure.clone(), at: self.delivery.0.ambient.clock.now() };
        let id = message.id;
        let outbox = self.delivery.0.store.outbox();
        let written = self.persist(id, || outbox.fail(fail.clone())).await;
        match written {
            Ok(true) => {
                message.failure = Some(failure);
                self.finish(message, MessageState::Failed)
            }
            // Someone else ended it first.
            Ok(false) | Err(Gone) => Carried::Dropped,
        }
    }

    /// Tells whoever waits. The store has it already.
    fn finish(&self, message: &mut OutboundMessage, state: MessageState) -> Carried {
        message.state = state;
        message.updated_at = self.delivery.0.ambient.clock.now();
        self.delivery.0.live.finish(message);
        Carried::Finished
    }

    // ---- the store -------------------------------------------------------------------------------------------

    fn unsent(&self, load: &Load, way: &Way, part: usize, outcome: &Outcome, then: Then) -> PartUnsent {
        let at = self.delivery.0.ambient.clock.now();
        let account = || way.account.clone();
        let hold = match outcome {
            Outcome::FloodWait(until) => Some(Hold::Flood {
                account: account(),
                operation: domain::account::Operation::SendMessage,
                until: *until,
            }),
            Outcome::SlowMode(until) => {
                Some(Hold::SlowMode { account: account(), chat_id: way.chat_id, until: *until })
            }
            Outcome::Forbidden(why) => {
                Some(Hold::Mark { account: account(), chat_id: way.chat_id, why: why.clone() })
            }
            _ => None,
        };
        PartUnsent {
            id: load.message.id,
            part: index(part),
            entry: Entry {
                at,
                step: Step::Attempted,
                part: Some(index(part)),
                account: Some(account()),
                outcome: Some(outcome.word().to_owned()),
                detail: outcome.detail(),
            },
            then,
            hold,
            at,
        }
    }

    async fn write_unsent(&self, unsent: PartUnsent) -> Result<(), Gone> {
        let outbox = self.delivery.0.store.outbox();
        self.persist(unsent.id, || outbox.part_unsent(unsent.clone())).await
    }

    fn entry(&self, step: Step, load: &Load, outcome: Option<String>, detail: Option<String>) -> Entry {
        Entry {
            at: self.delivery.0.ambient.clock.now(),
            step,
            part: None,
            account: load.message.account.clone(),
            outcome,
            detail,
        }
    }

    /// A line in the timeline; losing one is no reason to stop.
    async fn note(&self, id: MessageId, entry: Entry) {
        if let Err(error) = self.delivery.0.store.outbox().note(id, entry).await {
            tracing::warn!(message = %id, %error, "a step could not be written into the timeline");
        }
    }

    /// Writes until it is written: what is known must not be forgotten because a disk was full for a minute. Gives up
    /// when the store says that the message is not what it was, or when the program ends.
    async fn persist<T, F>(&self, id: MessageId, write: impl Fn() -> F) -> Result<T, Gone>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match write().await {
                Ok(answer) => return Ok(answer),
                Err(StoreError::Inconsistent { table, what }) => {
                    tracing::info!(message = %id, table, what, "the message was changed by someone else");
                    self.tell_stored(id).await;
                    return Err(Gone);
                }
                Err(error) => {
                    tracing::error!(message = %id, %error, "the store does not take a step; trying again");
                    tokio::select! {
                        () = self.delivery.0.ambient.clock.sleep(STORE_PAUSE) => {}
                        () = self.delivery.0.closing.cancelled() => return Err(Gone),
                    }
                }
            }
        }
    }

    /// The store knows better: whoever waits gets what it says.
    async fn tell_stored(&self, id: MessageId) {
        if let Ok(Some(message)) = self.delivery.get(id).await
            && message.state.is_final()
        {
            self.delivery.0.live.finish(&message);
        }
    }
}

/// The message is not this worker's any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gone;

fn attempt<'a>(way: &'a Way, part: &'a Part, message: &'a OutboundMessage) -> Attempt<'a> {
    Attempt { account: &way.account, chat_id: way.chat_id, part, content: &message.content }
}

fn refusal(account: &AccountName, outcome: &Outcome) -> Refusal {
    let why = outcome.detail().unwrap_or_else(|| outcome.word().to_owned());
    Refusal { account: account.clone(), why }
}

fn index(part: usize) -> u16 {
    u16::try_from(part).unwrap_or(u16::MAX)
}

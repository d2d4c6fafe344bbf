//! Before the wire: an account is found for the next part, and that it has it is on disk.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::message::{MessageState, OnFlood, OutboundMessage, PartState};
use domain::outcome::{Failure, RejectionCode};
use domain::saga::Failover;
use domain::timeline::{Entry, Step};
use domain::{AccountName, Address, DoNotContactId, MessageId, Timestamp};
use store::{Begin, StoreError};

use crate::decide::{self, Choice};
use crate::lanes::{Job, LaneId};
use crate::prepare::Prepared;
use crate::sender::{Candidates, Query};
use crate::watchdog::{Unbegun, Watch};
use crate::worker::{Gone, InFlight, LAST_RUN_ENDED, LaneStep, LaneWorker, NotedWait, Route};
use crate::{log_events, plan, query, service};

/// Even without a deadline the accounts are looked at again now and then: a missed change must not strand a lane.
const LONGEST_LOOK_AWAY: Duration = Duration::from_secs(5);
/// How long a first message waits before it is looked at again: the person may have written, or the limit may be higher now.
const FIRST_CONTACT_LOOK: Duration = Duration::from_secs(15);

/// The result of the write that begins a part.
enum Begun {
    Stored,
    /// The chat is on the do-not-contact list.
    Listed(DoNotContactId),
    /// The account may not write to another person first before this instant.
    Limited(Timestamp),
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    /// The accounts are worth another look.
    LookAgain,
    /// The message has come to an end meanwhile.
    Over,
}

impl LaneWorker<'_> {
    /// Finds an account for the next part and writes down that it has it.
    pub(crate) async fn begin(
        &self,
        mut job: Job<Box<InFlight>>,
    ) -> Result<(Job<Box<InFlight>>, Route, usize), LaneStep> {
        let inner = &self.delivery.0;
        let watch = inner.watchdog.of(self.lane);
        loop {
            if inner.closing.is_cancelled() {
                return Err(LaneStep::Dropped);
            }
            // Of a part that was not begun after all.
            job.payload.slot = None;
            let mut changes = inner.sender.changes();
            let query = query(&job.payload.message);
            watch.disarm();
            let Some(mut candidates) = self.candidates(&query).await else { return Err(LaneStep::Dropped) };
            // A name that is known now, or a basic group that has become a supergroup.
            if let Some(address) = candidates.address.take_if(|address| !address.is(&query.chat)) {
                job.payload.message.address = Some(address.clone());
                return Err(self.relocate(address, job));
            }
            watch.arm(self.unbegun(&job.payload.message));
            let work = &mut job.payload;
            let now = inner.ambient.clock.now();
            self.first_contacts_again(work, candidates.address.as_ref()).await;
            decide::hold_back(&mut candidates, &work.not_before, now);
            decide::limit_first_contacts(&mut candidates, &work.first_contacts, now);
            candidates.able.sort_by_key(|able| work.unavailable.contains(&able.account));
            // A text that is half sent waits for its account: "not sent" would be untrue.
            let fail_on_flood = work.message.on_flood == OnFlood::Fail && work.sent_by().is_none();
            let choose = |candidates: &Candidates| {
                decide::choose(candidates, Some(&query.chat), &work.tried, work.sent_by(), fail_on_flood)
            };
            let mut slot = None;
            let admit = |account: &AccountName| {
                slot = self.delivery.admit(account)?;
                Ok(())
            };
            let account = match decide::admitted(&mut candidates, choose, admit) {
                Choice::Go(account) => account,
                Choice::Wait { until } => {
                    watch.disarm();
                    self.note_wait(work, until, decide::waits_for(&candidates, until)).await;
                    self.fail_hurried().await;
                    let until = match work.first_contacts.as_slice() {
                        [] => until,
                        _ => Some(until.unwrap_or(now).min(now.plus(FIRST_CONTACT_LOOK))),
                    };
                    if self.wait(job.id, until, &mut changes).await == Woken::Over
                        && self.is_over(job.id).await
                    {
                        return Err(LaneStep::Dropped);
                    }
                    continue;
                }
                Choice::Fail(failure) => return Err(self.delivery.fail(&mut work.message, failure).await),
            };
            if work.noted_wait != NotedWait::None {
                inner.waiters.hold(job.id, None);
                self.delivery.lanes().hold(self.lane, None);
            }
            let Some(address) = work.message.address.clone().or_else(|| candidates.address.clone()) else {
                let failure = Failure::ChatNotFound { asked: Vec::new() };
                return Err(self.delivery.fail(&mut work.message, failure).await);
            };
            let stands_in_for = match job.payload.message.pin {
                None => {
                    let InFlight { tried, stood_in, .. } = &*job.payload;
                    decide::failover(&candidates, tried, &account, stood_in.as_ref())
                }
                Some(_) => None,
            };
            let passed_over = stands_in_for
                .is_some()
                .then(|| decide::passed_over(&candidates, &job.payload.tried, &account));
            job.payload.slot = slot;
            job.payload.binding = decide::binding(&address, job.payload.message.pin.as_ref(), &candidates);
            let route = Route { account, address };
            match self.write_begin(&mut job.payload, &route, stands_in_for.zip(passed_over), &watch).await {
                Ok(part) => return Ok((job, route, part)),
                Err(ControlFlow::Continue(())) => {}
                Err(ControlFlow::Break(carried)) => return Err(carried),
            }
        }
    }

    /// Asks again which accounts may make no first contact.
    async fn first_contacts_again(&self, work: &mut InFlight, address: Option<&Address>) {
        let Some(address) = work.message.address.as_ref().or(address) else { return };
        let contacts = self.delivery.0.store.first_contacts();
        for (account, until) in std::mem::take(&mut work.first_contacts) {
            // Where the store cannot be read, it is as it was.
            let held = contacts.held_until(account.clone(), address.clone()).await.unwrap_or(Some(until));
            work.first_contacts.extend(held.map(|until| (account, until)));
        }
    }

    /// What is about to be begun, for those who watch over the workers.
    fn unbegun(&self, message: &OutboundMessage) -> Unbegun {
        let since = self.delivery.0.ambient.clock.running();
        Unbegun { what: *message.id.as_uuid(), service: service(message), since }
    }

    /// The candidates from memory, or from a look-up; `None` when the program ends meanwhile.
    async fn candidates(&self, query: &Query) -> Option<Candidates> {
        let inner = &self.delivery.0;
        if let Some(candidates) = inner.sender.candidates_now(query) {
            return Some(candidates);
        }
        tokio::select! {
            candidates = inner.sender.candidates(query) => Some(candidates),
            () = inner.closing.cancelled() => None,
        }
    }

    /// The write that must be on disk before anything goes to the wire.
    async fn write_begin(
        &self,
        work: &mut InFlight,
        route: &Route,
        stands_in_for: Option<((AccountName, String), String)>,
        watch: &Watch<'_, LaneId>,
    ) -> Result<usize, ControlFlow<LaneStep>> {
        let inner = &self.delivery.0;
        // Someone may be asked whom to mention, and files take their time.
        watch.disarm();
        let mut planned = None;
        if work.message.parts.is_empty() {
            match inner.sender.place_mention(&route.account, &route.address, &work.message.content).await {
                Ok(text) => {
                    let media = &work.message.content.media;
                    let capabilities = inner.sender.capabilities(&work.message.chat);
                    let random_id = || inner.ambient.chance.random_id();
                    let parts = plan::parts(&text, media, &capabilities, random_id);
                    work.message.parts.clone_from(&parts);
                    planned = Some(parts);
                }
                Err(outcome) => return Err(self.unprepared(work, route, 0, outcome).await),
            }
        }
        let Some(part) = work.message.next_part().map(|part| part.index) else {
            let failure = Failure::Rejected { provider_code: RejectionCode::MessageEmpty };
            return Err(ControlFlow::Break(self.delivery.fail(&mut work.message, failure).await));
        };
        let position = usize::from(part);
        let prepared = self.prepare_first(work, route, position).await;
        if planned.is_some() && !matches!(prepared, Prepared::Ready) {
            // Placed as this account can write it, and never stored.
            work.message.parts.clear();
        }
        match prepared {
            Prepared::Ready => {}
            Prepared::Refused(outcome) => {
                return Err(self.unprepared(work, route, position, outcome).await);
            }
            Prepared::Dropped => {
                if inner.closing.is_cancelled() || self.is_over(work.message.id).await {
                    return Err(ControlFlow::Break(LaneStep::Dropped));
                }
                // Ended and sent again by hand meanwhile: it is on its way once more.
                let scope = inner.store.outbox().place(work.message.id).await;
                if let Ok(Some(scope)) = scope {
                    inner.waiters.begin(work.message.id, scope);
                }
                return Err(ControlFlow::Continue(()));
            }
        }
        watch.arm(self.unbegun(&work.message));
        let at = inner.ambient.clock.now();
        let (failover, passed_over) = stands_in_for
            .map(|((from, reason), passed_over)| {
                let to = route.account.clone();
                (Failover { at, chat_id: route.address.chat_id(), from, to, reason }, passed_over)
            })
            .unzip();
        if failover.is_some() {
            work.stood_in = Some(route.account.clone());
        }
        let begin = Begin {
            id: work.message.id,
            account: route.account.clone(),
            address: route.address.clone(),
            part,
            plan: planned,
            failover,
            passed_over,
            at,
        };
        let outbox = inner.store.outbox();
        let begin_once = || async {
            let answer = outbox.begin(begin.clone()).await;
            if matches!(answer, Err(StoreError::Corrupt { .. })) {
                // The lane waits for a person; its service does not stand still.
                watch.disarm();
            }
            match answer {
                Err(StoreError::DoNotContact { entry }) => Ok(Begun::Listed(entry)),
                Err(StoreError::FirstContacts { until }) => Ok(Begun::Limited(until)),
                answer => answer.map(|()| Begun::Stored),
            }
        };
        match self.delivery.persist(work.message.id, begin_once).await {
            Ok(Begun::Stored) => {}
            Ok(Begun::Listed(entry)) => {
                let failure = Failure::DoNotContact { entry };
                return Err(ControlFlow::Break(self.delivery.fail(&mut work.message, failure).await));
            }
            Ok(Begun::Limited(until)) => {
                if begin.plan.is_some() {
                    // Placed as this account can write it, and never stored.
                    work.message.parts.clear();
                }
                work.first_contacts.retain(|(account, _)| *account != route.account);
                work.first_contacts.push((route.account.clone(), until));
                return Err(ControlFlow::Continue(()));
            }
            Err(Gone) => return Err(ControlFlow::Break(LaneStep::Dropped)),
        }
        if let Some(failover) = &begin.failover {
            log_events::moved(&work.message, failover);
            inner.metrics.failed_over();
        }
        let message = &mut work.message;
        message.account = Some(route.account.clone());
        message.address = Some(route.address.clone());
        message.state = MessageState::Sending;
        message.updated_at = begin.at;
        if let Some(part) = message.parts.get_mut(position) {
            part.state = PartState::Begun;
        }
        log_events::begun(message, route, position);
        work.doubtful = false;
        work.attempts = 0;
        work.unclear_answers = 0;
        work.unsettled = None;
        work.unprepared = 0;
        Ok(position)
    }

    /// After a call that could not be made: the other accounts go first from now on, and not at once.
    pub(crate) async fn rest(&self, work: &mut InFlight, route: &Route) {
        work.unavailable.push(route.account.clone());
        let times = u32::try_from(work.unavailable.len()).unwrap_or(u32::MAX);
        self.pause(work, times).await;
    }

    /// A moment before a message that no one has is given to an account again, longer each time.
    pub(crate) async fn pause(&self, work: &InFlight, times: u32) {
        let inner = &self.delivery.0;
        tokio::select! {
            () = inner.ambient.clock.sleep(decide::back_off(times)) => {}
            () = self.over(work.message.id) => {}
            () = inner.closing.cancelled() => {}
        }
    }

    fn relocate(&self, address: Address, job: Job<Box<InFlight>>) -> LaneStep {
        let Job { id, pin, payload } = job;
        let job = Job { id, pin, payload: Some(payload) };
        let lane = self.delivery.lanes().relocate(self.lane, &address.into(), job);
        self.delivery.start_new(lane);
        LaneStep::Elsewhere
    }

    /// The head of the lane waits: those behind it that rather fail than wait do so now, not at their turn.
    async fn fail_hurried(&self) {
        let delivery = self.delivery;
        let is_hurried = |work: &InFlight| work.message.on_flood == OnFlood::Fail;
        let hurried =
            delivery.lanes().extract(self.lane, |job| job.payload.as_deref().is_some_and(is_hurried));
        for mut job in hurried {
            let failing = job.payload.as_mut().and_then(|work| {
                let failure = delivery.must_wait(&work.message)?;
                Some((work, failure))
            });
            if let Some((work, failure)) = failing {
                delivery.fail(&mut work.message, failure).await;
            } else {
                delivery.lanes().insert(self.lane, job);
            }
        }
    }

    /// Waits for an instant, a change of the accounts, or the end of the message, whichever comes first.
    async fn wait(
        &self,
        id: MessageId,
        until: Option<Timestamp>,
        changes: &mut tokio::sync::watch::Receiver<u64>,
    ) -> Woken {
        let inner = &self.delivery.0;
        let clock = &inner.ambient.clock;
        let now = clock.now();
        let until = until.unwrap_or_else(|| now.plus(LONGEST_LOOK_AWAY));
        tokio::select! {
            () = self.over(id) => Woken::Over,
            () = clock.sleep_until(until) => Woken::LookAgain,
            // The time of day may be set back meanwhile.
            () = clock.sleep(until.since(now)) => Woken::LookAgain,
            _ = changes.changed() => Woken::LookAgain,
            () = inner.closing.cancelled() => Woken::LookAgain,
        }
    }

    /// Resolves when someone else ends a message that is on its way.
    async fn over(&self, id: MessageId) {
        match self.delivery.0.waiters.wait(id) {
            // Dropped or answered, it is over.
            Some(ended) => drop(ended.await),
            None => std::future::pending().await,
        }
    }

    async fn note_wait(&self, work: &mut InFlight, until: Option<Timestamp>, why: String) {
        let wait = until.map_or(NotedWait::Connecting, NotedWait::Until);
        if work.noted_wait == wait {
            return;
        }
        work.noted_wait = wait;
        self.delivery.0.waiters.hold(work.message.id, until);
        self.delivery.lanes().hold(self.lane, until);
        log_events::waits(&work.message, until);
        self.delivery.note(work.message.id, self.entry(Step::Waiting, work, Some(why))).await;
    }

    /// A message that an earlier run left begun is taken up again.
    pub(crate) async fn note_resumed(&self, work: &InFlight) {
        let detail = LAST_RUN_ENDED.to_owned();
        self.delivery.note(work.message.id, self.entry(Step::Resumed, work, Some(detail))).await;
    }

    pub(crate) fn entry(&self, step: Step, work: &InFlight, detail: Option<String>) -> Entry {
        let at = self.delivery.0.ambient.clock.now();
        Entry { at, step, part: None, account: work.message.account.clone(), outcome: None, detail }
    }

    /// Whether a message that waited was ended meanwhile, by a cancel.
    async fn is_over(&self, id: MessageId) -> bool {
        match self.delivery.get(id).await {
            Ok(Some(message)) => message.state.is_final(),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

//! The wire and after: one attempt of a begun part, and what follows from its outcome.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::account::Operation;
use domain::message::{MessageState, OutboundMessage, Part, PartState};
use domain::outcome::{HoldScope, SentIds, Unclear};
use domain::timeline::{Entry, Step};
use domain::{Outcome, Timestamp};
use store::{Doubt, Hold, PartSent, PartUnsent, Then};

use crate::capabilities::Dedup;
use crate::decide::{self, Next, Pause, Repeat, Tried, Unsettled};
use crate::log_events;
use crate::pace::Slot;
use crate::sender::{Attempt, Evidence, MessageLookup, RefusalKind};
use crate::worker::{Gone, InFlight, LaneStep, LaneWorker, Route, index, refusal};

/// A message that was asked for may appear in the chat a little after the call that asked for it has failed.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// An account that comes back may be asked at once, but not in a loop.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// Whether all other parts of a message are sent.
fn is_last(message: &OutboundMessage, part: usize) -> bool {
    message.parts.iter().enumerate().all(|(n, other)| n == part || other.state == PartState::Sent)
}

impl LaneWorker<'_> {
    pub(crate) async fn attempt(
        &self,
        work: &mut InFlight,
        route: &Route,
        part: usize,
    ) -> ControlFlow<LaneStep> {
        let inner = &self.delivery.0;
        if work.slot.is_none() {
            work.slot = inner.sender.pace(&route.account).map(|pace| pace.adopt());
        }
        if work.doubtful && !inner.sender.can_still_tell(&route.account) {
            return self.doubt(work, route, part, Err("the account that knows is gone")).await;
        }
        if work.doubtful && work.stopped.is_cancelled() {
            return self.doubt(work, route, part, Err("a person ended the tries")).await;
        }
        let repeat = self.repeat(work);
        let is_absent = work.doubtful && repeat != Repeat::Free;
        if is_absent {
            match self.before(work, route, part, repeat).await {
                // The look holds for this run alone: the next one looks for itself, and sends.
                Next::Send if inner.closing.is_cancelled() => return ControlFlow::Break(LaneStep::Dropped),
                Next::Send => {}
                Next::Doubt => {
                    let last = work.unclear.detail().unwrap_or_default();
                    let why = format!("it could not be found out whether it arrived: {last}");
                    return self.doubt(work, route, part, Err(&why)).await;
                }
                next => {
                    let outcome = work.unclear.clone();
                    return self.follow(work, route, part, next, &outcome, None).await;
                }
            }
        }
        let unprepared = match self.prepare_again(work, route, part).await {
            Ok(unprepared) => unprepared,
            Err(Gone) => return ControlFlow::Break(LaneStep::Dropped),
        };
        let is_unclear = match &unprepared {
            Some((_, is_server_error)) => *is_server_error,
            None => false,
        };
        if is_absent {
            work.doubtful = false;
        } else if work.doubtful && self.repeat(work) != repeat {
            // The key's time ended while the files were brought up.
            return ControlFlow::Continue(());
        }
        work.only_prepared = unprepared.is_some();
        let (outcome, took) = if let Some((outcome, _)) = unprepared {
            work.on_the_wire = None;
            (outcome, None)
        } else {
            let Some(part) = work.message.parts.get(part) else {
                return ControlFlow::Break(LaneStep::Dropped);
            };
            // One that slept since the part was begun may wake up when another process has it.
            if !inner.store.is_held().await {
                return ControlFlow::Break(LaneStep::Dropped);
            }
            let begun = inner.ambient.clock.now();
            inner.waiters.set_with(work.message.id, Some((&route.account, inner.ambient.clock.running())));
            let outcome = inner.sender.send(attempt(route, part, work)).await;
            let took = inner.ambient.clock.now().since(begun);
            work.on_the_wire =
                work.on_the_wire.filter(|_| matches!(outcome, Outcome::Sent(_))).map(|before| before + took);
            (outcome, Some(took))
        };
        let ends = matches!(outcome, Outcome::Sent(_)) && is_last(&work.message, part);
        if !ends {
            log_events::attempted(&work.message, route, part, &outcome, took);
        }
        work.attempts += 1;
        let answered = matches!(outcome, Outcome::InProgress | Outcome::Unknown(Unclear::Unreadable(_)));
        work.unclear_answers = if answered { work.unclear_answers + 1 } else { 0 };
        let is_unclear = is_unclear || matches!(outcome, Outcome::InProgress | Outcome::Unknown(_));
        let is_first_unclear = is_unclear && work.unsettled.is_none();
        if is_unclear {
            self.is_unsettled(work);
        }
        let tried = self.tried(work, repeat);
        let mut next = decide::after(&outcome, tried);
        if next == Next::Look {
            next = decide::after_look(self.look(work, route, part).await, &outcome, tried);
        }
        if matches!(next, Next::Again(_)) {
            self.delivery.note(work.message.id, self.attempted(route, part, &outcome)).await;
            if is_first_unclear {
                self.note_tries(work, repeat).await;
            }
        }
        self.follow(work, route, part, next, &outcome, took.filter(|_| ends)).await
    }

    /// What another attempt of the begun part may be now.
    fn repeat(&self, work: &InFlight) -> Repeat {
        let dedup = self.delivery.capabilities(&work.message.chat).dedup;
        Repeat::of(dedup, work.message.updated_at, self.delivery.0.ambient.clock.now())
    }

    fn tried(&self, work: &InFlight, repeat: Repeat) -> Tried {
        let InFlight { doubtful, unclear_answers, .. } = *work;
        Tried { doubtful, unclear_answers, expired: self.expired(work), repeat }
    }

    /// What comes before another attempt of a part that may be there already and would come twice.
    async fn before(&self, work: &mut InFlight, route: &Route, part: usize, repeat: Repeat) -> Next {
        let next = decide::before(repeat);
        if next != Next::Look {
            return next;
        }
        let found = self.look(work, route, part).await;
        if found == MessageLookup::CannotTell {
            let is_first = work.unsettled.is_none();
            self.is_unsettled(work);
            work.attempts += 1;
            if is_first {
                self.note_tries(work, repeat).await;
            }
        }
        decide::after_look(found, &work.unclear, self.tried(work, repeat))
    }

    /// Does what was decided.
    async fn follow(
        &self,
        work: &mut InFlight,
        route: &Route,
        part: usize,
        next: Next,
        outcome: &Outcome,
        took: Option<Duration>,
    ) -> ControlFlow<LaneStep> {
        match next {
            Next::Done(ids) => self.sent(work, route, part, ids, took).await,
            Next::GiveBack { exclude } => self.give_back(work, route, part, outcome, exclude).await,
            Next::Fail(failure) => {
                let unsent = self.unsent(work, route, part, outcome, Then::Fail(failure.clone()));
                let at = unsent.at;
                if self.write_unsent(unsent).await == Err(Gone) {
                    return ControlFlow::Break(LaneStep::Dropped);
                }
                work.message.failure = Some(failure);
                ControlFlow::Break(self.delivery.finish(&mut work.message, MessageState::Failed, at, None))
            }
            Next::Again(pause) => {
                self.again(work, route, outcome, pause).await;
                if self.delivery.0.closing.is_cancelled() {
                    return ControlFlow::Break(LaneStep::Dropped);
                }
                ControlFlow::Continue(())
            }
            Next::Send => ControlFlow::Continue(()),
            Next::Look | Next::Doubt => self.doubt(work, route, part, Ok(outcome)).await,
        }
    }

    /// One more attempt after which it is not known what came of the part. From the first one on a person may end the tries.
    fn is_unsettled(&self, work: &mut InFlight) {
        let inner = &self.delivery.0;
        let unsettled = Unsettled::and_again(work.unsettled, inner.ambient.clock.now());
        work.unsettled = Some(unsettled);
        let gives_up_at = unsettled.since.plus(inner.limits().give_up_after);
        inner.waiters.is_unsettled(work.message.id, gives_up_at, work.stopped.clone());
    }

    /// Notes until when the part is tried.
    async fn note_tries(&self, work: &InFlight, repeat: Repeat) {
        let Some(gives_up_at) = self.delivery.gives_up_at(work.message.id) else { return };
        let until = gives_up_at.to_the_second();
        let what = match repeat {
            Repeat::Free => format!("the same is tried until {until}, and then the chat is looked at"),
            Repeat::AfterLook => {
                format!("it is looked for, and sent again if it is not there, until {until}")
            }
            Repeat::Over | Repeat::Never => format!("it is looked for until {until}"),
        };
        let why = format!("it is not known whether it arrived; {what}");
        self.delivery.note(work.message.id, self.entry(Step::Waiting, work, Some(why))).await;
    }

    /// Whether the part has been tried for as long as it may be.
    pub(crate) fn expired(&self, work: &InFlight) -> bool {
        let inner = &self.delivery.0;
        let (now, limit) = (inner.ambient.clock.now(), inner.limits().give_up_after);
        work.unsettled.is_some_and(|unsettled| unsettled.expired(now, limit))
    }

    /// Looks for the part in the chat; twice, if it is not there at first.
    async fn look(&self, work: &InFlight, route: &Route, part: usize) -> MessageLookup {
        let inner = &self.delivery.0;
        let Some(part) = work.message.parts.get(part) else { return MessageLookup::CannotTell };
        let look = || inner.sender.find(attempt(route, part, work), work.message.updated_at);
        match look().await {
            MessageLookup::NotThere => {
                inner.ambient.clock.sleep(SECOND_LOOK).await;
                look().await
            }
            found => found,
        }
    }

    async fn sent(
        &self,
        work: &mut InFlight,
        route: &Route,
        part: usize,
        message_ids: SentIds,
        took: Option<Duration>,
    ) -> ControlFlow<LaneStep> {
        let message = &mut work.message;
        let finished = is_last(message, part);
        let dedup = self.delivery.capabilities(&message.chat).dedup;
        let has_lasting_key = dedup == Dedup::Key { window: None };
        let write = PartSent {
            id: message.id,
            part: index(part),
            is_only: message.parts.len() == 1,
            account: route.account.clone(),
            address: route.address.clone(),
            message_ids,
            binding: work.binding,
            // Files are let go of once their message is sent, so that it cannot be sent again.
            repeatable: message.content.media.is_empty() && has_lasting_key,
            counted: work.slot.as_ref().is_some_and(Slot::is_counted),
            at: self.delivery.0.ambient.clock.now(),
        };
        if let Some(part) = message.parts.get_mut(part) {
            part.set_sent(&write.message_ids);
        }
        if finished {
            message.state = MessageState::Sent;
            message.updated_at = write.at;
        }
        if let Some(slot) = work.slot.take() {
            slot.used(write.at);
        }
        let outbox = self.delivery.0.store.outbox();
        let stored = self.delivery.persist(message.id, || outbox.part_sent(write.clone()));
        let written = if finished && write.repeatable {
            // Begun as it was accepted, and whole: nothing else came before.
            let is_only = write.is_only && work.on_the_wire.is_some();
            let only_attempt = is_only.then(|| write.entry(Step::Sent));
            // The write is handed over first: reads wait for it.
            let ended = async { self.delivery.end(message, only_attempt.as_ref()) };
            tokio::join!(biased; stored, ended).0
        } else {
            stored.await
        };
        if written == Err(Gone) {
            return ControlFlow::Break(LaneStep::Dropped);
        }
        work.doubtful = false;
        self.delivery.0.waiters.set_with(message.id, None);
        self.delivery.0.waiters.is_settled(message.id);
        if finished {
            self.delivery.note_times(work);
            ControlFlow::Break(self.delivery.finish(&mut work.message, MessageState::Sent, write.at, took))
        } else {
            ControlFlow::Continue(())
        }
    }

    async fn give_back(
        &self,
        work: &mut InFlight,
        route: &Route,
        part: usize,
        outcome: &Outcome,
        exclude: Option<RefusalKind>,
    ) -> ControlFlow<LaneStep> {
        work.slot = None;
        self.delivery.0.waiters.set_with(work.message.id, None);
        let account = work.sent_by().cloned();
        let unsent = self.unsent(work, route, part, outcome, Then::Requeue { account: account.clone() });
        if self.write_unsent(unsent).await == Err(Gone) {
            return ControlFlow::Break(LaneStep::Dropped);
        }
        let message = &mut work.message;
        if let Some(part) = message.parts.get_mut(part) {
            part.state = PartState::Waiting;
        }
        message.state = MessageState::Queued;
        let goes_on = matches!(outcome, Outcome::Unprepared(_));
        if message.content.mention.is_some() && account.is_none() && !goes_on {
            // Placed as this account can write it; the next one plans again.
            message.parts.clear();
        }
        message.account = account;
        work.doubtful = false;
        self.delivery.0.waiters.is_settled(work.message.id);
        if let Some(why) = exclude {
            work.tried.push((refusal(&route.account, outcome), why));
        }
        match outcome {
            Outcome::Unavailable(_) | Outcome::ChatMoved => self.rest(work, route).await,
            // Nothing is wrong with the account.
            Outcome::Unprepared(_) => {
                work.unprepared += 1;
                self.pause(work, work.unprepared).await;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// After an attempt without a result, waits before the same one is made again.
    async fn again(&self, work: &mut InFlight, route: &Route, outcome: &Outcome, pause: Pause) {
        let inner = &self.delivery.0;
        if !matches!(outcome, Outcome::Unavailable(_) | Outcome::Unprepared(_)) {
            work.doubtful = true;
            work.unclear = outcome.clone();
        }
        if let Some(hold) = hold(work, route, outcome, inner.ambient.clock.now())
            && let Err(error) = inner.store.accounts().save_hold(hold).await
        {
            tracing::warn!(account = %route.account, %error, "a wait could not be stored");
        }
        let now = inner.ambient.clock.now();
        let until = match pause {
            Pause::Until(until) => until,
            Pause::BackOff => now.plus(inner.ambient.chance.jitter(decide::back_off(work.attempts))),
        };
        let comes_back = matches!(outcome, Outcome::Unavailable(_));
        let mut changes = inner.sender.changes();
        let worth_another_try = async {
            // Gone for good ends the wait at once; an account that connects ends one that waited for that.
            while inner.sender.can_still_tell(&route.account) {
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                if comes_back {
                    inner.ambient.clock.sleep(SHORTEST_PAUSE).await;
                    return;
                }
            }
        };
        tokio::select! {
            () = inner.ambient.clock.sleep_until(until) => {}
            () = worth_another_try => {}
            () = work.stopped.cancelled() => {}
            () = inner.closing.cancelled() => {}
        }
    }

    /// It may have been sent, and the account does not know: others in the chat are asked; when they cannot say either, a
    /// person must.
    async fn doubt(
        &self,
        work: &mut InFlight,
        route: &Route,
        part: usize,
        outcome: Result<&Outcome, &str>,
    ) -> ControlFlow<LaneStep> {
        if let Some(unknown) = work.message.parts.get(part) {
            let query = attempt(route, unknown, work);
            let evidence = self.delivery.0.sender.peer_check(query, work.message.updated_at).await;
            if let Evidence::Present(ids) = evidence {
                return self.sent(work, route, part, ids.unwrap_or_default(), None).await;
            }
        }
        let entry = match outcome {
            Ok(outcome) => self.attempted(route, part, outcome),
            Err(why) => Entry {
                step: Step::InDoubt,
                outcome: None,
                detail: Some(why.to_owned()),
                ..self.attempted(route, part, &Outcome::InProgress)
            },
        };
        let counted = work.slot.as_ref().is_some_and(Slot::is_counted);
        let doubt = Doubt { id: work.message.id, counted, at: entry.at, entry };
        let outbox = self.delivery.0.store.outbox();
        let written = self.delivery.persist(work.message.id, || outbox.doubt(doubt.clone())).await;
        if let Some(slot) = work.slot.take() {
            slot.used(doubt.at);
        }
        if written == Err(Gone) {
            return ControlFlow::Break(LaneStep::Dropped);
        }
        ControlFlow::Break(self.delivery.finish(&mut work.message, MessageState::InDoubt, doubt.at, None))
    }

    pub(crate) fn attempted(&self, route: &Route, part: usize, outcome: &Outcome) -> Entry {
        Entry {
            at: self.delivery.0.ambient.clock.now(),
            step: Step::Attempted,
            part: Some(index(part)),
            account: Some(route.account.clone()),
            outcome: Some(outcome.kind()),
            detail: outcome.detail(),
        }
    }

    fn unsent(
        &self,
        work: &InFlight,
        route: &Route,
        part: usize,
        outcome: &Outcome,
        then: Then,
    ) -> PartUnsent {
        let entry = self.attempted(route, part, outcome);
        PartUnsent {
            id: work.message.id,
            part: index(part),
            at: entry.at,
            hold: hold(work, route, outcome, entry.at),
            entry,
            then,
        }
    }

    async fn write_unsent(&self, unsent: PartUnsent) -> Result<(), Gone> {
        let outbox = self.delivery.0.store.outbox();
        self.delivery.persist(unsent.id, || outbox.part_unsent(unsent.clone())).await
    }
}

pub(crate) fn attempt<'a>(route: &'a Route, part: &'a Part, work: &'a InFlight) -> Attempt<'a> {
    let message = &work.message;
    Attempt {
        account: &route.account,
        address: &route.address,
        part,
        content: &message.content,
        binding: work.binding,
    }
}

/// What an outcome says about the account, to be kept over restarts.
fn hold(work: &InFlight, route: &Route, outcome: &Outcome, at: Timestamp) -> Option<Hold> {
    if work.only_prepared {
        return None;
    }
    let (account, chat_id) = (route.account.clone(), route.address.chat_id());
    match outcome {
        Outcome::Held { until, scope: HoldScope::Account } => {
            Some(Hold::Flood { account, operation: Operation::SendMessage, until: *until })
        }
        Outcome::Held { until, scope: HoldScope::Chat } => {
            Some(Hold::SlowMode { account, chat_id: chat_id?, until: *until })
        }
        Outcome::Forbidden(why) => Some(Hold::Mark { account, chat_id: chat_id?, why: why.clone(), at }),
        _ => None,
    }
}

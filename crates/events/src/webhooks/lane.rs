//! The lane of one webhook: events get their deliveries, deliveries are posted, and how that went is written in groups.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::event::ReceivedEvent;
use domain::{AnyReceivedId, EventId, MessageOrigin, Timestamp, WebhookId};
use store::{DueDelivery, FanOut, Outcome, StoreError, StoredEvent, Tried, WebhookDeliveryState};
use tokio::task::JoinSet;

use super::receiver::Receiver;
use super::{Kind, NotTaken, Shared, WebhooksParts, decide};

/// Posts to one webhook under way at the same time, at most.
const AT_ONCE: usize = 32;

/// The same while it fails.
const AT_ONCE_FAILING: usize = 4;

/// Events that get their deliveries in one write.
const PAGE: u32 = 500;

/// Deliveries that wait for one webhook at most; further events stay behind its cursor.
const WINDOW: u64 = 20_000;

/// The same while a replay runs: what happens meanwhile has little to wait for.
const REPLAY_WINDOW: u64 = 1000;

/// Deliveries held in memory.
const READY: u32 = 256;

/// Of what was delivered the latest stay to be looked at.
const DELIVERED_LIMIT: u32 = 5000;

/// The number of the latest posts that were given up and stay until their retention ends.
const GIVEN_UP_LIMIT: u32 = 10_000;

/// After this number of posts that were taken or given up the others are removed.
const TRIM_EVERY: usize = 2000;

/// After a store that did not answer, how long until it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How often is looked whether something is due, whatever the clock says meanwhile.
const LOOK: Duration = Duration::from_secs(30);

pub(super) struct Lane {
    shared: Arc<Shared>,
    id: WebhookId,
    receiver: Option<Arc<Receiver>>,
    cursor: EventId,
    replay: Option<(EventId, EventId)>,
    /// Taken from the store and not begun.
    ready: VecDeque<DueDelivery>,
    /// Taken, until their outcome is written.
    taken: HashSet<EventId>,
    /// Outcomes to be written.
    tried: Vec<Tried>,
    /// The store may have something due that is not taken.
    may_be_due: bool,
    /// The endpoint wants nothing more.
    gone: bool,
    failing: bool,
    /// Taken or given up since what is too much was removed; at the start it may be that much.
    ended: usize,
}

impl Lane {
    pub(super) fn new(shared: Arc<Shared>, id: WebhookId) -> Self {
        Self {
            shared,
            id,
            receiver: None,
            cursor: EventId::ZERO,
            replay: None,
            ready: VecDeque::new(),
            taken: HashSet::new(),
            tried: Vec::new(),
            may_be_due: true,
            gone: false,
            failing: false,
            ended: TRIM_EVERY,
        }
    }

    /// Runs until the webhook is removed or the program stops; what is on the wire is finished.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let (mut changes, mut newest) = (shared.changes.subscribe(), shared.parts.store.events().newest());
        let mut posting = JoinSet::new();
        let mut stale = true;
        while !shared.closing.is_cancelled() {
            stale |= changes.has_changed().unwrap_or_default();
            let step = async {
                if stale {
                    changes.mark_unchanged();
                    if !self.load().await? {
                        return Ok(None);
                    }
                    stale = false;
                }
                let newest = *newest.borrow_and_update();
                self.step(newest, &mut posting).await.map(Some)
            };
            let wake = match step.await {
                Ok(Some(wake)) => wake,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(webhook = %self.id, %error, "the store does not answer");
                    self.now().plus(ASK_AGAIN)
                }
            };
            tokio::select! {
                () = shared.closing.cancelled() => {}
                _ = changes.changed() => stale = true,
                // The end of this channel is the end of the store.
                Ok(()) = newest.changed(), if self.receiver.is_some() => {}
                Some(ended) = posting.join_next() => self.note(ended),
                // By the time of day, and by a clock that is not set: the former may have been since it was read.
                () = shared.parts.clock.sleep_until(wake) => {}
                () = shared.parts.clock.sleep(wake.since(self.now()).min(LOOK)) => {}
            }
            // Whatever woke it first.
            self.may_be_due |= self.now() >= wake;
            while let Some(ended) = posting.try_join_next() {
                self.note(ended);
            }
        }
        while let Some(ended) = posting.join_next().await {
            self.note(ended);
        }
        if let Err(error) = self.write().await {
            tracing::warn!(webhook = %self.id, %error, "how posts went is not stored; they are posted again");
        }
    }

    fn parts(&self) -> &WebhooksParts {
        &self.shared.parts
    }

    fn now(&self) -> Timestamp {
        self.shared.parts.clock.now()
    }

    /// Reads the webhook as it is now. False when it is gone.
    async fn load(&mut self) -> Result<bool, StoreError> {
        let Some(webhook) = self.shared.webhook(self.id).await? else { return Ok(false) };
        let is_on = webhook.paused_at.is_none() && webhook.disabled.is_none();
        self.receiver = match Receiver::new(&webhook, self.parts()) {
            Ok(receiver) => is_on.then(|| Arc::new(receiver)),
            Err(error) => {
                tracing::warn!(webhook = %self.id, %error, "a webhook cannot be posted to");
                self.shared.parts.store.webhooks().disable(self.id, &error.to_string(), self.now()).await?;
                None
            }
        };
        (self.cursor, self.replay) = (webhook.cursor, webhook.replay);
        self.failing = webhook.failing_since.is_some();
        self.may_be_due = true;
        // What was taken and not begun is taken again, as the webhook is now.
        for delivery in self.ready.drain(..) {
            self.taken.remove(&delivery.event);
        }
        Ok(true)
    }

    /// Does what there is to do, and says when to look again if nothing else happens.
    async fn step(
        &mut self,
        newest: EventId,
        posting: &mut JoinSet<(Tried, bool)>,
    ) -> Result<Timestamp, StoreError> {
        self.write().await?;
        let Some(receiver) = self.receiver.clone() else { return Ok(self.now().plus(LOOK)) };
        let mut more = self.fan_out(&receiver, newest).await?;
        let now = self.now();
        more |= self.take(now).await?;
        let most = if self.failing { AT_ONCE_FAILING } else { AT_ONCE };
        while posting.len() < most
            && let Some(delivery) = self.ready.pop_front()
        {
            posting.spawn(post(Arc::clone(&self.shared), Arc::clone(&receiver), delivery));
        }
        if more && posting.len() < most {
            return Ok(now);
        }
        if self.may_be_due || !posting.is_empty() {
            return Ok(now.plus(LOOK));
        }
        let next = self.parts().store.webhooks().next_due(self.id, now).await?;
        if next.is_some_and(|next| Kind::Event.is_due(next, now)) {
            // It was postponed before the clock was set back.
            self.parts().store.webhooks().hurry(self.id, now).await?;
            self.may_be_due = true;
            return Ok(now);
        }
        Ok(next.map_or_else(|| now.plus(LOOK), |next| next.min(now.plus(LOOK))))
    }

    /// Gives the next events their deliveries, as long as there is room. Whether there are more of them.
    async fn fan_out(&mut self, receiver: &Receiver, newest: EventId) -> Result<bool, StoreError> {
        let live = self.cursor < newest;
        if !live && self.replay.is_none() {
            return Ok(false);
        }
        let window = if live { WINDOW } else { REPLAY_WINDOW };
        let most = u32::try_from(window).unwrap_or(u32::MAX);
        let (store, at) = (&self.shared.parts.store, self.now());
        if store.webhooks().waiting(self.id, most).await? >= window {
            return Ok(false);
        }
        let (from, replay_until) = match (live, self.replay) {
            (false, Some((after, until))) => (after, Some(until)),
            _ => (self.cursor, None),
        };
        let read = store.events().after(from, &receiver.filter, PAGE).await?;
        let to = replay_until.map_or(read.up_to, |until| until.min(read.up_to));
        if let Some(gap) = read.gap {
            tracing::warn!(webhook = %self.id, up_to = %gap, "events were removed before the webhook had them");
        }
        // A replay that finds nothing more has come to its end.
        let to = if replay_until.is_some() && to == from { replay_until.unwrap_or(to) } else { to };
        if to == from {
            return Ok(false);
        }
        let wanted = read.events.into_iter().filter(|event| event.id <= to);
        let events: Vec<_> =
            wanted.map(|event| (event.id, event.chat.filter(|_| receiver.ordered))).collect();
        let added = !events.is_empty();
        // A replay is asked for what is still there.
        let missed = read.gap.filter(|_| replay_until.is_none());
        let missed =
            missed.map(|up_to| format!("events up to {up_to} were removed before they could be posted"));
        let fan_out = FanOut { webhook: self.id, replay_until, from, to, events, missed, at };
        if !store.webhooks().fan_out(fan_out).await? {
            // It was changed meanwhile: the next turn reads it.
            return self.load().await;
        }
        match replay_until {
            Some(until) => self.replay = (to < until).then_some((to, until)),
            None => self.cursor = to,
        }
        self.may_be_due |= added;
        Ok(self.cursor < newest || self.replay.is_some())
    }

    /// Takes what is due at this time. Whether there is more of it.
    async fn take(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if !self.may_be_due || self.ready.len() >= AT_ONCE {
            return Ok(false);
        }
        // Those that are taken are due as well, until their end is written.
        let most = READY + u32::try_from(self.taken.len()).unwrap_or(u32::MAX / 2);
        let due = self.parts().store.webhooks().due(self.id, now, most).await?;
        self.may_be_due = due.len() >= most as usize;
        for delivery in due {
            if self.taken.insert(delivery.event) {
                self.ready.push_back(delivery);
            }
        }
        Ok(self.may_be_due)
    }

    /// Notes how a post went.
    fn note(&mut self, ended: Result<(Tried, bool), tokio::task::JoinError>) {
        match ended {
            Ok((tried, gone)) => {
                self.failing = tried.outcome != Outcome::Delivered;
                self.gone |= gone;
                self.tried.push(tried);
            }
            Err(error) => tracing::error!(webhook = %self.id, %error, "a post broke down"),
        }
    }

    /// Writes how posts went, all that ended since the last time at once.
    async fn write(&mut self) -> Result<(), StoreError> {
        if self.tried.is_empty() {
            return Ok(());
        }
        let (now, webhooks) = (self.now(), self.shared.parts.store.webhooks());
        let failures = webhooks.tried(self.id, self.tried.clone(), now).await?;
        for tried in self.tried.drain(..) {
            self.taken.remove(&tried.event);
            self.ended += usize::from(!matches!(tried.outcome, Outcome::PutOff { .. }));
        }
        // The next of a chat, or what was brought forward.
        self.may_be_due = true;
        let reason = if self.gone {
            Some("it answered 410 Gone: it wants nothing more")
        } else if failures.is_some_and(|failures| decide::is_over(failures, now)) {
            Some("it has taken nothing for five days")
        } else {
            None
        };
        if let Some(reason) = reason {
            webhooks.disable(self.id, reason, now).await?;
            tracing::warn!(webhook = %self.id, reason, "a webhook is switched off");
            (self.receiver, self.gone) = (None, false);
            for delivery in self.ready.drain(..) {
                self.taken.remove(&delivery.event);
            }
        }
        if self.ended >= TRIM_EVERY {
            self.ended = 0;
            webhooks.trim(self.id, WebhookDeliveryState::Delivered, DELIVERED_LIMIT).await?;
            webhooks.trim(self.id, WebhookDeliveryState::Dead, GIVEN_UP_LIMIT).await?;
        }
        Ok(())
    }
}

/// The message that is posted on in the place of its event; none where the event itself is posted.
async fn forwarded(
    shared: &Shared,
    receiver: &Receiver,
    event: &StoredEvent,
) -> Result<Option<String>, Outcome> {
    let Some(form) = receiver.form else { return Ok(None) };
    let put_off = |error: StoreError| {
        let WebhooksParts { clock, chance, .. } = &shared.parts;
        decide::outcome(Some(error.to_string()), 0, clock.now(), chance)
    };
    let id = serde_json::from_str::<ReceivedEvent>(&event.data).ok().map(|data| data.message_id);
    let Some(AnyReceivedId::Channel(id)) = id else { return Err(Outcome::Delivered) };
    let stored = shared.parts.store.channels().get(id).await.map_err(put_off)?;
    // What the account itself wrote is no news for those who answer customers; what has no form of this kind is passed over.
    let stored = stored.filter(|stored| stored.message.origin == MessageOrigin::Person);
    stored
        .and_then(|stored| channels::forwarded(&stored, form, &shared.parts.links))
        .map(Some)
        .ok_or(Outcome::Delivered)
}

/// Posts one event; says how that went, and whether the endpoint wants nothing more.
async fn post(shared: Arc<Shared>, receiver: Arc<Receiver>, delivery: DueDelivery) -> (Tried, bool) {
    let WebhooksParts { clock, chance, .. } = &shared.parts;
    let DueDelivery { event, attempts, what } = delivery;
    let Some(what) = what else {
        let outcome = Outcome::GivenUp { error: "the event is past its retention".to_owned() };
        return (Tried { event, outcome, status: None, answer: None, latency: None }, false);
    };
    // The semaphore is never closed.
    let _slot = Arc::clone(&shared.slots).acquire_owned().await;
    let instead = match forwarded(&shared, &receiver, &what).await {
        Ok(instead) => instead,
        Err(outcome) => return (Tried { event, outcome, status: None, answer: None, latency: None }, false),
    };
    let posted = receiver.post(clock, &what, instead).await;
    let (error, gone) = match &posted {
        Ok(_) => (None, false),
        Err(not_taken) => (Some(not_taken.to_string()), not_taken.is_gone()),
    };
    let outcome = match error {
        Some(error) if gone => Outcome::GivenUp { error },
        error => decide::outcome(error, attempts, clock.now(), chance),
    };
    if let Outcome::PutOff { error, .. } | Outcome::GivenUp { error } = &outcome {
        tracing::debug!(webhook = %receiver.id, %event, error, attempts, "an event was not taken");
    }
    let answer = posted.as_ref().ok().or_else(|| posted.as_ref().err().and_then(NotTaken::answer));
    let tried = Tried {
        event,
        outcome,
        status: answer.map(|answer| answer.status.as_u16()),
        answer: answer.map(|answer| answer.body.clone()),
        latency: answer.map(|answer| answer.latency),
    };
    (tried, gone)
}

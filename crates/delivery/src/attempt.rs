//! The wire and after: one attempt of a begun part, and what follows from its outcome.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::account::Operation;
use domain::message::{MessageState, OutboundMessage, Part, PartState};
use domain::outcome::{SentIds, Unclear};
use domain::timeline::{Entry, Step};
use domain::{ChatKind, Outcome};
use store::{Doubt, Hold, PartSent, PartUnsent, Then};

use crate::decide::{self, Next, Pause, Tried, Unsettled};
use crate::sender::{Attempt, Found, Testimony, Why};
use crate::way;
use crate::worker::{Carried, Gone, Load, Walk, Way, index, refusal};

/// A message that was asked for may appear in the chat a little after the call that asked for it has failed.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// An account that comes back may be asked at once, but not in a loop.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

impl Walk<'_> {
    pub(crate) async fn attempt(&self, load: &mut Load, way: &Way, part: usize) -> ControlFlow<Carried> {
        let inner = &self.delivery.0;
        if load.doubtful && !inner.sender.can_still_tell(&way.account) {
            return self.doubt(load, way, part, Err("the account that knows is gone")).await;
        }
        if load.doubtful && load.stopped.is_cancelled() {
            return self.doubt(load, way, part, Err("a person ended the tries")).await;
        }
        let unprepared = match self.prepare_again(load, way, part).await {
            Ok(unprepared) => unprepared,
            Err(Gone) => return ControlFlow::Break(Carried::Dropped),
        };
        let is_unclear = match &unprepared {
            Some((_, is_server_error)) => *is_server_error,
            None => false,
        };
        load.only_prepared = unprepared.is_some();
        let (outcome, took) = if let Some((outcome, _)) = unprepared {
            (outcome, None)
        } else {
            let Some(part) = load.message.parts.get(part) else {
                return ControlFlow::Break(Carried::Dropped);
            };
            let begun = inner.ambient.clock.now();
            inner.live.set_with(load.message.id, Some((&way.account, inner.ambient.clock.running())));
            let outcome = inner.sender.send(attempt(way, part, load)).await;
            if let Some(admission) = load.admission.take().filter(|_| !outcome.proves_unsent()) {
                admission.used();
            }
            let took = inner.ambient.clock.now().since(begun);
            load.on_the_wire =
                load.on_the_wire.filter(|_| matches!(outcome, Outcome::Sent(_))).map(|before| before + took);
            (outcome, Some(took))
        };
        way::attempted(&load.message, way, part, &outcome, took);
        load.attempts += 1;
        let answered = matches!(outcome, Outcome::InProgress | Outcome::Unknown(Unclear::Unreadable(_)));
        load.unclear_answers = if answered { load.unclear_answers + 1 } else { 0 };
        let is_unclear = is_unclear || matches!(outcome, Outcome::InProgress | Outcome::Unknown(_));
        let is_first_unclear = is_unclear && load.unsettled.is_none();
        if is_unclear {
            self.is_unsettled(load);
        }
        let tried = Tried {
            doubtful: load.doubtful,
            unclear_answers: load.unclear_answers,
            expired: self.expired(load),
        };
        let mut next = decide::after(&outcome, tried);
        if next == Next::Look {
            next = decide::after_look(self.look(load, way, part).await, &outcome, tried);
        }
        match next {
            Next::Done(ids) => self.sent(load, way, part, ids).await,
            Next::GiveBack { exclude } => self.give_back(load, way, part, &outcome, exclude).await,
            Next::Fail(failure) => {
                let unsent = self.unsent(load, way, part, &outcome, Then::Fail(failure.clone()));
                let at = unsent.at;
                if self.write_unsent(unsent).await == Err(Gone) {
                    return ControlFlow::Break(Carried::Dropped);
                }
                load.message.failure = Some(failure);
                ControlFlow::Break(self.delivery.finish(&mut load.message, MessageState::Failed, at))
            }
            Next::Again(pause) => {
                self.delivery.note(load.message.id, self.attempted(way, part, &outcome)).await;
                if is_first_unclear {
                    self.note_tries(load).await;
                }
                self.again(load, way, &outcome, pause).await;
                if inner.closing.is_cancelled() {
                    return ControlFlow::Break(Carried::Dropped);
                }
                ControlFlow::Continue(())
            }
            Next::Look | Next::Doubt => self.doubt(load, way, part, Ok(&outcome)).await,
        }
    }

    /// One more attempt after which it is not known what came of the part. From the first one on a person may end the tries.
    fn is_unsettled(&self, load: &mut Load) {
        let inner = &self.delivery.0;
        let unsettled = Unsettled::and_again(load.unsettled, inner.ambient.clock.now());
        load.unsettled = Some(unsettled);
        let gives_up_at = unsettled.since.plus(inner.limits.give_up_after);
        inner.live.is_unsettled(load.message.id, gives_up_at, load.stopped.clone());
    }

    /// Notes until when the part is tried.
    async fn note_tries(&self, load: &Load) {
        let Some(gives_up_at) = self.delivery.gives_up_at(load.message.id) else { return };
        let why = format!(
            "it is not known whether it arrived; the same is tried until {}, and then the chat is looked at",
            gives_up_at.to_the_second()
        );
        self.delivery.note(load.message.id, self.entry(Step::Waiting, load, Some(why))).await;
    }

    /// Whether the part has been tried for as long as it may be.
    pub(crate) fn expired(&self, load: &Load) -> bool {
        let inner = &self.delivery.0;
        let (now, limit) = (inner.ambient.clock.now(), inner.limits.give_up_after);
        load.unsettled.is_some_and(|unsettled| unsettled.expired(now, limit))
    }

    /// Looks for the part in the chat; twice, if it is not there at first.
    async fn look(&self, load: &Load, way: &Way, part: usize) -> Found {
        let inner = &self.delivery.0;
        let Some(part) = load.message.parts.get(part) else { return Found::CannotTell };
        let look = || inner.sender.find(attempt(way, part, load), load.message.updated_at);
        match look().await {
            Found::NotThere => {
                inner.ambient.clock.sleep(SECOND_LOOK).await;
                look().await
            }
            found => found,
        }
    }

    async fn sent(
        &self,
        load: &mut Load,
        way: &Way,
        part: usize,
        message_ids: SentIds,
    ) -> ControlFlow<Carried> {
        let message = &mut load.message;
        let finished =
            message.parts.iter().enumerate().all(|(n, other)| n == part || other.state == PartState::Sent);
        let write = PartSent {
            id: message.id,
            part: index(part),
            account: way.account.clone(),
            chat_id: way.chat_id,
            message_ids,
            bind: binds(way, message),
            rebind: load.rebinds,
            at: self.delivery.0.ambient.clock.now(),
        };
        let outbox = self.delivery.0.store.outbox();
        if self.delivery.persist(message.id, || outbox.part_sent(write.clone())).await == Err(Gone) {
            return ControlFlow::Break(Carried::Dropped);
        }
        if let Some(part) = message.parts.get_mut(part) {
            part.set_sent(&write.message_ids);
        }
        load.doubtful = false;
        self.delivery.0.live.set_with(message.id, None);
        self.delivery.0.live.is_settled(message.id);
        if finished {
            self.delivery.note_times(load);
            ControlFlow::Break(self.delivery.finish(&mut load.message, MessageState::Sent, write.at))
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
        load.admission = None;
        self.delivery.0.live.set_with(load.message.id, None);
        let account = load.sent_by().cloned();
        let unsent = self.unsent(load, way, part, outcome, Then::Requeue { account: account.clone() });
        if self.write_unsent(unsent).await == Err(Gone) {
            return ControlFlow::Break(Carried::Dropped);
        }
        let message = &mut load.message;
        if let Some(part) = message.parts.get_mut(part) {
            part.state = PartState::Waiting;
        }
        message.state = MessageState::Queued;
        let goes_on = matches!(outcome, Outcome::Unprepared(_));
        if message.content.mention.is_some() && account.is_none() && !goes_on {
            // Placed as this account can write it; the next one plans anew.
            message.parts.clear();
        }
        message.account = account;
        load.doubtful = false;
        self.delivery.0.live.is_settled(load.message.id);
        if let Some(why) = exclude {
            load.tried.push((refusal(&way.account, outcome), why));
        }
        match outcome {
            Outcome::Unavailable(_) | Outcome::ChatMoved => self.rest(load, way).await,
            // Nothing is wrong with the account.
            Outcome::Unprepared(_) => {
                load.unprepared += 1;
                self.pause(load, load.unprepared).await;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// After an attempt without a result, waits before the same one is made again.
    async fn again(&self, load: &mut Load, way: &Way, outcome: &Outcome, pause: Pause) {
        let inner = &self.delivery.0;
        if !matches!(outcome, Outcome::Unavailable(_) | Outcome::Unprepared(_)) {
            load.doubtful = true;
        }
        if let Some(hold) = hold(load, way, outcome)
            && let Err(error) = inner.store.accounts().save_hold(hold).await
        {
            tracing::warn!(account = %way.account, %error, "a wait could not be stored");
        }
        let now = inner.ambient.clock.now();
        let until = match pause {
            Pause::Until(until) => until,
            Pause::BackOff => now.plus(inner.ambient.chance.jitter(decide::back_off(load.attempts))),
        };
        let comes_back = matches!(outcome, Outcome::Unavailable(_));
        let mut changes = inner.sender.changes();
        let worth_another_try = async {
            // Gone for good ends the wait at once; an account that connects ends one that waited for that.
            while inner.sender.can_still_tell(&way.account) {
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
            () = load.stopped.cancelled() => {}
            () = inner.closing.cancelled() => {}
        }
    }

    /// It may have been sent, and the account cannot tell: others in the chat are asked; when they cannot say either, a
    /// person must.
    async fn doubt(
        &self,
        load: &mut Load,
        way: &Way,
        part: usize,
        outcome: Result<&Outcome, &str>,
    ) -> ControlFlow<Carried> {
        if let Some(unknown) = load.message.parts.get(part) {
            let asked = attempt(way, unknown, load);
            let said = self.delivery.0.sender.witness(asked, load.message.updated_at).await;
            if let Testimony::Seen(ids) = said {
                return self.sent(load, way, part, ids.unwrap_or_default()).await;
            }
        }
        let entry = match outcome {
            Ok(outcome) => self.attempted(way, part, outcome),
            Err(why) => Entry {
                step: Step::InDoubt,
                outcome: None,
                detail: Some(why.to_owned()),
                ..self.attempted(way, part, &Outcome::InProgress)
            },
        };
        let doubt = Doubt { id: load.message.id, at: entry.at, entry };
        let outbox = self.delivery.0.store.outbox();
        if self.delivery.persist(load.message.id, || outbox.doubt(doubt.clone())).await == Err(Gone) {
            return ControlFlow::Break(Carried::Dropped);
        }
        ControlFlow::Break(self.delivery.finish(&mut load.message, MessageState::InDoubt, doubt.at))
    }

    pub(crate) fn attempted(&self, way: &Way, part: usize, outcome: &Outcome) -> Entry {
        Entry {
            at: self.delivery.0.ambient.clock.now(),
            step: Step::Attempted,
            part: Some(index(part)),
            account: Some(way.account.clone()),
            outcome: Some(outcome.kind()),
            detail: outcome.detail(),
        }
    }

    fn unsent(&self, load: &Load, way: &Way, part: usize, outcome: &Outcome, then: Then) -> PartUnsent {
        let entry = self.attempted(way, part, outcome);
        PartUnsent {
            id: load.message.id,
            part: index(part),
            at: entry.at,
            entry,
            then,
            hold: hold(load, way, outcome),
        }
    }

    async fn write_unsent(&self, unsent: PartUnsent) -> Result<(), Gone> {
        let outbox = self.delivery.0.store.outbox();
        self.delivery.persist(unsent.id, || outbox.part_unsent(unsent.clone())).await
    }
}

pub(crate) fn attempt<'a>(way: &'a Way, part: &'a Part, load: &'a Load) -> Attempt<'a> {
    let message = &load.message;
    Attempt {
        account: &way.account,
        chat_id: way.chat_id,
        part,
        content: &message.content,
        binds: binds(way, message),
        rebinds: load.rebinds,
    }
}

/// A private dialog stays with the account that began it, unless a caller chose that account for once; a group is
/// written to by whoever is in it.
fn binds(way: &Way, message: &OutboundMessage) -> bool {
    way.chat_id.kind() == ChatKind::User && message.pin.is_none()
}

/// What an outcome says about the account, to be kept over restarts.
fn hold(load: &Load, way: &Way, outcome: &Outcome) -> Option<Hold> {
    if load.only_prepared {
        return None;
    }
    let (account, chat_id) = (way.account.clone(), way.chat_id);
    match outcome {
        Outcome::FloodWait(until) => {
            Some(Hold::Flood { account, operation: Operation::SendMessage, until: *until })
        }
        Outcome::SlowMode(until) => Some(Hold::SlowMode { account, chat_id, until: *until }),
        Outcome::Forbidden(why) => Some(Hold::Mark { account, chat_id, why: why.clone() }),
        _ => None,
    }
}

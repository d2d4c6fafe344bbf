//! Before anything is changed: an account is found that can take the steps, or waited for.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::outcome::{Failure, OutcomeKind};
use domain::saga::{Left, RegistryChange, SagaEntry, SagaEvent, SagaState, StepOutcome, Task};
use domain::{AccountName, Address, ChatId, ChatKind, ChatRef, Timestamp};
use store::{ChatRecord, ChatState};
use tokio::sync::watch;

use super::in_flight::InFlight;
use super::machine;
use super::runner::SagaRunner;
use crate::decide::{self, Choice};
use crate::sender::{Candidates, Query, Readiness};
use crate::worker::NotedWait;

/// Even without a deadline the accounts are looked at again now and then: a missed change must not strand a saga.
const LONGEST_LOOK_AWAY: Duration = Duration::from_secs(5);

/// Of those who do not find a chat, so many are named in the history.
const MOST_LISTED: usize = 50;

impl SagaRunner<'_> {
    /// Finds the account that takes the next steps.
    pub(super) async fn choose(&self, work: &mut InFlight) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        loop {
            if inner.closing.is_cancelled() {
                return ControlFlow::Break(());
            }
            let mut changes = inner.steps.changes();
            let mut doubts = inner.turns.doubts();
            let Some(candidates) = self.candidates(work).await else { return ControlFlow::Break(()) };
            let chat = work.saga.task.chat();
            let account = match decide::choose(&candidates, chat, &work.tried, None, work.fails_on_flood()) {
                Choice::Go(account) => account,
                Choice::Wait { until } => {
                    self.give_turn_back();
                    self.note_wait(work, until).await;
                    self.wait(work, until, &mut changes, &mut doubts).await?;
                    continue;
                }
                Choice::Fail(failure) => return self.no_candidate(work, failure).await,
            };
            if work.saga.task.chat().is_some() {
                let Some(chat_id) = candidates.address.as_ref().and_then(Address::chat_id) else {
                    return self.no_candidate(work, Failure::ChatNotFound { asked: Vec::new() }).await;
                };
                work.saga.chat_id = Some(chat_id);
            }
            if work.noted_wait != NotedWait::None {
                work.noted_wait = NotedWait::None;
                inner.waiters.hold(work.saga.id, None);
            }
            if work.people_by.as_ref().is_some_and(|by| *by != account) {
                machine::forget_people(&mut work.saga);
            }
            work.people_by = Some(account.clone());
            work.takes_over = candidates.lost && work.saga.pin.is_none();
            work.stands_in_for = match work.saga.pin {
                None => decide::failover(&candidates, &work.tried, &account, None),
                Some(_) => None,
            };
            work.chosen = Some(account);
            return ControlFlow::Continue(());
        }
    }

    /// Who could do it, as far as this saga and those in doubt leave them; `None` when the program ends meanwhile.
    async fn candidates(&self, work: &InFlight) -> Option<Candidates> {
        let inner = &self.sagas.0;
        let task = &work.saga.task;
        let pin = work.saga.pin.as_ref();
        let mut candidates = match task.chat() {
            None => inner.steps.creators(pin),
            Some(chat) => {
                let service = Some(task.kind().service());
                let query = Query { chat: chat.clone(), pin: pin.cloned(), service };
                let _permit = self.permit().await?;
                tokio::select! {
                    reachers = inner.steps.reachers(&query, machine::first_operation(task)) => reachers,
                    () = inner.closing.cancelled() => return None,
                }
            }
        };
        let now = inner.ambient.clock.now();
        for able in &mut candidates.able {
            if matches!(task, Task::CreateChat { .. }) && self.is_in_doubt_elsewhere(&able.account) {
                able.readiness = Readiness::Connecting;
            }
            let held = work.held.iter().filter(|(account, until)| *account == able.account && *until > now);
            for (_, until) in held {
                able.readiness = match able.readiness {
                    Readiness::HeldUntil(other) | Readiness::LimitedUntil(other) => {
                        Readiness::HeldUntil(other.max(*until))
                    }
                    Readiness::Ready => Readiness::HeldUntil(*until),
                    waits @ (Readiness::Connecting | Readiness::Paused) => waits,
                };
            }
        }
        candidates.able.sort_by_key(|able| work.unavailable.contains(&able.account));
        Some(candidates)
    }

    /// Another saga does not know whether this account has made its chat.
    fn is_in_doubt_elsewhere(&self, account: &AccountName) -> bool {
        !self.has_turn(account) && self.sagas.0.turns.in_doubt(account)
    }

    /// No one can do it. A chat that no one finds may count as left, if everyone who might know it was asked; one that is
    /// marked so stays left, no matter who can be asked today. Only a chat that was ours is marked: for an id that was
    /// never one, the answer must be that no one finds it, and it is not skipped.
    pub(super) async fn no_candidate(&self, work: &mut InFlight, failure: Failure) -> ControlFlow<()> {
        let Task::LeaveChat { chat, missing_is_left: true, .. } = &work.saga.task else {
            return self.fail(work, failure, None).await;
        };
        let left = match chat {
            // An account that was named speaks for itself alone: the others may well be in the chat.
            ChatRef::Id(chat_id) if chat_id.kind() != ChatKind::User && work.saga.pin.is_none() => {
                Some(*chat_id)
            }
            _ => None,
        };
        let record = self.record(left).await;
        let (refusals, registry) = match &failure {
            Failure::ChatNotFound { asked } if !asked.is_empty() => {
                let ours = left.filter(|_| record.is_some());
                (asked, ours.map(|chat_id| RegistryChange::Left { chat_id }))
            }
            Failure::NoAccount { asked }
                if record.as_ref().is_some_and(|record| record.state == ChatState::Left) =>
            {
                (asked, None)
            }
            _ => return self.fail(work, failure, None).await,
        };
        work.saga.progress.left = Some(Left::Unresolvable);
        let ending = match failure {
            Failure::ChatNotFound { .. } => StepOutcome::Ended(OutcomeKind::NotFound),
            _ => StepOutcome::LeftBefore,
        };
        for refusal in refusals.iter().take(MOST_LISTED) {
            let account = Some(refusal.account.clone());
            let (outcome, detail) = (Some(ending), Some(refusal.why.clone()));
            work.entries.push(SagaEntry { account, outcome, detail, ..self.sagas.entry(SagaEvent::Leave) });
        }
        self.end(work, SagaState::Done, registry.into_iter().collect(), None).await
    }

    /// What the registry says of the chat. While it cannot be read nothing is claimed.
    async fn record(&self, chat_id: Option<ChatId>) -> Option<ChatRecord> {
        self.sagas.0.store.chats().get(chat_id?).await.ok().flatten()
    }

    /// Waits for an instant, a change of the accounts, or the end of the saga, whichever comes first.
    async fn wait(
        &self,
        work: &InFlight,
        until: Option<Timestamp>,
        changes: &mut watch::Receiver<u64>,
        doubts: &mut watch::Receiver<u64>,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let until = until.unwrap_or_else(|| inner.ambient.clock.now().plus(LONGEST_LOOK_AWAY));
        tokio::select! {
            () = self.over(work) => self.unless_over(work).await,
            () = inner.ambient.clock.sleep_until(until) => ControlFlow::Continue(()),
            _ = changes.changed() => ControlFlow::Continue(()),
            _ = doubts.changed() => ControlFlow::Continue(()),
            () = inner.closing.cancelled() => ControlFlow::Break(()),
        }
    }

    /// Waits for the account's turn to make a chat. Afterwards the account is chosen again: much may have changed.
    pub(super) async fn wait_for_turn(&self, work: &mut InFlight, account: &AccountName) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        self.give_turn_back();
        let mut doubts = inner.turns.doubts();
        if !inner.turns.in_doubt(account) {
            tokio::select! {
                turn = inner.turns.take(account) => self.keep_turn(turn),
                _ = doubts.changed() => {}
                () = self.over(work) => self.unless_over(work).await?,
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        work.chosen = None;
        ControlFlow::Continue(())
    }

    /// Ends when someone has ended the saga.
    pub(super) async fn over(&self, work: &InFlight) {
        match self.sagas.0.waiters.wait(work.saga.id) {
            Some(ended) => drop(ended.await),
            None => std::future::pending().await,
        }
    }

    pub(super) async fn unless_over(&self, work: &InFlight) -> ControlFlow<()> {
        match self.sagas.get(work.saga.id).await {
            Ok(Some(saga)) if saga.state.is_final() => ControlFlow::Break(()),
            Ok(None) => ControlFlow::Break(()),
            Ok(Some(_)) | Err(_) => ControlFlow::Continue(()),
        }
    }

    async fn note_wait(&self, work: &mut InFlight, until: Option<Timestamp>) {
        let wait = until.map_or(NotedWait::Connecting, NotedWait::Until);
        if work.noted_wait == wait {
            return;
        }
        work.noted_wait = wait;
        self.sagas.0.waiters.hold(work.saga.id, until);
        let detail = match until {
            Some(until) => {
                format!(
                    "no account may do it yet; the first that is held back is free at {}",
                    until.to_the_second()
                )
            }
            None => {
                "every account that could do it is connecting, or does not know yet whether it made a chat"
                    .into()
            }
        };
        let entry = SagaEntry { detail: Some(detail), ..self.sagas.entry(SagaEvent::Waiting) };
        self.sagas.note(work.saga.id, entry).await;
    }
}

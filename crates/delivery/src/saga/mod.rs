//! Sagas: work on a chat that takes several steps, carried from its acceptance to its end.
//!
//! A saga is on disk before [`Sagas::submit`] returns. Each step that may change the outside is written to the store
//! before it is taken and after it, so that a crash at any instant resumes at that very step: a chat that may have been
//! made is looked for before another is made, and every other step may be repeated.

mod choose;
mod in_flight;
mod judge;
mod machine;
#[cfg(test)]
mod machine_tests;
mod persist;
mod run;
mod runner;
mod search;
mod submission;
mod turns;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ambient::Handle;
use domain::saga::{RegistryChange, Saga, SagaEntry, SagaEvent, SagaState, Step, StepAnswer, Verdict};
use domain::{AccountName, OperationId, Timestamp};
use store::{AcceptSaga, SagaAccepted, SagaChange, SameBy, Store, StoreError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::durability::Fate;
use crate::metrics::{SagaMetrics, SagasCounted};
use crate::steps::Steps;
use crate::submission::How;
use crate::waiters::{Due, Waiters};
use crate::watchdog::{Unbegun, Watchdog};
use crate::{Ambient, durability, log_events};

pub use submission::{SagaChanged, SagaError, SagaSubmitted, TaskSubmission};

use turns::{Turn, Turns};

/// How much the runner of sagas holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SagaLimits {
    /// Sagas that are not finished, at most; over it [`SagaError::TooMany`].
    pub queued: usize,
    /// Steps that are taken at the same time, at most.
    pub running: usize,
}

impl Default for SagaLimits {
    fn default() -> Self {
        Self { queued: 10_000, running: 64 }
    }
}

/// Carries sagas. Cheap to clone.
#[derive(Clone)]
pub struct Sagas(Handle<Inner>);

struct Inner {
    store: Store,
    steps: Arc<dyn Steps>,
    ambient: Ambient,
    limits: SagaLimits,
    waiters: Waiters<OperationId, Saga>,
    /// The sagas that have a task, and whether it must read its saga once more before it ends.
    carried: Mutex<HashMap<OperationId, bool>>,
    turns: Turns,
    permits: Semaphore,
    watchdog: Watchdog<OperationId>,
    callbacks_due: Arc<Notify>,
    metrics: SagaMetrics,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Sagas {
    /// A runner over this store and these steps. Nothing moves before [`Sagas::resume`] or the first saga.
    pub fn new(store: Store, steps: Arc<dyn Steps>, ambient: Ambient, limits: SagaLimits) -> Self {
        Self(Handle::new(Inner {
            store,
            steps,
            ambient,
            limits,
            waiters: Waiters::default(),
            carried: Mutex::default(),
            turns: Turns::default(),
            permits: Semaphore::new(limits.running.max(1)),
            watchdog: Watchdog::default(),
            callbacks_due: Arc::default(),
            metrics: SagaMetrics::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }))
    }

    /// Takes up what an earlier run left unfinished; call it once, before the first [`Sagas::submit`]. Returns how many.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn resume(&self) -> Result<usize, StoreError> {
        let (mut sagas, mut after) = (Vec::new(), None);
        loop {
            let page = self.0.store.sagas().unfinished(after, 500).await?;
            let Some(last) = page.last else { break };
            // A clock that was set back must not put new sagas before those that wait.
            self.0.ambient.ids.follow(*last.as_uuid());
            sagas.extend(page.readable);
            for id in page.unreadable {
                self.find_out(id, None);
            }
            after = Some(last);
        }
        let resumed = sagas.len();
        // An account whose chat is in doubt makes no other before that is known.
        let mut carried = Vec::with_capacity(resumed);
        for saga in sagas {
            let turn = self.turn_before_restart(&saga);
            carried.push((saga, turn));
        }
        for (saga, turn) in carried {
            self.0.waiters.begin(saga.id, ());
            self.start(saga.id, Some(saga), turn);
        }
        Ok(resumed)
    }

    fn turn_before_restart(&self, saga: &Saga) -> Option<Turn> {
        let creating = saga.begun.as_ref().is_some_and(|begun| matches!(begun.step, Step::Create { .. }));
        let account = saga.account.as_ref().filter(|_| creating)?;
        let turn = self.0.turns.try_take(account)?;
        turn.begin_doubt();
        Some(turn)
    }

    /// Accepts a task: when this returns [`How::New`], it is on disk and will be carried.
    ///
    /// # Errors
    /// See [`SagaError`]; nothing was accepted then.
    pub async fn submit(&self, submission: TaskSubmission) -> Result<SagaSubmitted, SagaError> {
        let sagas = self.clone();
        self.to_the_end(async move { sagas.accept(submission).await }).await?
    }

    /// What a key stands for already; `None` when it is free.
    ///
    /// # Errors
    /// [`SagaError::Conflict`] when it stands for another request, and when the store cannot be read.
    pub async fn repeated(&self, key: store::Idempotency) -> Result<Option<SagaSubmitted>, SagaError> {
        let now = self.0.ambient.clock.now();
        match self.0.store.sagas().keyed(key, now).await? {
            Some(SagaAccepted::Repeated(id)) => {
                self.note_joined(id, key.same_by.words()).await;
                Ok(Some(SagaSubmitted { id, how: How::Replayed }))
            }
            Some(SagaAccepted::Conflict) => Err(SagaError::Conflict),
            _ => Ok(None),
        }
    }

    async fn accept(&self, submission: TaskSubmission) -> Result<SagaSubmitted, SagaError> {
        let key = submission.idempotency;
        let taken = self.take_in(submission).await;
        let is_conflict = |error: &SagaError| matches!(error, SagaError::Conflict);
        durability::unless_repeated(taken, key.map(|key| self.repeated(key)), is_conflict).await
    }

    async fn take_in(&self, submission: TaskSubmission) -> Result<SagaSubmitted, SagaError> {
        let inner = &self.0;
        if inner.closing.is_cancelled() {
            return Err(SagaError::ShuttingDown);
        }
        if let Some(pin) = submission.pin.as_ref().filter(|pin| !inner.steps.knows(pin)) {
            return Err(SagaError::UnknownAccount(pin.clone()));
        }
        let queued = inner.waiters.len();
        if queued >= inner.limits.queued {
            return Err(SagaError::TooMany { queued });
        }
        let saga = submission::build(&submission, &inner.ambient);
        let id = saga.id;
        inner.waiters.begin(id, ());
        let listener = submission.origin.listener.clone();
        let accept = AcceptSaga {
            saga: saga.clone(),
            origin: submission.origin,
            idempotency: submission.idempotency,
            join: submission.join,
            keep: submission.keep,
        };
        let same_by = submission.idempotency.map_or(SameBy::Key, |key| key.same_by);
        let answer = inner.store.sagas().accept(accept).await;
        let unknown = SagaError::OutcomeUnknown { id };
        let accepted = durability::answer_or_fate(answer, &id, self.fate(id), unknown).await;
        let other = match accepted.map(|answer| answer.unwrap_or(SagaAccepted::New)) {
            Ok(SagaAccepted::New) => {
                inner.metrics.accepted(saga.task.kind());
                log_events::task_accepted(id, saga.task.kind(), &listener);
                self.start(id, Some(saga), None);
                return Ok(SagaSubmitted { id, how: How::New });
            }
            Ok(SagaAccepted::Repeated(other)) => {
                self.note_joined(other, same_by.words()).await;
                Ok(SagaSubmitted { id: other, how: How::Replayed })
            }
            Ok(SagaAccepted::Joined(other)) => {
                self.note_joined(other, "with the same body").await;
                Ok(SagaSubmitted { id: other, how: How::Joined })
            }
            Ok(SagaAccepted::Conflict) => Err(SagaError::Conflict),
            Err(not_accepted) => Err(not_accepted),
        };
        inner.waiters.abandon(id);
        other
    }

    async fn note_joined(&self, id: OperationId, how: &str) {
        let entry = SagaEntry { detail: Some(how.to_owned()), ..self.entry(SagaEvent::Joined) };
        self.note(id, entry).await;
    }

    /// An entry of the history that says no more than what and when.
    fn entry(&self, what: SagaEvent) -> SagaEntry {
        let at = self.0.ambient.clock.now();
        SagaEntry { at, what, account: None, outcome: None, detail: None }
    }

    /// An entry in the history; losing one is no reason to stop.
    async fn note(&self, id: OperationId, entry: SagaEntry) {
        log_events::task_went_on(id, None, &entry);
        if let Err(error) = self.0.store.sagas().note(id, entry).await {
            tracing::warn!(operation = %id, %error, "an entry could not be written into the history");
        }
    }

    async fn fate(&self, id: OperationId) -> Fate {
        let Inner { store, ambient, closing, .. } = &*self.0;
        let why = Some("the store was late to accept it".to_owned());
        let cancel = || async {
            let cancelled = store.sagas().cancel(id, ambient.clock.now(), why.clone()).await?;
            // One that is not there will never be carried either.
            Ok(cancelled || self.get(id).await?.is_none())
        };
        let fate = durability::fate(ambient, closing, &id, cancel).await;
        if fate == Fate::NotAccepted {
            self.answered(id).await;
        }
        fate
    }

    /// Waits until a saga is final, at most `limit`, and returns how it is then; `None` if there is no such saga.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn settled(&self, id: OperationId, limit: Duration) -> Result<Option<Saga>, StoreError> {
        if let Some(waiting) = self.0.waiters.wait(id)
            && let Ok(Ok(saga)) = self.0.ambient.clock.timeout(limit, waiting).await
        {
            return Ok(Some(*saga));
        }
        self.get(id).await
    }

    /// A saga as it is now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self, id: OperationId) -> Result<Option<Saga>, StoreError> {
        self.0.store.sagas().get(id).await
    }

    /// Ends a saga of which nothing was begun yet.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn cancel(&self, id: OperationId, detail: Option<String>) -> Result<SagaChanged, StoreError> {
        let sagas = self.clone();
        self.to_the_end(async move { sagas.end_unbegun(id, detail).await }).await?
    }

    async fn end_unbegun(&self, id: OperationId, detail: Option<String>) -> Result<SagaChanged, StoreError> {
        let now = self.0.ambient.clock.now();
        let Some(before) = self.get(id).await? else { return Ok(SagaChanged::NoSuchOperation) };
        if before.state != SagaState::Queued {
            return Ok(SagaChanged::Refused(Box::new(before)));
        }
        let done = self.0.store.sagas().cancel(id, now, detail).await?;
        let Some(saga) = self.get(id).await? else { return Ok(SagaChanged::NoSuchOperation) };
        if !done {
            return Ok(SagaChanged::Refused(Box::new(saga)));
        }
        // The one who carries it at this moment finds out from the store.
        if saga.state.is_final() {
            self.end(&saga);
        }
        // A retry between the write and the end of the waiting would not be waited for.
        if self.get(id).await?.is_some_and(|now| !now.state.is_final()) {
            self.0.waiters.begin(id, ());
            self.start(id, None, None);
        }
        Ok(SagaChanged::Done(Box::new(saga)))
    }

    /// Does a failed or cancelled saga again, from the beginning.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn retry(&self, id: OperationId) -> Result<SagaChanged, StoreError> {
        let sagas = self.clone();
        self.to_the_end(async move {
            if sagas.get(id).await?.is_none() {
                return Ok(SagaChanged::NoSuchOperation);
            }
            let done = sagas.0.store.sagas().retry(id, sagas.0.ambient.clock.now()).await;
            sagas.back_to_work(id, done, None).await
        })
        .await?
    }

    /// Ends a doubt by a person's word.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn resolve(&self, id: OperationId, verdict: Verdict) -> Result<SagaChanged, StoreError> {
        let sagas = self.clone();
        self.to_the_end(async move {
            let Some(before) = sagas.get(id).await? else { return Ok(SagaChanged::NoSuchOperation) };
            if before.state == SagaState::InDoubt
                && matches!(verdict, Verdict::Done(_))
                && was_leaving(&before)
            {
                return sagas.has_left(before).await;
            }
            let done = sagas.0.store.sagas().resolve(id, verdict, sagas.0.ambient.clock.now()).await;
            let made = made(&before, verdict);
            if let (Ok(true), Some(made)) = (&done, &made) {
                sagas.0.steps.registered(made);
            }
            sagas.back_to_work(id, done, made).await
        })
        .await?
    }

    /// A person says that the chat was left: that was the last step. It is one write: between two, a crash would leave a
    /// saga without a step that is begun, and it would leave the chat once more, through another account.
    async fn has_left(&self, mut saga: Saga) -> Result<SagaChanged, StoreError> {
        machine::record(&mut saga, &Step::Leave, Ok(&StepAnswer::Done));
        (saga.state, saga.begun) = (SagaState::Done, None);
        saga.updated_at = self.0.ambient.clock.now();
        let registry = machine::registry(&saga, &Step::Leave, &StepAnswer::Done);
        let change = SagaChange {
            saga,
            entries: vec![self.entry(SagaEvent::Finished)],
            hold: None,
            registry: registry.into_iter().collect(),
            failover: None,
            callback: None,
        };
        let SagaChange { saga, registry, .. } = change.clone();
        let done = self.0.store.sagas().resolve_as_done(change).await;
        if !matches!(done, Ok(true)) {
            // Someone else was faster, or the store does not answer.
            return self.back_to_work(saga.id, done, registry.into_iter().next()).await;
        }
        for change in &registry {
            self.0.steps.registered(change);
        }
        Ok(SagaChanged::Done(Box::new(saga)))
    }

    /// Has a saga carried again once the store says that it goes on. Where the store says nothing, it may go on all the same,
    /// and its chat be registered.
    async fn back_to_work(
        &self,
        id: OperationId,
        done: Result<bool, StoreError>,
        registered: Option<RegistryChange>,
    ) -> Result<SagaChanged, StoreError> {
        let change = self.take_back(id, done).await;
        if change.is_err() {
            self.find_out(id, registered);
        }
        change
    }

    /// The store did not report what became of a change: it may have been made, or be made later. Once that is known, the saga
    /// goes on.
    fn find_out(&self, id: OperationId, registered: Option<RegistryChange>) {
        let sagas = self.clone();
        self.0.tasks.spawn(async move {
            let Inner { store, ambient, closing, steps, waiters, .. } = &*sagas.0;
            let rows = store.sagas();
            let settled = crate::persist::write(ambient, closing, &id, || rows.settled(id)).await;
            let Ok(Some(saga)) = settled else { return };
            if let Some(change) = registered.filter(|_| saga.state != SagaState::InDoubt) {
                steps.registered(&change);
            }
            if !saga.state.is_final() {
                waiters.begin(id, ());
                sagas.start(id, None, None);
            }
        });
    }

    async fn take_back(
        &self,
        id: OperationId,
        done: Result<bool, StoreError>,
    ) -> Result<SagaChanged, StoreError> {
        let done = done?;
        let Some(saga) = self.get(id).await? else { return Ok(SagaChanged::NoSuchOperation) };
        if !done {
            return Ok(SagaChanged::Refused(Box::new(saga)));
        }
        if !saga.state.is_final() {
            self.0.waiters.begin(id, ());
            self.start(id, None, None);
        }
        Ok(SagaChanged::Done(Box::new(saga)))
    }

    /// Until when every account that could do a saga is held back, if that is what it waits for.
    pub fn held_until(&self, id: OperationId) -> Option<Timestamp> {
        self.0.waiters.held_until(id)
    }

    /// Notes that a caller without a key got its answer, so that the same body is a new saga from now on.
    pub async fn answered(&self, id: OperationId) {
        if let Err(error) = self.0.store.sagas().answered(id).await {
            tracing::warn!(operation = %id, %error, "the note that a caller was answered could not be stored");
        }
    }

    /// Notes that a caller without a key is gone or was left in doubt, so that the same body joins the saga from now on.
    /// Tries until it is stored: without the note a repeat would make another chat.
    pub async fn unanswered(&self, id: OperationId) {
        let Inner { store, ambient, closing, .. } = &*self.0;
        let sagas = store.sagas();
        durability::unanswered(ambient, closing, &id, || sagas.unanswered(id)).await;
    }

    /// Notified whenever a saga has left a callback in the store that is to be sent.
    pub fn callbacks_due(&self) -> Arc<Notify> {
        Arc::clone(&self.0.callbacks_due)
    }

    /// What came of sagas since the start.
    pub fn counted(&self) -> SagasCounted {
        self.0.metrics.counted()
    }

    /// Notifies callers that a saga is final; the store has it already.
    fn end(&self, saga: &Saga) {
        self.0.waiters.finish(
            saga.id,
            |()| self.0.metrics.ended(saga.task.kind(), saga.state),
            || saga.clone(),
        );
    }

    /// Sagas that are not finished.
    pub fn queued(&self) -> usize {
        self.0.waiters.len()
    }

    /// Sagas that are not finished, by service.
    pub fn due(&self) -> Vec<Due> {
        self.0.waiters.due()
    }

    /// How many of them one account does and no other, by account.
    pub fn due_of_accounts(&self) -> HashMap<AccountName, u64> {
        self.0.waiters.due_of_accounts()
    }

    /// Sagas that nothing is waited for and of which a step is not begun this very moment. One that is among them twice
    /// in a row, seconds apart, has a task that stands still.
    pub fn unbegun(&self) -> Vec<Unbegun> {
        self.0.watchdog.unbegun()
    }

    /// Ends cleanly: nothing new is begun, what is on the wire is waited for, at most `limit`. The rest stays in the store.
    pub async fn stop(&self, limit: Duration) {
        if !durability::wound_up(&self.0.closing, &self.0.tasks, limit).await {
            tracing::warn!(
                left = self.0.waiters.len(),
                "sagas still on the wire; the next start takes them up"
            );
        }
    }

    fn to_the_end<T, F>(&self, change: F) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        durability::to_the_end(&self.0.tasks, change)
    }

    /// Gives a saga to a task, or has the task that it has read it once more: two would take its steps twice.
    fn start(&self, id: OperationId, saga: Option<Saga>, turn: Option<Turn>) {
        let is_new = match self.carried().entry(id) {
            Entry::Occupied(mut has_one) => {
                has_one.insert(true);
                false
            }
            Entry::Vacant(has_none) => {
                has_none.insert(false);
                true
            }
        };
        if !is_new {
            return;
        }
        self.0.tasks.spawn(run::run(self.clone(), id, saga, turn));
    }

    /// Whether the task of a saga may end; otherwise it reads the saga once more.
    fn let_go(&self, id: OperationId) -> bool {
        let mut carried = self.carried();
        match carried.get_mut(&id) {
            Some(once_more) if *once_more => {
                *once_more = false;
                false
            }
            _ => {
                carried.remove(&id);
                true
            }
        }
    }

    fn carried(&self) -> std::sync::MutexGuard<'_, HashMap<OperationId, bool>> {
        self.0.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the step in doubt is leaving the chat.
fn was_leaving(saga: &Saga) -> bool {
    saga.begun.as_ref().is_some_and(|begun| begun.step == Step::Leave)
}

/// The chat that a person says was made, as the registry has it.
fn made(saga: &Saga, verdict: Verdict) -> Option<RegistryChange> {
    let (Verdict::Done(Some(chat_id)), Some(begun)) = (verdict, &saga.begun) else { return None };
    let Step::Create { title, about } = &begun.step else { return None };
    let account = saga.account.clone()?;
    Some(RegistryChange::Created { chat_id, title: title.clone(), about: about.clone(), account })
}

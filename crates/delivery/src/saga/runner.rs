//! One saga on its way: step after step, each written down before it is taken and after it.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::outcome::{Failure, HoldScope, OutcomeKind, Refusal, RejectionCode, Unclear};
use domain::saga::{RegistryChange, Saga, SagaEntry, SagaEvent, SagaState, Step, StepAnswer, StepOutcome};
use domain::{AccountName, Outcome, Timestamp};
use store::Hold;
use tokio::sync::{SemaphorePermit, watch};

use super::Sagas;
use super::in_flight::InFlight;
use super::judge::{self, After, StepContext};
use super::machine::{self, Move, Surroundings};
use super::turns::Turn;
use crate::decide::{self, Pause};
use crate::sender::RefusalKind;
use crate::steps::Call;
use crate::watchdog::Unbegun;

/// Between two people who are removed: the provider does not like it faster.
const BETWEEN_REMOVALS: Duration = Duration::from_millis(500);

/// An account that comes back may be asked at once, but not in a loop.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// A task at work on its saga.
pub(super) struct SagaRunner<'a> {
    pub(super) sagas: &'a Sagas,
    /// The turn to make a chat, while this saga has one.
    pub(super) turn: &'a Mutex<Option<Turn>>,
}

impl SagaRunner<'_> {
    /// Carries a saga until it has ended, is not this task's any more, or the program ends.
    pub(super) async fn carry(&self, saga: Saga) {
        let mut work = InFlight::new(saga);
        if work.doubtful {
            let detail = Some("the last run ended before the outcome was known".to_owned());
            let account = work.saga.account.clone();
            self.sagas
                .note(work.saga.id, SagaEntry { account, detail, ..self.sagas.entry(SagaEvent::Resumed) })
                .await;
        }
        if work.is_bound() {
            work.saga.patient_until = judge::patient_from(self.sagas.0.ambient.clock.now(), &work.saga);
        }
        while self.go_on(&mut work).await.is_continue() {}
    }

    async fn go_on(&self, work: &mut InFlight) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        if inner.closing.is_cancelled() {
            return ControlFlow::Break(());
        }
        if let Some(begun) = work.saga.begun.clone() {
            return match &begun.step {
                Step::Create { title, .. } if work.doubtful => self.look(work, title, begun.at).await,
                step => self.take(work, step).await,
            };
        }
        let account = work.account().cloned();
        let around = Surroundings {
            observer: inner.steps.observer(),
            is_backup: account.as_ref().is_some_and(|account| inner.steps.is_backup(account)),
        };
        let next = machine::next(&work.saga, &around);
        if matches!(next, Move::Take(Step::Create { .. } | Step::Invite { .. }))
            && self.leave_out_listed(work).await?
        {
            return ControlFlow::Continue(());
        }
        if let (Move::Take(Step::Create { .. } | Step::Invite { .. }), Some(account)) = (&next, &account)
            && self.leave_out_strangers(work, account).await?
        {
            return ControlFlow::Continue(());
        }
        match next {
            Move::Finish => self.end(work, SagaState::Done, Vec::new(), None).await,
            Move::Fail(failure) => {
                // The account that looked for the people is named, though it changed nothing.
                work.saga.account.clone_from(&work.people_by);
                self.fail(work, failure, None).await
            }
            // Before anybody is looked for: that no one is there is an answer too.
            Move::Take(step) if account.is_none() && inner.steps.is_stopped(&step) => {
                self.wait_for_service(work, &step).await
            }
            Move::Take(_) if account.is_none() => self.choose(work).await,
            Move::Take(step) => self.take(work, &step).await,
        }
    }

    /// Takes one step, once.
    async fn take(&self, work: &mut InFlight, step: &Step) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let Some(account) = work.account().cloned() else {
            let failure = Failure::NoAccount { asked: Vec::new() };
            return self.fail(work, failure, None).await;
        };
        if work.is_bound() && !inner.steps.can_still_tell(&account) {
            let outcome = Outcome::Unavailable("the account is banned or signed out".to_owned());
            let after = judge::after_loss(step, &self.context(work, &account, step), &outcome);
            return self.follow(work, &account, step, &outcome, after).await;
        }
        if inner.steps.is_stopped(step) {
            return self.wait_for_service(work, step).await;
        }
        if matches!(step, Step::Remove { .. })
            && let Some(before) = work.removed_at
        {
            tokio::select! {
                () = inner.ambient.clock.sleep_until(before.plus(BETWEEN_REMOVALS)) => {}
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        if matches!(step, Step::Create { .. }) && !self.has_turn(&account) {
            return self.wait_for_turn(work, &account).await;
        }
        let Some(permit) = self.permit().await else { return ControlFlow::Break(()) };
        if !step.only_reads() && work.saga.begun.is_none() {
            let watch = inner.watchdog.of(work.saga.id);
            watch.arm(self.unbegun(&work.saga));
            if !self.write_begin(work, &account, step).await? {
                return ControlFlow::Continue(());
            }
        }
        // One that slept since the step was begun may wake up when another process has it.
        if !inner.store.is_held().await {
            return ControlFlow::Break(());
        }
        let call = Call { account: &account, chat_id: work.saga.chat_id, step };
        let requested_at = inner.ambient.clock.now();
        let brought = inner.steps.take(call).await;
        drop(permit);
        if matches!(step, Step::Create { .. }) {
            work.requested = Some((requested_at, inner.ambient.clock.now()));
        }
        if matches!(step, Step::Remove { .. }) {
            work.removed_at = Some(inner.ambient.clock.now());
        }
        match brought {
            Ok(answer) if machine::fits(step, &answer) => self.answered(work, &account, step, &answer).await,
            Ok(_) => {
                tracing::error!(operation = %work.saga.id, %account, step = step.name(), "an answer that this step cannot have");
                let outcome = match step {
                    Step::Create { .. } => {
                        Outcome::Unknown(Unclear::Unreadable("an answer of another kind".to_owned()))
                    }
                    _ => Outcome::Rejected { code: RejectionCode::UnexpectedAnswer },
                };
                self.refused(work, &account, step, &outcome).await
            }
            Err(outcome) => self.refused(work, &account, step, &outcome).await,
        }
    }

    /// What is about to be begun, for those who watch over the tasks.
    fn unbegun(&self, saga: &Saga) -> Unbegun {
        let since = self.sagas.0.ambient.clock.running();
        Unbegun { what: *saga.id.as_uuid(), service: Some(saga.task.kind().service()), since }
    }

    /// Waits until the service that the step is part of is started again. What the saga may take is counted from then on.
    async fn wait_for_service(&self, work: &mut InFlight, step: &Step) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let mut changes = inner.steps.changes();
        while inner.steps.is_stopped(step) {
            tokio::select! {
                next = changes.changed() => if next.is_err() { return ControlFlow::Break(()) },
                () = self.over(work) => self.unless_over(work).await?,
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        if work.is_bound() {
            work.saga.patient_until = judge::patient_from(inner.ambient.clock.now(), &work.saga);
        }
        ControlFlow::Continue(())
    }

    /// A step has its answer.
    pub(super) async fn answered(
        &self,
        work: &mut InFlight,
        account: &AccountName,
        step: &Step,
        answer: &StepAnswer,
    ) -> ControlFlow<()> {
        let was_settled = machine::is_settled(&work.saga);
        machine::record(&mut work.saga, step, Ok(answer));
        work.step_over();
        if !was_settled && machine::is_settled(&work.saga) {
            work.saga.patient_until = judge::patient_from(self.sagas.0.ambient.clock.now(), &work.saga);
        }
        // It was answered, and no one has that name.
        let found_none = matches!(answer, StepAnswer::Resolved { person: None });
        let outcome = if found_none { StepOutcome::Ended(OutcomeKind::NotFound) } else { StepOutcome::Ok };
        let outcome = Some(outcome);
        work.entries.push(SagaEntry { outcome, ..self.entry_of(step, account, None) });
        if step.only_reads() {
            return ControlFlow::Continue(());
        }
        let mut registry: Vec<_> = machine::registry(&work.saga, step, answer).into_iter().collect();
        let takes_over = work.takes_over && !was_settled && !matches!(step, Step::Leave);
        if let Some(chat_id) = work.saga.chat_id.filter(|_| takes_over) {
            work.takes_over = false;
            registry.push(RegistryChange::Bound { chat_id, account: account.clone() });
        }
        self.save(work, registry, None).await?;
        if matches!(step, Step::Create { .. }) {
            self.give_turn_back();
        }
        ControlFlow::Continue(())
    }

    /// A step came back without an answer.
    async fn refused(
        &self,
        work: &mut InFlight,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
    ) -> ControlFlow<()> {
        work.attempts += 1;
        if let Step::Resolve { who } = step {
            work.fruitless_lookups.push(who.clone());
        }
        let after = judge::after(step, outcome, &self.context(work, account, step));
        self.follow(work, account, step, outcome, after).await
    }

    async fn follow(
        &self,
        work: &mut InFlight,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
        after: After,
    ) -> ControlFlow<()> {
        match after {
            After::Record => {
                let recorded =
                    if work.doubtful { machine::after_lost_answer(outcome) } else { outcome.clone() };
                machine::record(&mut work.saga, step, Err(&recorded));
                work.step_over();
                work.entries.push(self.entry_of(step, account, Some(outcome)));
                let hold = hold(account, step, outcome);
                if step.only_reads() {
                    self.save_hold(hold).await;
                    return ControlFlow::Continue(());
                }
                self.save(work, Vec::new(), hold).await
            }
            After::Done => self.answered(work, account, step, &StepAnswer::Done).await,
            After::Again(pause) => self.again(work, account, step, outcome, pause).await,
            After::Look => {
                work.doubtful = true;
                self.begin_doubt();
                self.note_attempt(work, step.event(), account, outcome).await;
                ControlFlow::Continue(())
            }
            After::MoveOn { exclude, held_until } => {
                self.move_on(work, account, step, outcome, exclude, held_until).await
            }
            After::Fail(failure) => {
                work.entries.push(self.entry_of(step, account, Some(outcome)));
                self.fail(work, failure, hold(account, step, outcome)).await
            }
            After::Doubt => {
                work.entries.push(self.entry_of(step, account, Some(outcome)));
                self.doubt(work, "the account that knows is gone").await
            }
        }
    }

    /// The same step is taken once more, after a pause.
    async fn again(
        &self,
        work: &mut InFlight,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
        pause: Pause,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let mut changes = inner.steps.changes();
        let hold = hold(account, step, outcome);
        if !step.only_reads() && outcome.proves_unsent() && !work.doubtful {
            // Nothing was done: after a restart there is nothing to doubt.
            work.saga.begun = None;
            work.entries.push(self.entry_of(step, account, Some(outcome)));
            self.save(work, Vec::new(), hold).await?;
        } else {
            work.doubtful |= !step.only_reads() && !outcome.proves_unsent();
            self.note_attempt(work, step.event(), account, outcome).await;
            self.save_hold(hold).await;
        }
        let now = inner.ambient.clock.now();
        let until = match pause {
            Pause::Until(until) => until,
            Pause::BackOff => now.plus(inner.ambient.chance.jitter(decide::back_off(work.attempts))),
        };
        let comes_back = matches!(outcome, Outcome::Unavailable(_));
        self.pause(account, until, comes_back, &mut changes).await
    }

    /// Waits until an instant, or until the account is lost for good; where it only was away, until it comes back.
    pub(super) async fn pause(
        &self,
        account: &AccountName,
        until: Timestamp,
        comes_back: bool,
        changes: &mut watch::Receiver<u64>,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let worth_another_try = async {
            while inner.steps.can_still_tell(account) {
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
            () = inner.ambient.clock.sleep_until(until) => ControlFlow::Continue(()),
            () = worth_another_try => ControlFlow::Continue(()),
            () = inner.closing.cancelled() => ControlFlow::Break(()),
        }
    }

    /// Nothing was done: the next account may try, or this one later.
    pub(super) async fn move_on(
        &self,
        work: &mut InFlight,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
        exclude: Option<RefusalKind>,
        held_until: Option<Timestamp>,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let rests = exclude.is_none() && held_until.is_none();
        if let Some(why) = exclude {
            work.tried.push((Refusal { account: account.clone(), why: machine::why(outcome) }, why));
        }
        work.held.extend(held_until.map(|until| (account.clone(), until)));
        work.chosen = None;
        work.doubtful = false;
        work.in_vain = 0;
        let hold = hold(account, step, outcome);
        if step.only_reads() {
            self.note_attempt(work, step.event(), account, outcome).await;
            self.save_hold(hold).await;
        } else {
            work.saga.state = SagaState::Queued;
            work.saga.account = None;
            work.saga.begun = None;
            work.attempts = 0;
            work.entries.push(self.entry_of(step, account, Some(outcome)));
            self.save(work, Vec::new(), hold).await?;
        }
        self.give_turn_back();
        if rests {
            // The other accounts go first from now on, and not at once.
            work.unavailable.push(account.clone());
            let times = u32::try_from(work.unavailable.len()).unwrap_or(u32::MAX);
            tokio::select! {
                () = inner.ambient.clock.sleep(decide::back_off(times)) => {}
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }

    fn context<'l>(&self, work: &'l InFlight, account: &'l AccountName, step: &Step) -> StepContext<'l> {
        StepContext {
            task: &work.saga.task,
            account,
            settled: machine::is_settled(&work.saga),
            doubtful: work.doubtful,
            attempts: work.attempts_at(step),
            now: self.sagas.0.ambient.clock.now(),
            patient_until: work.saga.patient_until,
        }
    }

    /// The right to make one call; `None` when the program ends meanwhile.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        tokio::select! {
            permit = self.sagas.0.permits.acquire() => permit.ok(),
            () = self.sagas.0.closing.cancelled() => None,
        }
    }

    pub(super) fn has_turn(&self, account: &AccountName) -> bool {
        self.turn().as_ref().is_some_and(|turn| turn.account() == account)
    }

    pub(super) fn keep_turn(&self, turn: Option<Turn>) {
        *self.turn() = turn;
    }

    pub(super) fn give_turn_back(&self) {
        drop(self.turn().take());
    }

    pub(super) fn begin_doubt(&self) {
        if let Some(turn) = self.turn().as_ref() {
            turn.begin_doubt();
        }
    }

    pub(super) fn end_doubt(&self) {
        if let Some(turn) = self.turn().as_ref() {
            turn.end_doubt();
        }
    }

    fn turn(&self) -> MutexGuard<'_, Option<Turn>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an outcome says about the account, to be kept over restarts.
fn hold(account: &AccountName, step: &Step, outcome: &Outcome) -> Option<Hold> {
    match outcome {
        Outcome::Held { until, scope: HoldScope::Account } => {
            Some(Hold::Flood { account: account.clone(), operation: step.operation(), until: *until })
        }
        _ => None,
    }
}

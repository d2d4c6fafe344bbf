//! One saga on its way: step after step, each written down before it is taken and after it.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::outcome::{Failure, OutcomeKind, Refusal, RejectionCode, Unclear};
use domain::saga::{Answer, RegistryChange, Saga, SagaEntry, SagaEvent, SagaState, Step, StepOutcome};
use domain::{AccountName, Outcome, Timestamp};
use store::Hold;
use tokio::sync::{SemaphorePermit, watch};

use super::Sagas;
use super::judge::{self, After, Stand};
use super::load::Load;
use super::machine::{self, Move, Surroundings};
use super::turns::Turn;
use crate::decide::{self, Pause};
use crate::pulse::Unbegun;
use crate::sender::Why;
use crate::steps::Call;

/// Between two people who are removed: the provider does not like it faster.
const BETWEEN_REMOVALS: Duration = Duration::from_millis(500);

/// An account that comes back may be asked at once, but not in a loop.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// A task at work on its saga.
pub(super) struct Ride<'a> {
    pub(super) sagas: &'a Sagas,
    /// The turn to make a chat, while this saga has one.
    pub(super) turn: &'a Mutex<Option<Turn>>,
}

impl Ride<'_> {
    /// Carries a saga until it has ended, is not this task's any more, or the program ends.
    pub(super) async fn carry(&self, saga: Saga) {
        let mut load = Load::new(saga);
        if load.doubtful {
            let detail = Some("the last run ended before the outcome was known".to_owned());
            let account = load.saga.account.clone();
            self.sagas
                .note(load.saga.id, SagaEntry { account, detail, ..self.sagas.entry(SagaEvent::Resumed) })
                .await;
        }
        if load.is_bound() {
            load.saga.patient_until = judge::patient_from(self.sagas.0.ambient.clock.now(), &load.saga);
        }
        while self.go_on(&mut load).await.is_continue() {}
    }

    async fn go_on(&self, load: &mut Load) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        if inner.closing.is_cancelled() {
            return ControlFlow::Break(());
        }
        if let Some(begun) = load.saga.begun.clone() {
            return match &begun.step {
                Step::Create { title, .. } if load.doubtful => self.look(load, title, begun.at).await,
                step => self.take(load, step).await,
            };
        }
        let account = load.account();
        let around = Surroundings {
            observer: inner.steps.observer(),
            is_backup: account.is_some_and(|account| inner.steps.is_backup(account)),
        };
        match machine::next(&load.saga, &around) {
            Move::Finish => self.end(load, SagaState::Done, Vec::new(), None).await,
            Move::Fail(failure) => {
                // Whoever looked for the people is told, though it changed nothing.
                load.saga.account = load.people_by.clone();
                self.fail(load, failure, None).await
            }
            // Before anybody is looked for: that nobody is there is an answer too.
            Move::Take(step) if account.is_none() && inner.steps.is_stopped(&step) => {
                self.wait_for_service(load, &step).await
            }
            Move::Take(_) if account.is_none() => self.choose(load).await,
            Move::Take(step) => self.take(load, &step).await,
        }
    }

    /// Takes one step, once.
    async fn take(&self, load: &mut Load, step: &Step) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let Some(account) = load.account().cloned() else {
            let failure = Failure::NoAccount { asked: Vec::new() };
            return self.fail(load, failure, None).await;
        };
        if load.is_bound() && !inner.steps.can_still_tell(&account) {
            let outcome = Outcome::Unavailable("the account is banned or signed out".to_owned());
            let after = judge::after_loss(step, &self.stand(load, &account, step), &outcome);
            return self.follow(load, &account, step, &outcome, after).await;
        }
        if inner.steps.is_stopped(step) {
            return self.wait_for_service(load, step).await;
        }
        if matches!(step, Step::Remove { .. })
            && let Some(before) = load.removed_at
        {
            tokio::select! {
                () = inner.ambient.clock.sleep_until(before.plus(BETWEEN_REMOVALS)) => {}
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        if matches!(step, Step::Create { .. }) && !self.has_turn(&account) {
            return self.wait_for_turn(load, &account).await;
        }
        let Some(permit) = self.permit().await else { return ControlFlow::Break(()) };
        if !step.only_reads() && load.saga.begun.is_none() {
            let pulse = inner.pulses.of(load.saga.id);
            pulse.begins(self.unbegun(&load.saga));
            self.write_begin(load, &account, step).await?;
        }
        let call = Call { account: &account, chat_id: load.saga.chat_id, step };
        let asked_at = inner.ambient.clock.now();
        let brought = inner.steps.take(call).await;
        drop(permit);
        if matches!(step, Step::Create { .. }) {
            load.asked = Some((asked_at, inner.ambient.clock.now()));
        }
        if matches!(step, Step::Remove { .. }) {
            load.removed_at = Some(inner.ambient.clock.now());
        }
        match brought {
            Ok(answer) if machine::fits(step, &answer) => self.answered(load, &account, step, &answer).await,
            Ok(_) => {
                tracing::error!(operation = %load.saga.id, %account, step = step.name(), "an answer that this step cannot have");
                let outcome = match step {
                    Step::Create { .. } => {
                        Outcome::Unknown(Unclear::Unreadable("an answer of another kind".to_owned()))
                    }
                    _ => Outcome::Rejected { code: RejectionCode::UnexpectedAnswer },
                };
                self.refused(load, &account, step, &outcome).await
            }
            Err(outcome) => self.refused(load, &account, step, &outcome).await,
        }
    }

    /// What is about to be begun, for those who watch over the tasks.
    fn unbegun(&self, saga: &Saga) -> Unbegun {
        let since = self.sagas.0.ambient.clock.running();
        Unbegun { what: *saga.id.as_uuid(), purpose: saga.task.kind().purpose(), since }
    }

    /// Waits until the service that the step is part of is started again. What the saga may take is counted from then on.
    async fn wait_for_service(&self, load: &mut Load, step: &Step) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let mut changes = inner.steps.changes();
        while inner.steps.is_stopped(step) {
            tokio::select! {
                told = changes.changed() => if told.is_err() { return ControlFlow::Break(()) },
                () = self.over(load) => self.unless_over(load).await?,
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        if load.is_bound() {
            load.saga.patient_until = judge::patient_from(inner.ambient.clock.now(), &load.saga);
        }
        ControlFlow::Continue(())
    }

    /// A step has its answer.
    pub(super) async fn answered(
        &self,
        load: &mut Load,
        account: &AccountName,
        step: &Step,
        answer: &Answer,
    ) -> ControlFlow<()> {
        let was_settled = machine::is_settled(&load.saga);
        machine::record(&mut load.saga, step, Ok(answer));
        load.step_over();
        if !was_settled && machine::is_settled(&load.saga) {
            load.saga.patient_until = judge::patient_from(self.sagas.0.ambient.clock.now(), &load.saga);
        }
        // It was answered, and no one has that name.
        let found_none = matches!(answer, Answer::Resolved { person: None });
        let outcome = if found_none { StepOutcome::Ended(OutcomeKind::NotFound) } else { StepOutcome::Ok };
        let outcome = Some(outcome);
        load.entries.push(SagaEntry { outcome, ..self.entry_of(step, account, None) });
        if step.only_reads() {
            return ControlFlow::Continue(());
        }
        let mut registry: Vec<_> = machine::registry(&load.saga, step, answer).into_iter().collect();
        let takes_over = load.takes_over && !was_settled && !matches!(step, Step::Leave);
        if let Some(chat_id) = load.saga.chat_id.filter(|_| takes_over) {
            load.takes_over = false;
            registry.push(RegistryChange::Bound { chat_id, account: account.clone() });
        }
        self.save(load, registry, None).await?;
        if matches!(step, Step::Create { .. }) {
            self.give_turn_back();
        }
        ControlFlow::Continue(())
    }

    /// A step came back without an answer.
    async fn refused(
        &self,
        load: &mut Load,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
    ) -> ControlFlow<()> {
        load.attempts += 1;
        if let Step::Resolve { who } = step {
            load.asked_in_vain.push(who.clone());
        }
        let after = judge::after(step, outcome, &self.stand(load, account, step));
        self.follow(load, account, step, outcome, after).await
    }

    async fn follow(
        &self,
        load: &mut Load,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
        after: After,
    ) -> ControlFlow<()> {
        match after {
            After::Record => {
                let told = if load.doubtful { machine::after_lost_answer(outcome) } else { outcome.clone() };
                machine::record(&mut load.saga, step, Err(&told));
                load.step_over();
                load.entries.push(self.entry_of(step, account, Some(outcome)));
                let hold = hold(account, step, outcome);
                if step.only_reads() {
                    self.save_hold(hold).await;
                    return ControlFlow::Continue(());
                }
                self.save(load, Vec::new(), hold).await
            }
            After::Done => self.answered(load, account, step, &Answer::Done).await,
            After::Again(pause) => self.again(load, account, step, outcome, pause).await,
            After::Look => {
                load.doubtful = true;
                self.begin_doubt();
                self.note_attempt(load, step.event(), account, outcome).await;
                ControlFlow::Continue(())
            }
            After::MoveOn { exclude, held_until } => {
                self.move_on(load, account, step, outcome, exclude, held_until).await
            }
            After::Fail(failure) => {
                load.entries.push(self.entry_of(step, account, Some(outcome)));
                self.fail(load, failure, hold(account, step, outcome)).await
            }
            After::Doubt => {
                load.entries.push(self.entry_of(step, account, Some(outcome)));
                self.doubt(load, "the account that knows is gone").await
            }
        }
    }

    /// The same step is taken once more, after a pause.
    async fn again(
        &self,
        load: &mut Load,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
        pause: Pause,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let mut changes = inner.steps.changes();
        let hold = hold(account, step, outcome);
        if !step.only_reads() && outcome.proves_unsent() && !load.doubtful {
            // Nothing was done: after a restart there is nothing to doubt.
            load.saga.begun = None;
            load.entries.push(self.entry_of(step, account, Some(outcome)));
            self.save(load, Vec::new(), hold).await?;
        } else {
            load.doubtful |= !step.only_reads() && !outcome.proves_unsent();
            self.note_attempt(load, step.event(), account, outcome).await;
            self.save_hold(hold).await;
        }
        let now = inner.ambient.clock.now();
        let until = match pause {
            Pause::Until(until) => until,
            Pause::BackOff => now.plus(inner.ambient.chance.jitter(decide::back_off(load.attempts))),
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
        load: &mut Load,
        account: &AccountName,
        step: &Step,
        outcome: &Outcome,
        exclude: Option<Why>,
        held_until: Option<Timestamp>,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let rests = exclude.is_none() && held_until.is_none();
        if let Some(why) = exclude {
            load.tried.push((Refusal { account: account.clone(), why: machine::why(outcome) }, why));
        }
        load.held.extend(held_until.map(|until| (account.clone(), until)));
        load.chosen = None;
        load.doubtful = false;
        load.in_vain = 0;
        let hold = hold(account, step, outcome);
        if step.only_reads() {
            self.note_attempt(load, step.event(), account, outcome).await;
            self.save_hold(hold).await;
        } else {
            load.saga.state = SagaState::Queued;
            load.saga.account = None;
            load.saga.begun = None;
            load.attempts = 0;
            load.entries.push(self.entry_of(step, account, Some(outcome)));
            self.save(load, Vec::new(), hold).await?;
        }
        self.give_turn_back();
        if rests {
            // The other accounts go first from now on, and not at once.
            load.unavailable.push(account.clone());
            let times = u32::try_from(load.unavailable.len()).unwrap_or(u32::MAX);
            tokio::select! {
                () = inner.ambient.clock.sleep(decide::back_off(times)) => {}
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }

    fn stand<'l>(&self, load: &'l Load, account: &'l AccountName, step: &Step) -> Stand<'l> {
        Stand {
            task: &load.saga.task,
            account,
            settled: machine::is_settled(&load.saga),
            doubtful: load.doubtful,
            attempts: load.attempts_at(step),
            now: self.sagas.0.ambient.clock.now(),
            patient_until: load.saga.patient_until,
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
        Outcome::FloodWait(until) => {
            Some(Hold::Flood { account: account.clone(), operation: step.operation(), until: *until })
        }
        _ => None,
    }
}

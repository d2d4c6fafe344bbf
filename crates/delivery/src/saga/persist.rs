//! What the task of a saga writes: steps before and after they are taken, the end, and lines of the history.

use std::ops::ControlFlow;

use domain::outcome::{Failure, do_not_contact};
use domain::saga::{
    Begun, Failover, Member, MemberResult, RegistryChange, Saga, SagaEntry, SagaEvent, SagaState, Step,
    StepOutcome, Task,
};
use domain::{AccountName, CallbackId, ChatId, Outcome};
use store::{Hold, NewCallback, SagaChange, StoreError};

use super::in_flight::InFlight;
use super::runner::SagaRunner;
use crate::log_events;
use crate::persist::{self, Unwritten};

impl SagaRunner<'_> {
    /// What must be on disk before anything that changes the outside goes to the wire. False when it is about someone who
    /// has come onto the do-not-contact list, or if the account has reached its limit of first contacts.
    pub(super) async fn write_begin(
        &self,
        work: &mut InFlight,
        account: &AccountName,
        step: &Step,
    ) -> ControlFlow<(), bool> {
        let at = self.sagas.0.ambient.clock.now();
        let mut saga = work.saga.clone();
        saga.state = SagaState::Running;
        saga.account = Some(account.clone());
        saga.begun = Some(Begun { step: step.clone(), at });
        saga.updated_at = at;
        let outcome = Some(StepOutcome::Begun);
        work.entries.push(SagaEntry { at, outcome, ..self.entry_of(step, account, None) });
        let failover = work.stands_in_for.take().map(|(from, reason)| Failover {
            at,
            chat_id: saga.chat_id,
            from,
            to: account.clone(),
            reason,
        });
        let change = SagaChange { failover, ..change(saga, work) };
        let sagas = self.sagas.0.store.sagas();
        let begin_once = || async {
            match sagas.begin(change.clone()).await {
                Err(StoreError::DoNotContact { .. } | StoreError::FirstContacts { .. }) => Ok(false),
                answer => answer.map(|()| true),
            }
        };
        if !self.persist(work, begin_once).await? {
            work.entries = change.entries;
            work.entries.pop();
            work.stands_in_for = change.failover.map(|failover| (failover.from, failover.reason));
            return ControlFlow::Continue(false);
        }
        if change.failover.is_some() {
            self.sagas.0.metrics.failed_over();
        }
        work.saga = change.saga;
        ControlFlow::Continue(true)
    }

    /// Leaves out the people on the do-not-contact list, before a chat is made for them or they are invited. Of a chat that
    /// is for no one else nothing is made. True when someone was left out.
    pub(super) async fn leave_out_listed(&self, work: &mut InFlight) -> ControlFlow<(), bool> {
        let open = |member: &&Member| member.result.is_none();
        let chat_id = |member: &Member| member.person.as_ref().map(|person| ChatId::from(person.user_id));
        let people = work.saga.progress.members.iter().filter(open);
        let people: Vec<_> = people.map(|member| (member.who.clone(), chat_id(member))).collect();
        let list = self.sagas.0.store.do_not_contact();
        let listed = self.persist(work, || list.listed(people.clone())).await?;
        let members = &mut work.saga.progress.members;
        let mut left_out = None;
        for (member, entry) in members.iter_mut().filter(|member| member.result.is_none()).zip(listed) {
            let Some(entry) = entry else { continue };
            (member.person, member.result) = (None, Some(MemberResult::Failed));
            member.detail = Some(do_not_contact(entry.id));
            left_out = Some(entry.id);
        }
        let is_for_others =
            work.saga.chat_id.is_some() || members.iter().any(|member| member.result.is_none());
        match left_out {
            Some(entry) if !is_for_others && matches!(work.saga.task, Task::CreateChat { .. }) => {
                self.fail(work, Failure::DoNotContact { entry }, None).await?;
                ControlFlow::Break(())
            }
            left_out => ControlFlow::Continue(left_out.is_some()),
        }
    }

    /// Leaves out new people beyond the account's limit of first contacts. If no other person is left, no chat is made. True when
    /// someone was left out.
    pub(super) async fn leave_out_strangers(
        &self,
        work: &mut InFlight,
        account: &AccountName,
    ) -> ControlFlow<(), bool> {
        let open = |member: &&Member| member.result.is_none() && member.is_customer();
        let user = |member: &Member| member.person.as_ref().map(|person| ChatId::from(person.user_id));
        let people: Vec<_> = work.saga.progress.members.iter().filter(open).filter_map(user).collect();
        let contacts = self.sagas.0.store.first_contacts();
        let held = self.persist(work, || contacts.held_invitations(account.clone(), people.clone())).await?;
        let members = work.saga.progress.members.iter_mut();
        let members = members.filter(|member| open(&&**member) && member.person.is_some());
        let mut left_out = None;
        for (member, until) in members.zip(held) {
            let Some(until) = until else { continue };
            (member.person, member.result) = (None, Some(MemberResult::Failed));
            member.detail = Some(StoreError::FirstContacts { until }.to_string());
            left_out = Some(until);
        }
        let is_for_others = work.saga.chat_id.is_some()
            || work.saga.progress.members.iter().any(|member| member.result.is_none());
        match left_out {
            Some(until) if !is_for_others => {
                self.fail(work, Failure::LimitReached { until }, None).await?;
                ControlFlow::Break(())
            }
            left_out => ControlFlow::Continue(left_out.is_some()),
        }
    }

    /// Writes down what has changed, and lets memory follow.
    pub(super) async fn save(
        &self,
        work: &mut InFlight,
        registry: Vec<RegistryChange>,
        hold: Option<Hold>,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        work.saga.updated_at = inner.ambient.clock.now();
        let change = SagaChange { registry, hold, ..change(work.saga.clone(), work) };
        let sagas = inner.store.sagas();
        self.persist(work, || sagas.save(change.clone())).await?;
        for change in &change.registry {
            inner.steps.registered(change);
        }
        ControlFlow::Continue(())
    }

    /// Ends a saga that did not come about.
    pub(super) async fn fail(
        &self,
        work: &mut InFlight,
        failure: Failure,
        hold: Option<Hold>,
    ) -> ControlFlow<()> {
        work.saga.failure = Some(failure);
        self.end(work, SagaState::Failed, Vec::new(), hold).await
    }

    /// The end, whichever it is: it is written down, and those who wait are notified.
    pub(super) async fn end(
        &self,
        work: &mut InFlight,
        state: SagaState,
        registry: Vec<RegistryChange>,
        hold: Option<Hold>,
    ) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        work.saga.state = state;
        if state != SagaState::InDoubt {
            work.saga.begun = None;
        }
        work.saga.updated_at = inner.ambient.clock.now();
        let failure = work.saga.failure.as_ref().map(|failure| failure.code().to_owned());
        match state {
            SagaState::Done => work.entries.push(self.sagas.entry(SagaEvent::Finished)),
            SagaState::Failed => {
                work.entries.push(SagaEntry { detail: failure, ..self.sagas.entry(SagaEvent::Failed) });
            }
            _ => {}
        }
        let callback = self.callback(&work.saga);
        let change = SagaChange { registry, hold, callback, ..change(work.saga.clone(), work) };
        let sagas = inner.store.sagas();
        self.persist(work, || sagas.save(change.clone())).await?;
        for change in &change.registry {
            inner.steps.registered(change);
        }
        if change.callback.is_some() {
            inner.callbacks_due.notify_one();
        }
        self.sagas.end(&work.saga);
        ControlFlow::Break(())
    }

    /// The one who asked for the chat is to hear of its link.
    fn callback(&self, saga: &Saga) -> Option<NewCallback> {
        let Task::CreateChat { client_tg_id: Some(client_tg_id), .. } = &saga.task else { return None };
        let link = saga.progress.invite_link.as_ref().filter(|_| saga.state == SagaState::Done)?;
        Some(NewCallback {
            id: CallbackId::from_uuid(self.sagas.0.ambient.ids.next()),
            client_tg_id: client_tg_id.clone(),
            invite_link: link.clone(),
        })
    }

    async fn persist<T, F>(&self, work: &InFlight, write: impl Fn() -> F) -> ControlFlow<(), T>
    where
        F: Future<Output = Result<T, store::StoreError>>,
    {
        let inner = &self.sagas.0;
        match persist::write(&inner.ambient, &inner.closing, &work.saga.id, write).await {
            Ok(answer) => ControlFlow::Continue(answer),
            Err(Unwritten::Changed) => {
                // The store knows better: the one who waits gets what it says.
                if let Ok(Some(saga)) = self.sagas.get(work.saga.id).await
                    && saga.state.is_final()
                {
                    self.sagas.end(&saga);
                }
                ControlFlow::Break(())
            }
            Err(Unwritten::Closing) => ControlFlow::Break(()),
        }
    }

    pub(super) async fn save_hold(&self, hold: Option<Hold>) {
        if let Some(hold) = hold
            && let Err(error) = self.sagas.0.store.accounts().save_hold(hold).await
        {
            tracing::warn!(%error, "a wait could not be stored");
        }
    }

    /// A line about an attempt without a result. The first few are worth one each; a provider that stays away for hours
    /// is not worth thousands.
    pub(super) async fn note_attempt(
        &self,
        work: &InFlight,
        step: SagaEvent,
        account: &AccountName,
        outcome: &Outcome,
    ) {
        if work.attempts <= 5 || work.attempts.is_multiple_of(20) {
            let entry = SagaEntry {
                account: Some(account.clone()),
                outcome: Some(StepOutcome::Ended(outcome.kind())),
                detail: outcome.detail(),
                ..self.sagas.entry(step)
            };
            self.sagas.note(work.saga.id, entry).await;
        }
    }

    pub(super) fn entry_of(
        &self,
        step: &Step,
        account: &AccountName,
        outcome: Option<&Outcome>,
    ) -> SagaEntry {
        let about = match step {
            Step::Resolve { who } => Some(who.to_string()),
            Step::Promote { user } | Step::Remove { user } => Some(format!("user {user}")),
            Step::Invite { users } => Some(match users.len() {
                1 => "1 person".to_owned(),
                many => format!("{many} people"),
            }),
            _ => None,
        };
        let detail = outcome.and_then(Outcome::detail);
        SagaEntry {
            account: Some(account.clone()),
            outcome: outcome.map(|outcome| StepOutcome::Ended(outcome.kind())),
            detail: match (about, detail) {
                (Some(about), Some(detail)) => Some(format!("{about}: {detail}")),
                (about, detail) => about.or(detail),
            },
            ..self.sagas.entry(step.event())
        }
    }
}

/// The saga as it becomes, with what the history has not had yet.
fn change(saga: Saga, work: &mut InFlight) -> SagaChange {
    let entries = std::mem::take(&mut work.entries);
    for entry in &entries {
        log_events::task_went_on(saga.id, Some(saga.task.kind()), entry);
    }
    SagaChange { saga, entries, hold: None, registry: Vec::new(), failover: None, callback: None }
}

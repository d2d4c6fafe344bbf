//! A chat that may have been made is looked for before another is made.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::saga::{SagaEntry, SagaEvent, SagaState, Step, StepAnswer};
use domain::{AccountName, Outcome, Timestamp};

use super::in_flight::InFlight;
use super::judge::{self, Absent};
use super::runner::SagaRunner;
use crate::decide;
use crate::sender::RefusalKind;
use crate::steps::ChatLookup;

/// A chat may appear among the dialogs a little after the call that made it has failed.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// How long until the next look for a chat whose making may still be under way.
const NEXT_LOOK: Duration = Duration::from_secs(3);

impl SagaRunner<'_> {
    /// An earlier attempt to make the chat came back without an answer: it is adopted, or it is certain that it is not
    /// there. Waits as long as it takes while the account can still say.
    pub(super) async fn look(&self, work: &mut InFlight, title: &str, since: Timestamp) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        let Some(account) = work.saga.account.clone() else {
            return self.doubt(work, "no account is named that could have made it").await;
        };
        self.stand_in_turn(&account).await?;
        // What an earlier run asked for was cut off when that run ended.
        let (requested_at, given_up_at) =
            work.requested.unwrap_or_else(|| (since, inner.ambient.clock.now()));
        let counts_from = judge::absence_counts_from(requested_at, given_up_at);
        loop {
            if inner.closing.is_cancelled() {
                return ControlFlow::Break(());
            }
            if !inner.steps.can_still_tell(&account) {
                return self.doubt(work, "the account that knows is gone").await;
            }
            let mut changes = inner.steps.changes();
            match self.look_twice(&account, title, since).await? {
                ChatLookup::Here(chat_id) => {
                    let step = Step::Create { title: title.to_owned(), about: about(work) };
                    return self.answered(work, &account, &step, &StepAnswer::Created { chat_id }).await;
                }
                ChatLookup::NotThere if inner.ambient.clock.now() < counts_from => {
                    // The call may still be under way at the provider.
                    let until = inner.ambient.clock.now().plus(NEXT_LOOK).min(counts_from);
                    self.pause(&account, until, false, &mut changes).await?;
                }
                ChatLookup::NotThere => return self.not_there(work, account, title).await,
                ChatLookup::CannotTell => {
                    work.attempts += 1;
                    let outcome = Outcome::Unavailable("the account's dialogs could not be read".to_owned());
                    self.note_attempt(work, SagaEvent::Create, &account, &outcome).await;
                    let pause = inner.ambient.chance.jitter(decide::back_off(work.attempts));
                    let until = inner.ambient.clock.now().plus(pause);
                    self.pause(&account, until, true, &mut changes).await?;
                }
            }
        }
    }

    /// It is certain that there is no chat: it is made again, by this account or by another.
    async fn not_there(&self, work: &mut InFlight, account: AccountName, title: &str) -> ControlFlow<()> {
        work.in_vain += 1;
        work.doubtful = false;
        self.end_doubt();
        match judge::absent(work.in_vain) {
            Absent::MoveOn => {
                let step = Step::Create { title: title.to_owned(), about: about(work) };
                let why = format!("it was asked {} times and the chat is not there", work.in_vain);
                let exclude = Some(RefusalKind::Unusable);
                self.move_on(work, &account, &step, &Outcome::Unavailable(why), exclude, None).await
            }
            Absent::MakeAgain(pause) => {
                let detail = Some("it was looked for and is not there".to_owned());
                work.entries.push(SagaEntry {
                    account: Some(account),
                    detail,
                    ..self.sagas.entry(SagaEvent::Create)
                });
                tokio::select! {
                    () = self.sagas.0.ambient.clock.sleep(pause) => ControlFlow::Continue(()),
                    () = self.sagas.0.closing.cancelled() => ControlFlow::Break(()),
                }
            }
        }
    }

    /// Looks, and once more a little later if it is not there at first.
    async fn look_twice(
        &self,
        account: &AccountName,
        title: &str,
        since: Timestamp,
    ) -> ControlFlow<(), ChatLookup> {
        let inner = &self.sagas.0;
        let mut found = self.look_once(account, title, since).await?;
        if found == ChatLookup::NotThere {
            tokio::select! {
                () = inner.ambient.clock.sleep(SECOND_LOOK) => {}
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
            found = self.look_once(account, title, since).await?;
        }
        ControlFlow::Continue(found)
    }

    async fn look_once(
        &self,
        account: &AccountName,
        title: &str,
        since: Timestamp,
    ) -> ControlFlow<(), ChatLookup> {
        let inner = &self.sagas.0;
        let known = match inner.store.chats().titled(title).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(%account, %error, "the chats that were made here could not be read");
                return ControlFlow::Continue(ChatLookup::CannotTell);
            }
        };
        let Some(_permit) = self.permit().await else { return ControlFlow::Break(()) };
        ControlFlow::Continue(inner.steps.find_created(account, title, since, &known).await)
    }

    /// The chat may be there, and no one who knows can be asked: a person must say.
    pub(super) async fn doubt(&self, work: &mut InFlight, why: &str) -> ControlFlow<()> {
        let account = work.saga.account.clone();
        let detail = Some(why.to_owned());
        work.entries.push(SagaEntry { account, detail, ..self.sagas.entry(SagaEvent::InDoubt) });
        self.end(work, SagaState::InDoubt, Vec::new(), None).await
    }

    /// The account makes no other chat meanwhile, and the other sagas know that it may take long.
    async fn stand_in_turn(&self, account: &AccountName) -> ControlFlow<()> {
        let inner = &self.sagas.0;
        if !self.has_turn(account) {
            self.give_turn_back();
            tokio::select! {
                turn = inner.turns.take(account) => self.keep_turn(turn),
                () = inner.closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        self.begin_doubt();
        ControlFlow::Continue(())
    }
}

fn about(work: &InFlight) -> String {
    match work.saga.begun.as_ref().map(|begun| &begun.step) {
        Some(Step::Create { about, .. }) => about.clone(),
        _ => String::new(),
    }
}

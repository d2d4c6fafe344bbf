//! What takes long is done before a part with media is given to an account: nothing is begun meanwhile, so that it can be
//! dropped, cancelled, or done by another account at any time.

use std::ops::ControlFlow;

use domain::Outcome;
use domain::message::Part;
use domain::outcome::Failure;

use crate::Inner;
use crate::attempt::attempt;
use crate::decide::{self, Next, Tried, Unsettled};
use crate::log_events;
use crate::worker::{Gone, InFlight, LaneStep, LaneWorker, Route, refusal};

/// What came of the preparation of a part that no one has.
pub(crate) enum Prepared {
    /// It can be given to the account.
    Ready,
    /// It cannot, for this reason.
    Refused(Outcome),
    /// The message was ended meanwhile, or the program is ending.
    Dropped,
}

impl LaneWorker<'_> {
    /// Prepares a part before it is begun. Ends at once when the message does.
    pub(crate) async fn prepare_first(&self, work: &InFlight, route: &Route, position: usize) -> Prepared {
        let Some(part) = media_part(work, position) else { return Prepared::Ready };
        let inner = &self.delivery.0;
        let began = inner.ambient.clock.running();
        let Some(ended) = inner.waiters.wait(work.message.id) else { return Prepared::Dropped };
        tokio::select! {
            done = inner.sender.prepare(attempt(route, part, work)) => match done {
                Ok(()) => {
                    let took = inner.ambient.clock.running().saturating_sub(began);
                    log_events::prepared(&work.message, route, position, took);
                    Prepared::Ready
                }
                Err(outcome) => Prepared::Refused(outcome),
            },
            _ = ended => Prepared::Dropped,
            () = inner.closing.cancelled() => Prepared::Dropped,
        }
    }

    /// Prepares a part that the account has already, of which an attempt may have arrived: what was prepared for that one
    /// may be used up. Returns why it cannot be attempted, and whether that is the provider's own trouble.
    pub(crate) async fn prepare_again(
        &self,
        work: &InFlight,
        route: &Route,
        part: usize,
    ) -> Result<Option<(Outcome, bool)>, Gone> {
        let Some(part) = media_part(work, part).filter(|_| work.doubtful) else { return Ok(None) };
        let inner = &self.delivery.0;
        tokio::select! {
            done = inner.sender.prepare(attempt(route, part, work)) => Ok(done.err().map(|outcome| {
                let is_server_error = decide::server_error(&outcome).is_some();
                (decide::as_unsent(outcome), is_server_error)
            })),
            () = inner.closing.cancelled() => Err(Gone),
        }
    }

    /// A part that no one has could not be prepared: another account, the same one later, or no one.
    pub(crate) async fn unprepared(
        &self,
        work: &mut InFlight,
        route: &Route,
        part: usize,
        outcome: Outcome,
    ) -> ControlFlow<LaneStep> {
        work.unprepared += 1;
        if let Some(detail) = decide::server_error(&outcome) {
            let now = self.delivery.0.ambient.clock.now();
            work.unsettled = Some(Unsettled::and_again(work.unsettled, now));
            if self.expired(work) {
                let failure = Failure::ProviderError { detail: detail.to_owned() };
                return ControlFlow::Break(self.delivery.fail(&mut work.message, failure).await);
            }
        }
        let outcome = &decide::as_unsent(outcome);
        self.delivery.note(work.message.id, self.attempted(route, part, outcome)).await;
        match (decide::after(outcome, Tried::default()), outcome) {
            (Next::Fail(failure), _) => {
                ControlFlow::Break(self.delivery.fail(&mut work.message, failure).await)
            }
            (Next::GiveBack { exclude: Some(why) }, _) => {
                self.delivery.0.waiters.set_with(work.message.id, None);
                work.tried.push((refusal(&route.account, outcome), why));
                ControlFlow::Continue(())
            }
            // Of this account and what was to be prepared; about sending into the chat it says nothing.
            (_, Outcome::Held { until, .. }) => {
                work.not_before.retain(|(account, _)| *account != route.account);
                work.not_before.push((route.account.clone(), *until));
                ControlFlow::Continue(())
            }
            _ => {
                let Inner { waiters, ambient, .. } = &*self.delivery.0;
                waiters.set_with(work.message.id, Some((&route.account, ambient.clock.running())));
                self.rest(work, route).await;
                ControlFlow::Continue(())
            }
        }
    }
}

fn media_part(work: &InFlight, part: usize) -> Option<&Part> {
    work.message.parts.get(part).filter(|part| part.is_media())
}

//! What takes long is done before a part with media is given to an account: nothing is begun meanwhile, so that it can be
//! dropped, cancelled, or done by another account at any time.

use std::ops::ControlFlow;

use domain::Outcome;
use domain::message::Part;
use domain::outcome::Failure;

use crate::Inner;
use crate::attempt::attempt;
use crate::decide::{self, Next, Tried, Unsettled};
use crate::worker::{Carried, Gone, Load, Walk, Way, refusal};

/// What came of the preparation of a part that nobody has.
pub(crate) enum Prepared {
    /// It can be given to the account.
    Ready,
    /// It cannot, for this reason.
    Refused(Outcome),
    /// The message was ended meanwhile, or the program is ending.
    Dropped,
}

impl Walk<'_> {
    /// Prepares a part before it is begun. Ends at once when the message does.
    pub(crate) async fn prepare_first(&self, load: &Load, way: &Way, part: usize) -> Prepared {
        let Some(part) = media_part(load, part) else { return Prepared::Ready };
        let inner = &self.delivery.0;
        let Some(ended) = inner.live.wait(load.message.id) else { return Prepared::Dropped };
        tokio::select! {
            done = inner.sender.prepare(attempt(way, part, load)) => match done {
                Ok(()) => Prepared::Ready,
                Err(outcome) => Prepared::Refused(outcome),
            },
            _ = ended => Prepared::Dropped,
            () = inner.closing.cancelled() => Prepared::Dropped,
        }
    }

    /// Prepares a part that the account has already, of which an attempt may have arrived: what was prepared for that one
    /// may be used up. Tells why it cannot be attempted, and whether that is the provider's own trouble.
    pub(crate) async fn prepare_again(
        &self,
        load: &Load,
        way: &Way,
        part: usize,
    ) -> Result<Option<(Outcome, bool)>, Gone> {
        let Some(part) = media_part(load, part).filter(|_| load.doubtful) else { return Ok(None) };
        let inner = &self.delivery.0;
        tokio::select! {
            done = inner.sender.prepare(attempt(way, part, load)) => Ok(done.err().map(|outcome| {
                let is_server_error = decide::server_error(&outcome).is_some();
                (decide::as_unsent(outcome), is_server_error)
            })),
            () = inner.closing.cancelled() => Err(Gone),
        }
    }

    /// A part that nobody has could not be prepared: another account, the same one later, or nobody.
    pub(crate) async fn unprepared(
        &self,
        load: &mut Load,
        way: &Way,
        part: usize,
        outcome: Outcome,
    ) -> ControlFlow<Carried> {
        load.unprepared += 1;
        if let Some(detail) = decide::server_error(&outcome) {
            let now = self.delivery.0.ambient.clock.now();
            load.unsettled = Some(Unsettled::and_again(load.unsettled, now));
            if self.expired(load) {
                let failure = Failure::ProviderError { detail: detail.to_owned() };
                return ControlFlow::Break(self.delivery.fail(&mut load.message, failure).await);
            }
        }
        let outcome = &decide::as_unsent(outcome);
        self.delivery.note(load.message.id, self.attempted(way, part, outcome)).await;
        match (decide::after(outcome, Tried::default()), outcome) {
            (Next::Fail(failure), _) => {
                ControlFlow::Break(self.delivery.fail(&mut load.message, failure).await)
            }
            (Next::GiveBack { exclude: Some(why) }, _) => {
                self.delivery.0.live.set_with(load.message.id, None);
                load.tried.push((refusal(&way.account, outcome), why));
                ControlFlow::Continue(())
            }
            // Of this account and what was to be prepared; about sending into the chat it says nothing.
            (_, Outcome::FloodWait(until) | Outcome::SlowMode(until)) => {
                load.not_before.retain(|(account, _)| *account != way.account);
                load.not_before.push((way.account.clone(), *until));
                ControlFlow::Continue(())
            }
            _ => {
                let Inner { live, ambient, .. } = &*self.delivery.0;
                live.set_with(load.message.id, Some((&way.account, ambient.clock.running())));
                self.rest(load, way).await;
                ControlFlow::Continue(())
            }
        }
    }
}

fn media_part(load: &Load, part: usize) -> Option<&Part> {
    load.message.parts.get(part).filter(|part| part.is_media())
}

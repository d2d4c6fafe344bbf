//! The end of a message: written where that is to be done, and reported to those who wait.

use std::time::Duration;

use domain::Timestamp;
use domain::message::{MessageState, OnFlood, OutboundMessage, PartState};
use domain::outcome::Failure;
use domain::timeline::Entry;
use store::Fail;

use crate::decide::{self, Choice};
use crate::worker::{Gone, LaneStep};
use crate::{Delivery, log_events, query};

/// A message at its end, or as it was when the wait for that was over.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The message.
    pub message: OutboundMessage,
    /// The attempt that sent it, where it is known here that it is the only one: the store need not be read for it.
    pub only_attempt: Option<Entry>,
}

impl From<OutboundMessage> for Settled {
    fn from(message: OutboundMessage) -> Self {
        Self { message, only_attempt: None }
    }
}

impl Delivery {
    /// Ends a message of which nothing is with an account.
    pub(crate) async fn fail(&self, message: &mut OutboundMessage, failure: Failure) -> LaneStep {
        let fail = Fail { id: message.id, failure: failure.clone(), at: self.0.ambient.clock.now() };
        let outbox = self.0.store.outbox();
        match self.persist(message.id, || outbox.fail(fail.clone())).await {
            Ok(true) => {
                message.failure = Some(failure);
                self.finish(message, MessageState::Failed, fail.at, None)
            }
            // Someone else ended it first, or this write did after all.
            Ok(false) => {
                self.tell_stored(message.id).await;
                LaneStep::Dropped
            }
            Err(Gone) => LaneStep::Dropped,
        }
    }

    /// Notifies those who wait for a message. The store has its end already, as of `at`; `took` is how long sending it took.
    pub(crate) fn finish(
        &self,
        message: &mut OutboundMessage,
        state: MessageState,
        at: Timestamp,
        took: Option<Duration>,
    ) -> LaneStep {
        message.state = state;
        message.updated_at = at;
        log_events::ended(message, took);
        self.end(message, None);
        LaneStep::Finished
    }

    /// Why a message that rather fails than waits has to, whether it is its turn or not; nothing if it need not, or if someone
    /// would have to be asked. One that is half sent waits for its account: "not sent" would be untrue.
    pub(crate) fn must_wait(&self, message: &OutboundMessage) -> Option<Failure> {
        let is_hurried = message.on_flood == OnFlood::Fail
            && message.parts.iter().all(|part| part.state == PartState::Waiting);
        let query = query(message);
        let mut candidates = is_hurried.then(|| self.0.sender.candidates_now(&query)).flatten()?;
        let choose = |candidates: &_| decide::choose(candidates, Some(&query.chat), &[], None, true);
        let now = self.0.ambient.clock.now();
        let admit = |account: &_| match self.0.sender.pace(account).and_then(|pace| pace.held_until(now)) {
            Some(until) => Err(until),
            None => Ok(()),
        };
        match decide::admitted(&mut candidates, choose, admit) {
            Choice::Fail(failure @ (Failure::FloodWait { .. } | Failure::LimitReached { .. })) => {
                Some(failure)
            }
            _ => None,
        }
    }
}

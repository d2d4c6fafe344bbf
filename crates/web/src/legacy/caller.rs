//! A caller without a key: however its connection ends, the store learns whether it was answered.

use std::time::Duration;

use delivery::{How, Submission, SubmitError};
use domain::message::OutboundMessage;
use store::StoreError;
use tokio::runtime::Handle;

use super::held::Held;
use crate::state::State;

/// How long a caller in doubt waits for the note that lets its next call join. It is written all the same.
const NOTE_TIME: Duration = Duration::from_secs(2);

/// A caller and what it asked for. Dropped before it is answered, as happens when its connection is cut, it notes that
/// the same body joins what it asked for from now on.
pub(super) struct Caller<H: Held> {
    state: State,
    id: H::Id,
    how: How,
    /// False for a caller with a key, and for one that has its answer.
    unanswered: bool,
}

impl Caller<OutboundMessage> {
    /// Hands a message over; `joins` says that the same body may join it.
    pub(super) async fn submit_message(
        state: &State,
        joins: bool,
        submission: Submission,
    ) -> Result<Self, SubmitError> {
        let own = state.clone();
        // A connection that is cut while it is accepted must not hide its id.
        let submitted = state.delivery().submit_then(submission, move |submitted| {
            submitted.map(|submitted| Self {
                state: own,
                id: submitted.id,
                how: submitted.how,
                unanswered: joins,
            })
        });
        submitted.await?
    }
}

impl<H: Held> Caller<H> {
    /// Hands over what was asked for; `joins` says that the same body may join it.
    pub(super) async fn submit<E>(
        state: &State,
        joins: bool,
        submitting: impl Future<Output = Result<(H::Id, How), E>> + Send + 'static,
    ) -> Result<Self, E>
    where
        E: From<StoreError> + Send + 'static,
    {
        let state = state.clone();
        if !joins {
            let (id, how) = submitting.await?;
            return Ok(Self { state, id, how, unanswered: false });
        }
        // In a task of its own: a connection that is cut while it is accepted must not hide its id.
        let tasks = state.tasks().clone();
        let submitted = ambient::run_detached(&tasks, async move {
            let submitted = submitting.await;
            // A caller that is gone already is dropped with the channel.
            submitted.map(|(id, how)| Self { state, id, how, unanswered: true })
        });
        submitted.await.unwrap_or_else(|| {
            Err(StoreError::Unavailable("the request was lost on its way to the store".to_owned()).into())
        })
    }

    pub(super) const fn id(&self) -> H::Id {
        self.id
    }

    /// Whether its key had brought the same before.
    pub(super) fn is_replay(&self) -> bool {
        self.how == How::Replayed
    }

    /// It gets its answer now: from here on the same body is a new request. The note is handed over before the answer
    /// leaves, so that a repeat cannot overtake it; for the disk no one waits.
    pub(super) async fn answered(mut self) {
        if self.unanswered {
            let noting = || H::answered(self.state.clone(), self.id);
            if tokio::time::timeout(NOTE_TIME, noting()).await.is_err() {
                ambient::spawn_detached(self.state.tasks(), noting());
            }
            self.unanswered = false;
        }
    }

    /// The caller learns that it may have been done: noted before it can call again.
    pub(super) async fn left_in_doubt(mut self) {
        if self.unanswered {
            let noting = H::unanswered(self.state.clone(), self.id);
            let noted = tokio::time::timeout(NOTE_TIME, noting).await;
            self.unanswered = noted.is_err();
        }
    }
}

impl<H: Held> Drop for Caller<H> {
    fn drop(&mut self) {
        // Without a runtime the program is over, and the next start takes every caller for gone.
        if self.unanswered
            && let Ok(runtime) = Handle::try_current()
        {
            self.state.tasks().spawn_on(H::unanswered(self.state.clone(), self.id), &runtime);
        }
    }
}

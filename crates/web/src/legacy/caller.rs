//! A caller without a key: however its connection ends, the store learns whether it was answered.

use std::time::Duration;

use delivery::{How, Submission, SubmitError, Submitted};
use domain::MessageId;
use store::StoreError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::state::State;

/// How long a caller in doubt waits for the note that lets its next call join. It is written all the same.
const NOTE_TIME: Duration = Duration::from_secs(2);

/// A caller and the message it asked for. Dropped before it is answered, as happens when its connection is cut, it
/// notes that the same body joins the message from now on.
pub(super) struct Caller {
    state: State,
    submitted: Submitted,
    /// False for a caller with a key, and for one that has its answer.
    unanswered: bool,
}

impl Caller {
    /// Hands a message to the delivery.
    pub(super) async fn submit(state: &State, submission: Submission) -> Result<Self, SubmitError> {
        let unanswered = submission.join.is_some();
        let state = state.clone();
        if !unanswered {
            let submitted = state.delivery().submit(submission).await?;
            return Ok(Self { state, submitted, unanswered });
        }
        // In a task of its own: a connection that is cut while the message is accepted must not hide its id.
        let (tell, told) = oneshot::channel();
        state.clone().tasks().spawn(async move {
            let submitted = state.delivery().submit(submission).await;
            // A caller that is gone already is dropped right here, or in the channel.
            let _ = tell.send(submitted.map(|submitted| Self { state, submitted, unanswered }));
        });
        told.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("the message was lost on its way to the store".to_owned()).into())
        })
    }

    pub(super) fn id(&self) -> MessageId {
        self.submitted.id
    }

    /// Whether its key had brought the message before.
    pub(super) fn is_replay(&self) -> bool {
        self.submitted.how == How::Replayed
    }

    /// It gets its answer now: from here on the same body is a new message. The answer does not wait for this note.
    pub(super) fn answered(mut self) {
        if std::mem::take(&mut self.unanswered) {
            let (state, id) = (self.state.clone(), self.id());
            self.state.tasks().spawn(async move { state.delivery().answered(id).await });
        }
    }

    /// It is told that its message may have been sent: noted before it can call again.
    pub(super) async fn left_in_doubt(mut self) {
        if self.unanswered {
            let noting = self.state.delivery().unanswered(self.id());
            let noted = tokio::time::timeout(NOTE_TIME, noting).await;
            self.unanswered = noted.is_err();
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // Without a runtime the program is over, and the next start takes every caller for gone.
        if self.unanswered
            && let Ok(runtime) = Handle::try_current()
        {
            let (state, id) = (self.state.clone(), self.id());
            self.state.tasks().spawn_on(async move { state.delivery().unanswered(id).await }, &runtime);
        }
    }
}

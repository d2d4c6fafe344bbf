//! The files of one message between being taken in and its acceptance: they go if it is not accepted.

use delivery::{Submission, SubmitError, Submitted, takes_files};
use domain::media::Media;
use media::Held;
use store::StoreError;

use crate::state::State;

/// One file that a message is to carry, and the hold on it where it is stored here.
pub(crate) struct Carried {
    pub(crate) media: Media,
    pub(crate) held: Option<Held>,
}

/// All files that a message is to carry. Dropped, they are gone.
#[derive(Default)]
pub(crate) struct Load(Vec<Carried>);

impl Load {
    pub(crate) const fn new(carried: Vec<Carried>) -> Self {
        Self(carried)
    }

    /// What the message says of them.
    pub(crate) fn media(&self) -> Vec<Media> {
        self.0.iter().map(|carried| carried.media.clone()).collect()
    }

    /// They are needed from now on.
    pub(crate) fn keep(self) {
        self.0.into_iter().filter_map(|carried| carried.held).for_each(Held::keep);
    }

    /// Leaves them to the message, if there is a new one that needs them.
    fn settle(self, submitted: &Result<Submitted, SubmitError>) {
        if takes_files(submitted) {
            self.keep();
        }
    }
}

/// Hands a message over with the files that it carries. Anyone who goes away meanwhile leaves both to each other, or neither.
pub(crate) async fn submit(
    state: State,
    mut submission: Submission,
    load: Load,
) -> Result<Submitted, SubmitError> {
    let delivery = state.delivery().clone();
    if load.0.is_empty() {
        return delivery.submit(submission).await;
    }
    submission.content.media = load.media();
    let submitting = ambient::run_detached(state.tasks(), async move {
        let submitted = delivery.submit(submission).await;
        load.settle(&submitted);
        submitted
    });
    submitting.await.unwrap_or_else(|| {
        Err(StoreError::Unavailable("the message was lost on its way to the store".to_owned()).into())
    })
}

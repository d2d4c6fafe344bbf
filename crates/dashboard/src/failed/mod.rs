//! Failed requests: what is kept for a retry by hand.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod one;

pub(crate) use api::FailedRequest;
use api::FailedState;

use crate::view::Linked;

impl Linked for FailedRequest {
    fn path(&self) -> String {
        format!("/failed/{}", self.id)
    }
}

/// Whether it can be tried again now: it waits for a person, or for its next try.
pub(crate) fn may_be_tried(request: &FailedRequest) -> bool {
    matches!(request.state, FailedState::Pending | FailedState::Waiting)
}

//! What histories of chats have, where one chat that fails does not keep the others from being read.

use domain::InboundEvent;
use domain::outcome::HoldScope;
use futures::future::BoxFuture;

use crate::error::CallError;

/// If this number of chats gets no clear answer, the provider fails and not a chat.
const MOST_UNCLEAR: usize = 3;

/// A call that reads the histories of an account; none where its provider has no such call.
pub type ReadingHistories<'a> = Option<BoxFuture<'a, Result<Histories, CallError>>>;

/// What was read from the histories of an account.
#[derive(Debug, Default)]
pub struct Histories {
    /// The messages, oldest first within a chat.
    pub events: Vec<InboundEvent>,
    /// The chats that could not be read, and why.
    pub failed: Vec<(String, CallError)>,
}

impl Histories {
    /// Notes that a chat cannot be read.
    ///
    /// # Errors
    /// The failure is not of this chat alone: the others would fail too.
    pub(crate) fn fail(&mut self, chat: &str, error: CallError) -> Result<(), CallError> {
        let is_of_account = matches!(
            error,
            CallError::Token(_) | CallError::Account(_) | CallError::Unreached(_) | CallError::Conflict(_)
        ) || matches!(error, CallError::Wait { scope: HoldScope::Account, .. });
        let is_unclear = |error: &CallError| !error.proves_nothing_done();
        let unclear = self.failed.iter().filter(|(_, error)| is_unclear(error)).count();
        if is_of_account || is_unclear(&error) && unclear + 1 >= MOST_UNCLEAR {
            return Err(error);
        }
        self.failed.push((chat.to_owned(), error));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_chat_that_fails_is_left_out_and_a_provider_that_fails_ends_it() {
        let mut read = Histories::default();
        for error in [
            CallError::NotFound("gone".to_owned()),
            CallError::Server("500".to_owned()),
            CallError::refused("7", "no"),
            CallError::NoAnswer(Duration::from_secs(30)),
        ] {
            assert_eq!(read.fail("2001", error.clone()), Ok(()), "{error}");
        }
        assert_eq!(read.failed.len(), 4);
        for error in [
            CallError::Server("502".to_owned()),
            CallError::Token("revoked".to_owned()),
            CallError::wait(Duration::from_secs(1)),
        ] {
            assert_eq!(read.fail("2002", error.clone()), Err(error));
        }
    }
}

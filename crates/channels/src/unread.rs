//! What providers report that becomes no message: it is answered as the provider wants it, and counted.

use domain::Unread;

use crate::accounts::Account;
use crate::nature::Nature;
use crate::provider::{HookAnswer, HookRefusal};
use crate::reception::{HookError, Reception};

impl Reception {
    /// Answers a post that cannot be read, or is for an account that is not here, as its provider wants it. It is counted.
    pub(crate) fn answer_unread(
        &self,
        account: &Account,
        is_post: bool,
        error: HookError,
    ) -> Result<HookAnswer, HookError> {
        let is_unread =
            matches!(error, HookError::Refused(HookRefusal::Unreadable(_) | HookRefusal::OtherAccount(_)));
        match Nature::named(account.channel.as_str()).unread_answer.filter(|_| is_unread && is_post) {
            Some(answer) => {
                self.note_unread(account, &Unread::new(&format!("a post: {error}"), true));
                Ok(if answer.is_empty() { HookAnswer::default() } else { HookAnswer::text(answer) })
            }
            None => Err(error),
        }
    }

    /// Counts something that becomes no message. What a customer may have written is an error of the account.
    pub(crate) fn note_unread(&self, account: &Account, unread: &Unread) {
        let now = self.channels().clock().now();
        let Unread { what, is_lost } = unread;
        if *is_lost {
            tracing::warn!(account = %account.name(), channel = %account.channel, what, "a provider reported what cannot be read");
        } else {
            tracing::debug!(account = %account.name(), channel = %account.channel, what, "a provider reported what is no message");
        }
        account.change(|status| {
            status.health.note_unread(unread, now);
            if *is_lost {
                status.health.note(&format!("cannot be read: {what}"), now);
            }
        });
    }
}

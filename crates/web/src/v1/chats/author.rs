//! Which account changes a message in a chat: the one that sent it, else any that can.

use domain::{AccountName, ChatRef, TelegramMessageId};
use telegram::{ChangeError, Changed};

use super::named;
use crate::state::State;

/// Makes a change to a message through the account that is named, or, when none is, through the one that sent the message;
/// when that one cannot, or no one here knows who it was, through the account that is first in the chat.
///
/// # Errors
/// Why the account could not that was asked first, unless it is not known whether the second one did.
pub(super) async fn change<F>(
    state: &State,
    chat: &ChatRef,
    message_id: TelegramMessageId,
    named: Option<AccountName>,
    through: impl Fn(Option<AccountName>) -> F,
) -> Result<Changed, ChangeError>
where
    F: Future<Output = Result<Changed, ChangeError>>,
{
    if named.is_some() {
        return through(named).await;
    }
    let Some(author) = of(state, chat, message_id).await else { return through(None).await };
    match through(Some(author)).await {
        Err(refused) if others_may(&refused) => through(None).await.map_err(|other| which(refused, other)),
        done => done,
    }
}

/// The account that sent this message, if it was sent from here, lately enough to be known, by one that is still ours.
async fn of(state: &State, chat: &ChatRef, message_id: TelegramMessageId) -> Option<AccountName> {
    let chat_id = named::id(state, chat)?;
    match state.store().outbox().sent_by(chat_id, message_id).await {
        Ok(author) => author.filter(|author| state.pool().account(author).is_some()),
        Err(error) => {
            tracing::warn!(%error, "who sent a message could not be asked; the first account in the chat is");
            None
        }
    }
}

/// Whether someone else in the chat may be able to do what its author cannot, such as an administrator.
const fn others_may(refused: &ChangeError) -> bool {
    match refused {
        ChangeError::NotFound { .. } | ChangeError::NoRights { .. } | ChangeError::NoAccount { .. } => true,
        ChangeError::NoSuchMessage { .. }
        | ChangeError::FloodWait { .. }
        | ChangeError::Rejected { .. }
        | ChangeError::Unknown(_) => false,
    }
}

/// Which of two refusals a caller gets: that of the author, unless the other one may have done it all the same.
fn which(author: ChangeError, other: ChangeError) -> ChangeError {
    if matches!(other, ChangeError::Unknown(_)) { other } else { author }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn another_account_is_tried_only_where_it_may_succeed() {
        let asked = Vec::new;
        for refused in [
            ChangeError::NotFound { asked: asked() },
            ChangeError::NoRights { asked: asked() },
            ChangeError::NoAccount { asked: asked() },
        ] {
            assert!(others_may(&refused), "{refused}");
        }
        for refused in [
            ChangeError::FloodWait { until: Timestamp::default() },
            ChangeError::Rejected { code: "MESSAGE_TOO_LONG".into() },
            ChangeError::Unknown("no answer".into()),
        ] {
            assert!(!others_may(&refused), "{refused}");
        }
    }

    #[test]
    fn a_possible_change_is_reported_before_a_refusal() {
        let away = || ChangeError::NoAccount { asked: Vec::new() };
        assert_eq!(which(away(), ChangeError::NoRights { asked: Vec::new() }), away());
        let unknown = || ChangeError::Unknown("no answer".into());
        assert_eq!(which(away(), unknown()), unknown());
    }
}

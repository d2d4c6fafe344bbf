//! The chat that a path names, and what a chat that cannot be read answers.

use domain::chat::{ChatId, ChatKind};
use domain::{AccountName, ChatRef, Timestamp};
use telegram::ReadError;

use crate::problem::{Code, FieldError, Problem, each, seconds_until, shorten};
use crate::state::State;
use crate::v1::page::wrong_cursor;

/// Reads the chat in a path.
pub(super) fn chat(given: &str) -> Result<ChatRef, Problem> {
    ChatRef::named(given).map_err(|error| Problem::new(Code::ChatNotFound, format!("{error}.")))
}

/// Reads the message in a path.
pub(super) fn message(given: &str) -> Result<i32, Problem> {
    let id = given.parse::<i32>().ok().filter(|id| *id > 0);
    id.ok_or_else(|| {
        let detail = format!("{:?} is no message id; Telegram's are numbers from 1.", shorten(given));
        Problem::new(Code::MessageNotFound, detail)
    })
}

/// Reads a chat that can have members and be left: no private dialog.
pub(super) fn group(given: &str) -> Result<ChatRef, Problem> {
    let chat = chat(given)?;
    match chat {
        ChatRef::Id(id) if id.kind() == ChatKind::User => Err(Problem::fields(vec![FieldError::new(
            "chat_id",
            format!("is wrong: {id} is a user; name a group, a supergroup or a channel"),
        )])),
        chat => Ok(chat),
    }
}

/// The id of a chat today: memory knows names, and which basic groups became supergroups.
pub(crate) fn id(state: &State, chat: &ChatRef) -> Option<ChatId> {
    let known = state.pool().chat_info(chat).map(|known| known.chat_id);
    known.or(match chat {
        ChatRef::Id(id) => Some(*id),
        ChatRef::Username(_) => None,
    })
}

/// The one account that may be asked; it must be one of ours.
pub(super) fn pinned<'a>(
    state: &State,
    account: Option<&'a AccountName>,
) -> Result<Option<&'a AccountName>, Problem> {
    match account {
        Some(name) if state.pool().account(name).is_none() => Err(Problem::account_not_found(name.as_str())),
        pin => Ok(pin),
    }
}

/// A chat that nobody here knows.
pub(super) fn unknown(chat: &ChatRef) -> Problem {
    let chat = shorten(&chat.to_string());
    Problem::new(
        Code::ChatNotFound,
        format!("No account knows the chat {chat}; GET /v1/chats lists those known."),
    )
}

/// What a chat that could not be read answers.
pub(crate) fn unread(error: ReadError, now: Timestamp) -> Problem {
    match error {
        ReadError::NotFound { asked } => {
            Problem::new(Code::ChatNotFound, format!("No account finds this chat ({}).", each(&asked)))
        }
        ReadError::NoRights { asked } => {
            Problem::new(Code::NoRights, format!("No account may read this chat ({}).", each(&asked)))
        }
        ReadError::NoAccount { asked } => {
            Problem::new(Code::NoAccount, format!("No account can read it now ({}).", each(&asked)))
        }
        ReadError::FloodWait { until } => {
            Problem::new(Code::FloodWait, format!("Every account must wait; the first may read at {until}."))
                .retry_after(seconds_until(until, now))
        }
        ReadError::InvalidCursor => wrong_cursor(),
        ReadError::Failed(why) => Problem::new(
            Code::ReadFailed,
            format!("Telegram was asked and did not answer as it should: {why}."),
        ),
    }
}

//! The chat that a path names, and what a chat that cannot be read answers.

use api::each;
use domain::chat::{ChatId, ChatKind};
use domain::{AccountName, ChatRef, NamedChat, NamedChatError, TelegramMessageId, Timestamp};
use telegram::ReadError;

use crate::auth::Caller;
use crate::problem::{Code, FieldError, Problem, seconds_until, shorten};
use crate::state::State;
use crate::v1::page::wrong_cursor;

/// The chat in a path, in any of the forms that name one, and the account that must be asked, if it can be one only.
pub(super) async fn chat(
    state: &State,
    given: &str,
    pin: Option<AccountName>,
) -> Result<(ChatRef, Option<AccountName>), Problem> {
    let (chat, pin) = meant(state, of_telegram(given)?, pin).await?;
    pinned(state, pin.as_ref())?;
    Ok((chat, pin))
}

/// The chat in a path, where it does not depend on who asks: not `me`.
pub(super) async fn shared(state: &State, caller: &Caller, given: &str) -> Result<ChatRef, Problem> {
    match of_telegram(given)? {
        own @ NamedChat::Own => Err(no_chat(&NamedChatError::NotHere(own))),
        _ => resolve(state, caller, given).await,
    }
}

/// The chat in a path of which no account is asked but for a phone number; that is asked of one that the caller may use.
pub(super) async fn resolve(state: &State, caller: &Caller, given: &str) -> Result<ChatRef, Problem> {
    let chat = of_telegram(given)?;
    let pin = match chat {
        NamedChat::Chat(_) => None,
        NamedChat::Own | NamedChat::Phone(_) => caller.pin(None)?,
    };
    Ok(meant(state, chat, pin).await?.0)
}

/// Reads a chat of Telegram, in any of the forms that name one.
fn of_telegram(given: &str) -> Result<NamedChat, Problem> {
    match given.parse().map_err(|error| no_chat(&error))? {
        chat @ NamedChat::Chat(ChatRef::Channel(_)) => Err(no_chat(&NamedChatError::NotHere(chat))),
        chat => Ok(chat),
    }
}

/// Which chat is meant, and the account that must be asked for it, if it can be one only.
pub(crate) async fn meant(
    state: &State,
    chat: NamedChat,
    pin: Option<AccountName>,
) -> Result<(ChatRef, Option<AccountName>), Problem> {
    match chat {
        NamedChat::Chat(chat) => Ok((chat, pin)),
        NamedChat::Own => {
            let (account, chat_id) =
                state.pool().own_chat(pinned(state, pin.as_ref())?).ok_or_else(|| {
                    Problem::new(
                        Code::NoAccount,
                        "No account has signed in yet whose Saved Messages \"me\" could be; name a chat, or sign in to one.",
                    )
                })?;
            Ok((ChatRef::Id(chat_id), Some(account)))
        }
        NamedChat::Phone(phone) => {
            let found = state.pool().by_phone(&phone, pinned(state, pin.as_ref())?).await;
            let chat_id = found.map_err(|error| unread(error, state.clock().now()))?;
            Ok((ChatRef::Id(chat_id), pin))
        }
    }
}

fn no_chat(error: &NamedChatError) -> Problem {
    Problem::new(Code::ChatNotFound, format!("{error}."))
}

/// Reads a chat in a path that is named by its id, its username or a link.
pub(super) fn plain(given: &str) -> Result<ChatRef, Problem> {
    ChatRef::named(given).map_err(|error| no_chat(&error))
}

/// Reads the message in a path.
pub(super) fn message(given: &str) -> Result<TelegramMessageId, Problem> {
    let id = given.parse::<i32>().ok().and_then(TelegramMessageId::new);
    id.ok_or_else(|| {
        let detail = format!("{:?} is no message id; Telegram's are numbers from 1.", shorten(given));
        Problem::new(Code::MessageNotFound, detail)
    })
}

/// Reads a chat that can have members and be left: no private dialog.
pub(super) fn group(given: &str) -> Result<ChatRef, Problem> {
    match plain(given)? {
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
        ChatRef::Username(_) | ChatRef::Channel(_) => None,
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

/// A chat that no one here knows.
pub(super) fn unknown(chat: &ChatRef) -> Problem {
    let chat = shorten(&chat.to_string());
    Problem::new(
        Code::ChatNotFound,
        format!("No account knows the chat {chat}; GET /v1/chats lists those known."),
    )
}

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

//! What a call is about, for keys with limits: checked at the door where the path says it, and by its handler where a body or a
//! query does. A call that is not in the list here is closed to such keys.

use axum::extract::{FromRequestParts, RawPathParams};
use domain::{AccountName, ChatRef, InboundId, MessageId, NamedChat, OperationId, ReceivedId};
use http::request::Parts;

use super::key_cache::CachedKey;
use crate::audit;
use crate::problem::Problem;
use crate::state::State;

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// No account and no chat.
    None,
    /// What its body or its query names: its handler asks the [`Caller`](super::Caller).
    Handler,
    /// The chat in its path; its handler asks for the account.
    Chat,
    /// Looking at the account in its path.
    Account,
    /// Doing something to the account in its path, and so to all its chats.
    WholeAccount,
    /// The message or operation in its path; only looking at it.
    Shown,
    /// The same; doing something to it.
    Changed,
    /// The whole installation.
    Everything,
}

/// What the call of this name is about.
fn of(operation: &str) -> Reach {
    match operation {
        "upload_file" | "get_upload" | "delete_upload" => Reach::None,
        "send_message" | "create_chat" | "list_messages" | "list_chats" | "list_operations"
        | "list_accounts" | "list_channels" | "list_events" => Reach::Handler,
        "get_chat" | "change_chat" | "leave_chat" | "list_members" | "add_members" | "remove_member"
        | "read_history" | "read_conversation" | "edit_message" | "delete_message" | "read_chat_media"
        | "mark_read" | "show_typing" => Reach::Chat,
        "get_account" | "get_account_note" | "get_channel" | "list_account_gaps" => Reach::Account,
        "act_on_account" | "write_account_note" | "remove_account_note" => Reach::WholeAccount,
        "get_message" | "explain_message" | "read_message_media" | "get_operation" => Reach::Shown,
        "cancel_message" | "retry_message" | "resolve_message" | "approve_message" | "reject_message"
        | "cancel_operation" | "retry_operation" | "resolve_operation" => Reach::Changed,
        _ => Reach::Everything,
    }
}

/// Whether a key with limits may never make the call of this name.
pub(crate) fn is_closed_to_limited_keys(operation: &str) -> bool {
    of(operation) == Reach::Everything
}

/// Refuses a call that is about something outside the limits of its key, as far as its path says it.
pub(super) async fn check(state: &State, key: &CachedKey, parts: &mut Parts) -> Result<(), Problem> {
    let reach = audit::operation(parts).map_or(Reach::Everything, of);
    match reach {
        Reach::None | Reach::Handler => Ok(()),
        Reach::Everything => Err(key.beyond()),
        Reach::WholeAccount if !(key.limits.chats.is_empty() && key.limits.channels.is_empty()) => {
            Err(key.beyond())
        }
        Reach::Chat | Reach::Account | Reach::WholeAccount | Reach::Shown | Reach::Changed => {
            let first = first(parts, state).await.unwrap_or_default();
            named(state, key, reach, &first).await
        }
    }
}

/// What the path names first. What is not well written is refused by the handler.
async fn first(parts: &mut Parts, state: &State) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, state).await.ok()?;
    parameters.iter().next().map(|(_, value)| value.to_owned())
}

async fn named(state: &State, key: &CachedKey, reach: Reach, given: &str) -> Result<(), Problem> {
    match reach {
        Reach::Chat => match given.parse::<NamedChat>() {
            Ok(chat) => key.named_chat(state, "chat_id", &chat),
            Err(_) => Ok(()),
        },
        Reach::Account | Reach::WholeAccount => match given.parse::<AccountName>() {
            Ok(account) => key.account(&account),
            Err(_) => Ok(()),
        },
        Reach::Shown | Reach::Changed => {
            let Some((pin, account, chat)) = account_and_chat(state, given).await? else { return Ok(()) };
            // What is tried again goes through another account, unless it has one of its own.
            let account = if reach == Reach::Changed { pin } else { account.or(pin) };
            if key.shows(state, account.as_ref(), chat.as_ref()) {
                return Ok(());
            }
            Err(key.not_its_own())
        }
        Reach::None | Reach::Handler | Reach::Everything => Ok(()),
    }
}

type Reached = (Option<AccountName>, Option<AccountName>, Option<ChatRef>);

/// The only account that may do it, the one that does it, and the chat it is in.
async fn account_and_chat(state: &State, given: &str) -> Result<Option<Reached>, Problem> {
    if let Ok(id) = given.parse::<MessageId>() {
        let message = state.delivery().get(id).await?;
        return Ok(message.map(|message| {
            let chat = message.place();
            (message.pin, message.account, Some(chat))
        }));
    }
    if let Ok(id) = given.parse::<OperationId>() {
        let saga = state.sagas().get(id).await?;
        return Ok(saga.map(|saga| {
            let chat = saga.place();
            (saga.pin, saga.account, chat)
        }));
    }
    if let Ok(id) = given.parse::<InboundId>() {
        let stored = state.store().channels().get(id).await?;
        return Ok(stored.map(|stored| {
            (None, Some(stored.address.account.clone()), Some(ChatRef::Channel(stored.address)))
        }));
    }
    let Ok(id) = given.parse::<ReceivedId>() else { return Ok(None) };
    let stored = state.store().received().get(&id).await?;
    let account = stored.map(|stored| stored.message.account).or_else(|| id.counted_by().cloned());
    Ok(Some((None, account, Some(ChatRef::Id(id.chat_id())))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlisted_routes_are_closed() {
        assert_eq!(of("a_call_of_tomorrow"), Reach::Everything);
        for operation in ["list_keys", "send_import_files", "retry_failed_messages", "search_logs"] {
            assert_eq!(of(operation), Reach::Everything);
        }
    }
}

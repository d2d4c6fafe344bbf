//! What must hold before something is done to a message or a chat of a channel, asked for by `/v1` or by an old port.

use ::channels::{Account, Deed};
use domain::{ChannelChat, ChatRef, ExternalChat};
use store::{Page, StoreError};

use crate::auth::Caller;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// Refuses what a paused account would do, what is for a message of another chat, and what would give someone on the
/// do-not-contact list something new to read. A caller of an old port has no key with limits.
pub(crate) async fn check(
    state: &State,
    caller: Option<&Caller>,
    account: &Account,
    chat: &ExternalChat,
    deed: &Deed,
) -> Result<(), Problem> {
    if account.status().paused {
        let detail =
            format!("The account {} is paused; POST /v1/channels/{0}/resume resumes it.", account.name());
        return Err(Problem::new(Code::WrongState, detail));
    }
    let unknown = match deed {
        Deed::Edit { external_id, .. }
        | Deed::Delete { external_id }
        | Deed::MarkRead { external_id: Some(external_id) } => {
            let found = chat_of(state, account, Some(chat), external_id).await?;
            if found.as_ref() != Some(chat) {
                caller.map_or(Ok(()), Caller::check_unknown_message)?;
            }
            if found.as_ref().is_some_and(|found| found != chat) {
                let detail =
                    format!("The message {:?} is of another chat than {chat}.", shorten(external_id));
                return Err(Problem::new(Code::MessageNotFound, detail));
            }
            found.is_none().then_some(external_id)
        }
        Deed::MarkRead { external_id: None } | Deed::Typing => None,
    };
    if matches!(deed, Deed::Edit { .. }) {
        refuse_listed(state, place(account, chat), unknown).await?;
    }
    Ok(())
}

/// Who is on the do-not-contact list reads nothing new. Of a message whose chat is not known it cannot be said who reads it.
async fn refuse_listed(state: &State, chat: ChannelChat, unknown: Option<&String>) -> Result<(), Problem> {
    let list = state.store().do_not_contact();
    list.refuse_message(vec![(ChatRef::Channel(chat), None)]).await?;
    let Some(message) = unknown else { return Ok(()) };
    if list.list(&Page { limit: 1, cursor: None }).await?.items.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "The store does not know the chat of the message {:?}, and it may be on the do-not-contact list; send a new message instead.",
        shorten(message)
    );
    Err(Problem::new(Code::DoNotContact, detail))
}

/// The chat of the message that the provider calls so, as far as it is known.
pub(crate) async fn chat_of(
    state: &State,
    account: &Account,
    named: Option<&ExternalChat>,
    external_id: &str,
) -> Result<Option<ExternalChat>, StoreError> {
    let (store, channel, name) = (state.store(), &account.channel, account.name());
    if let Some(received) = store.channels().by_external_id(channel, name, external_id).await? {
        return Ok(Some(received.address.chat));
    }
    if let Some(sent) = store.outbox().of_provider_id(channel, name, external_id).await? {
        return Ok(match sent.place() {
            ChatRef::Channel(chat) => Some(chat.chat),
            ChatRef::Id(_) | ChatRef::Username(_) => None,
        });
    }
    // Such an id has its chat in it.
    let has_chat = |chat: &&ExternalChat| {
        external_id.rsplit_once(':').is_some_and(|(prefix, _)| prefix == chat.as_str())
    };
    Ok(named.filter(has_chat).cloned())
}

fn place(account: &Account, chat: &ExternalChat) -> ChannelChat {
    ChannelChat { channel: account.channel.clone(), account: account.name().clone(), chat: chat.clone() }
}

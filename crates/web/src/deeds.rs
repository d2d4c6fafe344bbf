//! What must hold before something is done to a message or a chat of a channel, asked for by `/v1` or by an old port.

use std::time::Duration;

use ::channels::{Account, Deed};
use domain::{ChannelChat, ChatRef, ExternalChat, ProviderId};
use store::{ChannelConversationMessage, ConversationStart, Filter, Page, StoreError};

use crate::auth::Caller;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// Messages on a page of the store.
const PAGE: u32 = 500;
/// So many pages are looked through for a message, at most.
const MOST_PAGES: usize = 8;
/// Messages that were accepted longer ago are looked for in their own chat alone: providers change none that are older.
const LOOKED_BACK: Duration = Duration::from_hours(3 * 24);

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
    let listed = list.listed(vec![(ChatRef::Channel(chat), None)]).await?;
    if let Some(entry) = listed.into_iter().flatten().next() {
        return Err(StoreError::DoNotContact { entry: entry.id }.into());
    }
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

/// The chat of the message that the provider calls so, as far as it is known. It is looked for in the chat that is named first.
pub(crate) async fn chat_of(
    state: &State,
    account: &Account,
    named: Option<&ExternalChat>,
    external_id: &str,
) -> Result<Option<ExternalChat>, StoreError> {
    let channels = state.store().channels();
    if let Some(stored) = channels.by_external_id(&account.channel, account.name(), external_id).await? {
        return Ok(Some(stored.address.chat));
    }
    if let Some(named) = named {
        // Such an id has its chat in it.
        let prefix = external_id.rsplit_once(':').map(|(chat, _)| chat);
        if prefix == Some(named.as_str()) || was_sent_to(state, account, named, external_id).await? {
            return Ok(Some(named.clone()));
        }
    }
    sent_lately(state, account, external_id).await
}

/// Whether it is one of the last messages that were sent to this chat.
async fn was_sent_to(
    state: &State,
    account: &Account,
    chat: &ExternalChat,
    external_id: &str,
) -> Result<bool, StoreError> {
    let id = ProviderId::from(external_id);
    let mut page = Page { limit: PAGE, cursor: None };
    for _ in 0..MOST_PAGES {
        let (channels, start) = (state.store().channels(), ConversationStart::Newest);
        let found = channels.conversation(place(account, chat), start, None, &page).await?;
        let is_it = |message: &ChannelConversationMessage| match message {
            ChannelConversationMessage::Sent(message) => message.message_ids().contains(&id),
            ChannelConversationMessage::Received(_) => false,
        };
        if found.items.iter().any(is_it) {
            return Ok(true);
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    Ok(false)
}

/// The chat that the account sent it to, if that was lately.
async fn sent_lately(
    state: &State,
    account: &Account,
    external_id: &str,
) -> Result<Option<ExternalChat>, StoreError> {
    let id = ProviderId::from(external_id);
    let since = Some(state.clock().now().minus(LOOKED_BACK));
    let filter = Filter { account: Some(account.name().clone()), since, ..Filter::default() };
    let mut page = Page { limit: PAGE, cursor: None };
    for _ in 0..MOST_PAGES {
        let found = state.store().outbox().list(&filter, &page).await?;
        if let Some(message) = found.items.iter().find(|message| message.message_ids().contains(&id)) {
            return Ok(match message.place() {
                ChatRef::Channel(chat) => Some(chat.chat),
                ChatRef::Id(_) | ChatRef::Username(_) => None,
            });
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    Ok(None)
}

fn place(account: &Account, chat: &ExternalChat) -> ChannelChat {
    ChannelChat { channel: account.channel.clone(), account: account.name().clone(), chat: chat.clone() }
}

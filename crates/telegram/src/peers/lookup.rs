//! Asking Telegram for one peer that memory does not know.

use domain::account::Operation;
use domain::{ChatId, ChatKind, Username};
use grammers_tl_types::{enums, functions};

use crate::account::Account;
use crate::calls::classify::{self, CallError};
use crate::peers::PeerRelation;
use crate::peers::dialogs;
use crate::peers::parsing;

/// Looks a public name up. `None` when no one has it.
pub(crate) async fn resolve(account: &Account, username: &Username) -> Result<Option<ChatId>, CallError> {
    let request =
        functions::contacts::ResolveUsername { username: username.as_str().to_owned(), referer: None };
    let answer = match account.read(Operation::ResolvePeer, &request).await {
        Ok(enums::contacts::ResolvedPeer::Peer(answer)) => answer,
        Err(error) if matches!(error.name(), Some("USERNAME_NOT_OCCUPIED" | "USERNAME_INVALID")) => {
            account.names.drop_name(username);
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    account.learn(&answer.users, &answer.chats, &[]).await;
    let chat_id = parsing::chat_id(&answer.peer);
    if let Some(chat_id) = chat_id {
        account.names.set(username, chat_id, account.now());
    }
    Ok(chat_id)
}

/// Looks for a chat of which only the id is known, where that is possible: a group needs no hash, anything else must
/// be among the newest dialogs. An error when it could not be looked for: that says nothing about the chat.
pub(crate) async fn by_id(account: &Account, chat_id: ChatId) -> Result<bool, CallError> {
    if chat_id.kind() == ChatKind::Group {
        let request = functions::messages::GetChats { id: vec![chat_id.bare()] };
        let chats = match account.read(Operation::ResolvePeer, &request).await {
            Ok(enums::messages::Chats::Chats(answer)) => answer.chats,
            Ok(enums::messages::Chats::Slice(answer)) => answer.chats,
            Err(error) if error.name().is_some_and(|name| name.ends_with("_INVALID")) => return Ok(false),
            Err(error) => return Err(error),
        };
        account.learn(&[], &chats, &[]).await;
    } else {
        dialogs::read_newest(account).await?;
    }
    // What was a basic group may be a supergroup by now.
    Ok(account.peers.relation(account.registry.today(chat_id)) == PeerRelation::Dialog)
}

/// Whether the account is still in a group, supergroup or channel, after Telegram refused a message to it; true where
/// that is unknown. Of a basic group memory knows it by now.
pub(crate) async fn is_still_in(account: &Account, chat_id: ChatId) -> bool {
    match chat_id.kind() {
        ChatKind::User => return true,
        ChatKind::Group => {}
        ChatKind::Channel => {
            let Some(channel) = account.peers.input_channel(chat_id) else { return true };
            let request = functions::channels::GetChannels { id: vec![channel] };
            match account.read(Operation::Read, &request).await {
                Ok(enums::messages::Chats::Chats(answer)) => account.learn(&[], &answer.chats, &[]).await,
                Ok(enums::messages::Chats::Slice(answer)) => account.learn(&[], &answer.chats, &[]).await,
                Err(error) => return !error.name().is_some_and(classify::is_about_membership),
            }
        }
    }
    account.peers.relation(chat_id) == PeerRelation::Dialog
}

/// A chat in the form that calls take; looks for it where it was forgotten.
pub(crate) async fn input(account: &Account, chat_id: ChatId) -> Option<enums::InputPeer> {
    if let Some(input) = account.peers.input(chat_id) {
        return Some(input);
    }
    // Whether it helped shows in what is known afterwards.
    by_id(account, chat_id).await.ok()?;
    account.peers.input(chat_id)
}

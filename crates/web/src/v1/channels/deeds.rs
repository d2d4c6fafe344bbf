//! What is done in a chat of a channel besides sending: a message is changed or removed, what the customer wrote is marked as read,
//! writing is shown.

use ::channels::Deed;
use axum::response::Response;
use delivery::Action;
use domain::{AccountName, ChannelChat, ChatRef, NamedChat};
use http::StatusCode;
use serde::Serialize;

use super::problem;
use crate::answer::json;
use crate::auth::Caller;
use crate::deeds;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::text_limit::refuse_long;

/// What was done.
#[derive(Serialize)]
struct Done<'a> {
    chat_id: String,
    account: &'a AccountName,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
}

/// Does it.
pub(in crate::v1) async fn act(
    state: &State,
    caller: &Caller,
    chat: &ChannelChat,
    deed: Deed,
) -> Result<Response, Problem> {
    caller.check_chat(state, "chat_id", &NamedChat::Chat(ChatRef::Channel(chat.clone())))?;
    let account =
        state.channels().channels().get(&chat.account).filter(|found| found.channel == chat.channel);
    let account = account.ok_or_else(|| {
        let detail = format!("No account serves the chat {chat}; GET /v1/channels lists them.");
        Problem::new(Code::ChatNotFound, detail)
    })?;
    let (action, message_id) = match &deed {
        Deed::Edit { external_id, .. } => (Action::Edit, Some(external_id.clone())),
        Deed::Delete { external_id } => (Action::Delete, Some(external_id.clone())),
        Deed::MarkRead { external_id } => (Action::MarkRead, external_id.clone()),
        Deed::Typing => (Action::Typing, None),
    };
    if !account.provider.capabilities().actions.contains(&action) {
        let detail = format!("The channel {} has no such call.", chat.channel);
        return Err(Problem::new(Code::Rejected, detail));
    }
    if let Deed::Edit { text, .. } = &deed {
        refuse_long(account.provider.capabilities().text, text)?;
    }
    deeds::check(state, Some(caller), account, &chat.chat, &deed).await?;
    account.provider.act(&chat.chat, &deed).await.map_err(|error| problem(&error))?;
    let (chat_id, message_id) = (chat.to_string(), message_id.as_deref());
    Ok(json(StatusCode::OK, &Done { chat_id, account: account.name(), message_id }))
}

//! `PATCH /v1/chats/{chat_id}`: another title or description, or another account for the chat; a private dialog as well.

use axum::extract::State as Shared;
use axum::response::Response;
use delivery::Steps;
use domain::message::OnFlood;
use domain::saga::{RegistryChange, Task};
use domain::{AccountName, ChatId, ChatKind};
use http::StatusCode;
use telegram::BindError;

use super::bodies::{Changes, ChatChange};
use super::list::find;
use super::{moves, named};
use crate::answer::json;
use crate::auth::{Authorized, Caller, CanSend};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{FieldError, Problem};
use crate::state::State;
use crate::v1::operations::{self, Order};

/// Changes a chat: its title, its description, or the account that serves it.
///
/// With `account` alone the answer is the chat. With a title or a description it says how each was set; a
/// title that is set already is no error. The account is changed first, at once.
#[utoipa::path(
    patch, path = "/v1/chats/{chat_id}", tag = "chats", operation_id = "change_chat",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, or, for `account` alone, a phone number")),
    request_body = ChatChange,
    responses(
        (status = 200, description = "Changed: the chat, or how title and description were set", body = Changed),
        (status = 202, description = "Not finished within `wait`", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 403, description = "No account may change the chat"),
        (status = 404, description = "No account finds the chat, or there is no such account"),
        (status = 409, description = "It was cancelled"),
        (status = 422, description = "Wrong fields, the account is not in the chat, or refused by the provider"),
        (status = 503, description = "No usable account, the service is stopped, or the store is away"),
    )
)]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    body: Unchecked<ChatChange>,
) -> Result<Response, Problem> {
    let Changes { bind, title, about, wait } = body.checked(ChatChange::changes)?;
    // A private dialog has an account, but no title or description of ours.
    let only_binds = title.is_none() && about.is_none();
    let chat =
        if only_binds { named::shared(&state, &by.caller, &given).await? } else { named::group(&given)? };
    if let Some(account) = bind {
        by.caller.check_account(Some(&account))?;
        let chat_id = named::id(&state, &chat).ok_or_else(|| named::unknown(&chat))?;
        by.caller.check_account(state.pool().account_of(chat_id).as_ref())?;
        bind_to(&state, &by.caller, chat_id, account).await?;
    }
    if title.is_none() && about.is_none() {
        return Ok(json(StatusCode::OK, &by.caller.own_chat(find(&state, &chat).await?)));
    }
    let task = Task::EditChat { chat, title, about };
    edit(&state, &by.caller, Order { task, pin: None, on_flood: OnFlood::Wait, wait }).await
}

/// What a change answers.
#[derive(utoipa::ToSchema)]
#[schema(as = ChatChanged)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the two shapes")]
pub(crate) enum Changed {
    /// Only the account was to change.
    Chat(api::Chat),
    /// Title or description were to change.
    Edited(api::ChatEdited),
}

async fn edit(state: &State, caller: &Caller, order: Order) -> Result<Response, Problem> {
    operations::ask(state, caller, order, None, |saga| {
        Ok(json(StatusCode::OK, &api::OperationResult::from(saga)))
    })
    .await
}

/// Binds a chat to an account that is in it, a private dialog to one that has it or can reach the person: in the store
/// first, then in memory.
async fn bind_to(
    state: &State,
    caller: &Caller,
    chat_id: ChatId,
    account: AccountName,
) -> Result<(), Problem> {
    state.pool().bind(chat_id, &account).map_err(|error| match error {
        BindError::NoSuchAccount(account) => Problem::account_not_found(account.as_str()),
        BindError::NotInChat { account, members } => {
            let members = members.iter().filter(|name| caller.shows_account(name));
            let members: Vec<_> = members.map(AccountName::as_str).collect();
            let members = if members.is_empty() { "no account is".to_owned() } else { members.join(", ") };
            let message = format!("is wrong: {account} is not in the chat {chat_id} (in it: {members})");
            Problem::fields(vec![FieldError::new("account", message)])
        }
        error @ BindError::CannotTake { .. } => {
            Problem::fields(vec![FieldError::new("account", format!("is wrong: {error}"))])
        }
    })?;
    if chat_id.kind() == ChatKind::User {
        let from = state.pool().account_of(chat_id);
        return match from {
            Some(from) if from == account => Ok(()),
            Some(from) => {
                let reason = moves::reason(state, &from);
                moves::carry_out(state, &from, &account, vec![chat_id], &reason).await
            }
            None => bind(state, chat_id, account).await,
        };
    }
    bind(state, chat_id, account).await
}

async fn bind(state: &State, chat_id: ChatId, account: AccountName) -> Result<(), Problem> {
    let change = RegistryChange::Bound { chat_id, account };
    state.store().chats().change(vec![change.clone()], state.clock().now()).await?;
    state.pool().registered(&change);
    Ok(())
}

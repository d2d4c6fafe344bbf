//! `/v1/failovers`: when work went to another account than the one that was its first choice.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::message::MessageState;
use domain::saga::SagaState;
use domain::{AccountName, ChatId, MessageId, OperationId};
use http::StatusCode;
use store::FailoverFilter;
use utoipa::IntoParams;

use super::names::{self, Names};
use super::page::{listed, store_page};
use super::{LongPageParameters, Page};
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// How a message or an operation is, and which account did it.
async fn became(state: &State, subject: &str) -> Result<Option<(String, Option<AccountName>)>, Problem> {
    if let Ok(id) = subject.parse::<MessageId>() {
        let message = state.delivery().get(id).await?;
        return Ok(message.map(|message| {
            let sent =
                matches!(message.state, MessageState::Sent | MessageState::Delivered | MessageState::Read);
            (message.state.as_str().to_owned(), message.account.filter(|_| sent))
        }));
    }
    let Ok(id) = subject.parse::<OperationId>() else { return Ok(None) };
    let saga = state.sagas().get(id).await?;
    Ok(saga
        .map(|saga| (saga.state.as_str().to_owned(), saga.account.filter(|_| saga.state == SagaState::Done))))
}

/// Lists failovers, the latest first.
#[utoipa::path(
    get, path = "/v1/failovers", tag = "operations", operation_id = "list_failovers",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of failovers", body = Page<api::Failover>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = FailoverFilter {
        chats: query.take::<ChatId>("chat_id").map(|chat| vec![chat]),
        account: query.take::<AccountName>("account"),
    };
    let chat = query.take_with("chat", names::wanted);
    let page = store_page(&mut query);
    query.finish()?;
    let filter = match chat {
        Some(chat) => FailoverFilter { chats: Some(names::chats_named(&state, &chat).await?), ..filter },
        None => filter,
    };
    let found = state.store().failovers().list(&filter, &page).await.map_err(listed)?;
    let names = Names::of(&state, found.items.iter().map(|record| record.failover.chat_id)).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for record in found.items {
        let names = names.view(record.failover.chat_id);
        let (now, done_by) = became(&state, &record.subject).await?.unzip();
        items.push(api::Failover { names, state: now, done_by: done_by.flatten(), ..record.into() });
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// What the list can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Only those on this chat.
    #[param(example = "-1001234567890")]
    chat_id: Option<String>,
    /// Only those on chats and people that are called so: a part of the title or name, a username, a number, a phone.
    #[param(example = "Order 1001", max_length = 200)]
    chat: Option<String>,
    /// Only those from or to this account.
    #[param(example = "main")]
    account: Option<String>,
}

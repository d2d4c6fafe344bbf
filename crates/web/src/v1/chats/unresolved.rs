//! `/v1/chats/unresolved`: chats that no account finds, how often each is asked for, and by whom.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::Timestamp;
use domain::outcome::Refusal;
use http::StatusCode;
use serde::Serialize;
use store::{UnresolvedCaller, UnresolvedChat};
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{By, CanOperate, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;
use crate::v1::keys::KeyNames;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// A chat that no account finds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnresolvedChat)]
pub(crate) struct Unresolved {
    /// The chat as it was asked for.
    #[schema(example = "-1001234567890")]
    chat_id: String,
    /// How many messages and operations ended for this.
    count: u64,
    /// When it was first counted.
    first_at: Timestamp,
    /// When it was last counted.
    last_at: Timestamp,
    /// What each account said the last time.
    accounts: Vec<Said>,
    /// Who asked, the latest first; at most 20.
    callers: Vec<CallerView>,
}

/// What one account said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountSaid)]
pub(crate) struct Said {
    /// The account.
    #[schema(example = "main")]
    account: String,
    /// Why it does not find the chat.
    #[schema(example = "not among its dialogs")]
    why: String,
}

/// Somebody who asked for the chat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnresolvedCaller)]
pub(crate) struct CallerView {
    /// Where they asked: `v1`, or the number of a legacy port.
    #[schema(example = "5022")]
    listener: String,
    /// The API key they showed.
    #[schema(example = "key_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    api_key: Option<String>,
    /// The name of that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "n8n")]
    api_key_name: Option<String>,
    /// Their address.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// How many times.
    count: u64,
    /// When they did last.
    last_at: Timestamp,
}

impl From<UnresolvedChat> for Unresolved {
    fn from(chat: UnresolvedChat) -> Self {
        Self {
            chat_id: chat.chat_id,
            count: chat.count,
            first_at: chat.first_at,
            last_at: chat.last_at,
            accounts: chat.accounts.into_iter().map(Into::into).collect(),
            callers: chat.callers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Refusal> for Said {
    fn from(refusal: Refusal) -> Self {
        Self { account: refusal.account.to_string(), why: refusal.why }
    }
}

impl From<UnresolvedCaller> for CallerView {
    fn from(caller: UnresolvedCaller) -> Self {
        Self {
            listener: caller.listener,
            api_key: caller.api_key.map(|key| key.to_string()),
            api_key_name: None,
            address: caller.address.map(|address| address.to_string()),
            count: caller.count,
            last_at: caller.last_at,
        }
    }
}

/// Lists the chats that no account finds, the one asked for last first.
#[utoipa::path(
    get, path = "/v1/chats/unresolved", tag = "chats", operation_id = "list_unresolved_chats",
    params(LongPageParameters),
    responses((status = 200, description = "A page of them", body = Page<Unresolved>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.store().unresolved().list(&page).await.map_err(listed)?;
    let mut items: Vec<Unresolved> = found.items.into_iter().map(Into::into).collect();
    let keys = KeyNames::of(&state, !items.is_empty()).await?;
    for caller in items.iter_mut().flat_map(|chat| &mut chat.callers) {
        caller.api_key_name = caller.api_key.as_deref().and_then(|id| keys.name(id));
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Forgets a chat that no account finds, until it is asked for again.
#[utoipa::path(
    delete, path = "/v1/chats/unresolved/{chat}", tag = "chats", operation_id = "forget_unresolved_chat",
    params(("chat" = String, Path, description = "The chat as the list shows it")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 404, description = "It is not in the list"),
    )
)]
pub(crate) async fn forget(
    Shared(state): Shared<State>,
    _: By<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    // The list has names as they are compared: `@Demo` and `demo` are the same.
    let chat = super::named::plain(&given)?.to_string();
    if state.store().unresolved().forget(&chat).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("{} is not in the list; GET /v1/chats/unresolved shows it.", shorten(&chat));
    Err(Problem::new(Code::ChatNotFound, detail))
}

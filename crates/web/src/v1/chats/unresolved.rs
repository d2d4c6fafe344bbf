//! `/v1/chats/unresolved`: chats that no account finds, how often each is asked for, and its callers.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;
use crate::v1::keys::KeyNames;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// Lists the chats that no account finds, the one asked for last first.
#[utoipa::path(
    get, path = "/v1/chats/unresolved", tag = "chats", operation_id = "list_unresolved_chats",
    params(LongPageParameters),
    responses((status = 200, description = "A page of them", body = Page<api::UnresolvedChat>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.store().unresolved().list(&page).await.map_err(listed)?;
    let mut items: Vec<api::UnresolvedChat> = found.items.into_iter().map(Into::into).collect();
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
    Shared(store): Shared<store::Store>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    // The list has names as they are compared: `@Demo` and `demo` are the same.
    let chat = super::named::plain(&given)?.to_string();
    if store.unresolved().forget(&chat).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("{} is not in the list; GET /v1/chats/unresolved shows it.", shorten(&chat));
    Err(Problem::new(Code::ChatNotFound, detail))
}

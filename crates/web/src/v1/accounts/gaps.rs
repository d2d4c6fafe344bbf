//! `GET /v1/accounts/{name}/gaps`: what an account missed, as far as it is not read yet.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::ChatRef;
use http::StatusCode;
use store::ReceivedGap;

use super::read_name;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::Problem;
use crate::state::State;
use crate::v1::names::Names;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the chats of which an account missed messages, the gap that was noticed last first.
///
/// Such messages are read from the histories of their chats; a gap that is filled is no longer listed. What is not read has a
/// `failure`, and is listed for 30 days.
#[utoipa::path(
    get, path = "/v1/accounts/{name}/gaps", tag = "accounts", operation_id = "list_account_gaps",
    params(("name" = String, Path, description = "The account's name"), PageParameters),
    responses((status = 200, description = "A page of gaps", body = Page<api::ReceivedGap>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = PageRequest::take(&mut query);
    query.finish()?;
    let name = read_name(&given)?;
    if state.pool().account(&name).is_none() {
        return Err(Problem::account_not_found(&given));
    }
    let mut gaps = state.store().received().gaps(&name).await?;
    gaps.retain(|gap| caller.shows(&state, [&name], gap.chat_id.map(ChatRef::Id).as_ref()));
    let page = wanted.cut(gaps, cursor)?;
    let names = Names::of(&state, page.items.iter().map(|gap| gap.chat_id)).await?;
    let view = |gap: ReceivedGap| {
        let names = names.view(gap.chat_id);
        api::ReceivedGap::new(gap, names)
    };
    let items: Vec<_> = page.items.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// An account has one gap of a chat at most.
fn cursor(gap: &ReceivedGap) -> String {
    gap.chat_id.map_or_else(|| "0".to_owned(), |chat| chat.to_string())
}

//! Appeals: listed, shown and changed.

use api::Appeal;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use store::AppealChange;
use utoipa::ToSchema;

use super::{find_appeal, look};
use crate::answer::json;
use crate::auth::{Authorized, CanAnswer, CanReadInbox};
use crate::extract::{Json, PathParameter, QueryParameters};
use crate::problem::{FieldError, Problem};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// How many tags an appeal may have, and how long one may be.
const MOST_TAGS: usize = 50;
const LONGEST_TAG: usize = 64;

/// Lists appeals, the one that changed last first. A page may have fewer than were asked for and still lead on.
#[utoipa::path(
    get, path = "/v1/appeals", tag = "conversations", operation_id = "list_appeals",
    params(look::ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of appeals", body = Page<Appeal>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = look::filter(&mut query);
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.store().pipeline().appeals(&filter, &page).await.map_err(listed)?;
    let items: Vec<Appeal> = found.items.into_iter().map(Appeal::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Shows an appeal.
#[utoipa::path(
    get, path = "/v1/appeals/{id}", tag = "conversations", operation_id = "get_appeal",
    params(("id" = String, Path, description = "The appeal")),
    responses((status = 200, description = "The appeal", body = Appeal),
        (status = 404, description = "There is no such appeal: `appeal_not_found`"))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &Appeal::from(find_appeal(&state, &given).await?)))
}

/// What is changed in an appeal; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"tags": ["repair"]}))]
#[serde(deny_unknown_fields)]
pub(crate) struct AppealBody {
    /// Its tags from now on; 50 at most.
    tags: Option<Vec<String>>,
    /// Closes it, or opens it again.
    closed: Option<bool>,
}

/// Changes an appeal.
#[utoipa::path(
    patch, path = "/v1/appeals/{id}", tag = "conversations", operation_id = "change_appeal",
    params(("id" = String, Path, description = "The appeal")), request_body = AppealBody,
    responses((status = 200, description = "The appeal as it is now", body = Appeal))
)]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    _: Authorized<CanAnswer>,
    PathParameter(given): PathParameter<String>,
    body: Json<AppealBody>,
) -> Result<Response, Problem> {
    let AppealBody { tags, closed } = body.value;
    let tags = tags.map(|tags| {
        let trimmed = tags.iter().map(|tag| tag.trim().to_owned());
        trimmed.filter(|tag| !tag.is_empty()).collect::<Vec<_>>()
    });
    if let Some(tags) = &tags
        && (tags.len() > MOST_TAGS || tags.iter().any(|tag| tag.chars().count() > LONGEST_TAG))
    {
        let message = format!("are {MOST_TAGS} at most, of {LONGEST_TAG} characters at most");
        return Err(Problem::fields(vec![FieldError::new("tags", message)]));
    }
    let appeal = find_appeal(&state, &given).await?;
    let change = AppealChange { tags, closed, ..AppealChange::default() };
    let appeal = state.store().pipeline().change_appeal(appeal.id, change).await?;
    Ok(json(StatusCode::OK, &Appeal::from(appeal)))
}

//! `/v1/failed-requests`: requests of the legacy ports and callbacks that failed, kept for a person or for their next try.

use axum::extract::State as Shared;
use axum::response::Response;
use delivery::SagaChanged;
use domain::{FailedRequestId, Purpose, Timestamp};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::{Direction, FailedRequest, FailedState};
use utoipa::ToSchema;

use super::page::{listed, store_page};
use super::{LongPageParameters, Page, words};
use crate::answer::json;
use crate::auth::{By, CanOperate, CanRead, CanSend};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// The longest summary, in bytes.
const LONGEST_SUMMARY: usize = 200;

/// A request that failed and is kept, so that it can be tried again by hand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FailedRequest)]
pub(crate) struct FailedRequestView {
    /// Its id.
    #[schema(value_type = String, example = "fail_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: FailedRequestId,
    /// When it first failed.
    at: Timestamp,
    /// The service it belongs to.
    #[schema(schema_with = words::service)]
    service: Purpose,
    /// `inbound`: it came to us. `outbound`: it went from us to another program.
    #[schema(example = "inbound")]
    direction: &'static str,
    /// Its path.
    #[schema(example = "/create_chat")]
    endpoint: String,
    /// What it is about: the title of the chat that it asks for, or the start of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order 1001")]
    summary: Option<String>,
    /// Its body; shown to keys with the scope `admin` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    payload: Option<Value>,
    /// Why it failed the first time.
    error: String,
    /// What became of it.
    #[schema(schema_with = words::failed_state)]
    state: &'static str,
    /// How often it was tried again by hand.
    retry_count: u32,
    /// When it was last tried again.
    last_retry_at: Option<Timestamp>,
    /// Why that failed.
    last_retry_error: Option<String>,
    /// When it is tried next by itself: a callback that was not taken.
    next_try_at: Option<Timestamp>,
    /// The operation it made.
    #[schema(example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    operation: Option<String>,
}

impl FailedRequestView {
    fn new(request: FailedRequest, with_payload: bool) -> Self {
        // What cannot be read as JSON is shown as the text it is.
        let payload = match serde_json::from_str(&request.payload) {
            Ok(value) => value,
            Err(_) => Value::String(request.payload),
        };
        let summary = summary(&payload);
        let payload = with_payload.then_some(payload);
        Self {
            id: request.id,
            at: request.at,
            service: request.service,
            direction: request.direction.as_str(),
            endpoint: request.endpoint,
            summary,
            payload,
            error: request.error,
            state: request.state.as_str(),
            retry_count: request.retry_count,
            last_retry_at: request.last_retry_at,
            last_retry_error: request.last_retry_error,
            next_try_at: request.next_try_at,
            operation: request.operation.map(|id| id.to_string()),
        }
    }
}

/// The first of the fields that people know a request by, as old callers and callbacks write them.
fn summary(payload: &Value) -> Option<String> {
    let named = ["title", "chat_title", "text", "message", "chat_id", "chat"];
    let found = named.into_iter().find_map(|name| match payload.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })?;
    Some(found[..found.floor_char_boundary(LONGEST_SUMMARY)].to_owned())
}

/// Lists failed requests, newest first.
#[utoipa::path(
    get, path = "/v1/failed-requests", tag = "operations", operation_id = "list_failed_requests",
    params(("state" = Option<String>, Query, description = "Only those in this state; several with commas between", example = "waiting,pending"), LongPageParameters),
    responses((status = 200, description = "A page of failed requests", body = Page<FailedRequestView>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    by: By<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let states = query.take_with("state", several).unwrap_or_default();
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.store().failed_requests().list(&states, &page).await.map_err(listed)?;
    let view = |request| FailedRequestView::new(request, by.caller.administers);
    let items: Vec<_> = found.items.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

fn several(words: &str) -> Result<Vec<FailedState>, String> {
    let read = |word: &str| {
        FailedState::from_word(word.trim()).ok_or_else(|| {
            let known = FailedState::ALL.map(FailedState::as_str).join(", ");
            format!("{:?} is no state; known are {known}", shorten(word))
        })
    };
    words.split(',').map(read).collect()
}

/// Shows a failed request.
#[utoipa::path(
    get, path = "/v1/failed-requests/{id}", tag = "operations", operation_id = "get_failed_request",
    params(("id" = String, Path, description = "The failed request's id")),
    responses((status = 200, description = "The failed request", body = FailedRequestView))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    by: By<CanRead>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let request = find(&state, &id).await?;
    Ok(json(StatusCode::OK, &FailedRequestView::new(request, by.caller.administers)))
}

/// Tries a failed request again: its operation from the beginning, or its callback at once.
#[utoipa::path(
    post, path = "/v1/failed-requests/{id}/retry", tag = "operations", operation_id = "retry_failed_request",
    params(("id" = String, Path, description = "The failed request's id")),
    responses(
        (status = 202, description = "It is tried again", body = FailedRequestView),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    by: By<CanSend>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let request = find(&state, &given).await?;
    if request.operation.is_none() && request.callback.is_none() {
        let detail = "It was taken over from an older program, which may have done a part of it: it is kept to be looked at, \
                      and nothing here can try it again. Ask for it again if it is still wanted, and drop it.";
        return Err(Problem::new(Code::WrongState, detail).about(&request.id, request.state.as_str()));
    }
    let tried = match request.state {
        // Marked first, so that two who ask at once try it once and an end that comes at once is not overwritten.
        FailedState::Pending => {
            state.store().failed_requests().retried(request.id, state.clock().now()).await?
        }
        // A crash may have come between the mark and the work.
        FailedState::Retried | FailedState::Waiting => true,
        FailedState::Done | FailedState::Dropped => false,
    };
    if !tried || !again(&state, &request).await? {
        return Err(wrong_state(&request, "tried again"));
    }
    let request = find(&state, &given).await?;
    Ok(json(StatusCode::ACCEPTED, &FailedRequestView::new(request, by.caller.administers)))
}

/// Takes its work up again; false when that work is in a state that does not allow it.
async fn again(state: &State, request: &FailedRequest) -> Result<bool, Problem> {
    match (request.direction, request.operation, request.callback) {
        (Direction::Inbound, Some(operation), _) => {
            let changed = state.sagas().retry(operation).await?;
            Ok(matches!(changed, SagaChanged::Done(_)))
        }
        (Direction::Outbound, _, Some(callback)) if request.state == FailedState::Waiting => {
            let hurried = state.store().callbacks().hurry(callback, state.clock().now()).await?;
            state.callbacks_are_due();
            Ok(hurried)
        }
        (Direction::Outbound, _, Some(callback)) => {
            let queued = state.store().callbacks().requeue(callback, state.clock().now()).await?;
            state.callbacks_are_due();
            Ok(queued)
        }
        (Direction::Inbound, None, _) | (Direction::Outbound, _, None) => Ok(false),
    }
}

/// Drops a failed request: no one will try it again.
#[utoipa::path(
    delete, path = "/v1/failed-requests/{id}", tag = "operations", operation_id = "drop_failed_request",
    params(("id" = String, Path, description = "The failed request's id")),
    responses(
        (status = 204, description = "Dropped"),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn drop(
    Shared(state): Shared<State>,
    _: By<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let request = find(&state, &given).await?;
    // Dropping twice is no error: it is dropped, which is what was asked for.
    if request.state == FailedState::Dropped
        || state.store().failed_requests().drop(request.id, state.clock().now()).await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(wrong_state(&request, "dropped"))
}

async fn find(state: &State, given: &str) -> Result<FailedRequest, Problem> {
    let missing = || {
        Problem::new(
            Code::FailedRequestNotFound,
            format!("No failed request has the id {:?}; GET /v1/failed-requests lists them.", shorten(given)),
        )
    };
    let id = given.parse().map_err(|_| missing())?;
    state.store().failed_requests().get(id).await?.ok_or_else(missing)
}

fn wrong_state(request: &FailedRequest, wish: &str) -> Problem {
    let rule = match request.state {
        FailedState::Waiting => {
            format!("it is tried again by itself; it can be {wish} once it has been given up")
        }
        _ => format!("only one that is pending can be {wish}"),
    };
    Problem::wrong_state("request", &request.id, request.state.as_str(), &rule)
}

//! `/v1/failed-requests`: requests of the legacy ports, callbacks and forms of sites that failed, kept for a person or for their next
//! try.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use channels::{HookError, HookRefusal};
use delivery::SagaChanged;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Direction, FailedRequest, FailedState};
use utoipa::ToSchema;

use super::page::{listed, store_page};
use super::{LongPageParameters, Page};
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead, CanSend};
use crate::extract::{PathParameter, QueryParameters, Unchecked, read_body};
use crate::forms;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// Lists failed requests, newest first.
#[utoipa::path(
    get, path = "/v1/failed-requests", tag = "operations", operation_id = "list_failed_requests",
    params(("state" = Option<String>, Query, description = "Only those in this state; several with commas between", example = "waiting,pending"), LongPageParameters),
    responses((status = 200, description = "A page of failed requests", body = Page<api::FailedRequest>))
)]
pub(crate) async fn list(
    Shared(store): Shared<store::Store>,
    by: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let states = query.take_with("state", several).unwrap_or_default();
    let page = store_page(&mut query);
    query.finish()?;
    let found = store.failed_requests().list(&states, &page).await.map_err(listed)?;
    let view = |request| api::FailedRequest::new(request, by.caller.administers);
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
    responses((status = 200, description = "The failed request", body = api::FailedRequest))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let request = find(&state, &id).await?;
    Ok(json(StatusCode::OK, &api::FailedRequest::new(request, by.caller.administers)))
}

/// What is corrected of a form.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormCorrection {
    /// Fields that take the place of those of the same names, such as `phone`.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({ "phone": "+70000000001" }))]
    fields: Map<String, Value>,
}

/// Tries a failed request again: its operation from the beginning, or its callback at once. A form of a site is taken in, with what the
/// body corrects of it.
#[utoipa::path(
    post, path = "/v1/failed-requests/{id}/retry", tag = "operations", operation_id = "retry_failed_request",
    params(("id" = String, Path, description = "The failed request's id")),
    request_body = Option<FormCorrection>,
    responses(
        (status = 202, description = "It is tried again", body = api::FailedRequest),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    body: Request,
) -> Result<Response, Problem> {
    let request = find(&state, &given).await?;
    if request.service.is_none() {
        return take_in(&state, &by, request, body).await;
    }
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
    Ok(json(StatusCode::ACCEPTED, &api::FailedRequest::new(request, by.caller.administers)))
}

/// Takes in a form that was refused, with what is corrected of it.
async fn take_in(
    state: &State,
    by: &Authorized<CanSend>,
    request: FailedRequest,
    body: Request,
) -> Result<Response, Problem> {
    let (parts, body) = body.into_parts();
    let raw = read_body(&parts.headers, body, &state.limits()).await?;
    let FormCorrection { fields } = if raw.trim_ascii().is_empty() {
        FormCorrection::default()
    } else {
        Unchecked::of(raw)?.checked(Ok)?
    };
    if request.state != FailedState::Pending {
        return Err(wrong_state(&request, "tried again"));
    }
    let taken = state.channels().take_kept_form(&request, fields).await.ok_or_else(|| {
        let detail =
            format!("The form was for an account that is not there any more ({}).", request.endpoint);
        Problem::new(Code::WrongState, detail).about(&request.id, request.state.as_str())
    })?;
    let now = state.clock().now();
    match taken {
        Ok(_) => {
            state.store().failed_requests().form_retried(request.id, None, now).await?;
        }
        Err(HookError::Store(error)) => return Err(error.into()),
        Err(error) => {
            let why = match error {
                HookError::Refused(HookRefusal::Unreadable(why)) => why,
                other => other.to_string(),
            };
            state.store().failed_requests().form_retried(request.id, Some(why.clone()), now).await?;
            let (field, message) = forms::wrong_field(&why);
            return Err(Problem::fields(vec![FieldError::new(field, message)]));
        }
    }
    let request = find(state, &request.id.to_string()).await?;
    Ok(json(StatusCode::ACCEPTED, &api::FailedRequest::new(request, by.caller.administers)))
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
    _: Authorized<CanOperate>,
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

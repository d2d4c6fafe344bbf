//! Ending work on a chat that waits, doing it again, and ending a doubt about it.

use axum::extract::State as Shared;
use axum::response::Response;
use delivery::SagaChanged;
use domain::chat::{ChatId, ChatKind};
use domain::saga::{Task, Verdict};
use domain::{MessageId, OperationId};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::look::{find, show};
use crate::auth::{Authorized, CanCancel, CanSend};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// Cancels work on a chat of which nothing was begun yet.
#[utoipa::path(
    post, path = "/v1/operations/{id}/cancel", tag = "operations", operation_id = "cancel_operation",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 200, description = "Cancelled; nothing was done", body = api::Operation),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn cancel(
    Shared(state): Shared<State>,
    by: Authorized<CanCancel>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = operation(&state, &id, "cancel").await?;
    let change = state.sagas().cancel(id, Some(by.caller.requester_note())).await?;
    changed(&state, id, change, "only what is queued can be cancelled").await
}

/// Does failed or cancelled work on a chat again, from the beginning.
#[utoipa::path(
    post, path = "/v1/operations/{id}/retry", tag = "operations", operation_id = "retry_operation",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 202, description = "In the queue again", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 409, description = "Its state does not allow it"),
    )
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(id): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = operation(&state, &id, "retry").await?;
    let change = state.sagas().retry(id).await?;
    changed(&state, id, change, "only what failed or was cancelled can be done again").await
}

/// A person's word on work in doubt.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResolveOperation, example = json!({"as": "done", "chat_id": "-1001234567890"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolve {
    /// `done`: it happened. `again`: it did not, do it again.
    #[serde(rename = "as")]
    word: ResolveAs,
    /// With `done`, when a chat was to be made: the chat that was.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
}

/// What became of work in doubt.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = ResolveOperationAs)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResolveAs {
    /// It happened.
    Done,
    /// It did not; do it again.
    Again,
}

impl Resolve {
    /// What it says about this task.
    fn verdict(&self, task: &Task) -> Result<Verdict, FieldError> {
        let makes = matches!(task, Task::CreateChat { .. });
        let wrong = |message: &str| Err(FieldError::new("chat_id", message));
        match (self.word, self.chat_id) {
            (ResolveAs::Again, None) => Ok(Verdict::Again),
            (ResolveAs::Again, Some(_)) => wrong("goes with \"as\": \"done\" only"),
            (ResolveAs::Done, None) if makes => wrong("is missing; name the chat that was made"),
            (ResolveAs::Done, Some(_)) if !makes => wrong("does not belong here: no chat was to be made"),
            (ResolveAs::Done, Some(chat)) if chat.kind() != ChatKind::Channel => {
                wrong("is wrong: a chat that was made here is a supergroup, -100…")
            }
            (ResolveAs::Done, chat) => Ok(Verdict::Done(chat)),
        }
    }
}

/// Ends the doubt about work on a chat.
#[utoipa::path(
    post, path = "/v1/operations/{id}/resolve", tag = "operations", operation_id = "resolve_operation",
    params(("id" = String, Path, description = "The operation's id")),
    request_body = Resolve,
    responses(
        (status = 200, description = "It is over", body = api::Operation),
        (status = 202, description = "It goes on, or begins again", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 409, description = "It is not in doubt"),
    )
)]
pub(crate) async fn resolve(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(id): PathParameter<String>,
    body: Json<Resolve>,
) -> Result<Response, Problem> {
    let id = operation(&state, &id, "resolve").await?;
    let saga = find(&state, &id.to_string()).await?;
    let verdict = body.value.verdict(&saga.task).map_err(|error| Problem::fields(vec![error]))?;
    let change = state.sagas().resolve(id, verdict).await?;
    changed(&state, id, change, "only what is in_doubt can be resolved").await
}

/// The id of work on a chat; a message has paths of its own for this.
async fn operation(state: &State, given: &str, action: &str) -> Result<OperationId, Problem> {
    if let Ok(message) = given.parse::<MessageId>() {
        return Err(Problem::new(
            Code::OperationNotFound,
            format!("{message} is a message: POST /v1/messages/{message}/{action}."),
        ));
    }
    Ok(find(state, given).await?.id)
}

async fn changed(
    state: &State,
    id: OperationId,
    change: SagaChanged,
    rule: &str,
) -> Result<Response, Problem> {
    match change {
        SagaChanged::Done(saga) => show(state, &saga, StatusCode::OK).await,
        SagaChanged::Refused(saga) => {
            Err(Problem::wrong_state("operation", &saga.id, saga.state.as_str(), rule))
        }
        SagaChanged::NoSuchOperation => Err(Problem::operation_not_found(&id.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::parse_json;

    fn verdict(body: &str, task: &str) -> Result<Verdict, String> {
        let resolve =
            parse_json::<Resolve>(body.as_bytes()).map_err(|problem| problem.detail().to_owned())?;
        resolve.verdict(&serde_json::from_str(task).expect("a task")).map_err(|error| error.field)
    }

    #[test]
    fn a_verdict_fits_its_task() {
        let make = r#"{"kind":"create_chat","title":"a","members":[]}"#;
        let edit = r#"{"kind":"edit_chat","chat":"@demo_channel"}"#;
        let chat = "-1001234567890".parse().ok();
        assert_eq!(verdict(r#"{"as":"again"}"#, make), Ok(Verdict::Again));
        let done = r#"{"as":"done","chat_id":"-1001234567890"}"#;
        assert_eq!(verdict(done, make), Ok(Verdict::Done(chat)));
        assert_eq!(verdict(r#"{"as":"done"}"#, edit), Ok(Verdict::Done(None)));
        for (body, task) in [
            (r#"{"as":"done"}"#, make),
            (r#"{"as":"again","chat_id":"-1001234567890"}"#, make),
            (r#"{"as":"done","chat_id":"-123"}"#, make),
            (done, edit),
        ] {
            assert_eq!(verdict(body, task), Err("chat_id".to_owned()), "{body}");
        }
        assert!(verdict(r#"{"as":"sent"}"#, make).is_err());
    }
}

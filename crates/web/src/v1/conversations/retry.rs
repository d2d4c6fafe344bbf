//! What the pipeline could not process: batches that no program answered and dead letters of lists, and putting them on their way again;
//! and a message that was received, put through once more.

use ::pipeline::DeadLetter;
use api::{FailedTurn, PutAgain, ReplayedMessage};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AnyReceivedId, InboundId, ReceivedId, TurnId};
use http::StatusCode;
use serde::Deserialize;
use store::Replayed;
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanRead, CanSend};
use crate::extract::{Json, PathParameter, QueryParameters};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// The most ids of one call.
const MOST: usize = 500;

/// Lists the batches that no program answered though one was to and whose client still waits, the last one first, each with its reason.
/// What a model or a workflow left to a person on purpose is not among them.
#[utoipa::path(
    get, path = "/v1/pipeline/failed-turns", tag = "conversations", operation_id = "list_failed_turns",
    params(LongPageParameters),
    responses((status = 200, description = "A page of batches", body = Page<FailedTurn>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.pipeline().failed_turns(&page).await.map_err(listed)?;
    let mut items = Vec::with_capacity(found.items.len());
    for turn in found.items {
        let client = match turn.client {
            Some(id) => state.store().pipeline().client(id).await?,
            None => None,
        };
        items.push(FailedTurn::of(turn, client));
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// What is tried again.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"ids": []}))]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Their ids, 500 at most; left out or empty: all that there are, of batches the last 500.
    #[serde(default)]
    #[schema(max_items = 500)]
    ids: Option<Vec<String>>,
}

impl Which {
    /// The ids that are given; none: all.
    fn given(self) -> Result<Option<Vec<String>>, Problem> {
        let ids: Vec<String> = self.ids.unwrap_or_default().into_iter().filter(|id| !id.is_empty()).collect();
        if ids.len() > MOST {
            let message = format!("has {} ids; {MOST} are taken at once", ids.len());
            return Err(Problem::fields(vec![FieldError::new("ids", message)]));
        }
        Ok(Some(ids).filter(|ids| !ids.is_empty()))
    }
}

/// Puts batches that no program answered through the pipeline again, those of one chat as one. What was answered meanwhile is not
/// answered again.
#[utoipa::path(
    post, path = "/v1/pipeline/failed-turns/retry", tag = "conversations", operation_id = "retry_failed_turns",
    request_body = Which, responses((status = 200, description = "How many go their way again", body = PutAgain))
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    body: Json<Which>,
) -> Result<Response, Problem> {
    let given = body.value.given()?;
    let requested = given.as_ref().map(Vec::len);
    // What is no id names no batch.
    let turns = given.map(|ids| ids.iter().filter_map(|id| id.parse::<TurnId>().ok()).collect());
    let came = state.pipeline().retry_turns(turns).await?;
    let again = came.iter().filter(|(_, came)| *came == Replayed::Waits).count();
    let left = requested.unwrap_or(came.len()).saturating_sub(again);
    Ok(json(StatusCode::OK, &PutAgain { again: again as u64, left: left as u64 }))
}

/// Lists what could not be taken from the lists in Redis, the newest first, each with its reason: the last 1000.
#[utoipa::path(
    get, path = "/v1/pipeline/dead-letters", tag = "conversations", operation_id = "list_dead_letters",
    responses((status = 200, description = "The dead letters; none where there is no Redis", body = Page<api::DeadLetter>))
)]
pub(crate) async fn dead_letters(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
) -> Result<Response, Problem> {
    let found = state.pipeline().dead_letters().await.map_err(|error| no_redis(&error))?;
    let items = found.into_iter().map(shown).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}

fn shown(letter: DeadLetter) -> api::DeadLetter {
    let DeadLetter { id, list, reason, item, at, is_whole, .. } = letter;
    api::DeadLetter { id, list, reason, item, at, retryable: is_whole }
}

/// Puts dead letters on the lists again that they came from.
#[utoipa::path(
    post, path = "/v1/pipeline/dead-letters/retry", tag = "conversations", operation_id = "retry_dead_letters",
    request_body = Which, responses((status = 200, description = "How many are on their lists again", body = PutAgain))
)]
pub(crate) async fn retry_dead_letters(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    body: Json<Which>,
) -> Result<Response, Problem> {
    let ids = body.value.given()?;
    let again =
        state.pipeline().retry_dead_letters(ids.as_deref()).await.map_err(|error| no_redis(&error))?;
    let left = ids.map_or(0, |ids| (ids.len() as u64).saturating_sub(again));
    Ok(json(StatusCode::OK, &PutAgain { again, left }))
}

fn no_redis(error: &impl std::fmt::Display) -> Problem {
    Problem::new(Code::StoreUnavailable, format!("The lists cannot be read: {error}."))
}

/// Puts a message that was received through the pipeline again: with its batch where that was not answered, alone where it was never
/// taken in. It is not received twice, and no client is answered twice.
#[utoipa::path(
    post, path = "/v1/pipeline/messages/{id}/replay", tag = "conversations", operation_id = "replay_message",
    params(("id" = String, Path, description = "The message, such as `rcv_20000e83pn1yx0`")),
    responses((status = 200, description = "It is on its way", body = ReplayedMessage),
        (status = 403, description = "The client asked for no messages with it: `do_not_contact`"),
        (status = 404, description = "There is no such message: `message_not_found`"),
        (status = 409, description = "The client was answered: `turn_over`; it is not taken in: `wrong_state`"))
)]
pub(crate) async fn replay(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let id = (given.parse::<InboundId>().map(AnyReceivedId::from))
        .or_else(|_| given.parse::<ReceivedId>().map(AnyReceivedId::from));
    let came = match id {
        Ok(id) if state.pipeline().is_enabled() => state.pipeline().replay(id).await?,
        Ok(_) => {
            let detail = "The pipeline is switched off: set enabled in [pipeline] of the settings.";
            return Err(Problem::new(Code::WrongState, detail));
        }
        Err(_) => None,
    };
    let on_its_way = match came {
        None => return Err(Problem::message_not_found(&given)),
        Some(Replayed::Waits) => false,
        Some(Replayed::OnItsWay) => true,
        Some(Replayed::Answered) => {
            let detail = "The client was answered after it, or the appeal is closed. An answer that failed is sent \
                          again with POST /v1/conversations/{client_id}/messages/{id}/retry.";
            return Err(Problem::new(Code::TurnOver, detail));
        }
        Some(Replayed::OptedOut) => {
            let detail = "With this message the client asked for no more messages.";
            return Err(Problem::new(Code::DoNotContact, detail));
        }
        Some(Replayed::NotTaken) => {
            let detail = "It is not taken in: it is not from a client, came from an older program, or [pipeline] leaves \
                          its channel out.";
            return Err(Problem::new(Code::WrongState, detail));
        }
    };
    Ok(json(StatusCode::OK, &ReplayedMessage { id: given, on_its_way }))
}

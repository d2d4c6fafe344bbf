//! Counting failed messages, trying all of them again, looking how far that is, and ending it early.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, ChatId};
use http::StatusCode;
use store::Filter;
use utoipa::IntoParams;

use super::run::{self, Which};
use crate::answer::{json, located};
use crate::auth::{Authorized, CanCancel, CanRead, CanSend};
use crate::extract::QueryParameters;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::logs::moment;
use crate::v1::messages::sought;
use crate::v1::names;

/// Where to look how far it is.
const PATH: &str = "/v1/failed-messages";

/// Which of them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct WhichParameters {
    /// Only those of this account.
    #[param(example = "main")]
    account: Option<String>,
    /// Only those into this chat.
    #[param(example = "-1001234567890")]
    chat_id: Option<String>,
    /// Only those to chats and people that are called so: a part of the title or name, a username, a number, a phone.
    #[param(example = "Order 1001", max_length = 200)]
    chat: Option<String>,
    /// Only those accepted at this time or later: a time, or how long ago, such as `10m`.
    #[param(example = "2h")]
    since: Option<String>,
    /// Only those accepted before this time: a time, or how long ago.
    #[param(example = "2026-01-31T12:00:00Z")]
    until: Option<String>,
    /// Only those that failed before this time: a time, or how long ago. Without it, and at the latest, that is now.
    #[param(example = "2026-01-31T12:00:00Z")]
    failed_until: Option<String>,
}

async fn which(state: &State, mut query: QueryParameters) -> Result<Which, Problem> {
    let now = state.clock().now();
    let filter = Filter {
        account: query.take::<AccountName>("account"),
        chats: query.take::<ChatId>("chat_id").map(|chat| vec![chat]),
        since: query.take_with("since", |text| moment(text, now)),
        until: query.take_with("until", |text| moment(text, now)),
        ..Filter::default()
    };
    let failed_until = query.take_with("failed_until", |text| moment(text, now));
    let chat = query.take_with("chat", names::wanted);
    query.finish()?;
    let filter = sought(state, filter, chat, None).await?;
    Ok(Which { filter, failed_until: failed_until.map_or(now, |until| until.min(now)) })
}

/// Counts the messages that failed, and shows how far trying them again is. What is in doubt is not among them.
#[utoipa::path(
    get, path = "/v1/failed-messages", tag = "messages", operation_id = "count_failed_messages",
    params(WhichParameters),
    responses((status = 200, description = "How many", body = api::FailedMessages))
)]
pub(crate) async fn count(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    query: QueryParameters,
) -> Result<Response, Problem> {
    let which = which(&state, query).await?;
    let (count, _) = run::count(&state, &which).await?;
    let retry = state.retries().last().map(|run| run.view());
    Ok(json(StatusCode::OK, &api::FailedMessages { count, failed_until: which.failed_until, retry }))
}

/// Sends the messages that failed until now again, in the background: the oldest first, each once, at most 50 a second.
///
/// What fails from now on is left alone, however old it is; with `failed_until` what failed from then on is. Lanes, limits and
/// flood waits hold as for new messages. What is in doubt or cancelled is never touched. While a run goes on, asking again
/// answers that run, as `joined`, and begins none.
#[utoipa::path(
    post, path = "/v1/failed-messages/retry", tag = "messages", operation_id = "retry_failed_messages",
    params(WhichParameters),
    responses(
        (status = 202, description = "It goes on", body = api::BegunRetryOfFailed,
            headers(("Location" = String, description = "Where to look how far it is"))),
    )
)]
pub(crate) async fn retry(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    query: QueryParameters,
) -> Result<Response, Problem> {
    let which = which(&state, query).await?;
    let (run, new) = run::begin(&state, which, by.caller.requester_note()).await?;
    let begun = api::BegunRetryOfFailed { run: run.view(), joined: !new };
    Ok(located(json(StatusCode::ACCEPTED, &begun), PATH))
}

/// Ends the retry of failed messages early. What is in the queue again stays there; the rest stays failed.
#[utoipa::path(
    delete, path = "/v1/failed-messages/retry", tag = "messages", operation_id = "cancel_retry_of_failed_messages",
    responses(
        (status = 200, description = "The run, which ends now", body = api::RetryOfFailed),
        (status = 409, description = "None goes on"),
    )
)]
pub(crate) async fn cancel(
    Shared(state): Shared<State>,
    _: Authorized<CanCancel>,
) -> Result<Response, Problem> {
    let going = state.retries().last().filter(|run| run.finished_at().is_none());
    let run = std::future::ready(going).await.ok_or_else(none)?;
    run.cancel();
    Ok(json(StatusCode::OK, &run.view()))
}

fn none() -> Problem {
    Problem::new(
        Code::WrongState,
        "No failed messages are being tried again now; GET /v1/failed-messages shows how the last run ended.",
    )
}

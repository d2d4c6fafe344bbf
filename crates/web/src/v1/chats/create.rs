//! `POST /v1/chats`: making a chat.

use axum::extract::State as Shared;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use super::bodies::NewChat;
use crate::answer::json;
use crate::auth::{Authorized, CanSend};
use crate::extract::Unchecked;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::operations;

const PATH: &str = "/v1/chats";

/// Makes a supergroup, invites people and makes an invite link.
///
/// The answer is 201 once all is done, 202 while it is not (it goes on by itself; look again at `Location`), and a
/// problem when no chat was made. A negative answer is final: nothing is made later. Who could not be invited, and
/// other steps that did not work, are reported in a positive answer.
#[utoipa::path(
    post, path = "/v1/chats", tag = "chats", operation_id = "create_chat",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{0,127}[0-9A-Za-z][!-~]{0,127}$",
        description = "1 to 255 visible ASCII characters. The same key with the same body is the same chat for 24 hours.")),
    request_body = NewChat,
    responses(
        (status = 201, description = "Made", body = api::ChatMade),
        (status = 202, description = "Not finished within `wait`, or in doubt", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 400, description = "The body is not JSON, or a header is wrong"),
        (status = 403, description = "No account may make it, or all its people are on the do-not-contact list (`do_not_contact`)"),
        (status = 404, description = "The pinned account is not known"),
        (status = 409, description = "The Idempotency-Key belongs to another body, or it was cancelled"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The body is not announced as JSON"),
        (status = 422, description = "Wrong fields, or refused by the provider"),
        (status = 429, description = "Every account must wait, and `on_flood` is `fail`"),
        (status = 503, description = "No usable account, the service is stopped, or the store is away"),
        (status = 507, description = "The disk is full"),
    )
)]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    headers: HeaderMap,
    body: Unchecked<NewChat>,
) -> Result<Response, Problem> {
    let key = operations::ask::key(&headers, &by.caller, PATH, &body.raw)?;
    let order = body.checked(NewChat::order)?;
    operations::ask(&state, &by.caller, order, key, |saga| {
        Ok(json(StatusCode::CREATED, &api::OperationResult::from(saga)))
    })
    .await
}

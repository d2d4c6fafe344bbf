//! Messages of clients that another program hands in: of a channel of one's own, or of one that is still served elsewhere.

use ::pipeline::inbound;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{ChannelChat, ChatRef, ContactProof};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::HandInOutcome;
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanChangeClients, CanSend, Needed};
use crate::extract::Json;
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// What became of a message that was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// The chat, as it is answered.
    #[schema(example = "shop:main/42")]
    chat: String,
    /// Its id here; none where it was handed in before.
    #[schema(example = "rcv_20000e83pn1yx0")]
    id: Option<String>,
    /// Whether it was handed in before.
    repeated: bool,
    /// Whether no clock can have said its `timestamp`: then the message has the present time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    time_replaced: bool,
}

/// Takes a message of a client in, in the one format of all channels.
///
/// `channel` is a channel of your own, such as `shop`, or one that another program serves. A channel that has accounts here takes
/// messages for those accounts alone: leave `channel_account` out for the first of them. For any other account name a channel of
/// your own, such as `my_vk`. The addresses of files are yours: Switchboard fetches them from the public internet, and from networks
/// in `[media] allow_private`. It does not ask the provider for them.
///
/// Without the scope `personal` a key vouches for no contact: `client_phone_verified`, `client_email_verified` and
/// `"sender_verified": true` have no effect, so the contact is typed. In a private chat of a provider its word for `external_user_id` is
/// typed too, unless the address of the chat says the user, or the chat is proved to be that user's.
///
/// The same `external_message_id` of an account is taken once; with another chat, user, text or file it is a conflict. An
/// id, text or name that is `undefined` or another word for a missing value is refused. Of the fields beyond the format `form_data`,
/// `prefilled_data`, `tenant_id` and those named `utm_…` are handed on with the batch; ids may be numbers, times seconds since 1970.
#[utoipa::path(
    post, path = "/v1/inbound", tag = "conversations", operation_id = "hand_in",
    request_body(content = Object, description = "The message", example = json!({
        "channel": "shop", "external_chat_id": "42", "external_user_id": "42", "external_message_id": "m-1",
        "text": "Is it still there?", "client_name": "Anna"
    })),
    responses((status = 201, description = "It was taken in", body = Taken),
        (status = 200, description = "It was taken in before", body = Taken),
        (status = 409, description = "The id belongs to a message with another chat, user, text or file"))
)]
pub(crate) async fn hand_in(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    body: Json<Value>,
) -> Result<Response, Problem> {
    // A proved contact decides whose the chat is, as a merge of two clients does.
    let may_vouch = by.caller.has(CanChangeClients::DEMAND.scopes);
    let mut handed = inbound::read(&body.value, state.clock().now(), may_vouch).map_err(|wrong| {
        let errors = wrong.into_iter().map(|wrong| FieldError::new(wrong.field, wrong.message));
        Problem::fields(errors.collect())
    })?;
    let account = state
        .pipeline()
        .account_of(&handed.channel, handed.account.clone())
        .map_err(|wrong| Problem::fields(vec![FieldError::new(wrong.field, wrong.message)]))?;
    let address = ChannelChat {
        channel: handed.channel.clone(),
        account: account.clone(),
        chat: handed.message.chat.clone(),
    };
    if !may_vouch && handed.channel.is_of_provider() {
        // Only the person takes a refusal back or asks for an answer, and such a program may be anyone.
        let chat = (ChatRef::Channel(address.clone()), None);
        if state.store().do_not_contact().listed(vec![chat]).await?.into_iter().any(|entry| entry.is_some()) {
            handed.message.sender_proof = ContactProof::Typed;
        }
    }
    let chat = address.to_string();
    let time_replaced = handed.is_time_replaced;
    let (status, id) = match state.pipeline().hand_in(account, handed).await? {
        Some(HandInOutcome::New(id)) => (StatusCode::CREATED, Some(id.to_string())),
        Some(HandInOutcome::Conflict { first, field }) => {
            let detail = format!(
                "external_message_id belongs to the message {first}, whose {field} differs. Give each message an id of its own."
            );
            return Err(Problem::new(Code::IdempotencyConflict, detail));
        }
        Some(HandInOutcome::Repeated) | None => (StatusCode::OK, None),
    };
    Ok(json(status, &Taken { chat, repeated: id.is_none(), id, time_replaced }))
}

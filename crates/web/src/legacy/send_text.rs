//! `POST /send_text`: sends, keeps the caller waiting, and answers for good.

use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use delivery::{Change, Submission, SubmitError};
use domain::message::{OnFlood, OutboundMessage};
use domain::{MessageId, Timestamp};
use http::StatusCode;
use store::{Join, Origin, StoreError};

use super::Gate;
use super::access::{Guest, admit};
use super::answer::{Answer, Body};
use super::caller::Caller;
use super::fields::Fields;
use super::hold::{Standing, flooded_until};
use super::order::{Order, Wrong, order};
use crate::auth::Via;
use crate::extract::{BodyError, read_body};
use crate::fingerprint::Fingerprint;
use crate::idempotency::{self, Scope};
use crate::problem::Problem;

const PATH: &str = "/send_text";
/// How long a message is left alone before anyone looks why it waits.
const FIRST_LOOK: Duration = Duration::from_millis(300);
/// How often it is looked at after that.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Answers a call.
pub(super) async fn handle(Shared(gate): Shared<Gate>, request: Request) -> Response {
    match call(&gate, request).await {
        Ok((answer, replayed)) => {
            let mut response = answer.into_response();
            if replayed {
                response.headers_mut().insert(idempotency::REPLAYED, idempotency::TRUE);
            }
            response
        }
        Err(answer) => answer.into_response(),
    }
}

async fn call(gate: &Gate, request: Request) -> Result<(Answer, bool), Answer> {
    let (parts, body) = request.into_parts();
    let via = parts.extensions.get::<Via>().copied();
    let guest = admit(gate, via, &parts.headers).await?;
    let key = idempotency::key(&parts.headers)
        .map_err(|error| Answer::error(StatusCode::BAD_REQUEST, error.to_string()))?;
    let body = read_body(&parts.headers, body, gate.state.limits()).await.map_err(unread)?;
    let fields = Fields::read(&body);
    let Order { given, chat, content, tagged } = order(&fields).map_err(wrong)?;
    let Some(chat) = chat else {
        let error = format!("Cannot find chat {} (accounts asked: none; this names no chat)", shown(&given));
        return Err(Answer::error(StatusCode::INTERNAL_SERVER_ERROR, error));
    };

    let body = fields.into_value();
    let idempotency = key.map(|key| {
        let scope = Scope { api_key: guest.api_key, listener: &gate.name, path: PATH };
        idempotency::idempotency(key, &scope, &body)
    });
    // A key says which calls are the same; without one a call that got no answer is known again by its body.
    let join = idempotency.is_none().then(|| Join {
        fingerprint: Fingerprint::default().text(&gate.name).json_without(&body, &[]).finish(),
        repeats: gate.state.options().legacy.join_repeats,
    });
    let submission = Submission {
        chat,
        content,
        pin: gate.port.account.clone(),
        on_flood: OnFlood::Wait,
        send_at: None,
        origin: origin(gate, guest),
        idempotency,
        join,
    };
    let hold_until = gate.state.clock().now().plus(gate.state.options().legacy.hold);
    let caller = Caller::submit(&gate.state, submission).await.map_err(refused)?;
    let replayed = caller.is_replay();
    match wait(gate, caller.id(), &Asked { given, tagged }, hold_until).await {
        Ok(answer) if matches!(answer.body, Body::Doubt { .. }) => {
            caller.left_in_doubt().await;
            Ok((answer, replayed))
        }
        Ok(answer) => {
            caller.answered();
            Ok((answer, replayed))
        }
        Err(error) => {
            caller.left_in_doubt().await;
            Err(stored(&error))
        }
    }
}

/// What the answer needs of the call.
struct Asked {
    /// The chat as the caller wrote it.
    given: String,
    /// Whether the caller asked for a mention.
    tagged: bool,
}

/// Waits for the end of a message; at the end of the hold it is cancelled, or answered as a doubt if it may have left.
async fn wait(
    gate: &Gate,
    id: MessageId,
    asked: &Asked,
    hold_until: Timestamp,
) -> Result<Answer, StoreError> {
    let state = &gate.state;
    let mut look = FIRST_LOOK;
    let held = loop {
        let left = hold_until.since(state.clock().now());
        let Some(message) = state.settled(id, left.min(look)).await? else { return Ok(gone(id)) };
        let now = state.clock().now();
        if let Some(answer) = Answer::of(&message, &asked.given, asked.tagged, now) {
            return Ok(answer);
        }
        if hold_until <= now || state.is_stopping() || waits_in_vain(gate, &message, hold_until) {
            break message;
        }
        look = LOOK_EVERY;
    };
    give_up(gate, held, asked).await
}

/// Whether everyone who could send must wait until after the hold.
fn waits_in_vain(gate: &Gate, message: &OutboundMessage, hold_until: Timestamp) -> bool {
    message.state.can_cancel()
        && gate.state.delivery().held_until(message.id).is_some_and(|until| until >= hold_until)
}

/// Ends the wait: what never left is cancelled, and only then "not sent" is said.
async fn give_up(gate: &Gate, message: OutboundMessage, asked: &Asked) -> Result<Answer, StoreError> {
    let state = &gate.state;
    let held_until = state.delivery().held_until(message.id);
    let why = if state.is_stopping() { "the program is stopping" } else { "its caller waited long enough" };
    let now = state.clock().now();
    match state.delivery().cancel(message.id, Some(why.to_owned())).await? {
        Change::Done(message) => {
            let accounts: Vec<Standing> = state.pool().accounts().iter().map(Into::into).collect();
            let flood = flooded_until(held_until, &accounts, message.pin.as_ref(), now);
            Ok(match flood {
                Some(until) => Answer::flood(until, now),
                None => Answer::error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("no account could take the message ({why}); nothing was sent"),
                ),
            })
        }
        Change::Refused(message) => {
            Ok(Answer::of(&message, &asked.given, asked.tagged, now)
                .unwrap_or_else(|| Answer::doubt(&message)))
        }
        Change::NoSuchMessage => Ok(gone(message.id)),
    }
}

fn origin(gate: &Gate, guest: Guest) -> Origin {
    Origin { listener: gate.name.to_string(), api_key: guest.api_key, address: guest.address }
}

fn gone(id: MessageId) -> Answer {
    tracing::error!(message = %id, "an accepted message is not in the store");
    Answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("{id} was accepted but cannot be found; see the log"),
    )
}

fn wrong(wrong: Wrong) -> Answer {
    let error = wrong.to_string();
    match wrong {
        Wrong::NoChat => Answer { status: StatusCode::BAD_REQUEST, body: Body::Bare { error } },
        Wrong::ClientId | Wrong::ReplyTo => Answer::error(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

fn unread(error: BodyError) -> Answer {
    Problem::from(error).into()
}

fn stored(error: &StoreError) -> Answer {
    // Whether it was sent is not known here: the message may be on its way, so this is no "not sent".
    tracing::error!(%error, "the store does not say what became of a message");
    Answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the store cannot be read now and the message may have been sent; the same call again joins it",
    )
}

fn refused(error: SubmitError) -> Answer {
    let said = error.to_string();
    match error {
        SubmitError::UnknownAccount(_) | SubmitError::TooMany { .. } | SubmitError::ShuttingDown => {
            Answer::error(StatusCode::SERVICE_UNAVAILABLE, said)
        }
        SubmitError::Conflict => Answer::error(StatusCode::CONFLICT, said),
        SubmitError::Empty => Answer::error(StatusCode::INTERNAL_SERVER_ERROR, said),
        SubmitError::Store(error) => Problem::from(error).into(),
    }
}

fn shown(given: &str) -> String {
    given.chars().take(100).collect()
}

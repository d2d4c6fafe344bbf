//! `POST /v1/chats/{chat_id}/hand-over`: another owner for a chat.

use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::secret::ExposeSecret;
use domain::{AccountName, ChatRef, SecretText};
use http::StatusCode;
use serde::Deserialize;
use telegram::ChangeError;
use utoipa::ToSchema;

use super::message::DoneView;
use super::people::is_person;
use super::{named, unchanged};
use crate::answer::json;
use crate::auth::{Authorized, CanAdminister};
use crate::extract::{Json, PathParameter, hidden};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;
use crate::v1::chat_name::ChatName;

/// The longest password that is taken, in bytes.
const LONGEST_PASSWORD: usize = 1024;

/// Who is to own a chat.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"to": "@client_1", "password": "…"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOver {
    /// The new owner, who must be in the chat: a user id or a username.
    #[schema(schema_with = schemas::chat)]
    to: ChatName,
    /// The two-step password of the account that owns the chat; it is neither stored nor logged.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, format = Password, write_only, min_length = 1, max_length = 1024)]
    password: SecretText,
    /// Only through this account; left out, the one that serves the chat.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
}

/// Hands a supergroup or channel that an account owns over to another member.
///
/// Telegram wants the account's two-step password for it. A chat that is theirs already counts as handed over, so the call can
/// be made again when its answer was lost. To leave the chat afterwards is another call.
#[utoipa::path(
    post, path = "/v1/chats/{chat_id}/hand-over", tag = "chats", operation_id = "hand_chat_over",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, or `@name`")),
    request_body = HandOver,
    responses(
        (status = 200, description = "Handed over", body = DoneView),
        (status = 403, description = "The account does not own the chat"),
        (status = 404, description = "No account finds the chat, or there is no such account"),
        (status = 422, description = "Wrong fields, another password (`password_invalid`), or refused by the provider"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "It is not known whether it was done; the same call again is safe"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn hand_over(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    body: Json<HandOver>,
) -> Result<Response, Problem> {
    let chat = named::group(&given)?;
    let HandOver { to, password, account } = body.value;
    let to = match to.0 {
        domain::NamedChat::Chat(to) if is_person(&to) => to,
        _ => return Err(wrong("to", "is wrong: name the new owner by a user id or a username")),
    };
    if !(1..=LONGEST_PASSWORD).contains(&password.expose_secret().len()) {
        return Err(wrong("password", "is empty or too long"));
    }
    let pin = named::pinned(&state, account.as_ref())?;
    match state.pool().hand_over(&chat, &to, &password, pin).await {
        Ok(done) => Ok(json(StatusCode::OK, &DoneView::new(done, None))),
        Err(ChangeError::Rejected { code }) => Err(refused(&to, &code)),
        Err(error) => Err(unchanged::problem(error, state.clock().now())),
    }
}

fn wrong(field: &str, message: &str) -> Problem {
    Problem::fields(vec![FieldError::new(field, message)])
}

/// What Telegram refused, with what to do about it. Pure.
fn refused(to: &ChatRef, code: &str) -> Problem {
    let what = match code {
        "PASSWORD_HASH_INVALID" => {
            let detail = "It is not the two-step password of the account that owns the chat; nothing was handed over.";
            return Problem::new(Code::LoginPasswordInvalid, detail);
        }
        "USER_NOT_PARTICIPANT" | "USER_ID_INVALID" => {
            format!("{to} is not in the chat and cannot own it; invite them first")
        }
        "PASSWORD_MISSING" => {
            "the account has no two-step password, and Telegram hands chats over only with one; set it in a Telegram app"
                .to_owned()
        }
        "PASSWORD_TOO_FRESH" | "SESSION_TOO_FRESH" => {
            "the account's password or session is too new; Telegram allows it some days after they were made".to_owned()
        }
        "CHAT_ID_INVALID" => "only supergroups and channels can be handed over".to_owned(),
        _ => return Problem::new(Code::Rejected, format!("Telegram refused it: {code}.")).provider_code(code),
    };
    Problem::new(Code::Rejected, format!("Nothing was handed over: {what}.")).provider_code(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        let to = "@client_1".parse().expect("a user");
        for (code, says) in [
            ("PASSWORD_HASH_INVALID", "not the two-step password"),
            ("USER_NOT_PARTICIPANT", "@client_1 is not in the chat"),
            ("PASSWORD_MISSING", "set it in a Telegram app"),
            ("SESSION_TOO_FRESH", "too new"),
            ("SOMETHING_NEW", "SOMETHING_NEW"),
        ] {
            let problem = refused(&to, code);
            assert!(problem.detail().contains(says), "{}", problem.detail());
            assert_eq!(problem.code().status(), StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
}

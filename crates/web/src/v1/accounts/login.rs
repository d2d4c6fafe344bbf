//! `/v1/accounts/{name}/login`: signing in to an account, one step at a time.

use std::sync::Arc;

use api::schemas;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use domain::secret::ExposeSecret;
use domain::{AccountName, Purpose, SecretText};
use http::StatusCode;
use serde::Deserialize;
use telegram::{How, LoginError, LoginOptions, LoginState};
use utoipa::ToSchema;

use super::{login_view, phone, read_name, refusal};
use crate::answer::json;
use crate::auth::{Authorized, CanSignIn};
use crate::extract::{Json, PathParameter, hidden};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// The longest code or password that is taken, in bytes.
const LONGEST_ANSWER: usize = 1_024;

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LoginBy)]
pub(crate) enum LoginMethod {
    /// By a code that Telegram sends.
    Phone,
    /// By a QR code that is shown to a phone where the account is signed in.
    Qr,
}

/// A sign-in to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLogin {
    /// How to sign in.
    by: LoginMethod,
    /// With `phone`: the number; left out, the account's own.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, example = "+70000000001")]
    phone: Option<SecretText>,
    /// What the new session is for; left out or empty: what no other session of the account is for.
    #[serde(default, rename = "for")]
    #[schema(schema_with = schemas::purposes)]
    purposes: Vec<Purpose>,
    /// Begin again even if a sign-in to this account is under way.
    #[serde(default)]
    restart: bool,
}

/// The code that Telegram sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginCode {
    /// The code.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, write_only, min_length = 1, max_length = 1024, example = "12345")]
    code: SecretText,
}

/// The account's two-step password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginPassword {
    /// The password.
    #[serde(deserialize_with = "hidden::text")]
    #[schema(value_type = String, format = Password, write_only, min_length = 1, max_length = 1024)]
    password: SecretText,
}

/// What someone says to the terms of service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginTerms {
    /// Whether they are accepted. With `false` the new session is signed out.
    accept: bool,
}

/// Begins to sign in, or returns how far the sign-in is that is under way.
///
/// The answer says what comes next in `next_step` and `advice`. A sign-in that is left alone for 15 minutes ends. It
/// outlives a restart of the server. When it is done, the account works with the new session.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/login", tag = "accounts", operation_id = "start_login",
    params(("name" = String, Path, description = "The account's name")),
    request_body = NewLogin,
    responses(
        (status = 200, description = "How far it is", body = api::Login),
        (status = 422, description = "Wrong fields; or Telegram does not take the number (`phone_invalid`, `phone_banned`, `sign_up_needed`) or the application (`api_id_invalid`)"),
        (status = 429, description = "Telegram asks to wait: `flood_wait`"),
        (status = 502, description = "Telegram does not answer as it should: `login_failed`"),
    )
)]
pub(crate) async fn start(
    Shared(state): Shared<State>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
    body: Json<NewLogin>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let NewLogin { by, phone, purposes, restart } = body.value;
    let how = match (by, phone) {
        (LoginMethod::Qr, None) => How::Qr,
        (LoginMethod::Qr, Some(_)) => {
            let message = "has no place here: a QR code needs no number; leave it out, or sign in by phone";
            return Err(Problem::fields(vec![FieldError::new("phone", message)]));
        }
        (LoginMethod::Phone, None) => How::Phone(None),
        (LoginMethod::Phone, Some(written)) => match phone::read(written.expose_secret()) {
            Some(number) => How::Phone(Some(number.into())),
            None => return Err(Problem::fields(vec![FieldError::new("phone", phone::WRONG)])),
        },
    };
    let begun = state.pool().login().start(&name, how, LoginOptions { restart, purposes }).await;
    shown(&state, name, begun)
}

/// Returns how far a sign-in is.
#[utoipa::path(
    get, path = "/v1/accounts/{name}/login", tag = "accounts", operation_id = "get_login",
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 200, description = "How far it is; `none` when there is none", body = api::Login))
)]
pub(crate) async fn get(
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    if pool.account(&name).is_none() {
        return Err(Problem::account_not_found(&given));
    }
    let login = pool.login().state(&name);
    // A failed sign-in is no error of the request that asks about it.
    Ok(json(StatusCode::OK, &login_view::login(name, login)))
}

/// Gives the code that Telegram sent.
///
/// Where the account lives in another data centre, a new code may be wanted from there: `code_wanted` again, with `moved`.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/login/code", tag = "accounts", operation_id = "give_login_code",
    params(("name" = String, Path, description = "The account's name")),
    request_body = LoginCode,
    responses(
        (status = 200, description = "How far it is now", body = api::Login),
        (status = 409, description = "No code is wanted now: `wrong_state`; or it is too old: `code_expired`"),
        (status = 422, description = "It is another: `code_invalid`; or the number has no account: `sign_up_needed`"),
        (status = 429, description = "Telegram asks to wait: `flood_wait`"),
        (status = 502, description = "Telegram does not answer as it should: `login_failed`"),
    )
)]
pub(crate) async fn code(
    Shared(state): Shared<State>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
    body: Json<LoginCode>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let code = checked("code", body.value.code)?;
    match state.pool().login().submit_code(&name, code).await {
        Ok(LoginState::CodeWanted { wrong: 1.., .. }) => {
            let detail = "It is not the code that Telegram sent; look again and send it once more. GET the sign-in \
                          for how it was sent.";
            Err(Problem::new(Code::LoginCodeInvalid, detail))
        }
        Ok(LoginState::None) => Err(no_login_in_progress()),
        next => shown(&state, name, next),
    }
}

/// Gives the account's two-step password.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/login/password", tag = "accounts", operation_id = "give_login_password",
    params(("name" = String, Path, description = "The account's name")),
    request_body = LoginPassword,
    responses(
        (status = 200, description = "How far it is now", body = api::Login),
        (status = 409, description = "No password is wanted now: `wrong_state`"),
        (status = 422, description = "It is another: `password_invalid`"),
        (status = 429, description = "Telegram asks to wait: `flood_wait`"),
        (status = 502, description = "Telegram does not answer as it should: `login_failed`"),
    )
)]
pub(crate) async fn password(
    Shared(state): Shared<State>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
    body: Json<LoginPassword>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let password = checked("password", body.value.password)?;
    match state.pool().login().submit_password(&name, password).await {
        Ok(LoginState::PasswordWanted { hint, .. }) => {
            let hint = hint.map(|hint| format!(" Its hint is {hint:?}.")).unwrap_or_default();
            let detail = format!("It is not the two-step password of the account; send it once more.{hint}");
            Err(Problem::new(Code::LoginPasswordInvalid, detail))
        }
        Ok(LoginState::None) => Err(no_login_in_progress()),
        next => shown(&state, name, next),
    }
}

/// Accepts Telegram's terms of service, or does not.
///
/// With `{"accept":false}` the session that was just made is signed out, the sign-in comes to nothing, and what the account
/// had before stays.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/login/terms", tag = "accounts", operation_id = "answer_login_terms",
    params(("name" = String, Path, description = "The account's name")),
    request_body = LoginTerms,
    responses(
        (status = 200, description = "How far it is now", body = api::Login),
        (status = 409, description = "No terms are to be accepted now: `wrong_state`; or they were not accepted: `terms_declined`"),
        (status = 429, description = "Telegram asks to wait: `flood_wait`"),
        (status = 502, description = "Telegram does not answer as it should: `login_failed`"),
    )
)]
pub(crate) async fn terms(
    Shared(state): Shared<State>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
    body: Json<LoginTerms>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    match state.pool().login().answer_terms(&name, body.value.accept).await {
        Ok(LoginState::None) => Err(no_login_in_progress()),
        next => shown(&state, name, next),
    }
}

/// Has the code sent again, the next way: `next_by` says which, `resend_at` from when on.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/login/resend", tag = "accounts", operation_id = "resend_login_code",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "How far it is now", body = api::Login),
        (status = 409, description = "No code is wanted now, or there is no other way: `wrong_state`"),
        (status = 429, description = "It is too early: `flood_wait`"),
        (status = 502, description = "Telegram does not answer as it should: `login_failed`"),
    )
)]
pub(crate) async fn resend(
    Shared(state): Shared<State>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let next = state.pool().login().resend(&name).await;
    shown(&state, name, next)
}

/// Cancels a sign-in. What the account had before stays.
#[utoipa::path(
    delete, path = "/v1/accounts/{name}/login", tag = "accounts", operation_id = "cancel_login",
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 204, description = "There is none any more"))
)]
pub(crate) async fn cancel(
    Shared(clock): Shared<ambient::Clock>,
    Shared(pool): Shared<Arc<telegram::Pool>>,
    _: Authorized<CanSignIn>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    match pool.login().cancel(&name).await {
        // Where no one signs in there is nothing to cancel, which is what was asked for.
        Ok(_) | Err(LoginError::NotNow(_)) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(refusal::of_login(error, clock.now())),
    }
}

fn no_login_in_progress() -> Problem {
    let detail = "No sign-in to this account is under way; begin with POST …/login, and give {\"by\":\"phone\"} or \
                  {\"by\":\"qr\"}.";
    Problem::new(Code::WrongState, detail)
}

fn checked(field: &str, answer: SecretText) -> Result<SecretText, Problem> {
    let wrong = |message: &str| Problem::fields(vec![FieldError::new(field, message)]);
    match answer.expose_secret() {
        "" => Err(wrong("is empty")),
        text if text.len() > LONGEST_ANSWER => Err(wrong("is too long")),
        _ => Ok(answer),
    }
}

/// The result of a step: the state, or the problem.
fn shown(
    state: &State,
    name: AccountName,
    came: Result<LoginState, LoginError>,
) -> Result<Response, Problem> {
    let now = state.clock().now();
    match came {
        Ok(LoginState::Failed { code, detail, until, .. }) => {
            Err(refusal::of_failure(code, &detail, until, now))
        }
        Ok(login) => Ok(json(StatusCode::OK, &login_view::login(name, login))),
        Err(error) => Err(refusal::of_login(error, now)),
    }
}

//! Coming in: the password, and the code that it may take as well.

use access::{NewSession, SignIn, SignInError};
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{ExposeSecret, SecretText};
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::Deserialize;

use super::door::Door;
use super::stranger::{Stranger, Written};
use crate::dashboard::Dashboard;
use crate::page::own_path;
use crate::visitor::Visitor;
use crate::words::SignInWords;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignInQuery {
    #[serde(default)]
    next: String,
    /// What happened before: `ended` or `out`.
    #[serde(default)]
    note: String,
}

/// `GET /sign-in`: the form; anyone who is in already goes on.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    query: Result<Query<SignInQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let parameters = query.map(|Query(parameters)| parameters).unwrap_or_default();
    let (mut parts, _) = request.into_parts();
    if parameters.note.is_empty() && Visitor::from_request_parts(&mut parts, &dashboard).await.is_ok() {
        return Redirect::to(own_path(&parameters.next)).into_response();
    }
    let mut stranger = Stranger::of(&parts, &dashboard);
    let given = stranger.give_token();
    let visitor = &stranger.visitor;
    let words = SignInWords::of(visitor.language);
    let note = match parameters.note.as_str() {
        "ended" => Some(words.session_ended),
        "out" => Some(words.signed_out),
        _ => None,
    };
    let door = Door { note, ..Door::new(visitor, own_path(&parameters.next)) };
    match given {
        Ok(cookie) => with_cookies(door.show(StatusCode::OK), cookie),
        Err(error) => door.refuse(&error),
    }
}

#[derive(Deserialize)]
pub(crate) struct NameAndPassword {
    name: String,
    password: SecretText,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`.
pub(crate) async fn password(
    State(dashboard): State<Dashboard>,
    Written { stranger, form }: Written<NameAndPassword>,
) -> Response {
    let NameAndPassword { name, password, next } = form;
    let door = Door { name: &name, ..Door::new(&stranger.visitor, own_path(&next)) };
    match dashboard.state().access().sign_in(&name, password, &stranger.client).await {
        Ok(SignIn::Done(session)) => admit(&stranger, &session, &next),
        Ok(SignIn::CodeWanted(ticket)) => {
            Door { ticket: Some(ticket.expose_secret()), ..door }.show(StatusCode::OK)
        }
        Err(error) => door.refuse(&error),
    }
}

/// A code of the second factor, or a recovery code.
#[derive(Deserialize)]
pub(crate) struct TicketAndCode {
    ticket: SecretText,
    code: SecretText,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in/code`.
pub(crate) async fn code(
    State(dashboard): State<Dashboard>,
    Written { stranger, form }: Written<TicketAndCode>,
) -> Response {
    let TicketAndCode { ticket, code, next } = form;
    let (ticket, code) = (ticket.expose_secret(), code.expose_secret());
    let door = Door::new(&stranger.visitor, own_path(&next));
    match dashboard.state().access().second_step(ticket, code, &stranger.client).await {
        Ok(session) => admit(&stranger, &session, &next),
        // The ticket is good for another try.
        Err(error @ (SignInError::WrongCode | SignInError::Wait(_) | SignInError::Busy)) => {
            Door { ticket: Some(ticket), ..door }.refuse(&error)
        }
        Err(error) => door.refuse(&error),
    }
}

fn admit(stranger: &Stranger, session: &NewSession, next: &str) -> Response {
    let answer = Redirect::to(own_path(next)).into_response();
    let session_cookie = access::cookie::begin(&session.token, stranger.secure);
    with_cookies(answer, [session_cookie, access::cookie::remember(&session.device, stranger.secure)])
}

fn with_cookies(mut answer: Response, cookies: impl IntoIterator<Item = String>) -> Response {
    // A cookie of ours has letters that a header takes.
    for cookie in cookies.into_iter().filter_map(|cookie| cookie.parse().ok()) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

//! `/oauth/{channel}/callback`: the browser of an account's owner comes back from the log-in at its provider.

use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse, Response};
use channels::LogInAnswer;
use domain::{ChannelName, SecretText};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::state::State;

/// What the provider adds to the address; it may add more.
#[derive(Deserialize)]
pub(crate) struct Brought {
    #[serde(default)]
    state: String,
    code: Option<SecretText>,
    error: Option<String>,
    error_description: Option<String>,
}

pub(crate) async fn take(
    Shared(state): Shared<State>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Response {
    let in_russian = headers
        .get(http::header::ACCEPT_LANGUAGE)
        .and_then(|languages| languages.to_str().ok())
        .is_some_and(|languages| languages.trim_start().starts_with("ru"));
    let words = |english: &str, russian: &str| if in_russian { russian } else { english }.to_owned();
    let Brought { state: given, code, error, error_description } = brought;
    let answer = LogInAnswer { state: given, code, error: error_description.or(error) };
    let finished = match channel.parse::<ChannelName>() {
        Ok(channel) => state.channels().finish_log_in(&channel, answer).await,
        Err(_) => Err(channels::CallError::refused("wrong_state", "there is no such channel")),
    };
    let (status, text) = match finished {
        Ok(name) => {
            let done = words(
                "is logged in. You can close this page.",
                "— вход выполнен. Эту страницу можно закрыть.",
            );
            (StatusCode::OK, format!("{name} {done}"))
        }
        Err(error) => {
            tracing::warn!(%error, "a log-in at a provider is not finished");
            let status =
                if error.proves_nothing_done() { StatusCode::FORBIDDEN } else { StatusCode::BAD_GATEWAY };
            let again =
                words("Get another link and log in again.", "Получите новую ссылку и войдите ещё раз.");
            (status, format!("{} {error}. {again}", words("Not logged in:", "Вход не выполнен:")))
        }
    };
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

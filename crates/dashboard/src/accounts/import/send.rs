//! The form that takes files, and what is sent with it.

use std::time::Duration;

use access::Right;
use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;

use super::{API, HERE, Importing};
use crate::accounts::plain;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Csrf, Visitor, is_from_another_site};
use crate::words::{AccountsWords, ImportWords, WorkWords};

/// The largest form, in bytes: what the API takes, and a little for its other fields.
const LARGEST: usize = 64 * 1024 * 1024 + 64 * 1024;

/// How long the files may take to arrive.
const TIMEOUT: Duration = Duration::from_mins(5);

#[derive(Template)]
#[template(path = "accounts/import.html")]
pub(crate) struct Form<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) words: &'static ImportWords,
    pub(crate) list: &'static AccountsWords,
    pub(crate) work: &'static WorkWords,
    /// Why the files were not taken.
    pub(crate) wrong: Option<String>,
    /// Whether an import is under way.
    pub(crate) runs: bool,
}

fn drawn(status: StatusCode, dashboard: &Dashboard, visitor: &Visitor, wrong: Option<String>) -> Response {
    let words = ImportWords::of(visitor.language);
    let (list, work) = (AccountsWords::of(visitor.language), WorkWords::of(visitor.language));
    let runs = dashboard.page_state::<Importing>().is_under_way();
    let body = Form { visitor, words, list, work, wrong, runs };
    page::page_of(status, visitor, words.title, Section::Accounts, body)
}

/// `GET /accounts/import`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    std::future::ready(drawn(StatusCode::OK, &dashboard, &visitor, None)).await
}

/// What the API answers when it has taken the files.
#[derive(Deserialize)]
struct Taken {
    id: String,
}

/// `POST /accounts/import`: keeps the files and leads to what would be done with them.
pub(crate) async fn send(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = match Visitor::from_request_parts(&mut parts, &dashboard).await {
        Ok(visitor) => visitor,
        Err(unknown) => return unknown.into_response(),
    };
    // No one sends megabytes who may not.
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let words = ImportWords::of(visitor.language);
    let body = match whole(body).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            let wrong = words.why("too_large").map(str::to_owned);
            return drawn(StatusCode::PAYLOAD_TOO_LARGE, &dashboard, &visitor, wrong);
        }
        Err(Unread::Broken) => return refusal::form_unread(&visitor),
    };
    if !is_ours(&visitor.csrf, &parts.headers, &body) {
        return refusal::form_of_elsewhere(&visitor);
    }
    let kind = parts.headers.get(CONTENT_TYPE).cloned();
    match dashboard.ask_with::<Taken>(&visitor, Method::POST, &format!("{API}/files"), kind, body).await {
        Ok(taken) => Redirect::to(&format!("{HERE}/{}", plain(&taken.id))).into_response(),
        Err(why) => {
            let status =
                if why.status.is_client_error() { StatusCode::UNPROCESSABLE_ENTITY } else { why.status };
            drawn(status, &dashboard, &visitor, Some(in_words(words, &why)))
        }
    }
}

fn in_words(words: &ImportWords, why: &Refused) -> String {
    words.why(&why.code).map_or_else(|| why.detail.clone(), str::to_owned)
}

/// Why a form was not read.
enum Unread {
    TooLarge,
    Broken,
}

async fn whole(body: Body) -> Result<Bytes, Unread> {
    match tokio::time::timeout(TIMEOUT, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(Unread::TooLarge),
        Ok(Err(_)) | Err(_) => Err(Unread::Broken),
    }
}

/// Whether a form with files comes from a page of ours.
fn is_ours(token: &Csrf, headers: &HeaderMap, body: &Bytes) -> bool {
    if is_from_another_site(headers) {
        return false;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Ok(parts) = web::form_parts(kind, body) else { return false };
    let mut tokens = parts.iter().filter(|part| part.name == Csrf::FIELD);
    tokens.next().and_then(web::Part::text).is_some_and(|given| token.matches(given))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_with_files_carries_its_token_too() {
        let token = Csrf::new("t0ken");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
        let field = |name: &str, more: &str, text: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{text}\r\n")
        };
        let form = |fields: String| Bytes::from(format!("{fields}--b--\r\n"));
        assert!(is_ours(&token, &headers, &form(field("csrf", "", "t0ken"))));
        for wrong in [
            String::new(),
            field("csrf", "", "other"),
            field("csrf", "; filename=\"x\"", "t0ken"),
            field("csrf", "", "other") + &field("csrf", "", "t0ken"),
        ] {
            assert!(!is_ours(&token, &headers, &form(wrong)));
        }
        assert!(!is_ours(&token, &HeaderMap::new(), &form(field("csrf", "", "t0ken"))));
        headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert!(!is_ours(&token, &headers, &form(field("csrf", "", "t0ken"))));
    }
}

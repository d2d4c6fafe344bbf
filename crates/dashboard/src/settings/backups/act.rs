//! What is done with backups: one is made, tried, restored for practice, or taken away.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{HOST, IF_RANGE, RANGE};
use http::{HeaderMap, Method, Request};
use serde_json::Value;

use super::super::Nothing;
use super::super::people::unread;
use super::{API, HERE};
use crate::ask::{Refused, read_answer};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::visitor::{Posted, Visitor};
use crate::words::BackupsWords;

/// Back to the page, with what came of it.
fn answer(visitor: &Visitor, done: Result<Value, Refused>, note: &str) -> Response {
    match done {
        Ok(_) => page::done(visitor, HERE, note),
        Err(why) if why.code == "wrong_state" => {
            page::not_done(visitor, HERE, BackupsWords::of(visitor.language).busy)
        }
        Err(why) => page::refused(visitor, HERE, &why),
    }
}

/// `POST /settings/backups/actions/create`.
pub(crate) async fn create(
    State(dashboard): State<Dashboard>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let done = dashboard.ask(&visitor, Method::POST, API, None).await;
    answer(&visitor, done, BackupsWords::of(visitor.language).begun)
}

/// `POST /settings/backups/actions/drill`.
pub(crate) async fn drill(
    State(dashboard): State<Dashboard>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let done = dashboard.ask::<Value>(&visitor, Method::POST, &format!("{API}/drill"), None).await;
    let words = BackupsWords::of(visitor.language);
    match done {
        Err(why) if why.code == "wrong_state" => page::not_done(&visitor, HERE, words.drilling),
        done => answer(&visitor, done, words.drilling),
    }
}

/// `POST /settings/backups/{name}/actions/check`.
pub(crate) async fn check(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let path = format!("{API}/{}/check", segment(&name));
    let done = dashboard.ask(&visitor, Method::POST, &path, None).await;
    answer(&visitor, done, BackupsWords::of(visitor.language).trying)
}

/// `GET /settings/backups/{name}/content`: the file as the API gives it, piece by piece. A download that was broken off goes on.
pub(crate) async fn download(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let request = Request::get(format!("{API}/{}/content", segment(&name)))
        .header(HOST, "localhost")
        .body(Body::empty());
    let (actor, mut request) = match (visitor.actor(), request) {
        (Some(actor), Ok(request)) => (actor, request),
        (None, _) => return refusal::not_allowed(&visitor),
        (_, Err(error)) => return refusal::of_api(&visitor, &Refused::internal(error.to_string())),
    };
    for part in [RANGE, IF_RANGE] {
        request.headers_mut().extend(headers.get(&part).map(|value| (part, value.clone())));
    }
    let answer = dashboard.api().answer_as(actor, request).await;
    if answer.status().is_success() {
        return answer;
    }
    match read_answer::<Value>(answer).await {
        Err(why) => unread(&visitor, &why),
        Ok(_) => refusal::no_such_page(&visitor),
    }
}

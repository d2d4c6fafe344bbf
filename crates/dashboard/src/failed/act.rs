//! Retrying and dropping failed requests, one or many: a question with their number first, then one call of the API for each.

use access::Right;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use domain::FailedRequestId;
use http::Method;
use serde::Deserialize;

use super::{FailedRequest, one};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::{address, chosen, refuse, word};
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{FailedWords, WorkWords};

/// The most requests that one press of a button is about.
const MOST: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BulkAction {
    Retry,
    Drop,
    /// Every one that waits is tried again.
    RetryAll,
}

impl BulkAction {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "retry" => Some(Self::Retry),
            "drop" => Some(Self::Drop),
            "retry-all" => Some(Self::RetryAll),
            _ => None,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Drop => "drop",
            Self::RetryAll => "retry-all",
        }
    }

    pub(super) const fn drops(self) -> bool {
        matches!(self, Self::Drop)
    }
}

#[derive(Template)]
#[template(path = "failed/question.html")]
pub(super) struct Question<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static FailedWords,
    pub(super) work: &'static WorkWords,
    pub(super) wish: BulkAction,
    pub(super) ids: &'a [FailedRequestId],
    /// Whether more wait than one press is about.
    pub(super) more: bool,
}

/// The requests that a form names.
fn ids(pairs: &[(String, String)]) -> Vec<FailedRequestId> {
    chosen(pairs, MOST, |id| id.parse().ok())
}

/// `/failed/question`.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(pairs): QueryOf<Vec<(String, String)>>,
) -> Response {
    if !visitor.may(Right::Send) {
        return refusal::not_allowed(&visitor);
    }
    let Some(wish) = word(&pairs, "do", BulkAction::from_word) else {
        return refusal::no_such_page(&visitor);
    };
    let (ids, more) = match wish {
        BulkAction::RetryAll => match pending(&dashboard, &visitor).await {
            Ok(found) => found,
            Err(why) => return refusal::of_api(&visitor, &why),
        },
        BulkAction::Retry | BulkAction::Drop => (ids(&pairs), false),
    };
    let words = FailedWords::of(visitor.language);
    let body =
        Question { visitor: &visitor, words, work: WorkWords::of(visitor.language), wish, ids: &ids, more };
    page::page(&visitor, words.failed, Section::Failed, body)
}

/// Those that wait for a decision, at most as many as one press handles, and whether there are more.
async fn pending(dashboard: &Dashboard, visitor: &Visitor) -> Result<(Vec<FailedRequestId>, bool), Refused> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let pairs = [("state", "pending"), ("limit", "200"), ("cursor", cursor.as_str())];
        let path = address("/v1/failed-requests", &pairs);
        let listed = dashboard.ask::<api::Page<FailedRequest>>(visitor, Method::GET, &path, None).await?;
        ids.extend(listed.items.iter().map(|request| request.id));
        match listed.next_cursor {
            Some(next) if ids.len() <= MOST => cursor = next,
            _ => break,
        }
    }
    let more = ids.len() > MOST;
    ids.truncate(MOST);
    Ok((ids, more))
}

/// `/failed/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    axum::extract::Path(action): axum::extract::Path<String>,
    Posted { visitor, form }: Posted<Vec<(String, String)>>,
) -> Response {
    let Some(wish) = BulkAction::from_word(&action) else { return refusal::no_such_page(&visitor) };
    let words = FailedWords::of(visitor.language);
    let ids = ids(&form);
    let call = |id: &FailedRequestId| match wish {
        BulkAction::Retry | BulkAction::RetryAll => {
            (Method::POST, format!("/v1/failed-requests/{id}/retry"), None)
        }
        BulkAction::Drop => (Method::DELETE, format!("/v1/failed-requests/{id}"), None),
    };
    match dashboard.ask_each(&visitor, ids.iter().map(call)).await {
        Ok(done) => page::done(&visitor, "/failed", &words.acted(wish.drops(), done, ids.len() as u64)),
        Err(why) => refuse(&visitor, "/failed", &why),
    }
}

/// What a person corrects in a form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Correction {
    pub(super) phone: String,
    pub(super) email: String,
}

/// `POST /failed/{id}`.
pub(crate) async fn correct(
    State(dashboard): State<Dashboard>,
    axum::extract::Path(id): axum::extract::Path<String>,
    Posted { visitor, form }: Posted<Correction>,
) -> Response {
    let Ok(id) = id.parse::<FailedRequestId>() else { return refusal::no_such_page(&visitor) };
    let given = [("phone", form.phone.trim()), ("email", form.email.trim())];
    let fields: serde_json::Map<_, _> = given
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let path = format!("/v1/failed-requests/{id}/retry");
    let body = serde_json::json!({ "fields": fields });
    match dashboard.ask::<FailedRequest>(&visitor, Method::POST, &path, Some(body)).await {
        Ok(_) => page::done(&visitor, "/failed", FailedWords::of(visitor.language).accepted),
        Err(why) if !why.fields.is_empty() => one::drawn(&dashboard, &visitor, id, &form, Some(&why)).await,
        Err(why) => refuse(&visitor, &format!("/failed/{id}"), &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_acted_on_once() {
        let id = "fail_01k2v7m3w0e9tq4b8s6n5x1zyr";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = [pair("id", id), pair("csrf", "x"), pair("id", id), pair("id", "../../v1/keys")];
        assert_eq!(ids(&pairs), vec![id.parse::<FailedRequestId>().expect("an id")]);
        for wish in [BulkAction::Retry, BulkAction::Drop, BulkAction::RetryAll] {
            assert_eq!(BulkAction::from_word(wish.word()), Some(wish));
        }
    }
}

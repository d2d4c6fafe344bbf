//! `/operations/{id}`: work on a chat, step by step.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::outcome::Failure;
use domain::{AccountName, MessageId, OperationId};
use http::Method;

use super::{Operation, OperationStep};
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal};
use crate::view::{Linked, Section, Tint};
use crate::visitor::Visitor;
use crate::words::{self, OperationsWords, WorkWords, kind};

#[derive(Template)]
#[template(path = "operations/one.html")]
pub(super) struct One<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static OperationsWords,
    pub(super) work: &'static WorkWords,
    pub(super) operation: &'a Operation,
    pub(super) may_act: bool,
}

impl One<'_> {
    fn lines(&self) -> String {
        address("/logs", &[("subject", &self.operation.id), ("range", "7d")])
    }

    fn result(&self) -> Option<String> {
        serde_json::to_string_pretty(&serde_json::to_value(self.operation.result.as_ref()?).ok()?).ok()
    }

    fn tint(step: &OperationStep) -> Tint {
        match step.outcome.as_deref() {
            Some("ok" | "sent") => Tint::Good,
            Some("flood_wait" | "slow_mode" | "unknown" | "unavailable") => Tint::Waiting,
            Some("begun") | None => Tint::Idle,
            Some(_) => Tint::Bad,
        }
    }

    fn heading(&self, step: &OperationStep) -> String {
        if step.what == "failed" && step.detail.as_deref() == Some(Failure::RESTORED) {
            return self.words.held_back.to_owned();
        }
        self.words.step(&step.what, step.account.as_ref().map(AccountName::as_str), step.outcome.as_deref())
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if let Ok(id) = id.parse::<MessageId>() {
        return Redirect::to(&format!("/messages/{id}")).into_response();
    }
    let Ok(id) = id.parse::<OperationId>() else { return refusal::no_such_page(&visitor) };
    let path = format!("/v1/operations/{id}");
    let operation = match dashboard.ask::<Operation>(&visitor, Method::GET, &path, None).await {
        Ok(operation) => operation,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let body = One {
        visitor: &visitor,
        words: OperationsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        operation: &operation,
        may_act: visitor.may(Right::Send),
    };
    page::page(&visitor, kind(visitor.language, &operation.kind), Section::Operations, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_found_no_one_is_not_green() {
        let tint = |outcome: &str| {
            let step = serde_json::json!({ "at": "2026-11-20T11:06:58Z", "what": "resolve", "outcome": outcome, "says": "" });
            One::tint(&serde_json::from_value(step).expect("a step"))
        };
        assert!(matches!(tint("ok"), Tint::Good));
        assert!(matches!(tint("not_found"), Tint::Bad));
        assert!(matches!(tint("unknown"), Tint::Waiting));
    }
}

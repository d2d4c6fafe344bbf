//! `/failed/{id}`: a failed request with what it carried.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::FailedRequestId;
use http::Method;

use super::FailedRequest;
use crate::dashboard::Dashboard;
use crate::listing;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{self, FailedWords, WorkWords};

#[derive(Template)]
#[template(path = "failed/one.html")]
pub(super) struct One<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static FailedWords,
    pub(super) work: &'static WorkWords,
    pub(super) request: &'a FailedRequest,
    pub(super) may_act: bool,
}

impl One<'_> {
    fn payload(&self) -> Option<String> {
        serde_json::to_string_pretty(self.request.payload.as_ref()?).ok()
    }

    /// Whether it is a form of a site that can be corrected.
    fn is_form(&self) -> bool {
        self.request.service.is_none() && self.request.state.as_str() == "pending"
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<FailedRequestId>() else { return refusal::no_such_page(&visitor) };
    let path = format!("/v1/failed-requests/{id}");
    let request = match dashboard.ask::<FailedRequest>(&visitor, Method::GET, &path, None).await {
        Ok(request) => request,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let body = One {
        visitor: &visitor,
        words: FailedWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        request: &request,
        may_act: visitor.may(Right::Send),
    };
    page::page(&visitor, &request.endpoint, Section::Failed, body)
}

//! `/failed/{id}`: a failed request with what it carried.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::FailedRequestId;
use http::{Method, StatusCode};

use super::FailedRequest;
use super::act::Correction;
use crate::ask::Refused;
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
    pub(super) correction: &'a Correction,
    pub(super) wrong: Option<&'a Refused>,
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

    /// What is wrong with a field of the correction.
    fn wrong_with(&self, field: &str) -> Option<&str> {
        let mut fields = self.wrong?.fields.iter();
        fields.find(|wrong| wrong.field == field).map(|wrong| wrong.message.as_str())
    }

    /// What is wrong with a field that the correction does not have.
    fn wrong_elsewhere(&self) -> Option<&str> {
        let is_here = ["phone", "email"].iter().any(|field| self.wrong_with(field).is_some());
        self.wrong.filter(|_| !is_here).map(|wrong| wrong.detail.as_str())
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<FailedRequestId>() else { return refusal::no_such_page(&visitor) };
    drawn(&dashboard, &visitor, id, &Correction::default(), None).await
}

/// The page, with a correction as it was typed and what is wrong with it.
pub(super) async fn drawn(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: FailedRequestId,
    correction: &Correction,
    wrong: Option<&Refused>,
) -> Response {
    let path = format!("/v1/failed-requests/{id}");
    let request = match dashboard.ask::<FailedRequest>(visitor, Method::GET, &path, None).await {
        Ok(request) => request,
        Err(why) => return refusal::of_api(visitor, &why),
    };
    let body = One {
        visitor,
        words: FailedWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        request: &request,
        correction,
        wrong,
        may_act: visitor.may(Right::Send),
    };
    let status = wrong.map_or(StatusCode::OK, |wrong| wrong.status);
    page::page_of(status, visitor, &request.endpoint, Section::Failed, body)
}

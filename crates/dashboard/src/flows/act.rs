//! Starting a flow, and stopping it after a question.

use access::Right;
use api::Flow;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;

use super::{API, find};
use crate::dashboard::Dashboard;
use crate::listing::Pressed;
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{FlowsWords, WorkWords};

#[derive(Template)]
#[template(path = "flows/stop.html")]
struct StopQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    flow: &'a Flow,
}

/// `GET /flows/{name}/stop`: the question before it.
pub(crate) async fn ask_stop(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let flow = match find(&dashboard, &visitor, &name).await {
        Ok(flow) => flow,
        Err(answer) => return *answer,
    };
    let (words, work) = (FlowsWords::of(visitor.language), WorkWords::of(visitor.language));
    let body = StopQuestion { visitor: &visitor, words, work, flow: &flow };
    page::page(&visitor, &words.stop_question(&flow.name), Section::Flows, body)
}

/// `POST /flows/{name}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    let words = FlowsWords::of(visitor.language);
    let done = match action.as_str() {
        "start" => words.started(&name),
        "stop" => words.stopped(&name),
        _ => return refusal::no_such_page(&visitor),
    };
    let path = format!("{API}/{}/{action}", segment(&name));
    let back = if form.back.is_empty() { format!("{}/{}", super::HERE, segment(&name)) } else { form.back };
    match dashboard.ask::<Flow>(&visitor, Method::POST, &path, None).await {
        Ok(_) => page::done(&visitor, &back, &done),
        Err(why) => page::refused(&visitor, &back, &why),
    }
}

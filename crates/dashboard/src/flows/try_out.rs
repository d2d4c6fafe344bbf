//! `/flows/{name}/try`: what a flow would do on messages, without anything being pressed.

use std::borrow::Cow;

use access::Right;
use api::{Flow, FlowRunMoment, FlowSimulation};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{API, find};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{FlowsWords, WorkWords};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tried {
    messages: String,
    /// On the newest messages of the chat instead.
    latest: Option<String>,
}

#[derive(Template)]
#[template(path = "flows/try.html")]
struct TryOut<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    flow: &'a Flow,
    messages: &'a str,
    result: Option<&'a FlowSimulation>,
    wrong: Option<&'a str>,
    may_act: bool,
}

impl TryOut<'_> {
    /// What it would do on one message, beside that the message came.
    fn deeds(timeline: &[FlowRunMoment]) -> impl Iterator<Item = &FlowRunMoment> {
        timeline.iter().filter(|moment| moment.stage != "seen")
    }

    fn note<'n>(&self, moment: &'n FlowRunMoment) -> Option<Cow<'n, str>> {
        let note = moment.note.as_deref()?;
        match moment.stage.as_str() {
            "ended" if note == "done" => None,
            "ended" | "failed" | "skipped" => Some(self.words.failed(note)),
            _ => Some(Cow::Borrowed(note)),
        }
    }
}

fn drawn(
    visitor: &Visitor,
    flow: &Flow,
    messages: &str,
    result: Option<&FlowSimulation>,
    wrong: Option<&Refused>,
) -> Response {
    let (words, work) = (FlowsWords::of(visitor.language), WorkWords::of(visitor.language));
    let status = wrong.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = wrong.map(|why| why.detail.as_str());
    let may_act = visitor.may(Right::Operate);
    let body = TryOut { visitor, words, work, flow, messages, result, wrong, may_act };
    page::page_of(status, visitor, &format!("{}: {}", words.try_out, flow.name), Section::Flows, body)
}

/// `GET /flows/{name}/try`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    match find(&dashboard, &visitor, &name).await {
        Ok(flow) => drawn(&visitor, &flow, "", None, None),
        Err(answer) => *answer,
    }
}

/// `POST /flows/{name}/try`.
pub(crate) async fn try_out(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Tried>,
) -> Response {
    let flow = match find(&dashboard, &visitor, &name).await {
        Ok(flow) => flow,
        Err(answer) => return *answer,
    };
    let path = format!("{API}/{}", segment(&flow.name));
    let (path, body) = match form.latest {
        Some(_) => (format!("{path}/dry-run"), None),
        None => (format!("{path}/simulate"), Some(json!({ "messages": messages(&form.messages) }))),
    };
    match dashboard.ask::<FlowSimulation>(&visitor, Method::POST, &path, body).await {
        Ok(result) => drawn(&visitor, &flow, &form.messages, Some(&result), None),
        Err(why) => drawn(&visitor, &flow, &form.messages, None, Some(&why)),
    }
}

/// Messages as they are written in the form: a row of buttons is a line in brackets, an empty line comes before an edit.
fn messages(text: &str) -> Vec<Value> {
    let text = text.replace("\r\n", "\n");
    let is_row = |line: &&str| line.starts_with('[') && line.ends_with(']');
    let one = |block: &str| {
        let lines: Vec<&str> = block.trim().lines().map(str::trim).collect();
        let words: Vec<&str> = lines.iter().copied().filter(|line| !is_row(line)).collect();
        let row = |line: &str| -> Vec<String> {
            let inside = line.trim_start_matches('[').trim_end_matches(']');
            inside.split(']').map(|label| label.trim().trim_start_matches('[').trim().to_owned()).collect()
        };
        let rows: Vec<Vec<String>> = lines.iter().copied().filter(is_row).map(row).collect();
        json!({ "text": words.join("\n"), "buttons": rows })
    };
    text.split("\n\n").filter(|block| !block.trim().is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_messages_with_rows_of_buttons() {
        let written = "New trip\r\nfrom Tver\r\n[Book] [Details]\r\n[No]\r\n\r\n\r\nFrom where?\n[Tver]\n";
        let expected = json!([
            {"text": "New trip\nfrom Tver", "buttons": [["Book", "Details"], ["No"]]},
            {"text": "From where?", "buttons": [["Tver"]]},
        ]);
        assert_eq!(json!(messages(written)), expected);
        assert_eq!(messages(" \n\n "), Vec::<Value>::new());
    }
}

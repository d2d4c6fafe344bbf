//! `/flow-definitions`: a flow written as text, checked, saved and removed.

use access::Right;
use api::{FlowCheck, FlowDefinition, FlowProblem};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::Timestamp;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{API, HERE, kept};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{FlowsWords, WorkWords, translate};

/// What a new flow begins with.
const EXAMPLE: &str = r#"[[flows]]
name = "trip"
account = "main"
watch = "@demo_trips_bot"
trigger = { text = "New trip" }
limits = { per_hour = 6, cooldown = "30s" }

[[flows.steps]]
press = { text = "Book" }
within = "5s"
"#;

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Written {
    text: String,
    /// When the definition that was read was changed; empty for a new one.
    replaces: String,
    /// It is to be checked and not saved.
    check: Option<String>,
}

/// The result of a check.
#[derive(Default)]
struct Checked {
    problems: Vec<FlowProblem>,
    /// What is wrong as a whole.
    wrong: Vec<String>,
    is_right: bool,
    /// What keeps the flow from watching for now.
    warnings: Vec<FlowProblem>,
}

impl Checked {
    fn wrong(words: String) -> Self {
        Self { wrong: vec![words], ..Self::default() }
    }

    fn is_wrong(&self) -> bool {
        !self.problems.is_empty() || !self.wrong.is_empty()
    }
}

#[derive(Template)]
#[template(path = "flows/edit.html")]
struct Editor<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    /// The flow that is changed; none for a new one.
    name: Option<&'a str>,
    written: &'a Written,
    checked: Checked,
}

impl Editor<'_> {
    fn here(&self) -> String {
        self.name.map_or_else(|| "/flow-definitions/add".to_owned(), change_path)
    }

    fn back(&self) -> String {
        self.name.map_or_else(|| HERE.to_owned(), |name| format!("{HERE}/{}", segment(name)))
    }

    /// What is written in the line of a problem.
    fn line(&self, problem: &FlowProblem) -> Option<&str> {
        let line = self.written.text.lines().nth(problem.line?.checked_sub(1)?)?;
        Some(line.trim()).filter(|line| !line.is_empty())
    }

    fn place(&self, problem: &FlowProblem) -> Option<String> {
        Some(self.words.place(problem.line?, problem.column.unwrap_or(1)))
    }

    fn message(&self, problem: &FlowProblem) -> String {
        translate(self.visitor.language, &problem.message).into_owned()
    }
}

#[derive(Template)]
#[template(path = "flows/remove.html")]
struct RemoveQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static FlowsWords,
    work: &'static WorkWords,
    name: &'a str,
}

impl RemoveQuestion<'_> {
    fn here(&self) -> String {
        format!("/flow-definitions/{}", segment(self.name))
    }
}

/// Where a flow that was written here is changed.
pub(super) fn change_path(name: &str) -> String {
    format!("/flow-definitions/{}/change", segment(name))
}

fn drawn(visitor: &Visitor, name: Option<&str>, written: &Written, checked: Checked) -> Response {
    let (words, work) = (FlowsWords::of(visitor.language), WorkWords::of(visitor.language));
    let title = name.map_or_else(|| words.add.to_owned(), |name| format!("{}: {name}", words.change));
    let status = if checked.is_wrong() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let body = Editor { visitor, words, work, name, written, checked };
    page::page_of(status, visitor, &title, Section::Flows, body)
}

/// `GET /flow-definitions/add`.
pub(crate) async fn new(visitor: Visitor) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    drawn(&visitor, None, &Written { text: EXAMPLE.to_owned(), ..Written::default() }, Checked::default())
}

/// `POST /flow-definitions/add`.
pub(crate) async fn add(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Written>,
) -> Response {
    take(&dashboard, &visitor, None, form).await
}

/// `GET /flow-definitions/{name}/change`.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let FlowDefinition { name, text, changed_at, problems, .. } =
        match kept(&dashboard, &visitor, &name).await {
            Ok(definition) => definition,
            Err(why) => return refusal::of_api(&visitor, &why),
        };
    let written = Written { text, replaces: changed_at.to_string(), check: None };
    let (words, work) = (FlowsWords::of(visitor.language), WorkWords::of(visitor.language));
    let checked = Checked { problems, ..Checked::default() };
    let title = format!("{}: {name}", words.change);
    let body = Editor { visitor: &visitor, words, work, name: Some(&name), written: &written, checked };
    page::page(&visitor, &title, Section::Flows, body)
}

/// `POST /flow-definitions/{name}/change`.
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, form }: Posted<Written>,
) -> Response {
    take(&dashboard, &visitor, Some(&name), form).await
}

async fn take(dashboard: &Dashboard, visitor: &Visitor, name: Option<&str>, form: Written) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(visitor);
    }
    let words = FlowsWords::of(visitor.language);
    let written = Written { text: form.text.replace("\r\n", "\n"), ..form };
    let body = json!({ "text": written.text });
    let path = format!("{API}/check");
    let checked = match dashboard.ask::<FlowCheck>(visitor, Method::POST, &path, Some(body)).await {
        Ok(checked) => checked,
        Err(why) => return drawn(visitor, name, &written, Checked::wrong(why.detail)),
    };
    if !checked.problems.is_empty() {
        return drawn(visitor, name, &written, Checked { problems: checked.problems, ..Checked::default() });
    }
    let [its_name] = checked.flows.as_slice() else {
        return drawn(visitor, name, &written, Checked::wrong(words.one_flow.to_owned()));
    };
    if name.is_some_and(|name| name != its_name) {
        return drawn(visitor, name, &written, Checked::wrong(words.name_stays.to_owned()));
    }
    if written.check.is_some() {
        let checked = Checked { is_right: true, warnings: checked.warnings, ..Checked::default() };
        return drawn(visitor, name, &written, checked);
    }
    let replaces = written.replaces.parse::<Timestamp>().ok();
    let body = json!({ "text": written.text, "replaces": replaces });
    let path = format!("/v1/flow-definitions/{}", segment(its_name));
    match dashboard.ask::<FlowDefinition>(visitor, Method::PUT, &path, Some(body)).await {
        Ok(_) => page::done(visitor, &format!("{HERE}/{}", segment(its_name)), &words.saved(its_name)),
        Err(why) => {
            let fields = why.fields.iter().map(|field| field.message.clone());
            let wrong = if why.fields.is_empty() { vec![why.detail.clone()] } else { fields.collect() };
            drawn(visitor, name, &written, Checked { wrong, ..Checked::default() })
        }
    }
}

/// `GET /flow-definitions/{name}/remove`: the question before it.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    if let Err(why) = kept(&dashboard, &visitor, &name).await {
        return refusal::of_api(&visitor, &why);
    }
    let (words, work) = (FlowsWords::of(visitor.language), WorkWords::of(visitor.language));
    let body = RemoveQuestion { visitor: &visitor, words, work, name: &name };
    page::page(&visitor, &words.remove_question(&name), Section::Flows, body)
}

/// `POST /flow-definitions/{name}/actions/remove`.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Posted { visitor, .. }: Posted<Written>,
) -> Response {
    let words = FlowsWords::of(visitor.language);
    let path = format!("/v1/flow-definitions/{}", segment(&name));
    match dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await {
        Ok(_) => page::done(&visitor, HERE, &words.removed(&name)),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

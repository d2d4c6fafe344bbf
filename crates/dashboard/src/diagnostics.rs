//! Diagnostics: what the doctor found, the worst first, with what mends each; and how everything is that he looked at.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::Method;
use ops::doctor::{Area, Finding, Fix, Looked, Report, Severity};
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::diagnostics;
use crate::page::{self, Section, refusal};
use crate::visitor::{Posted, Visitor};
use crate::words::{DiagnosticsWords, Wall};

/// The routes of diagnostics.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new().route("/diagnostics", get(show)).route("/diagnostics/actions/examine", post(again))
}

#[derive(Template)]
#[template(path = "diagnostics/index.html")]
struct Diagnostics<'a> {
    visitor: &'a Visitor,
    words: &'static DiagnosticsWords,
    wall: Wall,
    report: &'a Report,
}

impl Diagnostics<'_> {
    fn verdict(&self) -> String {
        let many = |severity| self.report.count(severity) as u64;
        self.words.verdict(many(Severity::Error), many(Severity::Warning), many(Severity::Note))
    }

    /// The findings with a number each, for the ids of what can be copied.
    fn findings(&self) -> Vec<(usize, Area, &Finding)> {
        let findings = self.report.findings().into_iter().enumerate();
        findings.map(|(number, (area, finding))| (number, area, finding)).collect()
    }

    /// Whether something lies out of this server's sight.
    fn is_partly_blind(&self) -> bool {
        self.report.sections.iter().any(|section| section.looked != Looked::Wholly)
    }
}

/// The class of a finding.
const fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "wait",
        Severity::Note => "note",
    }
}

/// The lamp of an area.
fn lamp(section: &ops::doctor::Section) -> &'static str {
    match section.findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Error) => "bad",
        Some(Severity::Warning) => "wait",
        _ if section.looked == Looked::Wholly => "ok",
        _ => "",
    }
}

/// The command that mends a finding, if one does.
fn command(fix: &Fix) -> Option<&str> {
    match fix {
        Fix::Command { command, .. } => Some(command),
        Fix::Setting { .. } | Fix::Advice { .. } | Fix::Nothing => None,
    }
}

/// The setting that mends a finding, if one does.
fn setting(fix: &Fix) -> Option<&str> {
    match fix {
        Fix::Setting { key, .. } => Some(key),
        Fix::Command { .. } | Fix::Advice { .. } | Fix::Nothing => None,
    }
}

/// What there is to know about the mending.
fn advice(fix: &Fix) -> Option<&str> {
    match fix {
        Fix::Command { advice, .. } | Fix::Setting { advice, .. } | Fix::Advice { advice } => {
            Some(advice.as_str()).filter(|advice| !advice.is_empty())
        }
        Fix::Nothing => None,
    }
}

/// Where the log lines are that a fact about errors counts.
fn lines(area: Area, name: &str) -> Option<String> {
    let kind = name.parse::<logs::Trouble>().ok();
    match (area, kind) {
        (Area::Errors, Some(kind)) => Some(format!("/logs?level=warn&error={kind}&range=7d")),
        (Area::Errors, None) if name == "other" => Some("/logs?level=error&range=7d".to_owned()),
        _ => None,
    }
}

/// `/diagnostics`.
async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    match dashboard.ask::<Report>(&visitor, Method::GET, "/v1/doctor", None).await {
        Ok(report) => draw(&visitor, &report),
        Err(why) => refusal::of_api(&visitor, &why),
    }
}

fn draw(visitor: &Visitor, report: &Report) -> Response {
    let words = DiagnosticsWords::of(visitor.language);
    let body = Diagnostics { visitor, words, wall: visitor.wall(), report };
    page::page(visitor, words.title, Section::Diagnostics, body)
}

/// `/diagnostics/actions/examine`: once more. A report is a few seconds old at most, so the page itself is the examination.
async fn again(Posted { visitor, .. }: Posted<Value>) -> Response {
    let words = DiagnosticsWords::of(visitor.language);
    std::future::ready(page::done(&visitor, "/diagnostics", words.examined)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_error_leads_to_its_lines_and_nothing_else_does() {
        assert_eq!(
            lines(Area::Errors, "flood_wait").as_deref(),
            Some("/logs?level=warn&error=flood_wait&range=7d")
        );
        assert_eq!(lines(Area::Errors, "other").as_deref(), Some("/logs?level=error&range=7d"));
        for (area, name) in
            [(Area::Errors, "errors"), (Area::Errors, "more kinds"), (Area::Queue, "flood_wait")]
        {
            assert_eq!(lines(area, name), None, "{name}");
        }
    }
}

//! Diagnostics: what the doctor found, the worst first, with what mends each; and how everything is that he looked at.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use doctor::{Area, Code, Finding, Fix, Looked, Report, Severity};
use http::Method;
use serde_json::Value;

use crate::dashboard::Dashboard;
use crate::diagnostics;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{DiagnosticsWords, Wall};

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

    /// Whether something is out of this server's sight.
    fn is_partly_blind(&self) -> bool {
        self.report.sections.iter().any(|section| section.looked != Looked::Wholly)
    }
}

const fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "wait",
        Severity::Note => "note",
    }
}

fn lamp(section: &doctor::Section) -> &'static str {
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

/// The page of this dashboard where a finding is mended, instead of a call of the API; none where there is no such page.
const fn place(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::InDoubt => "/doubt",
        Code::FailedRequests => "/failed",
        Code::UnresolvedChats => "/chats/unresolved",
        Code::QueueStuck => "/messages?state=queued",
        Code::AccountDown | Code::AccountLimited => "/accounts?state=trouble",
        Code::NoAccount | Code::SessionsOwnerless => "/accounts",
        Code::ServiceStopped => "/?kind=service",
        Code::BackupNone
        | Code::BackupOld
        | Code::BackupFailing
        | Code::BackupBroken
        | Code::BackupUntried
        | Code::BackupNotCopied
        | Code::BackupDrillFailed => "/settings/backups",
        _ => return None,
    })
}

/// Where there is more about a fact: the log lines that one about errors counts, the backups.
fn more(area: Area, name: &str) -> Option<String> {
    let kind = name.parse::<logs::ErrorKind>().ok();
    match (area, kind) {
        (Area::Errors, Some(kind)) => Some(format!("/logs?level=warn&error={kind}&range=7d")),
        (Area::Errors, None) if name == "other" => Some("/logs?level=error&range=7d".to_owned()),
        (Area::Backups, _) if name == "newest" => Some("/settings/backups".to_owned()),
        _ => None,
    }
}

/// `/diagnostics`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
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
pub(crate) async fn again(Posted { visitor, .. }: Posted<Value>) -> Response {
    let words = DiagnosticsWords::of(visitor.language);
    std::future::ready(page::done(&visitor, "/diagnostics", words.examined)).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::Language;

    #[test]
    fn only_errors_and_the_newest_backup_have_links() {
        assert_eq!(
            more(Area::Errors, "flood_wait").as_deref(),
            Some("/logs?level=warn&error=flood_wait&range=7d")
        );
        assert_eq!(more(Area::Errors, "other").as_deref(), Some("/logs?level=error&range=7d"));
        for (area, name) in
            [(Area::Errors, "errors"), (Area::Errors, "more kinds"), (Area::Queue, "flood_wait")]
        {
            assert_eq!(more(area, name), None, "{name}");
        }
        assert_eq!(more(Area::Backups, "newest").as_deref(), Some("/settings/backups"));
    }

    /// A report with a finding for each way of mending, and areas that were seen wholly, partly and not.
    fn report() -> Report {
        let finding = |code: &str,
                       severity: &str,
                       subject: &str,
                       summary: &str,
                       evidence: &[&str],
                       fix: serde_json::Value| {
            json!({ "code": code, "severity": severity, "subject": subject, "summary": summary, "evidence": evidence, "fix": fix })
        };
        serde_json::from_value(json!({
            "made_at": "2026-11-20T11:07:31Z",
            "version": "1.2.3",
            "server": null,
            "sections": [
                { "area": "ports", "looked": "wholly", "unseen": [], "findings": [
                    finding("port_taken", "error", "port 5022", "Another program holds the port.", &["gunicorn: master [<send_text>], since Nov 18"],
                        json!({ "kind": "command", "command": "kill 4242", "advice": "It belongs to the old scripts." })),
                  ], "facts": [{ "name": "127.0.0.1:5099", "value": "ours", "command": "ss -ltnp" }] },
                { "area": "settings", "looked": "partly", "unseen": ["the unit file cannot be read"], "findings": [
                    finding("other", "warning", "legacy.ports", "Nobody listens on 5023.", &[],
                        json!({ "kind": "setting", "key": "legacy.ports", "advice": "Add 5023 to it." })),
                  ], "facts": [] },
                { "area": "errors", "looked": "not", "unseen": ["no server runs"], "findings": [
                    finding("other", "note", "flood_wait", "Telegram asked twice to wait.", &["2 in the last hour"],
                        json!({ "kind": "advice", "advice": "Send less at once." })),
                    finding("other", "note", "clock", "It is right.", &[], json!({ "kind": "nothing" })),
                  ], "facts": [{ "name": "flood_wait", "value": "2" }] },
            ],
        }))
        .expect("a report")
    }

    fn drawn(language: Language) -> String {
        let report = report();
        let visitor = Visitor::made_up(language, report.made_at);
        let words = DiagnosticsWords::of(language);
        Diagnostics { visitor: &visitor, words, wall: visitor.wall(), report: &report }
            .render()
            .expect("a page")
    }

    #[test]
    fn each_finding_has_its_evidence_and_what_mends_it_in_english() {
        let drawn = drawn(Language::English);
        // The worst first; what can be typed can be copied; what is wrong is no markup.
        let place = |text: &str| drawn.find(text).unwrap_or_else(|| panic!("no {text:?} in {drawn}"));
        assert!(
            place("port 5022") < place("Nobody listens on 5023.")
                && place("Nobody listens") < place("Send less")
        );
        assert!(
            drawn.contains("<code id=\"fix-0\">kill 4242</code>") && drawn.contains("data-copy=\"fix-0\"")
        );
        assert!(!drawn.contains("<send_text>"), "{drawn}");
        insta::assert_snapshot!(drawn);
    }

    #[test]
    fn each_finding_has_its_evidence_and_what_mends_it_in_russian() {
        let drawn = drawn(Language::Russian);
        // A sentence that is not known is shown by its kind; one of a newer program stays as it is.
        assert!(drawn.contains("<p>Порт из настроек занят другим процессом.</p>"), "{drawn}");
        assert!(drawn.contains("<p>Nobody listens on 5023.</p>"), "{drawn}");
        assert!(!drawn.contains("Another program holds"), "{drawn}");
        insta::assert_snapshot!(drawn);
    }
}

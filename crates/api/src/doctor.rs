//! The report of the doctor.

use doctor::{Fact, Finding, Fix, Report, Section, Server};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Everything that one examination brought.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoctorReport {
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// The server.
    pub server: Option<DoctorServer>,
    /// What was looked at.
    pub sections: Vec<DoctorSection>,
    /// What only the server knows; there if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub inside: Option<Value>,
}

/// The server that runs on the data directory.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoctorServer {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// A fingerprint of its settings, which does not reveal them: equal settings have the same.
    #[schema(example = "1f2e3d4c5b6a7988")]
    pub settings: String,
}

/// One area, and what was found there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoctorSection {
    /// `program`, `settings`, `store`, `queue`, `ports`, `accounts`, `sessions`, `processes`, `units`, `files`, `disk`,
    /// `clock`, `network`, `memory`, `callbacks`, `webhooks` or `errors`; more may come.
    #[schema(example = "ports")]
    pub area: String,
    /// How far one could see: `wholly`, `partly` or `not`.
    #[schema(value_type = String, example = "wholly")]
    pub looked: doctor::Looked,
    /// Why it was not all.
    pub unseen: Vec<String>,
    /// How it is, wrong or not.
    pub facts: Vec<DoctorFact>,
    /// What was found, the worst first.
    pub findings: Vec<DoctorFinding>,
}

/// Something that is so.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoctorFact {
    /// What it is about.
    #[schema(example = "127.0.0.1:5022")]
    pub name: String,
    /// How it is.
    #[schema(example = "listening, answered in 2 ms")]
    pub value: String,
    /// What shows more of it: a command, to be typed in a shell on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "switchboard logs --level warn --error flood_wait")]
    pub command: Option<String>,
}

/// Something that was found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoctorFinding {
    /// What kind of thing it is: a stable word.
    #[schema(example = "port_taken")]
    pub code: String,
    /// `error`, `warning` or `note`.
    #[schema(value_type = String, example = "error")]
    pub severity: doctor::Severity,
    /// What it is about.
    #[schema(example = "port 5022")]
    pub subject: String,
    /// What is wrong, in a sentence.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What mends it.
    pub fix: DoctorFix,
}

/// What mends a finding: a `command`, a change of a `setting`, an `advice`, or `nothing` has to be done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoctorFix {
    /// Which of these it is.
    #[schema(example = "command")]
    pub kind: String,
    /// The command, to be typed in a shell on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "kill 4711")]
    pub command: Option<String>,
    /// The key of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "legacy.ports")]
    pub key: Option<String>,
    /// What to do, or to know about the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl DoctorReport {
    /// With what only the server knows, if `facts`.
    pub fn new(report: &Report, facts: bool) -> Self {
        let inside = report.inside.as_ref().filter(|_| facts);
        Self {
            made_at: report.made_at,
            version: report.version.clone(),
            server: report.server.as_ref().map(DoctorServer::from),
            sections: report.sections.iter().map(DoctorSection::from).collect(),
            inside: inside.and_then(|inside| serde_json::to_value(inside).ok()),
        }
    }
}

impl From<&Server> for DoctorServer {
    fn from(server: &Server) -> Self {
        let Server { version, pid, started_at, settings } = server.clone();
        Self { version, pid, started_at, settings }
    }
}

impl From<&Section> for DoctorSection {
    fn from(section: &Section) -> Self {
        let fact = |fact: &Fact| {
            let Fact { name, value, command } = fact.clone();
            DoctorFact { name, value, command }
        };
        Self {
            area: section.area.as_str().to_owned(),
            looked: section.looked,
            unseen: section.unseen.clone(),
            facts: section.facts.iter().map(fact).collect(),
            findings: section.findings.iter().map(DoctorFinding::from).collect(),
        }
    }
}

impl From<&Finding> for DoctorFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.code.as_str().to_owned(),
            severity: finding.severity,
            subject: finding.subject.clone(),
            summary: finding.summary.clone(),
            evidence: finding.evidence.clone(),
            fix: DoctorFix::from(&finding.fix),
        }
    }
}

impl From<&Fix> for DoctorFix {
    fn from(fix: &Fix) -> Self {
        let (kind, command, key, advice) = match fix {
            Fix::Command { command, advice } => ("command", Some(command), None, Some(advice)),
            Fix::Setting { key, advice } => ("setting", None, Some(key), Some(advice)),
            Fix::Advice { advice } => ("advice", None, None, Some(advice)),
            Fix::Nothing => ("nothing", None, None, None),
        };
        Self { kind: kind.to_owned(), command: command.cloned(), key: key.cloned(), advice: advice.cloned() }
    }
}

#[cfg(test)]
mod tests {
    use doctor::{Area, Code, Severity};

    use super::*;

    #[test]
    fn a_report_is_read_back_unchanged_from_the_api() {
        let finding = |fix| Finding {
            code: Code::PortTaken,
            severity: Severity::Error,
            subject: "port 5022".to_owned(),
            summary: "It is taken.".to_owned(),
            evidence: vec!["process 4711".to_owned()],
            fix,
        };
        let mut section = Section::new(Area::Ports);
        section.findings = vec![
            finding(Fix::command("kill 4711")),
            finding(Fix::setting("listen", "another")),
            finding(Fix::advice("wait")),
            finding(Fix::Nothing),
        ];
        let fact = |command: Option<&str>| Fact {
            name: "127.0.0.1:5099".to_owned(),
            value: "free".to_owned(),
            command: command.map(str::to_owned),
        };
        section.facts = vec![fact(None), fact(Some("switchboard logs"))];
        let report = Report {
            made_at: Timestamp::from_micros(7),
            version: "0.1.0".to_owned(),
            server: Some(Server {
                version: "0.1.0".to_owned(),
                pid: 7,
                started_at: Timestamp::default(),
                settings: "aa".to_owned(),
            }),
            sections: vec![section, Section::unseen(Area::Queue, "away")],
            legacy: Vec::new(),
            inside: None,
        };
        let shown = serde_json::to_value(DoctorReport::new(&report, true)).expect("JSON");
        assert_eq!(serde_json::from_value::<Report>(shown).expect("a report"), report);
    }
}

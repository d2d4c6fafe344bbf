//! Processes of the old scripts: those that no one looks after any more, and those that still run.

use super::{finding, in_a_line, stop};
use crate::finding::{Code, Severity};
use crate::report::{Area, Section};
use legacy_survey::{Running, StartedBy};

/// Looks at all of them; `ports` are those that the settings want. One that is in the way there is listed as a taken port too.
pub(crate) fn check(running: &[Running], ports: &[u16], server_runs: bool) -> Section {
    let mut section = Section::new(Area::Processes);
    section.fact("old scripts running", running.len().to_string());
    for one in running {
        let subject =
            one.file.as_ref().map_or_else(|| one.command.clone(), |file| file.display().to_string());
        let ports_held: Vec<String> = one.ports.iter().map(ToString::to_string).collect();
        let mut evidence = vec![in_a_line(one.pid, &one.command, one.since)];
        if !ports_held.is_empty() {
            evidence.push(format!("it listens on {}", ports_held.join(", ")));
        }
        evidence.extend(one.open.iter().map(|file| format!("it has {} open", file.display())));
        let found = match &one.by {
            StartedBy::Orphaned => finding(
                Code::Orphan,
                Severity::Error,
                subject,
                format!(
                    "Process {} of an old script runs unsupervised: the program that started it is gone.",
                    one.pid
                ),
                stop(one),
            ),
            by => {
                let who = match by {
                    StartedBy::Unit(unit) => unit.clone(),
                    StartedBy::Process { pid, name } => format!("{name} (process {pid})"),
                    StartedBy::Orphaned => String::new(),
                };
                // Before the move they are meant to run.
                let conflicting_listener = server_runs || one.ports.iter().any(|port| ports.contains(port));
                finding(
                    Code::OldScriptRuns,
                    if conflicting_listener { Severity::Warning } else { Severity::Note },
                    subject,
                    format!("An old script runs as process {}, started by {who}.", one.pid),
                    stop(one),
                )
            }
        };
        section.findings.push(found.shown_by(evidence));
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Fix;
    use legacy_survey::Script;

    fn script(by: StartedBy) -> Running {
        Running {
            pid: 7,
            command: "gunicorn create_chat:app".to_owned(),
            file: Some("/old/create_chat.py".into()),
            script: Script::default(),
            folder: None,
            ports: vec![5021],
            open: vec!["/old/main.session".into()],
            since: None,
            by,
        }
    }

    #[test]
    fn an_orphan_is_worse_than_what_a_unit_has() {
        let found = |by, ports: &[u16]| {
            let section = check(&[script(by)], ports, false);
            let one = &section.findings[0];
            (one.code, one.severity, one.fix.clone())
        };
        assert_eq!(found(StartedBy::Orphaned, &[]), (Code::Orphan, Severity::Error, Fix::command("kill 7")));
        let unit = || StartedBy::Unit("old.service".to_owned());
        let disable = || Fix::command("systemctl disable --now old.service");
        assert_eq!(found(unit(), &[]), (Code::OldScriptRuns, Severity::Note, disable()));
        assert_eq!(found(unit(), &[5021]), (Code::OldScriptRuns, Severity::Warning, disable()));
        let evidence = &check(&[script(unit())], &[], true).findings[0].evidence;
        assert!(evidence.iter().any(|line| line.contains("/old/main.session")), "{evidence:?}");
    }
}

//! Ports: those of the settings free or held and by whom, each listener's own health, and who else is nearby.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{finding, in_a_line, minute, process_line, stop};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::inside::{ListenerFact, ListenerFactState};
use crate::report::{Area, Section};
use legacy_survey::{OLD_PORTS, Running};
use machine::{Process, Snapshot, file_name};

/// How near a port is a neighbour's.
const NEAR: u16 = 5;

/// An address that the settings want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// `main`, or the number of an old port.
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// The key of the settings.
    pub(crate) key: &'static str,
}

/// Whether a listener answered when it was asked something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) name: String,
    /// How long it took, or why there was none.
    pub(crate) answer: Result<Duration, String>,
}

/// What is known of the ports.
pub(crate) struct Facts<'a> {
    /// What the settings want.
    pub(crate) wanted: &'a [Wanted],
    /// The running server's listeners, if one runs.
    pub(crate) listeners: Option<&'a [ListenerFact]>,
    pub(crate) answered: &'a [Answered],
    pub(crate) snapshot: &'a Snapshot,
    /// The old scripts that run.
    pub(crate) running: &'a [Running],
    /// The running server's process.
    pub(crate) server: Option<u32>,
}

pub(crate) fn check(facts: &Facts<'_>) -> Section {
    let mut section = Section::new(Area::Ports);
    if let Some(listeners) = facts.listeners {
        for listener in listeners {
            judge_listener(listener, facts, &mut section);
        }
    } else {
        for wanted in facts.wanted {
            judge_wanted(wanted, facts, &mut section);
        }
    }
    neighbours(facts, &mut section);
    if facts.snapshot.hidden > 0 && facts.snapshot.listeners.iter().any(|listener| listener.pids.is_empty()) {
        section.lacks("the processes on some ports are not visible to this user; run it as root to see all");
    }
    section
}

fn judge_listener(listener: &ListenerFact, facts: &Facts<'_>, section: &mut Section) {
    let wanted = facts.wanted.iter().find(|wanted| wanted.name == listener.name);
    let key = match wanted {
        Some(wanted) => wanted.key,
        None if listener.name == "main" => "listen",
        None => "legacy.ports",
    };
    let subject = if listener.name == "control" {
        "control socket".to_owned()
    } else {
        format!("port {}", listener.name)
    };
    match listener.state {
        ListenerFactState::Starting => section.fact(listener.address.clone(), "not tried yet"),
        ListenerFactState::Listening => {
            let answered = facts.answered.iter().find(|answered| answered.name == listener.name);
            match answered.map(|answered| &answered.answer) {
                Some(Ok(took)) => {
                    section.fact(
                        listener.address.clone(),
                        format!("listening, answered in {} ms", took.as_millis()),
                    );
                }
                Some(Err(why)) => section.findings.push(
                    finding(
                        Code::ListenerSilent,
                        Severity::Error,
                        subject,
                        format!("{} takes connections and does not answer.", listener.address),
                        Fix::command_and(
                            "systemctl restart switchboard",
                            "waiting messages are kept; save the log for the bug report",
                        ),
                    )
                    .shown_by([why.clone()]),
                ),
                None => section
                    .fact(listener.address.clone(), format!("listening since {}", minute(listener.since))),
            }
        }
        ListenerFactState::Taken => {
            let address = listener.address.parse().ok();
            let found = address.map(|address| taken(subject.clone(), address, key, facts));
            section.findings.push(found.unwrap_or_else(|| {
                let summary = format!("{} is taken by another program.", listener.address);
                finding(Code::PortTaken, Severity::Error, subject, summary, elsewhere(key))
            }));
        }
        ListenerFactState::Refused => section.findings.push(
            finding(
                Code::PortRefused,
                Severity::Error,
                subject,
                format!("The system does not let the server listen on {}.", listener.address),
                Fix::setting(key, "name an address of this machine that this user may listen on"),
            )
            .shown_by(listener.detail.clone()),
        ),
    }
}

fn judge_wanted(wanted: &Wanted, facts: &Facts<'_>, section: &mut Section) {
    if wanted.address.port() == 0 || facts.snapshot.conflicting_listener(wanted.address).is_none() {
        return section.fact(wanted.address.to_string(), "free");
    }
    section.findings.push(taken(format!("port {}", wanted.name), wanted.address, wanted.key, facts));
}

/// Another process holds an address: one of ours may be stopped, any other is left alone.
fn taken(subject: String, address: SocketAddr, key: &str, facts: &Facts<'_>) -> Finding {
    let pids = facts.snapshot.conflicting_listener(address).map_or(&[][..], |listener| &listener.pids);
    let Some(holder) = facts.snapshot.master(pids) else {
        let summary = format!("{address} is taken by a process that is not visible to this user.");
        let fix = Fix::command_and(
            "sudo switchboard doctor",
            "root sees which one; or choose another port in the settings",
        );
        return finding(Code::PortTaken, Severity::Error, subject, summary, fix);
    };
    let (what, fix) = match facts.running.iter().find(|one| one.pid == holder.pid) {
        Some(script) => ("an old script", stop(script)),
        None if is_ours(holder) => (
            "another server of this program",
            Fix::setting(key, "give each server its own ports, or stop the one that is not needed"),
        ),
        None => ("a foreign program", elsewhere(key)),
    };
    let summary = format!("{address} is taken by {what}: process {}.", holder.pid);
    finding(Code::PortTaken, Severity::Error, subject, summary, fix).shown_by([process_line(holder)])
}

/// A foreign program is never to be stopped.
fn elsewhere(key: &str) -> Fix {
    Fix::setting(key, "choose another port here; that program is not ours to stop")
}

fn is_ours(process: &Process) -> bool {
    process.arguments.first().is_some_and(|first| file_name(std::path::Path::new(first)) == "switchboard")
}

/// Lists the programs near our ports that are neither ours nor old scripts.
fn neighbours(facts: &Facts<'_>, section: &mut Section) {
    let ours: Vec<u16> =
        facts.wanted.iter().map(|wanted| wanted.address.port()).filter(|port| *port > 0).collect();
    let is_near = |port: u16| ours.iter().chain(&OLD_PORTS).any(|own| own.abs_diff(port) <= NEAR);
    let mut found: BTreeMap<u32, Vec<u16>> = BTreeMap::new();
    for listener in &facts.snapshot.listeners {
        let port = listener.socket.address.port();
        let Some(master) = facts.snapshot.master(&listener.pids) else { continue };
        let known = Some(master.pid) == facts.server
            || is_ours(master)
            || facts.running.iter().any(|one| one.pid == master.pid)
            || facts.wanted.iter().any(|wanted| listener.socket.blocks(wanted.address));
        if is_near(port) && !known {
            found.entry(master.pid).or_default().push(port);
        }
    }
    for (pid, mut ports) in found {
        ports.sort_unstable();
        ports.dedup();
        let Some(process) = facts.snapshot.process(pid) else { continue };
        let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
        let line = in_a_line(pid, &machine::shown(&process.arguments), process.started_at);
        section.findings.push(
            finding(
                Code::ForeignNeighbour,
                Severity::Note,
                format!("port {}", list.join(", ")),
                format!("A foreign program listens nearby, on {}.", list.join(", ")),
                Fix::Nothing,
            )
            .shown_by([line]),
        );
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use legacy_survey::{Script, StartedBy};
    use machine::made_up;

    fn wanted(port: u16) -> Wanted {
        Wanted {
            name: port.to_string(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            key: "legacy.ports",
        }
    }

    fn facts<'a>(snapshot: &'a Snapshot, wanted: &'a [Wanted], running: &'a [Running]) -> Facts<'a> {
        Facts { wanted, listeners: None, answered: &[], snapshot, running, server: None }
    }

    fn old_script(pid: u32) -> Running {
        Running {
            pid,
            command: "python3 send.py".to_owned(),
            file: None,
            script: Script::default(),
            folder: None,
            ports: vec![5022],
            open: Vec::new(),
            since: None,
            by: StartedBy::Orphaned,
        }
    }

    #[test]
    fn an_old_script_may_be_stopped_and_a_foreign_program_never() {
        let snapshot =
            made_up::snapshot(&[(7, 1, "python3 send.py", &[5022]), (8, 1, "node shop.js", &[5023, 5026])]);
        let wanted = [wanted(5021), wanted(5022), wanted(5023)];
        let running = [old_script(7)];
        let section = check(&facts(&snapshot, &wanted, &running));
        let found: Vec<_> =
            section.findings.iter().map(|one| (one.code, one.subject.as_str(), &one.fix)).collect();
        assert_eq!(found[0], (Code::PortTaken, "port 5022", &Fix::command("kill 7")));
        assert!(matches!(found[1], (Code::PortTaken, "port 5023", Fix::Setting { .. })));
        assert_eq!(found[2], (Code::ForeignNeighbour, "port 5026", &Fix::Nothing));
        assert_eq!(section.facts[0].value, "free");
    }

    #[test]
    fn a_running_servers_report_of_its_listeners_counts() {
        let snapshot = made_up::snapshot(&[(7, 1, "switchboard up", &[5099, 5022])]);
        let listener = |name: &str, address: &str, state| ListenerFact {
            name: name.to_owned(),
            address: address.to_owned(),
            state,
            detail: None,
            since: domain::Timestamp::default(),
        };
        let listeners = [
            listener("main", "127.0.0.1:5099", ListenerFactState::Listening),
            listener("5022", "127.0.0.1:5022", ListenerFactState::Listening),
            listener("5023", "10.9.9.9:5023", ListenerFactState::Refused),
        ];
        let answered = [
            Answered { name: "main".to_owned(), answer: Ok(Duration::from_millis(2)) },
            Answered { name: "5022".to_owned(), answer: Err("no answer".to_owned()) },
        ];
        let wanted = [wanted(5022)];
        let facts = Facts {
            listeners: Some(&listeners),
            answered: &answered,
            server: Some(7),
            ..facts(&snapshot, &wanted, &[])
        };
        let found: Vec<_> = check(&facts).findings.iter().map(|one| one.code).collect();
        assert_eq!(found, [Code::ListenerSilent, Code::PortRefused]);
    }
}

//! The program and its server: whether one runs, whether it can be talked to, and whether it is of the same version.

use domain::Timestamp;

use super::{finding, minute, span};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::report::{Area, Section, Server};

/// The server as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerState {
    Answers(Server),
    /// A process holds the data directory, or seems to, and does not describe itself.
    Deaf {
        /// Which, if that is known.
        pid: Option<u32>,
        /// What came of asking it.
        why: String,
    },
    /// No process has the data directory; whether a server ever worked there.
    Absent {
        /// Whether there is a store.
        used: bool,
    },
}

pub(crate) fn check(own: &str, state: &ServerState, data_dir: &str, now: Timestamp) -> Section {
    let mut section = Section::new(Area::Program);
    section.fact("this program", format!("version {own}"));
    section.fact("data directory", data_dir);
    match state {
        ServerState::Answers(server) => {
            let since = span(now.since(server.started_at).as_secs());
            section.fact(
                "server",
                format!(
                    "version {}, process {}, up for {since} (since {})",
                    server.version,
                    server.pid,
                    minute(server.started_at)
                ),
            );
            section.findings.extend(differs(own, server));
        }
        ServerState::Deaf { pid, why } => {
            let who = pid.map_or_else(|| "A process".to_owned(), |pid| format!("Process {pid}"));
            section.findings.push(
                finding(
                    Code::ServerDeaf,
                    Severity::Error,
                    "server",
                    format!("{who} holds the data directory and does not answer."),
                    Fix::command_and(
                        "systemctl restart switchboard",
                        "if it does not run as a service, stop it with Ctrl+C or SIGTERM and start it again",
                    ),
                )
                .shown_by([why.clone()]),
            );
        }
        ServerState::Absent { used } => section.findings.push(finding(
            Code::ServerAbsent,
            if *used { Severity::Warning } else { Severity::Note },
            "server",
            if *used {
                "No server runs on this data directory; one did before."
            } else {
                "No server has run on this data directory yet."
            },
            Fix::command_and(
                "switchboard up",
                "`switchboard service install` lets systemd run it, now and at boot, and restart it when it stops",
            ),
        )),
    }
    section
}

fn differs(own: &str, server: &Server) -> Option<Finding> {
    (own != server.version).then(|| {
        finding(
            Code::VersionDiffers,
            Severity::Warning,
            "server",
            format!("The server runs version {}, this program is version {own}.", server.version),
            Fix::command_and("systemctl restart switchboard", "the new version is used after the restart"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: &str) -> ServerState {
        ServerState::Answers(Server {
            version: version.to_owned(),
            pid: 7,
            started_at: Timestamp::from_micros(0),
            settings: String::new(),
        })
    }

    #[test]
    fn each_state_of_the_server_has_its_own_word() {
        let found = |state: &ServerState| {
            let findings = check("1.0", state, "/data", Timestamp::from_micros(60_000_000)).findings;
            findings.first().map(|finding| (finding.code, finding.severity))
        };
        assert_eq!(found(&server("1.0")), None);
        assert_eq!(found(&server("0.9")), Some((Code::VersionDiffers, Severity::Warning)));
        assert_eq!(
            found(&ServerState::Deaf { pid: Some(7), why: String::new() }),
            Some((Code::ServerDeaf, Severity::Error))
        );
        assert_eq!(found(&ServerState::Absent { used: true }), Some((Code::ServerAbsent, Severity::Warning)));
        assert_eq!(found(&ServerState::Absent { used: false }), Some((Code::ServerAbsent, Severity::Note)));
    }
}

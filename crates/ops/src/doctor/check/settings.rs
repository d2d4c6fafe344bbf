//! The settings: whether they can be read, whether the server has the same, and whether they hang together.

use std::collections::BTreeSet;

use config::Settings;
use domain::AccountName;

use super::finding;
use crate::doctor::finding::{Code, Fix, Severity};
use crate::doctor::report::{Area, Section};

/// What is known of the settings.
pub(in crate::doctor) struct Facts<'a> {
    /// The file, as it is named to people; nothing when there is none.
    pub(in crate::doctor) file: Option<&'a str>,
    /// The settings, or what is wrong with them, a line each.
    pub(in crate::doctor) settings: Result<&'a Settings, &'a [String]>,
    /// What names the settings of the running server, if one runs.
    pub(in crate::doctor) servers: Option<&'a str>,
    /// Whether the file was changed since that server was started, as far as that can be told.
    pub(in crate::doctor) changed: bool,
    /// All accounts, where the server told them; else those of the settings count.
    pub(in crate::doctor) accounts: Option<&'a [AccountName]>,
}

pub(in crate::doctor) fn check(facts: &Facts<'_>) -> Section {
    let mut section = Section::new(Area::Settings);
    section.fact("file", facts.file.unwrap_or("none; the defaults and the environment count"));
    let settings = match facts.settings {
        Ok(settings) => settings,
        Err(problems) => {
            // A server that runs has read what it found at its start; this command may only lack its environment.
            let (severity, advice) = match (facts.servers, facts.changed) {
                (None, _) => (Severity::Error, "mend each line"),
                (Some(_), true) => (Severity::Warning, "mend each line before the next restart"),
                (Some(_), false) => (
                    Severity::Note,
                    "the server has read them; to compare, run this with the environment of the service",
                ),
            };
            section.findings.push(
                finding(
                    Code::SettingsWrong,
                    severity,
                    facts.file.unwrap_or("environment"),
                    "The settings cannot be read here.",
                    Fix::command_and("switchboard settings", advice),
                )
                .shown_by(problems.iter().cloned()),
            );
            return section;
        }
    };
    if let Some(servers) = facts.servers
        && servers != fingerprint(settings)
    {
        section.findings.push(finding(
            Code::SettingsDiffer,
            Severity::Warning,
            facts.file.unwrap_or("settings"),
            "The server runs with other settings than there are now.",
            Fix::command_and(
                "systemctl restart switchboard",
                "they count from the next start on; if the server was started with another file, name it with --config",
            ),
        ));
    }
    let own: Vec<AccountName> =
        settings.telegram.accounts.iter().map(|account| account.name.clone()).collect();
    let there: BTreeSet<&AccountName> = own.iter().chain(facts.accounts.into_iter().flatten()).collect();
    for port in &settings.legacy.ports {
        let Some(account) = port.account.as_ref().filter(|account| !there.contains(account)) else {
            continue;
        };
        // Without a server, accounts that are kept in the store are not seen.
        let severity = if facts.accounts.is_some() { Severity::Error } else { Severity::Note };
        section.findings.push(finding(
            Code::PortWithoutAccount,
            severity,
            format!("port {}", port.port),
            format!("Port {} is pinned to the account {account}, which the settings do not have.", port.port),
            Fix::command_and(
                format!("switchboard account add {account}"),
                "or pin the port to another account",
            ),
        ));
    }
    section
}

/// What names settings without telling them: the same for the same settings. Secrets do not count.
pub fn fingerprint(settings: &Settings) -> String {
    use std::fmt::Write;

    use sha2::{Digest, Sha256};
    let written = toml::to_string(settings).unwrap_or_default();
    let digest = Sha256::digest(written.as_bytes());
    let mut name = String::new();
    for byte in &digest[..8] {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, text).expect("written");
        Settings::load(Some(&file), []).expect("settings")
    }

    fn codes(facts: &Facts<'_>) -> Vec<(Code, Severity)> {
        check(facts).findings.iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    #[test]
    fn settings_that_cannot_be_read_are_worse_while_no_server_runs() {
        let problems = ["line 1: lisen is unknown".to_owned()];
        let mut facts =
            Facts { file: None, settings: Err(&problems), servers: None, changed: true, accounts: None };
        assert_eq!(codes(&facts), [(Code::SettingsWrong, Severity::Error)]);
        facts.servers = Some("x");
        assert_eq!(codes(&facts), [(Code::SettingsWrong, Severity::Warning)]);
        facts.changed = false;
        assert_eq!(codes(&facts), [(Code::SettingsWrong, Severity::Note)], "the server could read them");
    }

    #[test]
    fn a_change_since_the_start_and_a_port_without_account_are_told() {
        let before = settings("listen = \"127.0.0.1:5099\"");
        let now = settings(
            "[legacy]\nports = [{ port = 5025, service = \"create_chat\", account = \"backup_1\" }]",
        );
        let (old, new) = (fingerprint(&before), fingerprint(&now));
        assert_eq!(old, fingerprint(&before.clone()));
        let mut facts =
            Facts { file: None, settings: Ok(&now), servers: Some(&old), changed: true, accounts: Some(&[]) };
        assert_eq!(
            codes(&facts),
            [(Code::SettingsDiffer, Severity::Warning), (Code::PortWithoutAccount, Severity::Error)]
        );
        let kept = ["backup_1".parse().expect("a name")];
        facts = Facts { servers: Some(&new), accounts: Some(&kept), ..facts };
        assert_eq!(codes(&facts), []);
    }
}

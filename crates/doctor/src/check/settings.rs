//! The settings: whether they can be read, whether the server has the same, and whether they hang together.

use std::collections::BTreeSet;

use config::Settings;
use domain::AccountName;

use super::{finding, minute};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::inside::ForwardedFact;
use crate::report::{Area, Section};

/// What is known of the settings.
pub(crate) struct Facts<'a> {
    /// The file, as it is named to people; nothing when there is none.
    pub(crate) file: Option<&'a str>,
    /// The settings, or what is wrong with them, a line each.
    pub(crate) settings: Result<&'a Settings, &'a [String]>,
    /// What is wrong with files of the folder `flows`, a line each.
    pub(crate) wrong_flows: &'a [String],
    /// What names the settings of the running server, if one runs.
    pub(crate) servers: Option<&'a str>,
    /// Whether the file was changed since that server was started, as far as that is known.
    pub(crate) changed: bool,
    /// All accounts, where the server reported them; else those of the settings count.
    pub(crate) accounts: Option<&'a [AccountName]>,
    /// Requests that came through a proxy which is not trusted, where a server counted them.
    pub(crate) forwarded: Option<ForwardedFact>,
}

pub(crate) fn check(facts: &Facts<'_>) -> Section {
    let mut section = Section::new(Area::Settings);
    section.fact("file", facts.file.unwrap_or("none; the defaults and the environment apply"));
    let settings = match facts.settings {
        Ok(settings) => settings,
        Err(problems) => {
            // A server that runs has read what it found at its start; this command may only lack its environment.
            let (severity, advice) = match (facts.servers, facts.changed) {
                (None, _) => (Severity::Error, "fix each line"),
                (Some(_), true) => (Severity::Warning, "fix each line before the next restart"),
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
    if !facts.wrong_flows.is_empty() {
        section.findings.push(
            finding(
                Code::FlowsWrong,
                Severity::Error,
                "flows",
                "Files of flows are wrong: they are left out at a start, and a reload changes nothing before they are right.",
                Fix::command_and("switchboard flow check", "fix each line, then: switchboard reload"),
            )
            .shown_by(facts.wrong_flows.iter().cloned()),
        );
    }
    if let Some(servers) = facts.servers
        && servers != fingerprint(settings)
    {
        section.findings.push(finding(
            Code::SettingsDiffer,
            Severity::Warning,
            facts.file.unwrap_or("settings"),
            "The server runs with settings that differ from the current ones.",
            Fix::command_and(
                "switchboard reload",
                "it applies what can be applied and lists what needs a restart; if the server was started with another file, \
                 name it with --config",
            ),
        ));
    }
    if let Some(forwarded) = facts.forwarded.filter(|forwarded| forwarded.near + forwarded.far > 0) {
        section.fact("callers named by untrusted proxies", forwarded_counts(forwarded));
        section.findings.extend(untrusted(settings, forwarded));
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

/// There is a proxy before the server, and the settings do not say so. A distant client that writes such a header is none.
fn untrusted(settings: &Settings, forwarded: ForwardedFact) -> Option<Finding> {
    (forwarded.near > 0 && settings.trusted_proxies.is_empty()).then(|| {
        finding(
            Code::ProxyUntrusted,
            Severity::Warning,
            "trusted_proxies",
            "Requests come through a proxy that the settings do not trust: all who come through it count as one caller, wrong passwords of one slow down all, and the dashboard's cookie is not limited to TLS.",
            Fix::setting(
                "trusted_proxies",
                "write the proxy's address, such as [\"127.0.0.1/32\"] for one on this machine, and restart; if you have no proxy, find out which program on this machine or in its network sends such headers",
            ),
        )
        .shown_by([forwarded_counts(forwarded)])
    })
}

fn forwarded_counts(forwarded: ForwardedFact) -> String {
    let ForwardedFact { near, far, last_at } = forwarded;
    let last = last_at.map(|at| format!(", the last at {}", minute(at))).unwrap_or_default();
    format!(
        "{near} requests from this machine or a private network, {far} from elsewhere, with X-Forwarded-For or \
         Forwarded{last}"
    )
}

/// A fingerprint of settings, which does not reveal them: the same for the same settings. Secrets do not count.
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

    fn facts_of(settings: &Settings) -> Facts<'_> {
        Facts {
            file: None,
            settings: Ok(settings),
            wrong_flows: &[],
            servers: None,
            changed: true,
            accounts: None,
            forwarded: None,
        }
    }

    fn codes(facts: &Facts<'_>) -> Vec<(Code, Severity)> {
        check(facts).findings.iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    #[test]
    fn settings_that_cannot_be_read_are_worse_while_no_server_runs() {
        let problems = ["line 1: lisen is unknown".to_owned()];
        let unread = Settings::default();
        let mut facts = Facts { settings: Err(&problems), ..facts_of(&unread) };
        assert_eq!(codes(&facts), [(Code::SettingsWrong, Severity::Error)]);
        facts.servers = Some("x");
        assert_eq!(codes(&facts), [(Code::SettingsWrong, Severity::Warning)]);
        facts.changed = false;
        assert_eq!(codes(&facts), [(Code::SettingsWrong, Severity::Note)], "the server could read them");
    }

    #[test]
    fn files_of_flows_that_are_wrong_are_named_with_their_lines() {
        let settings = Settings::default();
        let wrong = ["/etc/switchboard/flows/trip.toml:6:1: `flows[0].steqs` is not a known key".to_owned()];
        let facts = Facts { wrong_flows: &wrong, ..facts_of(&settings) };
        assert_eq!(codes(&facts), [(Code::FlowsWrong, Severity::Error)]);
        assert_eq!(check(&facts).findings[0].evidence, wrong);
    }

    #[test]
    fn changed_settings_and_ports_without_account_are_reported() {
        let before = settings("listen = \"127.0.0.1:5099\"");
        let now = settings(
            "[legacy]\nports = [{ port = 5025, service = \"create_chat\", account = \"backup_1\" }]",
        );
        let (old, new) = (fingerprint(&before), fingerprint(&now));
        assert_eq!(old, fingerprint(&before.clone()));
        let mut facts = Facts { servers: Some(&old), accounts: Some(&[]), ..facts_of(&now) };
        assert_eq!(
            codes(&facts),
            [(Code::SettingsDiffer, Severity::Warning), (Code::PortWithoutAccount, Severity::Error)]
        );
        let kept = ["backup_1".parse().expect("a name")];
        facts = Facts { servers: Some(&new), accounts: Some(&kept), ..facts };
        assert_eq!(codes(&facts), []);
    }

    #[test]
    fn a_nearby_untrusted_proxy_is_reported_a_distant_header_not() {
        let unset = settings("listen = \"127.0.0.1:5099\"");
        let set = settings("trusted_proxies = [\"127.0.0.1/32\"]");
        let judged = |settings: &Settings, near, far| {
            let forwarded = ForwardedFact { near, far, last_at: Some(domain::Timestamp::default()) };
            codes(&Facts { forwarded: Some(forwarded), ..facts_of(settings) })
        };
        assert_eq!(judged(&unset, 3, 0), [(Code::ProxyUntrusted, Severity::Warning)]);
        assert_eq!(judged(&unset, 0, 3), []);
        assert_eq!(judged(&unset, 0, 0), []);
        assert_eq!(judged(&set, 3, 3), []);
        let forwarded = ForwardedFact { near: 3, far: 1, last_at: None };
        let found = check(&Facts { forwarded: Some(forwarded), ..facts_of(&unset) }).findings.remove(0);
        assert!(found.evidence[0].starts_with("3 requests from this machine"), "{found:?}");
        assert!(matches!(&found.fix, Fix::Setting { key, .. } if key == "trusted_proxies"));
    }
}

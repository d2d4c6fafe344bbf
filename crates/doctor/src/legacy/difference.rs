//! What an old installation has and the settings have not, or differently. Pure.

use std::collections::{BTreeMap, BTreeSet};

use config::Settings;
use domain::Service;
use legacy_survey::{ScriptRecord, SessionFile, api_ids as api_ids_of};

use crate::{Code, Finding, Fix, Severity, finding};

/// Compares ports and services with the settings.
pub(super) fn ports(scripts: &[ScriptRecord<'_>], settings: &Settings) -> Vec<Finding> {
    let mut by_port: BTreeMap<u16, (BTreeSet<Service>, BTreeSet<String>)> = BTreeMap::new();
    for one in scripts.iter().filter(|one| !one.script.services.is_empty()) {
        for port in &one.ports {
            let (services, scripts) = by_port.entry(*port).or_default();
            services.extend(&one.script.services);
            scripts.extend(one.file.as_ref().map(|file| file.display().to_string()));
        }
    }
    let judge = |(port, (services, scripts)): (u16, (BTreeSet<Service>, BTreeSet<String>))| {
        let here = settings.legacy.ports.iter().find(|one| one.port == port);
        let words: Vec<&str> = services.iter().map(|service| service.as_str()).collect();
        let Some(here) = here else {
            let add =
                format!("add {{ port = {port}, service = \"{}\" }}", words.first().unwrap_or(&"create_chat"));
            let summary = format!(
                "The old scripts serve {} on port {port}, and the settings have no such port.",
                words.join(" and ")
            );
            let fix = Fix::setting("legacy.ports", add);
            return Some(
                finding(Code::PortNotTaken, Severity::Warning, format!("port {port}"), summary, fix)
                    .shown_by(scripts),
            );
        };
        if services.contains(&here.service) {
            return None;
        }
        let summary = format!(
            "On port {port} the old scripts serve {}, and the settings {}.",
            words.join(" and "),
            here.service.as_str()
        );
        let fix =
            Fix::setting("legacy.ports", format!("callers of port {port} expect {}", words.join(" and ")));
        Some(
            finding(Code::PortDiffers, Severity::Warning, format!("port {port}"), summary, fix)
                .shown_by(scripts),
        )
    };
    by_port.into_iter().filter_map(judge).collect()
}

/// Sessions that scripts name and that are nowhere.
pub(super) fn missing(scripts: &[ScriptRecord<'_>]) -> Vec<Finding> {
    let mut by_session: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for one in scripts {
        for session in &one.missing {
            let script = one.file.as_ref().map(|file| file.display().to_string());
            by_session.entry(session).or_default().extend(script);
        }
    }
    let found = |(session, scripts): (&str, BTreeSet<String>)| {
        let summary = format!("The session {session} that the old scripts name is missing.");
        let fix = Fix::advice(
            "look for the file under another name or in a backup; without it, sign in again with `switchboard account login`",
        );
        finding(Code::LegacySessionMissing, Severity::Warning, session, summary, fix).shown_by(scripts)
    };
    by_session.into_iter().map(found).collect()
}

/// Applications that scripts sign in as and that no account of the settings has.
pub(super) fn api_ids(scripts: &[ScriptRecord<'_>], settings: &Settings) -> Vec<Finding> {
    let here: BTreeSet<i32> = settings.telegram.accounts.iter().map(|account| account.api_id).collect();
    let mut unknown: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
    for one in scripts {
        for api_id in api_ids_of(one).into_iter().filter(|api_id| !here.contains(api_id)) {
            let script = one.file.as_ref().map(|file| file.display().to_string());
            unknown.entry(api_id).or_default().extend(script);
        }
    }
    let found = |(api_id, scripts): (i32, BTreeSet<String>)| {
        let summary =
            format!("The old scripts sign in as application {api_id}, which no account of the settings has.");
        let fix = Fix::setting(
            "telegram.accounts",
            format!(
                "give the account api_id = {api_id} with its api_hash: Telegram ends sessions that change their application"
            ),
        );
        finding(Code::ApiIdUnknown, Severity::Note, format!("api_id {api_id}"), summary, fix)
            .shown_by(scripts)
    };
    unknown.into_iter().map(found).collect()
}

/// Sessions that are not here yet, and files that are none.
pub(super) fn sessions(files: &[SessionFile], here: &BTreeSet<String>, import: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut waiting: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for session in files {
        let shown = session.file.display().to_string();
        match &session.key {
            Ok(key) if here.contains(key) => {}
            Ok(key) => waiting.entry(key).or_default().push(shown),
            Err(why) => found.push(
                finding(
                    Code::SessionUnreadable,
                    Severity::Note,
                    shown.clone(),
                    format!("{shown} cannot be taken over."),
                    Fix::advice("look for a better copy; without one, sign in to its account again"),
                )
                .shown_by([why.clone()]),
            ),
        }
    }
    if !waiting.is_empty() {
        let doubles = waiting.values().filter(|files| files.len() > 1).count();
        let more =
            if doubles > 0 { format!("; {doubles} of them are there more than once") } else { String::new() };
        let summary = format!("{} sessions of the old scripts are not here yet{more}.", waiting.len());
        let fix = Fix::command_and(
            import,
            "stop the old scripts first: Telegram ends a session that two programs use at once",
        );
        found.push(
            finding(Code::SessionNotTaken, Severity::Warning, "sessions", summary, fix)
                .shown_by(waiting.into_values().map(|files| files.join(", "))),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use legacy_survey::Script;

    fn record(ports: &[u16], services: &[Service]) -> ScriptRecord<'static> {
        ScriptRecord {
            file: Some("/old/x.py".into()),
            script: Script { services: services.to_vec(), ..Script::default() },
            ports: ports.to_vec(),
            unit: None,
            running: None,
            sessions: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn ports_that_the_settings_lack_or_give_to_another_service() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.toml");
        std::fs::write(&file, "[legacy]\nports = [{ port = 5021, service = \"create_chat\" }, { port = 5022, service = \"send_media\" }]").expect("written");
        let settings = Settings::load(Some(&file), []).expect("settings");
        let all = [
            record(&[5021], &[Service::CreateChat]),
            record(&[5022], &[Service::SendText]),
            record(&[5028], &[Service::LeaveChat]),
            record(&[5099], &[]),
        ];
        let found = ports(&all, &settings);
        let codes: Vec<_> = found.iter().map(|one| (one.code, one.subject.as_str())).collect();
        assert_eq!(codes, [(Code::PortDiffers, "port 5022"), (Code::PortNotTaken, "port 5028")]);
        assert!(
            matches!(&found[1].fix, Fix::Setting { advice, .. } if advice.contains("{ port = 5028, service = \"leave_chat\" }"))
        );
    }

    #[test]
    fn missing_sessions_and_unknown_applications_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.toml");
        let account =
            "[[telegram.accounts]]\nname = 'a'\napi_id = 1\napi_hash = 'b'\nsessions = [{ file = 'c' }]\n";
        std::fs::write(&file, account).expect("written");
        let settings = Settings::load(Some(&file), []).expect("settings");
        let mut one = record(&[5022], &[Service::SendText]);
        one.script.api_ids = vec![1, 9];
        one.missing = vec!["main_text.session".to_owned()];
        let unknown = api_ids(std::slice::from_ref(&one), &settings);
        assert_eq!(unknown.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["api_id 9"]);
        let gone = missing(&[one]);
        assert_eq!((gone.len(), gone[0].code), (1, Code::LegacySessionMissing));
        assert_eq!(gone[0].evidence, ["/old/x.py"]);
    }

    #[test]
    fn sessions_are_known_by_their_keys() {
        let session = |file: &str, key: Result<&str, &str>| SessionFile {
            file: file.into(),
            key: key.map(str::to_owned).map_err(str::to_owned),
            user_id: None,
            api_id: None,
        };
        let all = [
            session("/old/a", Ok("aa")),
            session("/old/b", Ok("bb")),
            session("/old/b2", Ok("bb")),
            session("/old/c", Err("empty")),
        ];
        let found =
            sessions(&all, &BTreeSet::from(["aa".to_owned()]), "switchboard account import --plan plan.toml");
        assert_eq!(
            found.iter().map(|one| one.code).collect::<Vec<_>>(),
            [Code::SessionUnreadable, Code::SessionNotTaken]
        );
        assert_eq!(found[1].evidence, ["/old/b, /old/b2"]);
    }
}

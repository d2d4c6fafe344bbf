//! The plan to take an old installation over: each session once, with what the scripts used it for. Pure.

use std::collections::BTreeSet;
use std::fmt::Write;

use domain::{AccountName, Purpose};
use telegram::import::{Plan, PlanError, PlannedAccount, PlannedSession};

use super::folder::SessionFile;
use super::table::ScriptRecord;

/// Makes the plan. Of a session in several files, the one that a script names is taken. Whose it is, Telegram is asked; an
/// account is named only where that is known here or a script says it.
pub fn plan(
    records: &[ScriptRecord<'_>],
    sessions: &[SessionFile],
    here: &BTreeSet<String>,
    account_of: impl Fn(&ScriptRecord<'_>) -> Option<AccountName>,
    accounts_here: &[AccountName],
) -> Plan {
    let mut plan = Plan::default();
    let mut taken: BTreeSet<&str> = here.iter().map(String::as_str).collect();
    let used = records.iter().flat_map(|one| one.sessions.iter().copied());
    for session in used.chain(sessions) {
        let Ok(key) = &session.key else { continue };
        if !taken.insert(key) {
            continue;
        }
        let users: Vec<&ScriptRecord<'_>> =
            records.iter().filter(|one| one.sessions.iter().any(|own| own.key.as_ref() == Ok(key))).collect();
        let purposes: BTreeSet<Purpose> = users
            .iter()
            .flat_map(|one| one.script.services.iter().map(|service| service.purpose()))
            .collect();
        let account = only(users.iter().filter_map(|one| account_of(one)));
        let api_ids = users.iter().flat_map(|one| one.script.api_ids.iter().copied());
        let api_id = session.api_id.or_else(|| only(api_ids));
        if let Some(name) = account.as_ref().filter(|name| {
            !accounts_here.contains(name) && !plan.accounts.iter().any(|planned| planned.name == **name)
        }) {
            let phone = only(users.iter().flat_map(|one| one.script.phones.iter().cloned()));
            let name = name.clone();
            plan.accounts.push(PlannedAccount { name, api_id, api_hash: None, priority: None, phone });
        }
        plan.sessions.push(PlannedSession {
            file: Some(session.file.display().to_string()),
            fingerprint: Some(key.clone()),
            account,
            purposes: purposes.into_iter().collect(),
            api_id,
            ..PlannedSession::default()
        });
    }
    plan.sessions.sort_by(|one, other| one.file.cmp(&other.file));
    plan
}

/// The plan as a file. Where an application is known, its secret is not: a line says where it goes.
///
/// # Errors
/// See [`PlanError`].
pub fn plan_text(plan: &Plan) -> Result<String, PlanError> {
    let mut text = String::new();
    for line in plan.write()?.lines() {
        text.push_str(line);
        text.push('\n');
        if let Some(number) = line.strip_prefix("api_id = ") {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# api_hash = {{ env = \"API_HASH_{number}\" }}");
        }
    }
    Ok(text)
}

fn only<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use domain::Service;

    use super::*;
    use crate::Script;

    fn session(file: &str, key: &str) -> SessionFile {
        SessionFile { file: file.into(), key: Ok(key.to_owned()), user_id: None, api_id: None }
    }

    fn record<'a>(sessions: Vec<&'a SessionFile>, services: &[Service]) -> ScriptRecord<'a> {
        ScriptRecord {
            file: None,
            script: Script { services: services.to_vec(), api_ids: vec![1_000_001], ..Script::default() },
            ports: Vec::new(),
            unit: None,
            running: None,
            sessions,
            missing: Vec::new(),
        }
    }

    #[test]
    fn each_session_is_planned_once_for_what_it_was_used_for() {
        let all = [
            session("/old/copy.session", "aa"),
            session("/old/main.session", "aa"),
            session("/old/spare.session", "bb"),
            session("/old/kept.session", "cc"),
        ];
        let users =
            [record(vec![&all[1]], &[Service::SendText]), record(vec![&all[1]], &[Service::SendMedia])];
        let here = BTreeSet::from(["cc".to_owned()]);
        let name = |name: &str| name.parse::<AccountName>().expect("a name");
        let made = plan(&users, &all, &here, |_| Some(name("main")), &[]);
        let files: Vec<_> = made.sessions.iter().filter_map(|one| one.file.as_deref()).collect();
        assert_eq!(files, ["/old/main.session", "/old/spare.session"]);
        assert_eq!(made.sessions[0].purposes, [Purpose::SendText, Purpose::SendMedia]);
        assert_eq!(
            (made.sessions[0].account.clone(), made.sessions[1].account.clone()),
            (Some(name("main")), None)
        );
        assert_eq!(made.accounts.len(), 1);
        let written = plan_text(&made).expect("written");
        assert!(written.contains("# api_hash = { env = \"API_HASH_1000001\" }"), "{written}");
        let read = Plan::read(&written, std::path::Path::new("/"), |_| None).expect("read");
        assert_eq!(read.sessions.len(), 2);
        assert!(plan(&users, &all, &here, |_| Some(name("main")), &[name("main")]).accounts.is_empty());
    }

    proptest! {
        #[test]
        fn no_key_is_planned_twice_and_none_is_lost(keys in proptest::collection::vec("[a-c]", 0..8), used in 0_usize..8) {
            let all: Vec<SessionFile> = keys.iter().enumerate().map(|(at, key)| session(&format!("/{at}"), key)).collect();
            let users = [record(all.iter().take(used).collect(), &[])];
            let made = plan(&users, &all, &BTreeSet::new(), |_| None, &[]);
            let mut planned: Vec<_> = made.sessions.iter().filter_map(|one| one.fingerprint.clone()).collect();
            planned.sort();
            let distinct: BTreeSet<String> = keys.into_iter().collect();
            prop_assert_eq!(planned, distinct.into_iter().collect::<Vec<_>>());
        }
    }
}

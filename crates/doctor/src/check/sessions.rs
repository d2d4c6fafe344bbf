//! Session files: named and missing, there and unnamed, in two files, open in two processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::AccountName;

use super::{finding, process_line, stop};
use crate::finding::{Code, Finding, Fix, Severity};
use crate::report::{Area, Section};
use legacy_survey::Running;
use machine::{Process, Snapshot};

/// A session that the settings name.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) account: AccountName,
    pub(crate) file: PathBuf,
    /// Its key's fingerprint; nothing when there is no file; else why it is no session.
    pub(crate) found: Result<Option<String>, String>,
}

/// A session file in one of the folders that were looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lying {
    pub(crate) file: PathBuf,
    /// Its key's fingerprint, if it is a session.
    pub(crate) fingerprint: Option<String>,
}

/// What is known of the sessions.
pub(crate) struct Facts<'a> {
    pub(crate) named: &'a [Named],
    pub(crate) lying: &'a [Lying],
    /// Fingerprints of the keys that the server has in its store.
    pub(crate) stored: &'a [String],
    /// How many sessions belong to no account; nothing when that is not known.
    pub(crate) ownerless: Option<u64>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) running: &'a [Running],
    pub(crate) server: Option<u32>,
}

pub(crate) fn check(facts: &Facts<'_>) -> Section {
    let mut section = Section::new(Area::Sessions);
    section.fact("named in the settings", facts.named.len().to_string());
    for named in facts.named {
        section.findings.extend(missing(named));
    }
    for lying in facts.lying {
        section.findings.extend(unnamed(lying, facts));
    }
    twice(facts, &mut section);
    for (file, pids) in &facts.snapshot.sessions {
        section.findings.extend(shared(file, pids, facts));
    }
    if let Some(ownerless) = facts.ownerless.filter(|count| *count > 0) {
        section.findings.push(finding(
            Code::SessionsOwnerless,
            Severity::Note,
            "sessions",
            format!("{ownerless} sessions belong to no account."),
            Fix::command_and(
                "switchboard account list",
                "give each to an account with `switchboard account assign`",
            ),
        ));
    }
    if facts.snapshot.hidden > 0 {
        section.lacks(format!(
            "{} processes do not show their open files to this user; run it as root to see all",
            facts.snapshot.hidden
        ));
    }
    section
}

fn missing(named: &Named) -> Option<Finding> {
    let (file, account) = (named.file.display(), &named.account);
    let (code, summary, evidence) = match &named.found {
        Ok(Some(_)) => return None,
        Ok(None) => {
            (Code::SessionMissing, format!("The session file of {account} is missing: {file}."), None)
        }
        Err(why) => (
            Code::SessionUnreadable,
            format!("The session of {account} cannot be used: {file}."),
            Some(why.clone()),
        ),
    };
    let fix = Fix::command_and(
        format!("switchboard account login {account}"),
        format!("or put the file back and run `switchboard account restart {account}`"),
    );
    Some(finding(code, Severity::Error, format!("account {account}"), summary, fix).shown_by(evidence))
}

fn unnamed(lying: &Lying, facts: &Facts<'_>) -> Option<Finding> {
    let fingerprint = lying.fingerprint.as_ref()?;
    let same = |named: &Named| {
        named.file == lying.file || named.found.as_ref().ok().and_then(Option::as_ref) == Some(fingerprint)
    };
    if facts.named.iter().any(same) || facts.stored.contains(fingerprint) {
        return None;
    }
    Some(finding(
        Code::SessionUnnamed,
        Severity::Note,
        lying.file.display().to_string(),
        format!("{} is a session that no account uses.", lying.file.display()),
        Fix::command_and(
            format!("switchboard account import {} --dry-run", quoted(&lying.file)),
            "Telegram says whose it is when it is imported",
        ),
    ))
}

fn twice(facts: &Facts<'_>, section: &mut Section) {
    let mut files: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    let named =
        facts.named.iter().filter_map(|one| Some((one.found.as_ref().ok()?.as_deref()?, one.file.as_path())));
    let lying = facts.lying.iter().filter_map(|one| Some((one.fingerprint.as_deref()?, one.file.as_path())));
    for (fingerprint, file) in named.chain(lying) {
        let list = files.entry(fingerprint).or_default();
        if !list.contains(&file) {
            list.push(file);
        }
    }
    for (fingerprint, files) in files.into_iter().filter(|(_, files)| files.len() > 1) {
        section.findings.push(
            finding(
                Code::SessionTwice,
                Severity::Note,
                format!("session {fingerprint}"),
                format!(
                    "One session is in {} files: used from two of them, Telegram ends it for good.",
                    files.len()
                ),
                Fix::advice("keep one and move the others where no program opens them"),
            )
            .shown_by(files.iter().map(|file| file.display().to_string())),
        );
    }
}

/// A session that is open in a program beside ours, or in two others. A master and its workers are one program.
fn shared(file: &Path, pids: &[u32], facts: &Facts<'_>) -> Option<Finding> {
    let mut programs: Vec<&Process> = Vec::new();
    for pid in pids {
        let Some(process) = facts.snapshot.process(*pid) else { continue };
        let of_another = pids.contains(&process.parent);
        if !of_another && Some(process.pid) != facts.server {
            programs.push(process);
        }
    }
    let fingerprint =
        facts.lying.iter().find(|one| one.file == file).and_then(|one| one.fingerprint.as_ref());
    let ours = facts.named.iter().any(|one| one.file == file)
        || fingerprint.is_some_and(|fingerprint| facts.stored.contains(fingerprint));
    let beside = usize::from(ours && facts.server.is_some());
    let at_once = programs.len() + beside > 1;
    let would_be = ours && !programs.is_empty();
    if !at_once && !would_be {
        return None;
    }
    let known = programs.iter().find_map(|process| facts.running.iter().find(|one| one.pid == process.pid));
    let all_known = programs.iter().all(|process| facts.running.iter().any(|one| one.pid == process.pid));
    let fix = match known {
        Some(script) if ours || all_known => stop(script),
        _ => Fix::advice(
            "find out what these programs are, and let only one of them use it; or give each its own session",
        ),
    };
    let severity = match (at_once, ours || known.is_some()) {
        (true, true) => Severity::Error,
        // It is only this server's too once that runs.
        (false, true) => Severity::Warning,
        (_, false) => Severity::Note,
    };
    let with = if beside > 0 { " beside this server" } else { "" };
    let summary = format!(
        "{} is open in {} program{}{with}; Telegram ends a session that two use at once.",
        file.display(),
        programs.len(),
        if programs.len() == 1 { "" } else { "s" }
    );
    Some(
        finding(Code::SessionShared, severity, file.display().to_string(), summary, fix)
            .shown_by(programs.into_iter().map(process_line)),
    )
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:@%,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::made_up;

    fn facts<'a>(snapshot: &'a Snapshot, named: &'a [Named], lying: &'a [Lying]) -> Facts<'a> {
        Facts { named, lying, stored: &[], ownerless: None, snapshot, running: &[], server: None }
    }

    fn named(file: &str, found: Result<Option<String>, String>) -> Named {
        Named { account: "main".parse().expect("a name"), file: file.into(), found }
    }

    fn lying(file: &str, fingerprint: &str) -> Lying {
        Lying { file: file.into(), fingerprint: Some(fingerprint.to_owned()) }
    }

    fn codes(facts: &Facts<'_>) -> Vec<Code> {
        check(facts).findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn named_and_present_sessions_are_compared() {
        let snapshot = Snapshot::default();
        let all = [
            named("/k/a.session", Ok(Some("aa".to_owned()))),
            named("/k/b.session", Ok(None)),
            named("/k/c.session", Err("half copied".to_owned())),
        ];
        let there =
            [lying("/k/a.session", "aa"), lying("/k/a copy.session", "aa"), lying("/k/d e.session", "dd")];
        let section = check(&facts(&snapshot, &all, &there));
        let found: Vec<Code> = section.findings.iter().map(|one| one.code).collect();
        assert_eq!(
            found,
            [Code::SessionMissing, Code::SessionUnreadable, Code::SessionUnnamed, Code::SessionTwice]
        );
        assert!(matches!(&section.findings[2].fix, Fix::Command { command, .. }
            if command == "switchboard account import '/k/d e.session' --dry-run"));
        let stored = ["dd".to_owned()];
        let mut known = facts(&snapshot, &all[..1], &there[2..]);
        known.stored = &stored;
        assert_eq!(codes(&known), []);
    }

    #[test]
    fn two_programs_on_one_session_and_one_beside_ours() {
        let mut snapshot = made_up::snapshot(&[
            (7, 1, "python3 a.py", &[]),
            (8, 7, "python3 a.py", &[]),
            (9, 1, "python3 b.py", &[]),
        ]);
        snapshot.sessions = vec![("/k/a.session".into(), vec![7, 8])];
        assert_eq!(codes(&facts(&snapshot, &[], &[])), [], "a master and its worker are one program");
        let ours = [named("/k/a.session", Ok(Some("aa".to_owned())))];
        assert_eq!(codes(&facts(&snapshot, &ours, &[])), [Code::SessionShared]);
        snapshot.sessions = vec![("/x/other.session".into(), vec![7, 9])];
        let section = check(&facts(&snapshot, &[], &[]));
        assert_eq!(
            (section.findings[0].code, section.findings[0].severity),
            (Code::SessionShared, Severity::Note)
        );
        assert!(matches!(section.findings[0].fix, Fix::Advice { .. }), "foreign programs are left alone");
        snapshot.sessions = vec![("/k/a.session".into(), vec![4711])];
        let mut own = facts(&snapshot, &ours, &[]);
        own.server = Some(4711);
        assert_eq!(codes(&own), [], "the server itself");
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/a/b-1.session")), "/a/b-1.session");
        assert_eq!(quoted(Path::new("/a/it's $x")), r"'/a/it'\''s $x'");
    }
}

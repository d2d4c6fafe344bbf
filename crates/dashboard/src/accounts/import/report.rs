//! What an import would do or did, in numbers.

use api::{ImportAnswer, ImportedSession};

/// How many sessions an import would take, where this is a dry run.
pub(crate) fn to_import(report: &ImportAnswer) -> u64 {
    count(report, &["new", "unasked", "ownerless"])
}

/// Whether there is anything to be done at all.
pub(crate) fn has_work(report: &ImportAnswer) -> bool {
    to_import(report) > 0 || !report.registries.is_empty()
}

/// How many were taken, where it was carried out.
pub(crate) fn imported(report: &ImportAnswer) -> u64 {
    count(report, &["new", "ownerless"])
}

fn count(report: &ImportAnswer, words: &[&str]) -> u64 {
    report.sessions.iter().filter(|session| words.contains(&session.what.as_str())).count() as u64
}

/// Whose a session is, as well as that is known.
pub(crate) fn whose(session: &ImportedSession) -> Option<String> {
    let public = session.username.as_ref().map(|name| format!("@{name}"));
    let id = session.user_id.map(|id| id.to_string());
    session.display_name.clone().or(public).or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn importable_sessions_are_counted() {
        let session = |what: &str| ImportedSession { what: what.to_owned(), ..ImportedSession::default() };
        let report = ImportAnswer {
            sessions: ["new", "unasked", "known", "unreadable", "ownerless"].map(session).to_vec(),
            ..ImportAnswer::default()
        };
        assert_eq!((to_import(&report), imported(&report), has_work(&report)), (3, 2, true));
        assert!(!has_work(&ImportAnswer::default()));
        let registry =
            ImportAnswer { registries: vec![api::ImportedRegistry::default()], ..ImportAnswer::default() };
        assert!(has_work(&registry));
    }
}

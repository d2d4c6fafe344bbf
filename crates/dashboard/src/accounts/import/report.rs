//! What an import would do or did, as the API tells it.

use serde::Deserialize;

/// What an import would do or did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Report {
    pub(crate) sessions: Vec<Session>,
    #[serde(default)]
    pub(crate) registries: Vec<Registry>,
    #[serde(default)]
    pub(crate) notes: Vec<String>,
}

/// A session, or a file that was meant to be one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Session {
    pub(crate) file: String,
    pub(crate) what: String,
    pub(crate) detail: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) user_id: Option<i64>,
    pub(crate) username: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) purposes: Vec<String>,
    pub(crate) peers: u64,
}

/// An old registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Registry {
    pub(crate) file: String,
    pub(crate) chats_taken: u64,
    pub(crate) chats_known: u64,
    pub(crate) chats_kept: Vec<String>,
    pub(crate) failed_requests_taken: u64,
    pub(crate) failovers_taken: u64,
    pub(crate) odd: Vec<String>,
}

impl Report {
    /// How many sessions an import would take, where this is a dry run.
    pub(crate) fn to_import(&self) -> u64 {
        self.count(&["new", "unasked", "ownerless"])
    }

    /// Whether there is anything to be done at all.
    pub(crate) fn has_work(&self) -> bool {
        self.to_import() > 0 || !self.registries.is_empty()
    }

    /// How many were taken, where it was carried out.
    pub(crate) fn imported(&self) -> u64 {
        self.count(&["new", "ownerless"])
    }

    fn count(&self, words: &[&str]) -> u64 {
        self.sessions.iter().filter(|session| words.contains(&session.what.as_str())).count() as u64
    }
}

impl Session {
    /// Whose it is, as well as that is known.
    pub(crate) fn whose(&self) -> Option<String> {
        let public = self.username.as_ref().map(|name| format!("@{name}"));
        let id = self.user_id.map(|id| id.to_string());
        self.display_name.clone().or(public).or(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_imported_is_counted() {
        let session = |what: &str| Session { what: what.to_owned(), ..Session::default() };
        let report = Report {
            sessions: ["new", "unasked", "known", "unreadable", "ownerless"].map(session).to_vec(),
            ..Report::default()
        };
        assert_eq!((report.to_import(), report.imported(), report.has_work()), (3, 2, true));
        assert!(!Report::default().has_work());
        let registry = Report { registries: vec![Registry::default()], ..Report::default() };
        assert!(registry.has_work());
    }
}

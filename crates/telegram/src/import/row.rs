//! The table that an import answers with: a row for each session, and what came of the old registry.

use domain::{AccountName, Purpose, UserId};
use serde::Serialize;

use super::planner::Subject;

/// What becomes of a session.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionOutcome {
    /// It becomes a session of an account.
    New,
    /// It is here already; it was not opened.
    Known,
    /// It is kept, and belongs to no account.
    Ownerless,
    /// It is in another file too, which is the one that counts.
    Duplicate,
    /// The account that was named is another person's.
    OtherPerson,
    /// The account has a session for that purpose.
    Taken,
    /// The account did not take it.
    Refused,
    /// No one is signed in with it any more.
    SignedOut,
    /// Another program used it at the same time; Telegram has ended it.
    #[strum(serialize = "auth_key_duplicated")]
    Duplicated,
    /// Telegram closed the account.
    Banned,
    /// Telegram did not say whose it is.
    NoAnswer,
    /// No one asked whose it is.
    Unasked,
    /// The plan says to leave it alone.
    Skipped,
    /// It cannot be read.
    Unreadable,
}

domain::enum_words!(SessionOutcome);

/// A session, or a file that was meant to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    pub file: String,
    pub what: SessionOutcome,
    pub detail: Option<String>,
    /// The first 16 hexadecimal digits of the SHA-256 of its key: what a plan file may name it by.
    pub fingerprint: Option<String>,
    pub kind: Option<String>,
    pub dc_id: Option<i32>,
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub phone: Option<String>,
    pub account: Option<AccountName>,
    pub purposes: Vec<Purpose>,
    pub peers: usize,
}

impl SessionRow {
    pub(super) fn of(subject: &Subject) -> Self {
        Self {
            file: subject.files.first().cloned().unwrap_or_default(),
            what: SessionOutcome::Unasked,
            detail: None,
            fingerprint: Some(subject.key.to_string()),
            kind: Some(subject.kind.clone()),
            dc_id: Some(subject.dc_id),
            user_id: subject.stated_user,
            username: None,
            display_name: None,
            phone: None,
            account: None,
            purposes: Vec::new(),
            peers: subject.peers,
        }
    }

    pub(super) fn unreadable(file: String, why: String) -> Self {
        Self {
            file,
            what: SessionOutcome::Unreadable,
            detail: Some(why),
            fingerprint: None,
            kind: None,
            dc_id: None,
            user_id: None,
            username: None,
            display_name: None,
            phone: None,
            account: None,
            purposes: Vec::new(),
            peers: 0,
        }
    }

    /// The row of a file that holds the same session as another one.
    pub(super) fn double(&self, file: String) -> Self {
        let detail = format!("the same session as {}", self.file);
        Self { file, purposes: Vec::new(), peers: 0, ..self.clone() }.with(SessionOutcome::Duplicate, detail)
    }

    pub(super) fn with(self, what: SessionOutcome, detail: String) -> Self {
        Self { what, detail: Some(detail), ..self }
    }
}

/// What came of an old registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RegistryReport {
    pub file: String,
    /// Chats that were taken over, those that were left included.
    pub chats_taken: usize,
    /// Chats that were here already as the registry has them.
    pub chats_known: usize,
    /// Chats about which the registry and this program differ, and how: what is here is kept. The first hundred.
    pub chats_kept: Vec<String>,
    pub chats_kept_count: usize,
    /// Names of accounts that are no one's here, and how many chats each has: those chats are bound to no account.
    pub names_unknown: Vec<UnknownName>,
    /// Failed requests that are kept now, to be looked at.
    pub failed_requests_taken: usize,
    pub failed_requests_known: usize,
    /// Failed requests that were settled in the old program, and stay there.
    pub failed_requests_settled: usize,
    /// Failed requests of services that there are none of here.
    pub failed_requests_strange: usize,
    /// Failovers of the last thirty days that are in the history now.
    pub failovers_taken: usize,
    /// Failovers that are older, were taken over before, or name no one's accounts.
    pub failovers_left: usize,
    /// Lines of the log of operations; there is no place for them here.
    pub operations_left: usize,
    /// Rows that could not be understood; the first hundred.
    pub odd: Vec<String>,
    /// Tables that the registry does not have.
    pub missing: Vec<String>,
}

/// A name that the old registry has for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownName {
    pub name: String,
    pub chats: usize,
}

/// All that came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    pub dry_run: bool,
    pub sessions: Vec<SessionRow>,
    pub registries: Vec<RegistryReport>,
    /// What was not looked at, and what else the owner should know.
    pub notes: Vec<String>,
}

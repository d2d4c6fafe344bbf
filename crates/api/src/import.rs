//! The answer to an import: a row for each session, and what came of each old registry.

use domain::{AccountName, Purpose, UserId};
use serde::{Deserialize, Serialize};
use telegram::import::{ImportProgress, ImportReport, ImportStep, RegistryReport, SessionRow, UnknownName};
use utoipa::ToSchema;

/// All that came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportAnswer {
    /// Nothing was opened or changed.
    pub dry_run: bool,
    /// Each session, and each file that was meant to be one.
    pub sessions: Vec<ImportedSession>,
    /// Each old registry.
    pub registries: Vec<ImportedRegistry>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

/// How far the import is that is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportUnderWay {
    /// Whether one is under way.
    pub running: bool,
    /// What is done now, in this order: `looking` through the files, `asking` Telegram whose the sessions are, `taking` them
    /// over, the old `registry`. Null while none is under way.
    #[schema(example = "asking")]
    pub step: Option<String>,
    /// With how many sessions this step is done.
    #[schema(example = 12)]
    pub done: usize,
    /// How many sessions were found; 0 while that is not known.
    #[schema(example = 40)]
    pub of: usize,
    /// The file whose session it is about.
    #[schema(example = "sessions/main.session")]
    pub now: Option<String>,
}

impl From<ImportProgress> for ImportUnderWay {
    fn from(progress: ImportProgress) -> Self {
        let ImportProgress { step, done, of, now } = progress;
        Self {
            running: step.is_some(),
            step: step.map(|step| ImportStep::as_str(step).to_owned()),
            done,
            of,
            now,
        }
    }
}

/// A session, or a file that was meant to be one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedSession {
    /// Where it is stored.
    pub file: String,
    /// `new`: it became a session of the account. `known`: it was here already. `ownerless`: it is kept, and belongs to no
    /// account. `duplicate`: it is in another file too. `other_person`: the account is another person's. `taken`: the
    /// account has a session for that. `refused`: the account did not take it. `signed_out`, `auth_key_duplicated`, `banned`: it
    /// is of no use any more. `no_answer`: Telegram did not report whose it is. `unasked`: no one asked. `skipped`: as planned.
    /// `unreadable`.
    #[schema(example = "new")]
    pub what: String,
    /// Why, and what to do about it.
    pub detail: Option<String>,
    /// What distinguishes its key from others.
    pub fingerprint: Option<String>,
    /// Which program wrote it.
    #[schema(example = "Telethon file, version 8")]
    pub kind: Option<String>,
    /// The data centre that knows it.
    pub dc_id: Option<i32>,
    /// Whose it is: Telegram's id of the person.
    #[schema(value_type = Option<i64>)]
    pub user_id: Option<UserId>,
    /// Their public name.
    pub username: Option<String>,
    /// The name they show.
    pub display_name: Option<String>,
    /// Their phone number, most of it hidden.
    pub phone: Option<String>,
    /// The account it goes to.
    #[schema(value_type = Option<String>)]
    pub account: Option<AccountName>,
    /// What it is for there.
    #[schema(value_type = Vec<String>)]
    pub purposes: Vec<Purpose>,
    /// How many users and chats come with it.
    pub peers: usize,
}

/// What came of an old registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedRegistry {
    /// Where it is stored.
    pub file: String,
    /// Chats that were taken over, those that were left included.
    pub chats_taken: usize,
    /// Chats that were here already as the registry has them.
    pub chats_known: usize,
    /// Chats about which the two differ; what is here is kept. The first hundred, in words.
    pub chats_kept: Vec<String>,
    /// How many those are in all.
    pub chats_kept_count: usize,
    /// Names of accounts that no one has here; their chats are bound to no account.
    pub names_unknown: Vec<NameUnknown>,
    /// Failed requests that are kept now, to be looked at.
    pub failed_requests_taken: usize,
    /// Failed requests that were taken over before.
    pub failed_requests_known: usize,
    /// Failed requests that were settled in the old program, and stay there.
    pub failed_requests_settled: usize,
    /// Failed requests of services that there are none of here.
    pub failed_requests_strange: usize,
    /// Failovers of the last thirty days that are in the history now.
    pub failovers_taken: usize,
    /// Failovers that are older, were taken over before, or name no one's accounts.
    pub failovers_left: usize,
    /// Lines of the log of operations, for which there is no place here.
    pub operations_left: usize,
    /// Rows that could not be understood; the first hundred.
    pub odd: Vec<String>,
    /// Tables that the registry does not have.
    pub missing: Vec<String>,
}

/// A name that the old registry has for an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NameUnknown {
    /// The name.
    pub name: String,
    /// How many chats go through it.
    pub chats: usize,
}

impl From<ImportReport> for ImportAnswer {
    fn from(report: ImportReport) -> Self {
        Self {
            dry_run: report.dry_run,
            sessions: report.sessions.into_iter().map(Into::into).collect(),
            registries: report.registries.into_iter().map(Into::into).collect(),
            notes: report.notes,
        }
    }
}

impl From<SessionRow> for ImportedSession {
    fn from(row: SessionRow) -> Self {
        Self {
            file: row.file,
            what: row.what.as_str().to_owned(),
            detail: row.detail,
            fingerprint: row.fingerprint,
            kind: row.kind,
            dc_id: row.dc_id,
            user_id: row.user_id,
            username: row.username,
            display_name: row.display_name,
            phone: row.phone,
            account: row.account,
            purposes: row.purposes,
            peers: row.peers,
        }
    }
}

impl From<RegistryReport> for ImportedRegistry {
    fn from(report: RegistryReport) -> Self {
        Self {
            file: report.file,
            chats_taken: report.chats_taken,
            chats_known: report.chats_known,
            chats_kept: report.chats_kept,
            chats_kept_count: report.chats_kept_count,
            names_unknown: report.names_unknown.into_iter().map(Into::into).collect(),
            failed_requests_taken: report.failed_requests_taken,
            failed_requests_known: report.failed_requests_known,
            failed_requests_settled: report.failed_requests_settled,
            failed_requests_strange: report.failed_requests_strange,
            failovers_taken: report.failovers_taken,
            failovers_left: report.failovers_left,
            operations_left: report.operations_left,
            odd: report.odd,
            missing: report.missing,
        }
    }
}

impl From<UnknownName> for NameUnknown {
    fn from(unknown: UnknownName) -> Self {
        Self { name: unknown.name, chats: unknown.chats }
    }
}

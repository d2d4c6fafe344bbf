//! The audit log: who did what, when, to what, from where, and what came of it. Never what was said.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use domain::person::UserName;
use domain::{ApiKeyId, Timestamp};

use super::statements as sql;
use crate::column::{Columns, to_json};
use crate::database::{Connection, Row, params};
use crate::paging::{Page, Paged};
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

const TABLE: &str = "audit_log";

/// Entries of what one kind of actor has done that are kept at most; the oldest go first.
const MOST_DONE: u32 = 100_000;
/// Entries of each other result of one kind of actor that are kept at most.
const MOST_OTHERS: u32 = 20_000;
/// How often that is looked after: at each of so many entries. It counts them all.
const BOUND_EVERY: i64 = 1_000;
/// The most bytes of a text of an entry.
const LONGEST: usize = 200;
/// The most details of an entry.
const MOST_DETAILS: usize = 10;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditWho {
    /// A user of the dashboard.
    User(UserName),
    /// The one who has this API key.
    ApiKey(ApiKeyId),
    /// Someone on this machine, over the control socket or on the command line.
    Machine,
    /// The program itself.
    Program,
    /// No one who is known: a sign-in with a name that there is not.
    Unidentified,
}

impl AuditWho {
    /// All kinds.
    const KINDS: [&str; 5] = ["user", "api_key", "machine", "program", "nobody"];

    /// The kind, as a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::ApiKey(_) => "api_key",
            Self::Machine => "machine",
            Self::Program => "program",
            Self::Unidentified => "nobody",
        }
    }

    /// Which of its kind, where there are several.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::User(name) => Some(name.to_string()),
            Self::ApiKey(id) => Some(id.to_string()),
            Self::Machine | Self::Program | Self::Unidentified => None,
        }
    }
}

/// What came of it.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditResult {
    /// Done, or begun.
    Done,
    /// Not done: it was wrong, or not allowed.
    Refused,
    /// Not done: something failed on our side or beyond.
    Failed,
    /// No one waited for the answer; it may have been done.
    Unknown,
}

domain::enum_words!(AuditResult);

/// What is written down of an action. Texts are cut to 200 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: AuditWho,
    /// What, as a word such as `create_key`.
    pub action: String,
    /// To what: an account, a message, a user.
    pub subject: Option<String>,
    /// More about it: only fields that are safe to show, at most ten.
    pub details: BTreeMap<String, String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// What came of it.
    pub result: AuditResult,
    /// The code of the problem, where it was not done.
    pub code: Option<String>,
}

/// An entry as stored in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place in the log; grows.
    pub number: u64,
    /// What was written down.
    pub entry: AuditEntry,
    /// How many times, when the same came again soon after.
    pub times: u64,
    /// When it came last.
    pub last_at: Timestamp,
}

/// Which entries to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this user or API key, or one of the kinds `machine`, `program`, `nobody`.
    pub who: Option<String>,
    /// This action.
    pub action: Option<String>,
    /// To this.
    pub subject: Option<String>,
    /// With this result.
    pub result: Option<AuditResult>,
    /// From this address.
    pub address: Option<IpAddr>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// The audit log's part of a store.
#[derive(Clone, Copy)]
pub struct AuditLog<'a> {
    pub(crate) store: &'a Store,
}

impl AuditLog<'_> {
    /// Writes an entry.
    pub async fn add(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.store.write(Add { entry: cut(entry), times: 1, window: None }).await
    }

    /// Writes something that came so many times, or counts it where the same was written within `window`.
    pub async fn count(&self, entry: AuditEntry, times: u64, window: Duration) -> Result<(), StoreError> {
        let times = i64::try_from(times).unwrap_or(i64::MAX);
        self.store.write(Add { entry: cut(entry), times, window: Some(window) }).await
    }

    /// Entries, the latest first, a page at a time.
    pub async fn list(&self, filter: &AuditFilter, page: &Page) -> Result<Paged<AuditRecord>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| list(connection, &filter, &page)).await
    }
}

/// Writes an entry with the change that it is about.
pub(crate) fn audit(transaction: &Transaction<'_>, entry: AuditEntry) -> Result<(), StoreError> {
    Add { entry: cut(entry), times: 1, window: None }.apply(transaction)
}

/// How many entries of a result are kept at most, of each kind of actor. Programs act all day, and a caller without rights is refused
/// as often as it likes: neither removes what people did.
const fn most(result: AuditResult) -> u32 {
    match result {
        AuditResult::Done => MOST_DONE,
        AuditResult::Refused | AuditResult::Failed | AuditResult::Unknown => MOST_OTHERS,
    }
}

fn short(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

fn cut(entry: AuditEntry) -> AuditEntry {
    let details =
        entry.details.into_iter().take(MOST_DETAILS).map(|(name, value)| (short(name), short(value)));
    AuditEntry {
        action: short(entry.action),
        subject: entry.subject.map(short),
        code: entry.code.map(short),
        details: details.collect(),
        ..entry
    }
}

fn list(
    connection: &Connection,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Paged<AuditRecord>, StoreError> {
    let before = page.after::<i64>()?.unwrap_or(i64::MAX);
    let params = params![
        before,
        filter.who,
        filter.action,
        filter.subject,
        filter.result.map(AuditResult::as_str),
        filter.address.map(|address| address.to_string()),
        filter.since.map_or(i64::MIN, Timestamp::as_micros),
        filter.until.map_or(i64::MAX, Timestamp::as_micros),
        page.rows(),
    ];
    let items = connection.all(sql::LIST_AUDIT, params, read)?;
    Ok(page.cut(items, |record| record.number.to_string()))
}

fn read(row: &Row<'_>) -> Result<AuditRecord, StoreError> {
    let columns = Columns::new(row, TABLE);
    let kind: String = columns.get(2)?;
    let who = match kind.as_str() {
        "user" => AuditWho::User(columns.parsed(3)?),
        "api_key" => AuditWho::ApiKey(columns.parsed(3)?),
        "machine" => AuditWho::Machine,
        "program" => AuditWho::Program,
        "nobody" => AuditWho::Unidentified,
        _ => return Err(columns.strange(2, "kind", kind)),
    };
    Ok(AuditRecord {
        number: columns.count(0)?,
        entry: AuditEntry {
            at: columns.time(1)?,
            who,
            action: columns.get(4)?,
            subject: columns.get(5)?,
            details: columns.json(6)?,
            address: columns.maybe_parsed(7)?,
            result: columns.word(8, "result", AuditResult::from_word)?,
            code: columns.get(9)?,
        },
        times: columns.count(10)?,
        last_at: columns.time(11)?,
    })
}

struct Add {
    entry: AuditEntry,
    times: i64,
    /// The same within this long is counted.
    window: Option<Duration>,
}

impl Write for Add {
    type Answer = ();

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let AuditEntry { at, who, action, subject, details, address, result, code } = &self.entry;
        let (who, kind, address) = (who.name(), who.kind(), address.map(|address| address.to_string()));
        let details = to_json(TABLE, details)?;
        if let Some(window) = self.window {
            let since = at.minus(window).as_micros();
            let same = params![
                self.times,
                at.as_micros(),
                action,
                since,
                kind,
                who,
                subject,
                address,
                result.as_str(),
                code,
                details,
            ];
            if transaction.execute(sql::REPEAT_AUDIT, same)? > 0 {
                return Ok(());
            }
        }
        let row = params![
            at.as_micros(),
            kind,
            who,
            action,
            subject,
            details,
            address,
            result.as_str(),
            code,
            self.times,
        ];
        transaction.run(sql::ADD_AUDIT, row)?;
        let newest = transaction.first(sql::NEWEST_AUDIT, (), |row| row.get::<i64>(0))?.unwrap_or(0);
        if newest % BOUND_EVERY == 0 {
            for kind in AuditWho::KINDS {
                for result in AuditResult::ALL {
                    bound(transaction, (kind, result), most(result))?;
                }
            }
        }
        Ok(())
    }
}

/// Keeps the newest entries of a result of one kind of actor, and removes the others.
fn bound(
    transaction: &Transaction<'_>,
    (kind, result): (&str, AuditResult),
    most: u32,
) -> Result<usize, StoreError> {
    transaction.execute(sql::BOUND_AUDIT, params![kind, result.as_str(), most])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(who: &AuditWho, result: AuditResult, number: u32) -> Add {
        let at = Timestamp::from_micros(i64::from(number));
        let entry = AuditEntry {
            at,
            who: who.clone(),
            action: "x".to_owned(),
            subject: Some(number.to_string()),
            details: BTreeMap::new(),
            address: None,
            result,
            code: None,
        };
        Add { entry, times: 1, window: None }
    }

    #[test]
    fn entries_push_out_only_those_of_their_actors_and_results() {
        let connection = Connection::migrated();
        let transaction = Transaction::new(&connection, true);
        let person = AuditWho::User("anna".parse().unwrap());
        for number in 0..3 {
            entry(&person, AuditResult::Done, number).apply(&transaction).unwrap();
        }
        for number in 3..40 {
            for who in [&person, &AuditWho::Unidentified] {
                entry(who, AuditResult::Refused, number).apply(&transaction).unwrap();
            }
            entry(&AuditWho::Program, AuditResult::Done, number).apply(&transaction).unwrap();
        }
        let bound = |who: &AuditWho, result| bound(&transaction, (who.kind(), result), 10).unwrap();
        assert_eq!(bound(&person, AuditResult::Done), 0);
        assert_eq!(bound(&AuditWho::Program, AuditResult::Done), 27);
        assert_eq!(bound(&AuditWho::Unidentified, AuditResult::Refused), 27);
        assert_eq!(bound(&AuditWho::Unidentified, AuditResult::Refused), 0);
        let page = Page { limit: 100, cursor: None };
        let of = |who: &AuditWho, result| {
            let who = who.name().unwrap_or_else(|| who.kind().to_owned());
            let filter = AuditFilter { who: Some(who), result: Some(result), ..AuditFilter::default() };
            let found = list(&connection, &filter, &page).unwrap().items;
            found.into_iter().map(|record| record.entry.subject.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of(&person, AuditResult::Done), ["2", "1", "0"]);
        assert_eq!(of(&person, AuditResult::Refused).len(), 37);
        let done = of(&AuditWho::Program, AuditResult::Done);
        assert_eq!((done.len(), done[0].as_str(), done[9].as_str()), (10, "39", "30"));
    }

    #[test]
    fn every_kind_of_actor_is_bounded() {
        let key = "key_00000000000000000000000000".parse().unwrap();
        let user = AuditWho::User("anna".parse().unwrap());
        for who in [user, AuditWho::ApiKey(key), AuditWho::Machine, AuditWho::Program, AuditWho::Unidentified]
        {
            assert!(AuditWho::KINDS.contains(&who.kind()), "{who:?}");
        }
    }
}

//! The registry of the old scripts, in our words: which of its rows can be taken over, and as what. Pure.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use domain::saga::Failover;
use domain::{AccountName, FailedRequestId, Service, Timestamp};
use session_files::{AssignmentStatus, Direction as OldDirection, Registry};
use store::{Direction, ImportedChat, ImportedFailover, ImportedRequest};

use super::row::{RegistryReport, UnknownName};

/// How long failovers are kept here: older ones are not taken over.
const HISTORY: Duration = Duration::from_hours(30 * 24);

/// How much of a request or an error is kept, in bytes.
const LONGEST: usize = 64 * 1024;

/// How many odd rows are listed one by one.
const MOST_LISTED: usize = 100;

/// The word for a request that waits for a person, in the old registry.
const PENDING: &str = "pending";

/// What the history names as the piece of work behind an old failover.
const SUBJECT: &str = "old registry";

/// The names that the old registry has for accounts, as ours.
pub(super) struct Names<'a> {
    pub(super) planned: &'a BTreeMap<String, AccountName>,
    /// The accounts there are, those included that the same import makes.
    pub(super) accounts: &'a HashSet<AccountName>,
}

impl Names<'_> {
    /// The account that an old name means: as the plan says, else the one of the same name.
    pub(super) fn of(&self, old: &str) -> Option<AccountName> {
        let same = || old.parse().ok().filter(|name| self.accounts.contains(name));
        self.planned.get(old).cloned().filter(|name| self.accounts.contains(name)).or_else(same)
    }
}

#[derive(Debug, Default)]
pub(super) struct RegistryContents {
    pub(super) chats: Vec<ImportedChat>,
    pub(super) requests: Vec<ImportedRequest>,
    pub(super) failovers: Vec<ImportedFailover>,
}

/// Goes through a registry. `id` draws the ids of failed requests.
pub(super) fn sort_out(
    file: String,
    registry: &Registry,
    names: &Names<'_>,
    now: Timestamp,
    mut id: impl FnMut() -> FailedRequestId,
) -> (RegistryContents, RegistryReport) {
    let mut report = RegistryReport {
        file,
        operations_left: registry.operations.len(),
        missing: registry.missing.iter().map(|table| table.as_str().to_owned()).collect(),
        ..RegistryReport::default()
    };
    for odd in registry.odd.iter().take(MOST_LISTED) {
        report.odd.push(format!("row {} of {}: {}", odd.number, odd.table.as_str(), odd.why));
    }
    let mut takings = RegistryContents::default();
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for assignment in &registry.assignments {
        if let AssignmentStatus::Other(word) = &assignment.status {
            let why = format!(
                "chat {} has the status {word:?}, which is neither active nor left",
                assignment.chat_id
            );
            if report.odd.len() < MOST_LISTED {
                report.odd.push(why);
            }
            continue;
        }
        let left = assignment.status == AssignmentStatus::Left;
        let account = assignment.account_name.as_deref().and_then(|old| names.of(old));
        if let (None, Some(old), false) = (&account, &assignment.account_name, left) {
            *unknown.entry(old).or_default() += 1;
        }
        takings.chats.push(ImportedChat {
            chat_id: assignment.chat_id,
            account: account.filter(|_| !left),
            title: assignment.title.clone(),
            invite_link: assignment.invite_link.clone(),
            created_at: assignment.created_at,
            left,
        });
    }
    report.names_unknown =
        unknown.into_iter().map(|(name, chats)| UnknownName { name: name.to_owned(), chats }).collect();
    for failed in &registry.failed_requests {
        if failed.status != PENDING {
            report.failed_requests_settled += 1;
            continue;
        }
        let Some(service) = failed.service.as_deref().and_then(service) else {
            report.failed_requests_strange += 1;
            continue;
        };
        takings.requests.push(ImportedRequest {
            id: id(),
            number: failed.id,
            at: failed.at.unwrap_or(Timestamp::from_micros(0)),
            service,
            direction: match failed.direction {
                OldDirection::Inbound => Direction::Inbound,
                OldDirection::Outbound => Direction::Outbound,
            },
            endpoint: cut(failed.endpoint.as_deref().unwrap_or_default()),
            payload: payload(failed.request_payload.as_deref()),
            error: cut(failed.error.as_deref().unwrap_or("the old registry does not say why")),
            retry_count: failed.retry_count,
            last_retry_at: failed.last_retry_at,
            last_retry_error: failed.last_retry_error.as_deref().map(cut),
        });
    }
    for line in &registry.failovers {
        let accounts = (
            line.from_account.as_deref().and_then(|old| names.of(old)),
            line.to_account.as_deref().and_then(|old| names.of(old)),
        );
        match (line.at, accounts) {
            (Some(at), (Some(from), Some(to))) if now.since(at) < HISTORY && at <= now => {
                let reason = line.reason.clone().unwrap_or_default();
                let failover = Failover { at, chat_id: Some(line.chat_id), from, to, reason };
                takings.failovers.push(ImportedFailover { failover, subject: SUBJECT.to_owned() });
            }
            _ => report.failovers_left += 1,
        }
    }
    (takings, report)
}

fn service(old: &str) -> Option<Service> {
    match old {
        // The invite callback was posted by the script that makes chats.
        "create_chat" | "create" | "invite_callback" | "callback" => Some(Service::CreateChat),
        "send_text" | "text" => Some(Service::SendText),
        "send_media" | "media" => Some(Service::SendMedia),
        "leave_chat" | "leave" => Some(Service::LeaveChat),
        _ => None,
    }
}

/// A body is kept as it is when it is JSON; else as a JSON text.
fn payload(old: Option<&str>) -> String {
    let Some(old) = old else { return "null".to_owned() };
    let is_json = old.len() <= LONGEST && serde_json::from_str::<serde::de::IgnoredAny>(old).is_ok();
    if is_json { old.to_owned() } else { serde_json::Value::String(cut(old)).to_string() }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

#[cfg(test)]
mod tests {
    use domain::ChatId;
    use session_files::{Assignment, FailedRequest, Failover as OldFailover};

    use super::*;

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    fn assignment(number: i64, account: &str, status: AssignmentStatus) -> Assignment {
        Assignment {
            chat_id: ChatId::channel(number).expect("an id"),
            account_name: Some(account.to_owned()),
            title: Some("Demo".to_owned()),
            invite_link: None,
            created_at: None,
            status,
        }
    }

    fn failed(id: i64, service: &str, status: &str, payload: &str) -> FailedRequest {
        FailedRequest {
            id,
            at: None,
            service: Some(service.to_owned()),
            direction: OldDirection::Inbound,
            endpoint: Some("/send_text".to_owned()),
            request_payload: Some(payload.to_owned()),
            error: None,
            status: status.to_owned(),
            retry_count: 1,
            last_retry_at: None,
            last_retry_error: None,
        }
    }

    #[test]
    fn rows_are_mapped_counted_and_listed() {
        let now = Timestamp::from_micros(100 * 24 * 3_600_000_000);
        let failover = |at: i64| OldFailover {
            at: Some(Timestamp::from_micros(at)),
            chat_id: ChatId::channel(1).expect("an id"),
            from_account: Some("old_main".to_owned()),
            to_account: Some("backup_1".to_owned()),
            reason: None,
        };
        let registry = Registry {
            assignments: vec![
                assignment(1, "old_main", AssignmentStatus::Active),
                assignment(2, "backup_1", AssignmentStatus::Active),
                assignment(3, "gone", AssignmentStatus::Active),
                assignment(4, "gone", AssignmentStatus::Left),
                assignment(5, "main", AssignmentStatus::Other("lost".to_owned())),
            ],
            failed_requests: vec![
                failed(1, "send_text", "pending", "{\"chat\":1}"),
                failed(2, "send_text", "done", "{}"),
                failed(3, "press_button", "pending", "{}"),
                failed(4, "create_chat", "pending", "no json"),
            ],
            failovers: vec![failover(now.as_micros() - 1), failover(1)],
            ..Registry::default()
        };
        let planned = BTreeMap::from([("old_main".to_owned(), name("main"))]);
        let accounts = HashSet::from([name("main"), name("backup_1")]);
        let names = Names { planned: &planned, accounts: &accounts };
        let id = || FailedRequestId::from_uuid(uuid::Uuid::nil());
        let (takings, report) = sort_out("registry.db".to_owned(), &registry, &names, now, id);
        let chats: Vec<_> = takings
            .chats
            .iter()
            .map(|chat| (chat.account.as_ref().map(AccountName::as_str), chat.left))
            .collect();
        assert_eq!(chats, [(Some("main"), false), (Some("backup_1"), false), (None, false), (None, true)]);
        assert_eq!(report.names_unknown, [UnknownName { name: "gone".to_owned(), chats: 1 }]);
        assert_eq!((report.failed_requests_settled, report.failed_requests_strange), (1, 1));
        let payloads: Vec<_> = takings.requests.iter().map(|request| request.payload.as_str()).collect();
        assert_eq!(payloads, ["{\"chat\":1}", "\"no json\""]);
        assert_eq!((takings.failovers.len(), report.failovers_left, report.odd.len()), (1, 1, 1));
    }

    #[test]
    fn a_plan_for_an_account_that_is_not_there_counts_as_none() {
        let planned = BTreeMap::from([("old".to_owned(), name("nobody"))]);
        let accounts = HashSet::from([name("main")]);
        let names = Names { planned: &planned, accounts: &accounts };
        assert_eq!((names.of("old"), names.of("main"), names.of("Main")), (None, Some(name("main")), None));
    }
}

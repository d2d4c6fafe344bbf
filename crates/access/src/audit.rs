//! Writing to the audit log, and reading it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use store::{AuditEntry, AuditFilter, AuditRecord, AuditResult, AuditWho, Page, Paged, StoreError};

use crate::Access;

/// A refusal that repeats within this long is counted, not stored again.
const WINDOW: Duration = Duration::from_hours(1);

impl Access {
    /// Writes down an action. When that does not work the action has still been done: the log of the program says it.
    /// The same that is refused again and again is counted.
    pub async fn note(&self, entry: AuditEntry) {
        let written = match entry.result {
            AuditResult::Done | AuditResult::Unknown => self.0.store.audit().add(entry.clone()).await,
            AuditResult::Refused | AuditResult::Failed => {
                self.0.store.audit().count(entry.clone(), 1, WINDOW).await
            }
        };
        if let Err(error) = written {
            tracing::warn!(
                %error, action = entry.action, subject = entry.subject, who = entry.who.kind(),
                "an action could not be written to the audit log"
            );
        }
    }

    pub async fn note_own(&self, action: &str, subject: Option<String>, result: AuditResult) {
        self.note(self.entry(AuditWho::Program, action, subject, None, result)).await;
    }

    /// Entries of the audit log, the latest first.
    pub async fn audit(&self, filter: &AuditFilter, page: &Page) -> Result<Paged<AuditRecord>, StoreError> {
        self.0.store.audit().list(filter, page).await
    }

    /// Counts something that may come a thousand times.
    pub(crate) async fn count(&self, entry: AuditEntry, times: u64) {
        if let Err(error) = self.0.store.audit().count(entry, times, WINDOW).await {
            tracing::warn!(%error, times, "wrong sign-ins could not be written to the audit log");
        }
    }

    pub(crate) fn entry(
        &self,
        who: AuditWho,
        action: &str,
        subject: Option<String>,
        address: Option<IpAddr>,
        result: AuditResult,
    ) -> AuditEntry {
        AuditEntry {
            at: self.0.clock.now(),
            who,
            action: action.to_owned(),
            subject,
            details: BTreeMap::new(),
            address,
            result,
            code: None,
        }
    }
}

//! An entry of the audit log as the API shows it.

use std::collections::BTreeMap;

use access::{AuditRecord, AuditResult, AuditWho};
use domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::v1::keys::KeyNames;
use crate::v1::words;

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditActor {
    /// `user`, `api_key`, `machine` (somebody on the server, over the control socket), `program` (by itself), `nobody`
    /// (a sign-in with a name that there is not).
    #[schema(schema_with = words::audit_kind)]
    kind: &'static str,
    /// The user's name or the key's id.
    #[schema(example = "anna")]
    name: Option<String>,
    /// The name of the key, of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "n8n")]
    key_name: Option<String>,
}

impl From<&AuditWho> for AuditActor {
    fn from(who: &AuditWho) -> Self {
        Self { kind: who.kind(), name: who.name(), key_name: None }
    }
}

/// What was done by whom. Texts that were sent, and secrets, are never in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditView {
    /// Its place in the log; grows.
    number: u64,
    /// When.
    at: Timestamp,
    /// Who.
    who: AuditActor,
    /// What: the `operationId` of the call in `/openapi.json`, or `sign_in`, `sign_out` and what people change about
    /// themselves.
    #[schema(example = "act_on_service")]
    action: String,
    /// To what.
    #[schema(example = "send_text")]
    subject: Option<String>,
    /// More about it, such as the action on a service.
    details: BTreeMap<String, String>,
    /// From which address.
    #[schema(example = "192.0.2.1")]
    address: Option<String>,
    /// What came of it.
    #[schema(schema_with = words::audit_result)]
    result: &'static str,
    /// The `code` of the problem, where it was not done.
    code: Option<String>,
    /// How many times, when the same was refused again soon after.
    times: u64,
    /// When it came last.
    last_at: Timestamp,
}

impl AuditView {
    /// The same with the name of the key that did it.
    #[must_use]
    pub(super) fn named(mut self, keys: &KeyNames) -> Self {
        self.who.key_name = self.who.name.as_deref().and_then(|id| keys.name(id));
        self
    }
}

impl From<AuditRecord> for AuditView {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord { number, entry, times, last_at } = record;
        Self {
            number,
            at: entry.at,
            who: AuditActor::from(&entry.who),
            action: entry.action,
            subject: entry.subject,
            details: entry.details,
            address: entry.address.map(|address| address.to_string()),
            result: AuditResult::as_str(entry.result),
            code: entry.code,
            times,
            last_at,
        }
    }
}

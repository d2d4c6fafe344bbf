//! An entry of the audit log.

use std::collections::BTreeMap;

use access::{AuditRecord, AuditResult, AuditWho};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// Who did something.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// `user`, `api_key`, `machine` (someone on the server, over the control socket), `program` (by itself), `nobody`
    /// (a sign-in with a name that there is not).
    #[schema(schema_with = schemas::audit_kind)]
    pub kind: String,
    /// The user's name or the key's id.
    #[schema(example = "anna")]
    pub name: Option<String>,
    /// The name of the key, of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "n8n")]
    pub key_name: Option<String>,
}

impl From<&AuditWho> for AuditActor {
    fn from(who: &AuditWho) -> Self {
        Self { kind: who.kind().to_owned(), name: who.name(), key_name: None }
    }
}

/// What was done by whom. Texts that were sent, and secrets, are never in it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the log; grows.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: AuditActor,
    /// What: the `operationId` of the call in `/openapi.json`, or `sign_in`, `sign_out` and what people change about
    /// themselves.
    #[schema(example = "act_on_service")]
    pub action: String,
    /// To what.
    #[schema(example = "send_text")]
    pub subject: Option<String>,
    /// More about it, such as the action on a service.
    pub details: BTreeMap<String, String>,
    /// From which address.
    #[schema(example = "192.0.2.1")]
    pub address: Option<String>,
    /// What came of it.
    #[schema(schema_with = schemas::audit_result)]
    pub result: String,
    /// The `code` of the problem, where it was not done.
    pub code: Option<String>,
    /// How many times, when the same was refused again soon after.
    pub times: u64,
    /// When it came last.
    pub last_at: Timestamp,
}

impl From<AuditRecord> for AuditEntry {
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
            result: AuditResult::as_str(entry.result).to_owned(),
            code: entry.code,
            times,
            last_at,
        }
    }
}

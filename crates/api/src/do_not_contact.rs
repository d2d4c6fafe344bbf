//! An entry of the do-not-contact list, and what came of adding some.

use domain::{DoNotContactId, Timestamp};
use serde::{Deserialize, Serialize};
use store::DoNotContactEntry;
use utoipa::ToSchema;

use crate::schemas;

/// A contact that is not written to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoNotContact {
    /// The id of the entry.
    #[schema(value_type = String, example = "dnc_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: DoNotContactId,
    /// What the contact is named by.
    #[schema(schema_with = schemas::contact_kind)]
    pub kind: String,
    /// The contact.
    #[schema(example = "+70000000001")]
    pub contact: String,
    /// What it refuses: `all`, messages and invitations; `advertising`, campaigns and first messages, while an answer to what the
    /// contact asks within 7 days is sent and audited; `paused`, campaigns, until a person decides.
    #[schema(schema_with = schemas::suppression)]
    pub level: String,
    /// Where the entry comes from.
    #[schema(schema_with = schemas::contact_source)]
    pub source: String,
    /// Who added it: a user, the id of an API key, or `machine`.
    #[schema(example = "anna")]
    pub added_by: String,
    /// Why.
    #[schema(example = "asked to stop")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub reason: Option<String>,
    /// When.
    pub added_at: Timestamp,
}

impl From<DoNotContactEntry> for DoNotContact {
    fn from(entry: DoNotContactEntry) -> Self {
        let DoNotContactEntry { id, contact, source, added_by, reason, added_at, level } = entry;
        Self {
            id,
            kind: contact.kind().as_str().to_owned(),
            contact: contact.to_string(),
            level: level.as_str().to_owned(),
            source: source.as_str().to_owned(),
            added_by,
            reason,
            added_at,
        }
    }
}

/// What came of adding contacts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DoNotContactAdded {
    /// How many are new on the list.
    pub added: usize,
    /// How many were on it already, or were named twice.
    pub already: usize,
    /// The new entries, as they are compared; of an import the first 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<DoNotContact>,
    /// The lines of an import that do not name one contact for certain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongLine>,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WrongLine {
    /// Its number; the first is 1.
    #[schema(example = 3)]
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

//! A target of alerts.

use alerts::TargetView;
use config::AlertTargetKind;
use domain::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// Who is notified when something stays broken; without their secrets.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertTarget {
    /// Its name.
    #[schema(example = "owner")]
    pub name: String,
    /// What it is.
    #[schema(schema_with = schemas::target_kind)]
    pub kind: AlertTargetKind,
    /// Where it is, as far as that is no secret: the chat, the host of a webhook, the mailboxes.
    #[schema(example = "https://example.com")]
    pub place: String,
    /// Whether posts are signed.
    pub signed: bool,
    /// Where it was declared: `settings`, which alone can change it then, or `store`.
    #[schema(example = "store")]
    pub source: String,
    /// When it was made, if it was made here.
    pub created_at: Option<Timestamp>,
    /// Who made it.
    #[schema(example = "anna")]
    pub created_by: Option<String>,
    /// How many notices wait for it.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Timestamp>,
    /// When it took something last.
    pub notified_at: Option<Timestamp>,
    /// When it did not, since then.
    pub failed_at: Option<Timestamp>,
    /// Why it did not.
    pub last_error: Option<String>,
    /// Since when it wants nothing more (a webhook that answered 410). A test that it takes turns it on again.
    pub off_at: Option<Timestamp>,
}

impl From<TargetView> for AlertTarget {
    fn from(target: TargetView) -> Self {
        let (created_at, created_by) = target.made.unzip();
        Self {
            name: target.name,
            kind: target.kind,
            place: target.place,
            signed: target.signed,
            source: target.origin.as_str().to_owned(),
            created_at,
            created_by,
            waiting: target.waiting,
            waiting_since: target.waiting_since,
            notified_at: target.notified_at,
            failed_at: target.failed_at,
            last_error: target.last_error,
            off_at: target.off_at,
        }
    }
}

/// What became of a test.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TargetTest {
    /// Whether the target has it already.
    pub delivered: bool,
    /// The message that is on its way to the chat.
    #[schema(value_type = Option<String>)]
    pub message: Option<MessageId>,
    /// What that message waits for, in words.
    #[schema(example = "no account can write there at the moment")]
    pub why: Option<String>,
}

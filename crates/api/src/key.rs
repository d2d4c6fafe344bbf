//! An API key.

use config::format_duration;
use domain::{ApiKeyId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Scope;
use utoipa::ToSchema;

use crate::schemas;

/// An API key; the key itself is not kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Its public id.
    #[schema(value_type = String, example = "key_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: ApiKeyId,
    /// What its owner calls it.
    #[schema(example = "n8n")]
    pub name: String,
    /// What it may: `send`, `read`, `admin` (all).
    #[schema(schema_with = schemas::scopes)]
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// How long the same body, sent without an `Idempotency-Key`, is the same message.
    #[schema(example = "10m")]
    pub repeats: Option<String>,
}

impl From<store::ApiKey> for ApiKey {
    fn from(key: store::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
            repeats: key.repeats.map(format_duration),
        }
    }
}

/// A key that was made, with the key itself: it is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeApiKey {
    #[serde(flatten)]
    pub view: ApiKey,
    /// The key. Keep it: no one can show it again.
    pub key: String,
}

//! An API key.

use std::net::IpAddr;
use std::num::NonZeroU32;

use config::format_duration;
use domain::{AccountName, ApiKeyId, ChannelName, ChatRef, Timestamp};
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
    /// What it may: `send`, `read`, `operate`, `personal` (change and erase clients), `admin` (all).
    #[schema(schema_with = schemas::scopes)]
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// How long the same body, sent without an `Idempotency-Key`, is the same message.
    #[schema(example = "10m")]
    pub repeats: Option<String>,
    /// The accounts that it is limited to; empty for none in particular.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["main"]))]
    pub accounts: Vec<AccountName>,
    /// The chats that it is limited to.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["-1001234567890"]))]
    pub chats: Vec<ChatRef>,
    /// The channels that it is limited to.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["telegram"]))]
    pub channels: Vec<ChannelName>,
    /// From when on it no longer works.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// How many requests it may make: in a second (`s`), a minute (`m`) or an hour (`h`).
    #[serde(default)]
    #[schema(example = "10/s")]
    pub rate: Option<String>,
    /// How many of them at once, where that is not those of one period.
    #[serde(default)]
    #[schema(value_type = Option<u32>, example = 20)]
    pub burst: Option<NonZeroU32>,
    /// When it was used last, to the minute.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
    /// From where it was used then.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    pub last_used_from: Option<IpAddr>,
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
            accounts: key.limits.accounts,
            chats: key.limits.chats,
            channels: key.limits.channels,
            expires_at: key.expires_at,
            rate: key.rate.map(|rate| rate.to_string()),
            burst: key.burst,
            last_used_at: key.last_used.map(|(at, _)| at),
            last_used_from: key.last_used.and_then(|(_, from)| from),
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

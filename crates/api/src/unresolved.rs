//! A chat that no account finds.

use domain::Timestamp;
use domain::outcome::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A chat that no account finds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnresolvedChat {
    /// The chat as it was asked for.
    #[schema(example = "-1001234567890")]
    pub chat_id: String,
    /// How many messages and operations ended for this.
    pub count: u64,
    /// When it was first counted.
    pub first_at: Timestamp,
    /// When it was last counted.
    pub last_at: Timestamp,
    /// What each account said the last time.
    pub accounts: Vec<AccountSaid>,
    /// Who asked, the latest first; at most 20.
    pub callers: Vec<UnresolvedCaller>,
}

/// What one account said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccountSaid {
    /// The account.
    #[schema(example = "main")]
    pub account: String,
    /// Why it does not find the chat.
    #[schema(example = "not among its dialogs")]
    pub why: String,
}

/// Someone who asked for the chat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnresolvedCaller {
    /// Where they asked: `v1`, or the number of a legacy port.
    #[schema(example = "5022")]
    pub listener: String,
    /// The API key they showed.
    #[schema(example = "key_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub api_key: Option<String>,
    /// The name of that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "n8n")]
    pub api_key_name: Option<String>,
    /// Their address.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// How many times.
    pub count: u64,
    /// When they did last.
    pub last_at: Timestamp,
}

impl From<store::UnresolvedChat> for UnresolvedChat {
    fn from(chat: store::UnresolvedChat) -> Self {
        Self {
            chat_id: chat.chat_id,
            count: chat.count,
            first_at: chat.first_at,
            last_at: chat.last_at,
            accounts: chat.accounts.into_iter().map(Into::into).collect(),
            callers: chat.callers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Refusal> for AccountSaid {
    fn from(refusal: Refusal) -> Self {
        Self { account: refusal.account.to_string(), why: refusal.why }
    }
}

impl From<store::UnresolvedCaller> for UnresolvedCaller {
    fn from(caller: store::UnresolvedCaller) -> Self {
        Self {
            listener: caller.listener,
            api_key: caller.api_key.map(|key| key.to_string()),
            api_key_name: None,
            address: caller.address.map(|address| address.to_string()),
            count: caller.count,
            last_at: caller.last_at,
        }
    }
}

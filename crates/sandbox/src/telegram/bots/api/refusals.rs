//! How the Bot API refuses: a code, a description, and what the program can go by.

use serde::Deserialize;
use serde_json::{Value, json};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) description: String,
    pub(crate) retry_after: Option<i64>,
}

/// Calls that are refused, whatever they say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TroubleOrder {
    /// As in the Bot API; none means any.
    #[serde(default)]
    pub method: Option<String>,
    pub error_code: u16,
    pub description: String,
    /// In seconds.
    #[serde(default)]
    pub retry_after: Option<i64>,
    /// How many calls; none means until the troubles are set again.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Refusal {
    pub(super) fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None }
    }

    /// 400, with the words that it begins with.
    pub(super) fn bad(what: &str) -> Self {
        Self::new(400, format!("Bad Request: {what}"))
    }

    pub(super) fn flood(seconds: i64) -> Self {
        let description = format!("Too Many Requests: retry after {seconds}");
        Self { code: 429, description, retry_after: Some(seconds) }
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let (Value::Object(fields), Some(seconds)) = (&mut body, self.retry_after) {
            fields.insert("parameters".to_owned(), json!({ "retry_after": seconds }));
        }
        body
    }
}

impl From<&TroubleOrder> for Refusal {
    fn from(order: &TroubleOrder) -> Self {
        Self {
            code: order.error_code,
            description: order.description.clone(),
            retry_after: order.retry_after,
        }
    }
}

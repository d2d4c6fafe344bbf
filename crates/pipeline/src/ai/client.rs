//! Asking a model: one call of a chat.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::endpoint::{AskError, Endpoint};
use super::message::Message;
use super::tools::ToolSet;

/// A model at an endpoint.
pub struct Chat {
    endpoint: Endpoint,
    model: String,
    temperature: Option<f64>,
    /// Whether it has no `max_tokens`, but `max_completion_tokens`, and no temperature: models that think are so.
    is_newer: AtomicBool,
}

/// How far one call may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The most tokens of its answer.
    pub tokens: u32,
    /// The longest wait, the connection included.
    pub time: Duration,
}

impl Chat {
    pub const fn new(endpoint: Endpoint, model: String, temperature: Option<f64>) -> Self {
        Self { endpoint, model, temperature, is_newer: AtomicBool::new(false) }
    }

    /// Asks.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn ask(
        &self,
        messages: &[Message],
        tools: &ToolSet,
        ceiling: Ceiling,
    ) -> Result<Answer, AskError> {
        let asking = async {
            let is_newer = self.is_newer.load(Ordering::Relaxed);
            match self.post(messages, tools, ceiling, is_newer).await {
                Err(error) if !is_newer && wants_newer(&error) => {
                    self.is_newer.store(true, Ordering::Relaxed);
                    self.post(messages, tools, ceiling, true).await
                }
                other => other,
            }
        };
        let response = self.endpoint.clock().timeout(ceiling.time, asking).await;
        let body = response.map_err(|_| AskError::Timeout(ceiling.time))??;
        answer::read(&body, tools, ceiling.tokens)
            .ok_or_else(|| AskError::Unreadable("it is no answer of a chat".to_owned()))
    }

    async fn post(
        &self,
        messages: &[Message],
        tools: &ToolSet,
        ceiling: Ceiling,
        is_newer: bool,
    ) -> Result<Vec<u8>, AskError> {
        let messages: Vec<Value> = messages.iter().map(Message::json).collect();
        let mut body = json!({ "model": self.model, "messages": messages, "tools": tools.definitions() });
        if is_newer {
            body["max_completion_tokens"] = json!(ceiling.tokens);
        } else {
            body["max_tokens"] = json!(ceiling.tokens);
            if let Some(temperature) = self.temperature {
                body["temperature"] = json!(temperature);
            }
        }
        self.endpoint.post("/chat/completions", ceiling.time, |request| request.json(&body)).await
    }
}

fn wants_newer(error: &AskError) -> bool {
    let AskError::Refused { status: 400, code, param, .. } = error else { return false };
    let is_unsupported = code.as_deref().is_some_and(|code| code.starts_with("unsupported"));
    is_unsupported && param.as_deref().is_some_and(|param| ["max_tokens", "temperature"].contains(&param))
}

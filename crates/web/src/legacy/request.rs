//! A call as it arrives: who it is from, its key, its body, and how it is known again.

use axum::extract::Request;
use bytes::Bytes;
use domain::saga::Task;
use domain::{AccountName, ApiKeyId, ChatRef};
use http::StatusCode;
use serde_json::Value;
use store::{Idempotency, Join, Keep, Origin, Scope};

use super::Gate;
use super::access::{Aim, Guest, admit};
use super::answer::Answer;
use crate::extract::read_body;
use crate::fingerprint::Fingerprint;
use crate::idempotency;
use crate::problem::Problem;

/// A body larger than this is not kept for a retry by hand, in bytes.
const LONGEST_STORED: usize = 64 * 1024;

/// A call that was let in.
pub(super) struct Arrived {
    guest: Guest,
    key: Option<String>,
    pub(super) body: Bytes,
}

/// How a call is known again.
pub(super) struct Marks {
    /// By its key; without one by its body, where repeats are joined.
    pub(super) idempotency: Option<Idempotency>,
    /// By its body, if it has no key and its caller got no answer.
    pub(super) join: Option<Join>,
}

impl Arrived {
    pub(super) async fn read(gate: &Gate, request: Request) -> Result<Self, Answer> {
        let (parts, body) = request.into_parts();
        let guest = admit(gate, &parts, Aim::Send).await?;
        let key = idempotency::key(&parts.headers)
            .map_err(|error| Answer::error(StatusCode::BAD_REQUEST, error.to_string()))?
            .map(ToOwned::to_owned);
        let body = read_body(&parts.headers, body, &gate.state.limits()).await.map_err(Problem::from)?;
        Ok(Self { guest, key, body })
    }

    pub(super) fn origin(&self, gate: &Gate) -> Origin {
        Origin { listener: gate.name.to_string(), api_key: self.api_key(), address: self.guest.address }
    }

    fn api_key(&self) -> Option<ApiKeyId> {
        self.guest.key.as_ref().map(|key| key.id)
    }

    /// Whether answers may show it what people wrote and are called. A caller without any key sees what the old gateway showed.
    pub(super) fn may_read(&self) -> bool {
        self.guest.key.as_ref().is_none_or(|key| key.may(Scope::Read))
    }

    /// The account of the port; or the one that the key is limited to. It may be asked for this chat.
    pub(super) fn pin(&self, gate: &Gate, chat: &ChatRef) -> Result<Option<AccountName>, Problem> {
        let port = gate.port.account.clone();
        let Some(key) = &self.guest.key else { return Ok(port) };
        key.chat(&gate.state, "chat", chat)?;
        key.pin(port)
    }

    /// The same, where work on a chat is asked for.
    pub(super) fn pin_task(&self, gate: &Gate, task: &Task) -> Result<Option<AccountName>, Problem> {
        let port = gate.port.account.clone();
        let Some(key) = &self.guest.key else { return Ok(port) };
        key.task(&gate.state, task)?;
        key.pin(port)
    }

    pub(super) fn marks(&self, gate: &Gate, body: &Value) -> Marks {
        let path = gate.path();
        let repeats = gate.port.repeats.or(self.guest.key.as_ref().and_then(|key| key.repeats));
        let scope = idempotency::Scope { api_key: self.api_key(), repeats, listener: &gate.name, path };
        let idempotency = idempotency::idempotency(self.key.as_deref(), &scope, body);
        // A key says which calls are the same; without one a call that got no answer is known again by its body.
        let join = self.key.is_none().then(|| Join {
            fingerprint: Fingerprint::default().text(&gate.name).text(path).json_without(body, &[]).finish(),
            repeats: gate.state.options().legacy.join_repeats,
        });
        Marks { idempotency, join }
    }

    /// What is kept of it for a retry by hand, should it fail.
    pub(super) fn keep(gate: &Gate, body: &Value) -> Keep {
        let payload = match body.to_string() {
            payload if payload.len() <= LONGEST_STORED => payload,
            long => Value::from(format!("a body of {} bytes was not kept", long.len())).to_string(),
        };
        Keep { service: gate.port.service, endpoint: gate.path().to_owned(), payload }
    }
}

//! The audit log over every call that changes something or takes away what is secret: who, what, to what, from where, and what
//! came of it.
//!
//! Bodies are never read for it. What a call is about comes from its path, and from what its handler says is safe.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use access::{AuditEntry, AuditResult, AuditWho};
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use http::header::LOCATION;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::auth::Witness;
use crate::problem::{Code, shorten};
use crate::state::State;

/// Calls that are no one's decision: they come with reading and writing in a chat, or with writing a flow.
const NEVER: [&str; 6] =
    ["mark_read", "show_typing", "check_flows", "simulate_flow", "see_conversation", "show_who_writes"];
/// Calls that programs make all day, which have histories of their own. A person's are written down.
const BY_PEOPLE_ONLY: [&str; 6] =
    ["send_message", "upload_file", "delete_upload", "answer_turn", "hand_in", "begin_conversation"];
/// Calls that only look, with which something leaves that is to be looked for when it turns up elsewhere.
const TAKES_AWAY: [&str; 3] = ["download_backup", "export_do_not_contact", "export_client"];

/// The names of all calls of the API, by method and template of the path.
static OPERATIONS: LazyLock<HashMap<(Method, String), String>> = LazyLock::new(|| {
    let mut found = HashMap::new();
    for (path, method, operation) in crate::router::calls() {
        if let Some(id) = operation.operation_id.clone() {
            found.insert((method, path.to_owned()), id);
        }
    }
    found
});

/// The name of the call that a request makes, if it is one of the API.
pub(crate) fn operation(parts: &http::request::Parts) -> Option<&'static str> {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    OPERATIONS.get(&(parts.method.clone(), path.to_owned())).map(String::as_str)
}

/// What a handler says an entry is about; goes with its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audited {
    subject: Option<String>,
    details: BTreeMap<String, String>,
}

impl Audited {
    pub(crate) fn about(subject: &impl ToString) -> Self {
        Self { subject: Some(subject.to_string()), details: BTreeMap::new() }
    }

    /// With a detail that is safe to show.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn of(self, mut answer: Response) -> Response {
        answer.extensions_mut().insert(self);
        answer
    }
}

/// Whether a call is written down.
fn is_written(method: &Method, operation: &str, person: bool) -> bool {
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    (changes || TAKES_AWAY.contains(&operation))
        && !NEVER.contains(&operation)
        && (person || !BY_PEOPLE_ONLY.contains(&operation))
}

fn result(status: StatusCode) -> AuditResult {
    match status.as_u16() {
        0..=399 => AuditResult::Done,
        400..=499 => AuditResult::Refused,
        _ => AuditResult::Failed,
    }
}

/// Whether this was refused for who asked, whatever they asked for. What they named is not written down then: no one looked
/// whether there is such a thing, and a caller without rights would make an entry of each name that they think of.
const fn is_at_the_door(code: Code) -> bool {
    matches!(code, Code::ForbiddenRole | Code::ForbiddenScope | Code::KeyLimited)
}

/// An entry that is not written yet. When the caller hangs up it is dropped with the request, and written then.
struct Open {
    state: State,
    witness: Witness,
    method: Method,
    operation: String,
    subject: Option<String>,
    details: BTreeMap<String, String>,
    over: bool,
}

impl Open {
    fn entry(&self, result: AuditResult, code: Option<&str>) -> Option<AuditEntry> {
        let caller = self.witness.caller()?;
        let who = match (&caller.user, caller.api_key) {
            (Some(user), _) => AuditWho::User(user.clone()),
            (None, Some(key)) => AuditWho::ApiKey(key),
            (None, None) => AuditWho::Machine,
        };
        is_written(&self.method, &self.operation, caller.user.is_some()).then(|| AuditEntry {
            at: self.state.clock().now(),
            who,
            action: self.operation.clone(),
            subject: self.subject.clone(),
            details: self.details.clone(),
            address: caller.address,
            result,
            code: code.map(str::to_owned),
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if let Some(entry) = self.entry(AuditResult::Unknown, None) {
            let state = self.state.clone();
            ambient::spawn_detached(self.state.tasks(), async move { state.access().note(entry).await });
        }
    }
}

/// Writes down each call that changes something or takes it away, with its answer.
pub(crate) async fn watch(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(operation) = OPERATIONS.get(&(request.method().clone(), path.to_owned())) else {
        return next.run(request).await;
    };
    if !is_written(request.method(), operation, true) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let (subject, details) = named(&mut parts, &state).await;
    let witness = Witness::default();
    parts.extensions.insert(witness.clone());
    let mut open = Open {
        state,
        witness,
        method: parts.method.clone(),
        operation: operation.clone(),
        subject,
        details,
        over: false,
    };
    let mut answer = next.run(Request::from_parts(parts, body)).await;
    open.over = true;
    if let Some(audited) = answer.extensions_mut().remove::<Audited>() {
        open.subject = audited.subject.or(open.subject.take());
        open.details.extend(audited.details);
    }
    if open.subject.is_none() {
        open.subject = made(&answer);
    }
    let code = answer.extensions().get::<Code>().copied();
    if code.is_some_and(is_at_the_door) {
        open.subject = None;
        open.details.clear();
    }
    if let Some(entry) = open.entry(result(answer.status()), code.map(Code::as_str)) {
        open.state.access().note(entry).await;
    }
    answer
}

/// What the path names: the first is what it is about, the others are more about it.
async fn named(
    parts: &mut http::request::Parts,
    state: &State,
) -> (Option<String>, BTreeMap<String, String>) {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, state).await else {
        return (None, BTreeMap::new());
    };
    let mut named = parameters.iter().map(|(name, value)| (name.to_owned(), shorten(value)));
    (named.next().map(|(_, value)| value), named.collect())
}

/// What was made, if the answer says where it is.
fn made(answer: &Response) -> Option<String> {
    let path = answer.headers().get(LOCATION)?.to_str().ok()?;
    let last = path.rsplit('/').next()?;
    Some(shorten(&percent_decode_str(last).decode_utf8_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_traffic_is_not_audited_and_user_actions_are() {
        for (method, operation, key, person) in [
            (Method::POST, "send_message", false, true),
            (Method::POST, "upload_file", false, true),
            (Method::POST, "show_typing", false, false),
            (Method::POST, "create_key", true, true),
            (Method::DELETE, "leave_chat", true, true),
            (Method::GET, "list_keys", false, false),
            (Method::GET, "download_backup", true, true),
        ] {
            assert_eq!(is_written(&method, operation, false), key, "{operation}");
            assert_eq!(is_written(&method, operation, true), person, "{operation}");
        }
    }
}

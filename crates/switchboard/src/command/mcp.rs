//! `switchboard mcp`: the Model Context Protocol over standard input and output, for assistants that start a program.
//!
//! Each line is handed to `/mcp` of a running server, which does all of it; what it answers is a line.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use outbound::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use outbound::{Client, NamedBy, SendError, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use crate::control;
use crate::location::{Location, environment};
use crate::output::line;

/// The key for `--url`, where no file has it.
const KEY: &str = "SWITCHBOARD_API_KEY";
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_mins(3);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(20);
/// The longest line; the setting `limits.body` of the server may be less.
const LONGEST_LINE: usize = 4 * 1024 * 1024;
/// The largest answer that is read; a larger one is cut off, and is no JSON then.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// How many lines are answered at a time; more wait until one is.
const AT_A_TIME: usize = 32;

/// What JSON-RPC calls a line that is not JSON.
const PARSE_ERROR: i64 = -32700;
/// An error of this program, among those that JSON-RPC leaves to servers.
const NO_ANSWER: i64 = -32000;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Mcp {
    /// The address of a server elsewhere [default: the server of the data directory, with all rights]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file with the API key for --url [default: the variable `SWITCHBOARD_API_KEY`]
    #[arg(long, value_name = "FILE", requires = "url")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    location: Location,
}

impl Mcp {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let server = Arc::new(self.server().await?);
        let input = std::io::stdin().as_fd().try_clone_to_owned().context("the standard input")?;
        let input = tokio::fs::File::from_std(input.into());
        let mut lines = FramedRead::new(input, LinesCodec::new_with_max_length(LONGEST_LINE));
        let (mut tasks, mut running) = (JoinSet::new(), HashMap::<String, AbortHandle>::new());
        let room = Arc::new(Semaphore::new(AT_A_TIME));
        loop {
            let text = tokio::select! {
                text = lines.next() => text,
                Some(ended) = tasks.join_next() => {
                    if let Ok(Some(id)) = ended {
                        running.remove(&id);
                    }
                    continue;
                }
            };
            let message = match text {
                None => break,
                Some(Ok(text)) if text.trim().is_empty() => continue,
                Some(Ok(text)) => serde_json::from_str::<Value>(&text).map_err(|_| "The line is not JSON."),
                Some(Err(LinesCodecError::MaxLineLengthExceeded)) => Err("The line is too long."),
                Some(Err(LinesCodecError::Io(error))) => return Err(error).context("the standard input"),
            };
            let message = match message {
                Ok(message) => message,
                Err(problem) => {
                    answer(&refusal(&Value::Null, PARSE_ERROR, problem, None));
                    continue;
                }
            };
            if let Some(cancelled) = cancelled(&message) {
                // The connection ends with the task, by which the server knows.
                if let Some(task) = running.remove(&cancelled) {
                    task.abort();
                }
                continue;
            }
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
            let (server, id) = (Arc::clone(&server), message.get("id").map(ToString::to_string));
            let key = id.clone();
            let task = tasks.spawn(async move {
                let _permit = permit;
                if let Some(reply) = server.hand_on(&message).await {
                    answer(&reply);
                }
                key
            });
            if let Some(id) = id {
                running.insert(id, task);
            }
        }
        // Each has its own limit.
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    async fn server(&self) -> anyhow::Result<Server> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let (builder, url) = if let Some(url) = &self.url {
            headers.insert(AUTHORIZATION, self.key()?);
            (
                Client::builder(NamedBy::Settings(url.clone())),
                format!("{}/mcp", url.trim_end_matches('/').trim_end_matches("/mcp")),
            )
        } else {
            let data_dir = self.location.data_dir()?;
            control::running(&data_dir).await?;
            let url = "http://localhost/mcp".to_owned();
            let builder = Client::builder(NamedBy::Settings(url.clone()));
            (builder.unix_socket(data_dir.join("control.sock")), url)
        };
        let builder = builder.connect_timeout(CONNECT).timeout(TIMEOUT).headers(headers);
        let http = builder.build().context("no connection can be made")?;
        Ok(Server { http, url })
    }

    /// The key as a header.
    fn key(&self) -> anyhow::Result<HeaderValue> {
        let key = match &self.key_file {
            Some(file) => {
                std::fs::read_to_string(file).with_context(|| format!("the key file {}", file.display()))?
            }
            None => {
                environment().find_map(|(name, value)| (name == KEY).then_some(value)).unwrap_or_default()
            }
        };
        if key.trim().is_empty() {
            bail!(
                "--url needs an API key: put it into the variable {KEY}, or into a file that --key-file names"
            );
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {}", key.trim()))
            .ok()
            .context("the API key has characters that no key has")?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// A running server.
struct Server {
    http: Client,
    url: String,
}

impl Server {
    /// What the server answers to a message; nothing to a notification.
    async fn hand_on(&self, message: &Value) -> Option<Value> {
        let id = message.get("id");
        let refused = |text: &str, data: Option<Value>| id.map(|id| refusal(id, NO_ANSWER, text, data));
        let (status, body) = match self.post(message).await {
            Ok(answer) => answer,
            Err(error) => return refused(&unreachable(&error), None),
        };
        if body.is_empty() && status.is_success() {
            return None;
        }
        match serde_json::from_slice::<Value>(&body) {
            Ok(reply) if reply.get("jsonrpc").is_some() => Some(reply),
            Ok(problem) => {
                let detail = problem["detail"].as_str().unwrap_or("The server refused.").to_owned();
                refused(&detail, Some(problem))
            }
            Err(_) => refused(&format!("The server answered {status}: {}", beginning(&body)), None),
        }
    }

    /// An answer, of which no more is read than one may have.
    async fn post(&self, message: &Value) -> Result<(StatusCode, Vec<u8>), SendError> {
        let request = self.http.post(&self.url).headers(headers(message)).json(message);
        let mut answer = self.http.send(request).await?;
        let mut body = Vec::new();
        while body.len() <= LARGEST_ANSWER
            && let Some(piece) = answer.chunk().await?
        {
            body.extend_from_slice(&piece);
        }
        Ok((answer.status(), body))
    }
}

/// Why there was no answer, without the address, which may have a name and a password.
fn unreachable(error: &SendError) -> String {
    if error.is_timeout() {
        return "The server did not answer in time.".to_owned();
    }
    format!("The server cannot be reached: {error}. Is it running? `switchboard up` starts one.")
}

/// The beginning of an answer that is no JSON, or that is cut off.
fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}

fn answer(message: &Value) {
    line(format_args!("{message}"));
}

fn refusal(id: &Value, code: i64, message: &str, data: Option<Value>) -> Value {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data;
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

/// The id of the request that a message cancels.
fn cancelled(message: &Value) -> Option<String> {
    (message["method"] == "notifications/cancelled")
        .then(|| message["params"].get("requestId").map(ToString::to_string))
        .flatten()
}

/// The headers that the protocol wants over HTTP of messages that say their version, as they do since 2026-07-28.
fn headers(message: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let params = &message["params"];
    let Some(version) = params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str() else {
        return headers;
    };
    let named = match message["method"].as_str() {
        Some("tools/call" | "prompts/get") => params["name"].as_str(),
        Some("resources/read" | "resources/subscribe" | "resources/unsubscribe") => params["uri"].as_str(),
        _ => None,
    };
    let values = [
        ("mcp-protocol-version", Some(version)),
        ("mcp-method", message["method"].as_str()),
        ("mcp-name", named),
    ];
    for (name, value) in values {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&fit(value)).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// A value as a header carries it: what is not plain goes as base64.
fn fit(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && value.trim() == value
        && !(value.starts_with("=?base64?") && value.ends_with("?="));
    if is_plain { value.to_owned() } else { format!("=?base64?{}?=", BASE64_STANDARD.encode(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(message: &Value) -> Vec<(String, String)> {
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        headers(message).iter().map(pair).collect()
    }

    #[test]
    fn a_message_that_says_its_version_gets_its_headers() {
        let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
        let call = json!({ "method": "tools/call", "params": { "name": "list_chats", "_meta": meta } });
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let common = |method: &str| vec![of("mcp-protocol-version", "2026-07-28"), of("mcp-method", method)];
        assert_eq!(named(&call), [common("tools/call"), vec![of("mcp-name", "list_chats")]].concat());
        let list = json!({ "method": "tools/list", "params": { "_meta": meta } });
        assert_eq!(named(&list), common("tools/list"));
        let read = json!({ "method": "resources/read", "params": { "uri": "switchboard://chats/@имя", "_meta": meta } });
        assert!(named(&read)[2].1.starts_with("=?base64?"), "{:?}", named(&read));
        assert_eq!(named(&json!({ "method": "initialize", "params": {} })), []);
    }

    #[test]
    fn a_cancelled_request_is_known_by_its_id() {
        let cancels = |id: Value| {
            cancelled(&json!({ "method": "notifications/cancelled", "params": { "requestId": id } }))
        };
        assert_eq!(cancels(json!(7)).as_deref(), Some("7"));
        assert_eq!(cancels(json!("7")).as_deref(), Some("\"7\""));
        assert_eq!(cancelled(&json!({ "method": "notifications/initialized" })), None);
    }
}

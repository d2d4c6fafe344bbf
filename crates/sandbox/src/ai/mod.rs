//! A pretend endpoint of OpenAI's API: chats, transcriptions, models. What it answers is made from the request, so that a test sees
//! what was asked.
//!
//! A chat is answered with a sentence that quotes the last message of the user; of a message whose lines are JSON objects, each `text` in
//! them. Where the user's words ask for a tool that the request offers, the tool is called instead:
//!
//! | words | tool |
//! |---|---|
//! | `call NAME {…}` | the one of this name with these arguments, offered or not: a model that can be talked into anything |
//! | operator, human, оператор, человек | the one with `hand` in its name |
//! | close, закр… | the one with `close` in its name |
//! | my name is X, меня зовут X, model X, модель X, +7…, a@b | the one with `field` in its name |
//! | anything else | the one with `reply` in its name; without one there is plain text |
//!
//! Arguments are filled as the tool's schema has them: a text with the sentence, a number (the confidence) with 0.9, or 0.2 after the
//! words `not sure` or `не уверен`, a list with the first word of its `enum`, or with nothing after `no source` or `без источника`. Once
//! a tool has answered, the sentence comes.
//!
//! A token is four bytes of UTF-8, rounded up; each message is three more, and tools are as many as their JSON.
//!
//! A voice is heard as the text that its bytes are, if they are one; any other says how many bytes it has.

mod chat;
mod refusal;
mod saying;
mod transcription;

use serde_json::{Value, json};

use crate::channels::{ChannelEffect, ChannelFault, Reply, Request};
use refusal::Refusal;

/// Its name on the fault dial and in the ledger.
pub(crate) const PROVIDER: &str = "ai";
/// Below which path of the control port it is.
pub(crate) const BASE: &str = "/ai/v1";
const KEY: &str = "planted-ai-key";
/// In seconds since 1970, as the models say it of themselves.
const MADE: i64 = 1_760_000_000;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Chat,
    /// Chats too, but without `max_tokens` and `temperature`.
    Reasoning,
    Transcription,
}

const MODELS: [(&str, Purpose); 3] = [
    ("demo-chat", Purpose::Chat),
    ("demo-reasoner", Purpose::Reasoning),
    ("demo-whisper", Purpose::Transcription),
];

/// Where the endpoint is, and what it takes.
#[derive(Debug, Clone)]
pub struct AiEndpoint {
    /// Its address, without a slash at its end.
    pub base: String,
    /// The bearer key.
    pub key: &'static str,
    /// A model that chats.
    pub model: &'static str,
    /// A model that chats, and takes `max_completion_tokens` alone.
    pub reasoning_model: &'static str,
    /// A model that hears.
    pub transcription_model: &'static str,
}

impl AiEndpoint {
    pub(crate) fn at(control: std::net::SocketAddr) -> Self {
        let [(model, _), (reasoning_model, _), (transcription_model, _)] = MODELS;
        Self {
            base: format!("http://{control}{BASE}"),
            key: KEY,
            model,
            reasoning_model,
            transcription_model,
        }
    }
}

/// An answer, and what it did.
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    /// Of a stream: the events, one after the other, in the place of the reply's body.
    pub(crate) events: Vec<String>,
    pub(crate) effect: Option<ChannelEffect>,
}

impl Answered {
    fn plain(reply: Reply) -> Self {
        Self { reply, events: Vec::new(), effect: None }
    }
}

/// Answers a call, whose path is below [`BASE`]. `fault` is one of what the model says.
pub(crate) fn answer(request: &Request, seconds: i64, fault: Option<ChannelFault>) -> Answered {
    routed(request, seconds, fault).unwrap_or_else(|refusal| Answered::plain(refusal.reply()))
}

/// The answer when there are too many calls.
pub(crate) fn too_many(seconds: u64) -> Reply {
    let mut reply = Refusal::too_many(seconds).reply();
    reply.headers.push(("retry-after", seconds.to_string()));
    reply
}

/// The answer of a server that fails, with a body of its own where there is one.
pub(crate) fn failure(status: u16, body: Option<String>) -> Reply {
    body.map_or_else(|| Refusal::server_error(status).reply(), |body| Reply::text(status, body))
}

fn routed(request: &Request, seconds: i64, fault: Option<ChannelFault>) -> Result<Answered, Refusal> {
    match request.header("authorization").map(|value| value.strip_prefix("Bearer ")) {
        Some(Some(KEY)) => {}
        Some(Some(_)) => return Err(Refusal::wrong_key()),
        None | Some(None) => return Err(Refusal::no_key()),
    }
    let (method, path) = (request.method.as_str(), request.path.as_str());
    match (method, path) {
        ("POST", "/chat/completions") => chat::answer(request, seconds, fault),
        ("POST", "/audio/transcriptions") => transcription::answer(request, fault),
        ("GET", "/models") => {
            let all: Vec<Value> = MODELS.iter().map(|(name, _)| shown(name)).collect();
            Ok(Answered::plain(Reply::json(200, &json!({ "object": "list", "data": all }))))
        }
        (_, "/chat/completions" | "/audio/transcriptions" | "/models") => {
            Err(Refusal::wrong_method(method, path))
        }
        ("GET", _) if let Some(name) = path.strip_prefix("/models/") => {
            let found = MODELS.iter().find(|(known, _)| *known == name);
            let (name, _) = found.ok_or_else(|| Refusal::no_model(name))?;
            Ok(Answered::plain(Reply::json(200, &shown(name))))
        }
        _ => Err(Refusal::no_path(method, path)),
    }
}

fn shown(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": MADE, "owned_by": "demo" })
}

/// The model of this name, if it is for this.
fn model(name: &str, fits: impl Fn(Purpose) -> bool) -> Result<Purpose, Refusal> {
    let found = MODELS.iter().find(|(known, _)| *known == name);
    let (_, purpose) = found.ok_or_else(|| Refusal::no_model(name))?;
    if fits(*purpose) { Ok(*purpose) } else { Err(Refusal::wrong_model(name)) }
}

#[cfg(test)]
mod tests;

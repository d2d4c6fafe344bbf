//! Chats: what a request must have, and the answer to it, in one piece or as a stream of events.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::saying::{ModelOutput, say};
use super::{Answered, PROVIDER, Purpose, model};
use crate::channels::{ChannelEffect, ChannelFault, Reply, Request};

/// The most tokens of an answer.
const MOST_COMPLETION: u64 = 16_384;
/// The most tokens of a request and its answer.
const CONTEXT: u64 = 128_000;
/// The tokens of a message beside its text.
const PER_MESSAGE: u64 = 3;
/// What an answer costs that is far over any budget.
const HUGE: u64 = 100_000_000;
/// The most choices of one answer.
const MOST_CHOICES: u64 = 128;

const ROLES: [&str; 6] = ["system", "assistant", "user", "function", "tool", "developer"];
const PARAMETERS: [&str; 31] = [
    "model",
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "n",
    "stop",
    "stream",
    "stream_options",
    "response_format",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "metadata",
    "store",
    "reasoning_effort",
    "verbosity",
    "service_tier",
    "modalities",
    "prediction",
    "web_search_options",
];

/// A request, read.
pub(super) struct ChatRequest {
    pub(super) messages: Vec<Turn>,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: Choice,
    /// The schema that the answer's text must have.
    pub(super) format: Option<Value>,
}

/// A message.
pub(super) struct Turn {
    pub(super) role: String,
    pub(super) text: String,
}

/// A tool that is offered.
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) schema: Value,
}

/// Whether a tool is called.
pub(super) enum Choice {
    None,
    Auto,
    Required,
    Named(String),
}

/// The tokens of a text.
fn tokens(text: &str) -> u64 {
    text.len().div_ceil(4) as u64
}

pub(super) fn answer(
    request: &Request,
    seconds: i64,
    fault: Option<ChannelFault>,
) -> Result<Answered, Refusal> {
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::whole("We could not parse the JSON body of your request."))?;
    let body = body.as_object().ok_or_else(|| Refusal::whole("The body must be a JSON object."))?;
    let name = match body.get("model") {
        None | Some(Value::Null) => return Err(Refusal::whole("you must provide a model parameter")),
        Some(Value::String(name)) => name,
        Some(_) => return Err(Refusal::kind("model", "a string")),
    };
    let purpose = model(name, |purpose| purpose != Purpose::Transcription)?;
    if let Some(unknown) = body.keys().find(|key| !PARAMETERS.contains(&key.as_str())) {
        return Err(Refusal::whole(format!("Unrecognized request argument supplied: {unknown}")));
    }
    let messages = messages(body)?;
    let tools = tools(body)?;
    let choice = choice(body, &tools)?;
    let most = most_tokens(body, purpose)?;
    let choices = integer(body, "n", 1, MOST_CHOICES)?.unwrap_or(1);
    let streams = flag(body, "stream")?;
    let tells_usage = body.get("stream_options").is_some_and(|options| options["include_usage"] == true);
    if body.get("stream_options").is_some_and(|options| !options.is_null()) && !streams {
        let words = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Refusal::field("stream_options", None, words));
    }
    let offered = body.get("tools").map_or(0, |tools| tokens(&tools.to_string()));
    let prompt = messages.iter().map(|turn| PER_MESSAGE + tokens(&turn.text)).sum::<u64>() + offered;
    if prompt + most.unwrap_or(0) > CONTEXT {
        let words = format!("This model's maximum context length is {CONTEXT} tokens.");
        return Err(Refusal::field("messages", Some("context_length_exceeded"), words));
    }

    let chat = ChatRequest { messages, tools, choice, format: format(body) };
    let id = format!("chatcmpl-{}", request.number);
    let (output, reason) = cut(spoken(&chat, fault), most.unwrap_or(MOST_COMPLETION));
    let reason = match fault {
        Some(ChannelFault::Truncated) => "length",
        Some(ChannelFault::ContentFilter) => "content_filter",
        _ => reason,
    };
    let completion =
        if fault == Some(ChannelFault::OverBudget) { HUGE } else { output.tokens_by(tokens) * choices };
    let usage = json!({
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
    });
    let last = chat.messages.iter().rev().find(|turn| turn.role == "user");
    let effect = Some(ChannelEffect {
        provider: PROVIDER.to_owned(),
        account: name.clone(),
        method: "chat.completions".to_owned(),
        chat_id: body.get("user").and_then(Value::as_str).unwrap_or_default().to_owned(),
        text: last.map(|turn| turn.text.clone()).unwrap_or_default(),
        external_id: Some(id.clone()),
        ..ChannelEffect::default()
    });
    if fault == Some(ChannelFault::Nonsense) {
        let reply = Reply::json(200, &json!({ "object": "list", "choices": { "0": 42 } }));
        return Ok(Answered { reply, events: Vec::new(), effect });
    }
    let head = |object: &str| json!({ "id": id, "object": object, "created": seconds, "model": name, "system_fingerprint": null });
    if streams {
        let mut reply = Reply::text(200, "");
        "text/event-stream; charset=utf-8".clone_into(&mut reply.content_type);
        let usage = tells_usage.then_some(&usage);
        let events =
            events(&head("chat.completion.chunk"), &output, (request.number, choices), reason, usage);
        return Ok(Answered { reply, events, effect });
    }
    let mut whole = head("chat.completion");
    whole["choices"] = (0..choices)
        .map(|index| {
            json!({
                "index": index, "message": message(&output, (request.number, index)), "logprobs": null,
                "finish_reason": reason,
            })
        })
        .collect();
    whole["usage"] = usage;
    Ok(Answered { reply: Reply::json(200, &whole), events: Vec::new(), effect })
}

/// What is said, if not for this fault.
fn spoken(chat: &ChatRequest, fault: Option<ChannelFault>) -> ModelOutput {
    match fault {
        Some(ChannelFault::Empty | ChannelFault::ContentFilter) => ModelOutput::Text(String::new()),
        Some(ChannelFault::Refusal) => ModelOutput::Refusal("I can't help with that.".to_owned()),
        Some(ChannelFault::Truncated) => match say(chat) {
            ModelOutput::Text(text) => {
                ModelOutput::Text(text.chars().take(text.chars().count() / 2).collect())
            }
            other => other,
        },
        _ => say(chat),
    }
}

/// An answer of no more tokens, and why it ends.
fn cut(output: ModelOutput, most: u64) -> (ModelOutput, &'static str) {
    match output {
        ModelOutput::Text(text) if tokens(&text) > most => {
            let end = text.floor_char_boundary(usize::try_from(most).unwrap_or(usize::MAX).saturating_mul(4));
            (ModelOutput::Text(text[..end].to_owned()), "length")
        }
        ModelOutput::Calls(calls) => (ModelOutput::Calls(calls), "tool_calls"),
        other => (other, "stop"),
    }
}

/// Calls as a message has them; `named` makes their ids.
fn calls(tools: &[(String, String)], named: (u64, u64)) -> Vec<Value> {
    let call = |(place, (name, arguments)): (usize, &(String, String))| {
        let function = json!({ "name": name, "arguments": arguments });
        json!({ "id": format!("call_{}_{}_{place}", named.0, named.1), "type": "function", "function": function })
    };
    tools.iter().enumerate().map(call).collect()
}

fn message(output: &ModelOutput, named: (u64, u64)) -> Value {
    match output {
        ModelOutput::Text(text) => json!({ "role": "assistant", "content": text, "refusal": null }),
        ModelOutput::Refusal(text) => json!({ "role": "assistant", "content": null, "refusal": text }),
        ModelOutput::Calls(all) => {
            json!({ "role": "assistant", "content": null, "refusal": null, "tool_calls": calls(all, named) })
        }
    }
}

fn events(
    head: &Value,
    output: &ModelOutput,
    (number, choices): (u64, u64),
    reason: &str,
    usage: Option<&Value>,
) -> Vec<String> {
    let mut events = Vec::new();
    let mut tell = |choices: Value, usage: Option<&Value>| {
        let mut chunk = head.clone();
        chunk["choices"] = choices;
        if let Some(usage) = usage {
            chunk["usage"] = usage.clone();
        }
        events.push(format!("data: {chunk}\n\n"));
    };
    for index in 0..choices {
        let mut piece = |delta: Value, reason: Option<&str>| {
            let choice = json!({ "index": index, "delta": delta, "logprobs": null, "finish_reason": reason });
            tell(json!([choice]), None);
        };
        piece(json!({ "role": "assistant", "content": "" }), None);
        match output {
            ModelOutput::Text(text) => {
                for word in text.split_inclusive(' ') {
                    piece(json!({ "content": word }), None);
                }
            }
            ModelOutput::Refusal(text) => piece(json!({ "refusal": text }), None),
            ModelOutput::Calls(all) => {
                for (place, mut call) in calls(all, (number, index)).into_iter().enumerate() {
                    let arguments = call["function"]["arguments"].take();
                    call["index"] = json!(place);
                    call["function"]["arguments"] = json!("");
                    piece(json!({ "tool_calls": [call] }), None);
                    let rest = json!({ "index": place, "function": { "arguments": arguments } });
                    piece(json!({ "tool_calls": [rest] }), None);
                }
            }
        }
        piece(json!({}), Some(reason));
    }
    if usage.is_some() {
        tell(json!([]), usage);
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn messages(body: &Map<String, Value>) -> Result<Vec<Turn>, Refusal> {
    let all = match body.get("messages") {
        None | Some(Value::Null) => return Err(Refusal::missing("messages")),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(Refusal::kind("messages", "an array of objects")),
    };
    if all.is_empty() {
        let words = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Refusal::field("messages", Some("empty_array"), words));
    }
    let mut turns = Vec::new();
    // Calls of the last assistant that no tool has answered.
    let mut open: Vec<String> = Vec::new();
    for (place, one) in all.iter().enumerate() {
        let at = format!("messages[{place}]");
        let Some(role) = one["role"].as_str() else { return Err(Refusal::missing(&format!("{at}.role"))) };
        if !ROLES.contains(&role) {
            let words = format!("Invalid value: '{role}'. Supported values are: {}.", ROLES.join(", "));
            return Err(Refusal::field(format!("{at}.role"), Some("invalid_value"), words));
        }
        if role == "tool" {
            let id = one["tool_call_id"].as_str();
            let id = id.ok_or_else(|| Refusal::missing(&format!("{at}.tool_call_id")))?;
            let Some(answers) = open.iter().position(|known| known == id) else {
                let words = "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.";
                return Err(Refusal::field(format!("{at}.role"), None, words));
            };
            open.remove(answers);
        } else if !open.is_empty() {
            return Err(unanswered(&open));
        }
        if role == "assistant" {
            open = called(&one["tool_calls"], &at)?;
        }
        let may_lack = role == "assistant" && !open.is_empty();
        turns.push(Turn { role: role.to_owned(), text: content(&one["content"], role, may_lack, &at)? });
    }
    if open.is_empty() { Ok(turns) } else { Err(unanswered(&open)) }
}

fn unanswered(open: &[String]) -> Refusal {
    let words = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
         The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    );
    Refusal::field("messages", None, words)
}

/// The ids of the calls of an assistant.
fn called(calls: &Value, at: &str) -> Result<Vec<String>, Refusal> {
    let calls = match calls {
        Value::Null => return Ok(Vec::new()),
        Value::Array(calls) if !calls.is_empty() => calls,
        _ => return Err(Refusal::kind(format!("{at}.tool_calls"), "an array of objects that is not empty")),
    };
    let read = |(place, call): (usize, &Value)| {
        let at = format!("{at}.tool_calls[{place}]");
        let function = &call["function"];
        if !function["name"].is_string() || !function["arguments"].is_string() {
            return Err(Refusal::kind(format!("{at}.function"), "an object with name and arguments"));
        }
        let id = call["id"].as_str().map(str::to_owned);
        id.ok_or_else(|| Refusal::missing(&format!("{at}.id")))
    };
    calls.iter().enumerate().map(read).collect()
}

/// What is seen in a picture: the longest text in its content.
fn text_in_picture(url: &str) -> String {
    let data = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
    let bytes = data.and_then(|(_, data)| STANDARD.decode(data).ok()).unwrap_or_default();
    let lines = String::from_utf8_lossy(&bytes).into_owned();
    let runs = lines.split(|sign: char| sign.is_control() || sign == char::REPLACEMENT_CHARACTER);
    runs.max_by_key(|run| run.len()).unwrap_or_default().to_owned()
}

/// The text of a message, and what is seen in its pictures.
fn content(content: &Value, role: &str, may_lack: bool, at: &str) -> Result<String, Refusal> {
    let at = format!("{at}.content");
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Null if may_lack => Ok(String::new()),
        Value::Array(parts) if !parts.is_empty() => {
            let mut text = String::new();
            for (place, part) in parts.iter().enumerate() {
                match part["type"].as_str() {
                    Some("text") if part["text"].is_string() => {
                        text.push_str(part["text"].as_str().unwrap_or_default());
                    }
                    Some("image_url") if role == "user" => {
                        let url = part["image_url"]["url"].as_str().unwrap_or_default();
                        if !["http://", "https://", "data:image/"].iter().any(|start| url.starts_with(start))
                        {
                            let words = "Invalid image URL: expected a URL or a base64-encoded image.";
                            let at = format!("{at}[{place}].image_url.url");
                            return Err(Refusal::field(at, Some("invalid_image_url"), words));
                        }
                        // On a line of its own, as the words before it may be lines of JSON.
                        if !text.is_empty() {
                            text.push('\n');
                        }
                        text.push_str(&text_in_picture(url));
                    }
                    _ => {
                        let words = "Invalid value: supported are 'text', and of users 'image_url'.";
                        return Err(Refusal::field(
                            format!("{at}[{place}].type"),
                            Some("invalid_value"),
                            words,
                        ));
                    }
                }
            }
            Ok(text)
        }
        _ => Err(Refusal::kind(at, "a string or an array of parts")),
    }
}

fn tools(body: &Map<String, Value>) -> Result<Vec<Tool>, Refusal> {
    let all = match body.get("tools") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(all)) if !all.is_empty() => all,
        Some(_) => return Err(Refusal::kind("tools", "an array of objects that is not empty")),
    };
    let read = |(place, tool): (usize, &Value)| {
        if tool["type"] != "function" {
            let words = "Invalid value: supported is 'function'.";
            return Err(Refusal::field(format!("tools[{place}].type"), Some("invalid_value"), words));
        }
        let at = format!("tools[{place}].function.name");
        let name = tool["function"]["name"].as_str().ok_or_else(|| Refusal::missing(&at))?;
        let is_fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_fine) {
            let words = format!(
                "Invalid '{at}': expected a string that matches the pattern '^[a-zA-Z0-9_-]+$', of 64 characters at most."
            );
            return Err(Refusal::field(at, Some("invalid_value"), words));
        }
        let schema = &tool["function"]["parameters"];
        if !schema.is_null() && schema["type"] != "object" {
            let words = format!("Invalid schema for function '{name}': schema must be of type \"object\".");
            return Err(Refusal::field(
                format!("tools[{place}].function.parameters"),
                Some("invalid_function_parameters"),
                words,
            ));
        }
        Ok(Tool { name: name.to_owned(), schema: schema.clone() })
    };
    all.iter().enumerate().map(read).collect()
}

fn choice(body: &Map<String, Value>, tools: &[Tool]) -> Result<Choice, Refusal> {
    let Some(given) = body.get("tool_choice").filter(|given| !given.is_null()) else {
        return Ok(Choice::Auto);
    };
    if tools.is_empty() {
        let words = "'tool_choice' is only allowed when 'tools' are specified.";
        return Err(Refusal::field("tool_choice", None, words));
    }
    match given.as_str() {
        Some("none") => Ok(Choice::None),
        Some("auto") => Ok(Choice::Auto),
        Some("required") => Ok(Choice::Required),
        Some(_) => Err(Refusal::field(
            "tool_choice",
            Some("invalid_value"),
            "Supported values are: 'none', 'auto', and 'required'.",
        )),
        None => {
            let name = given["function"]["name"].as_str().unwrap_or_default();
            if !tools.iter().any(|tool| tool.name == name) {
                let words = format!("Tool choice '{name}' not found in 'tools' parameter.");
                return Err(Refusal::field("tool_choice", None, words));
            }
            Ok(Choice::Named(name.to_owned()))
        }
    }
}

fn format(body: &Map<String, Value>) -> Option<Value> {
    let format = body.get("response_format")?;
    match format["type"].as_str()? {
        "json_schema" => Some(format["json_schema"]["schema"].clone()),
        "json_object" => Some(json!({ "properties": { "text": { "type": "string" } } })),
        _ => None,
    }
}

fn most_tokens(body: &Map<String, Value>, purpose: Purpose) -> Result<Option<u64>, Refusal> {
    if purpose == Purpose::Reasoning {
        let refused = ["max_tokens", "temperature"]
            .into_iter()
            .find(|name| body.get(*name).is_some_and(|it| !it.is_null()));
        if let Some(name) = refused {
            let words = format!("Unsupported parameter: '{name}' is not supported with this model.");
            return Err(Refusal::field(name, Some("unsupported_parameter"), words));
        }
    }
    if let Some(heat) = body.get("temperature").filter(|heat| !heat.is_null()) {
        let heat = heat.as_f64().ok_or_else(|| Refusal::kind("temperature", "a decimal"))?;
        if !(0.0..=2.0).contains(&heat) {
            let code = if heat > 2.0 { "decimal_above_max_value" } else { "decimal_below_min_value" };
            let words = "Invalid 'temperature': expected a value from 0 to 2.";
            return Err(Refusal::field("temperature", Some(code), words));
        }
    }
    let old = integer(body, "max_tokens", 1, MOST_COMPLETION)?;
    let new = integer(body, "max_completion_tokens", 1, MOST_COMPLETION)?;
    if old.is_some() && new.is_some() {
        let words = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Refusal::field("max_tokens", Some("invalid_parameter_combination"), words));
    }
    Ok(old.or(new))
}

fn integer(body: &Map<String, Value>, name: &str, least: u64, most: u64) -> Result<Option<u64>, Refusal> {
    let Some(given) = body.get(name).filter(|given| !given.is_null()) else { return Ok(None) };
    let number = given.as_i64().ok_or_else(|| Refusal::kind(name, "an integer"))?;
    match u64::try_from(number).unwrap_or(0) {
        number if number < least => {
            let words =
                format!("Invalid '{name}': integer below minimum value. Expected a value >= {least}.");
            Err(Refusal::field(name, Some("integer_below_min_value"), words))
        }
        number if number > most => {
            let words = format!(
                "{name} is too large: {number}. This model supports at most {most} completion tokens."
            );
            Err(Refusal::field(name, Some("invalid_value"), words))
        }
        number => Ok(Some(number)),
    }
}

fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(given) => given.as_bool().ok_or_else(|| Refusal::kind(name, "a boolean")),
    }
}

//! What a model answered: the body of a chat's answer, read leniently. Pure.

use domain::secret::Words;
use serde_json::Value;

use super::message::Message;
use super::tools::{Action, CallProblem, ToolSet};

/// The most calls of one answer that are read.
const MOST_CALLS: usize = 16;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub content: Content,
    /// None where the endpoint does not say.
    pub usage: Option<Usage>,
    /// What the endpoint calls it.
    pub id: Option<String>,
}

/// What is in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(Words),
    /// Tools are called, at least one.
    Calls {
        text: Option<Words>,
        calls: Vec<ToolCall>,
    },
    /// The model declines, or its provider withholds the answer.
    Refusal(Words),
    /// It stopped at its limit of tokens.
    Truncated(Words),
    Empty,
}

/// A call of a tool, as it came and as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: Words,
    pub read: Result<Action, CallProblem>,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt: u64,
    pub completion: u64,
}

impl Usage {
    pub const fn total(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }
}

/// Reads the body of an answer; nothing where it is none.
pub fn read(body: &[u8], tools: &ToolSet) -> Option<Answer> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let choice = body.get("choices")?.as_array()?.first()?;
    let message = choice.get("message").filter(|message| message.is_object())?;
    let text = without_thoughts(&text_of(message.get("content")).unwrap_or_default());
    let refusal = message.get("refusal").and_then(Value::as_str).unwrap_or_default();
    let calls: Vec<ToolCall> = calls(message.get("tool_calls"), tools).collect();
    let content = match choice.get("finish_reason").and_then(Value::as_str) {
        Some("length") => Content::Truncated(text),
        Some("content_filter") => Content::Refusal(text),
        _ if !refusal.trim().is_empty() => Content::Refusal(refusal.trim().into()),
        _ if !calls.is_empty() => Content::Calls { text: Some(text).filter(|text| !text.is_empty()), calls },
        _ if text.is_empty() => Content::Empty,
        _ => Content::Text(text),
    };
    let id = body.get("id").and_then(Value::as_str).map(|id| id.chars().take(128).collect());
    Some(Answer { content, usage: usage(body.get("usage")), id })
}

impl Answer {
    /// The messages that follow the calls of this answer, when the model is asked again.
    pub fn follow_up(&self) -> Vec<Message> {
        let Content::Calls { text, calls } = &self.content else { return Vec::new() };
        let result = |call: &ToolCall| Message::ToolResult {
            id: call.id.clone(),
            result: call.read.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned()),
        };
        let called = Message::Called { text: text.clone(), calls: calls.clone() };
        std::iter::once(called).chain(calls.iter().map(result)).collect()
    }
}

/// A text, or the texts of its parts.
fn text_of(content: Option<&Value>) -> Option<String> {
    match content? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect()),
        _ => None,
    }
}

/// A text without what some models think aloud before it.
fn without_thoughts(text: &str) -> Words {
    let text = text.trim();
    let answer = match text.strip_prefix("<think>") {
        Some(thoughts) => thoughts.split_once("</think>").map_or("", |(_, answer)| answer),
        None => text,
    };
    answer.trim().into()
}

fn calls(given: Option<&Value>, tools: &ToolSet) -> impl Iterator<Item = ToolCall> {
    let all = given.and_then(Value::as_array).into_iter().flatten();
    all.take(MOST_CALLS).enumerate().map(move |(place, call)| {
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            // Some endpoints have an object here.
            Some(Value::Object(object)) => Value::from(object.clone()).to_string(),
            _ => String::new(),
        };
        let function = call.get("function");
        let name = text(function.and_then(|function| function.get("name")));
        let arguments = text(function.and_then(|function| function.get("arguments")));
        let id = text(call.get("id"));
        ToolCall {
            id: if id.is_empty() { format!("call_{place}") } else { id },
            read: tools.read(&name, &arguments),
            name,
            arguments: arguments.into(),
        }
    })
}

fn usage(given: Option<&Value>) -> Option<Usage> {
    let given = given?;
    let count = |name: &str| given.get(name).and_then(Value::as_u64);
    let (prompt, completion) = (count("prompt_tokens"), count("completion_tokens"));
    let total = count("total_tokens");
    let usage = match (prompt, completion, total) {
        (Some(prompt), Some(completion), total) => {
            // What is thought is paid for, whether it is counted among the completion's tokens or not.
            let rest = total.unwrap_or(0).saturating_sub(prompt);
            Usage { prompt, completion: completion.max(rest) }
        }
        (prompt, completion, Some(total)) => {
            let completion = completion.unwrap_or_else(|| total.saturating_sub(prompt.unwrap_or(0)));
            Usage { prompt: total.saturating_sub(completion), completion }
        }
        _ => return None,
    };
    Some(usage)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn content(message: &Value, finish: &str) -> Content {
        let body = json!({ "choices": [{ "message": message, "finish_reason": finish }] });
        read(body.to_string().as_bytes(), &ToolSet::default()).unwrap().content
    }

    #[test]
    fn answer_kinds_are_distinguished() {
        let text = |text: &str| json!({ "content": text });
        for (message, finish, expected) in [
            (text(" Yes "), "stop", Content::Text("Yes".into())),
            (json!({ "content": [{ "type": "text", "text": "Yes" }] }), "stop", Content::Text("Yes".into())),
            (text("<think>Well…</think>\n\nYes"), "stop", Content::Text("Yes".into())),
            (text("<think>Well…"), "stop", Content::Empty),
            (text(" \n"), "stop", Content::Empty),
            (json!({ "content": null }), "stop", Content::Empty),
            (json!({}), "tool_calls", Content::Empty),
            (text("Ye"), "length", Content::Truncated("Ye".into())),
            (text("Ye"), "content_filter", Content::Refusal("Ye".into())),
            (json!({ "content": null, "refusal": "No" }), "stop", Content::Refusal("No".into())),
        ] {
            assert_eq!(content(&message, finish), expected, "{message}");
        }
        for body in ["", "<html>", "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":{"0":42}}"#] {
            assert_eq!(read(body.as_bytes(), &ToolSet::default()), None, "{body}");
        }
    }

    #[test]
    fn a_follow_up_answers_each_call() {
        let call = |id: &str, name: &str, arguments: Value| json!({ "id": id, "function": { "name": name, "arguments": arguments } });
        let calls =
            json!([call("a", "hand_over", json!({ "reason": "x" })), call("", "refund", json!("{}"))]);
        let body = json!({ "choices": [{ "message": { "tool_calls": calls } }] });
        let answer = read(body.to_string().as_bytes(), &ToolSet::default()).unwrap();
        let [called, first, second] = answer.follow_up().try_into().unwrap();
        assert!(matches!(called, Message::Called { calls, .. } if calls.len() == 2));
        assert_eq!(first, Message::ToolResult { id: "a".to_owned(), result: "done".to_owned() });
        let result = "there is no tool \"refund\" here".to_owned();
        assert_eq!(second, Message::ToolResult { id: "call_1".to_owned(), result });
    }

    #[test]
    fn usage_is_read_as_far_as_it_is_reported() {
        let read = |given: Value| usage(Some(&given)).map(|usage| (usage.prompt, usage.completion));
        for (given, expected) in [
            (json!({ "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7 }), Some((5, 2))),
            (json!({ "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 17 }), Some((5, 12))),
            (json!({ "total_tokens": 7 }), Some((0, 7))),
            (json!({ "completion_tokens": 2, "total_tokens": 7 }), Some((5, 2))),
            (json!({ "prompt_tokens": -5 }), None),
            (json!({}), None),
        ] {
            assert_eq!(read(given.clone()), expected, "{given}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let word = prop_oneof![
            Just("choices"),
            Just("message"),
            Just("content"),
            Just("tool_calls"),
            Just("function"),
            Just("name"),
            Just("arguments"),
            Just("reply"),
            Just("{\"text\":1}"),
            Just("usage"),
            Just("refusal"),
            Just("length"),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            word.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_is_not(message in any_json(), usage in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let tools = ToolSet { close: true, set_fields: true, sources: Vec::new() };
            let body = json!({ "choices": [{ "message": message }], "usage": usage });
            if let Some(answer) = read(body.to_string().as_bytes(), &tools) {
                let blank = matches!(&answer.content, Content::Text(text) if text.trim().is_empty());
                prop_assert!(!blank);
            }
            read(&bytes, &tools);
        }
    }
}

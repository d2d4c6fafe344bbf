//! What a model answered: the body of a chat's answer, read leniently. Pure.

use domain::lenient;
use domain::secret::Words;
use domain::spoken::{self, Unspoken};
use serde_json::{Value, json};

use super::message::Message;
use super::tools::{Action, CallProblem, ToolSet, calls_in_text};
use super::{reasoning, stream};
use crate::fields::{self, Findings, is_marked};

/// The most calls of one answer. An answer with more is refused, since none of them may be left out.
const MOST_CALLS: usize = 16;

/// What a model reads of a reply beside a call that is none.
const NOT_SENT: &str = "not sent, because another call could not be read; call `reply` again";

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
    /// What the model said beside its thoughts. It has not passed the gate yet.
    Text(Words),
    /// Tools are called, at least one.
    Calls { text: Option<Words>, calls: Vec<ToolCall> },
    /// Nothing that a customer may read, and what was said.
    Unspoken { why: Unspoken, said: Words },
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

/// Reads the body of an answer of at most `most_tokens` tokens, whole or as a stream of pieces; nothing where it is none.
pub fn read(body: &[u8], tools: &ToolSet, most_tokens: u32) -> Option<Answer> {
    let body = match lenient::json(body) {
        Ok(body) => body,
        Err(_) => stream::joined(body)?,
    };
    // Of several choices the first by index, wherever it stands.
    let choices = body.get("choices")?.as_array()?.iter().enumerate();
    let index = |choice: &Value| choice.get("index").and_then(Value::as_u64);
    let (_, choice) = choices.min_by_key(|(place, choice)| (index(choice).unwrap_or_default(), *place))?;
    let message = choice.get("message").filter(|message| message.is_object())?;
    let end = End::of(&body, choice, message, most_tokens);
    let said = said(message.get("content"));
    let by_name =
        message.get("tool_calls").filter(|calls| calls.as_array().is_some_and(|calls| !calls.is_empty()));
    // The older form has one call.
    let one = message
        .get("function_call")
        .filter(|call| call.is_object())
        .map(|call| json!([{ "function": call }]));
    let mut calls: Vec<ToolCall> = calls(by_name.or(one.as_ref()), tools).collect();
    let (why, text) = match said {
        Ok(text) => (None, text),
        Err((why, text)) => (Some(why), text),
    };
    let repeats = calls.is_empty() && reasoning::is_repeated(message, &text);
    let is_thought = repeats || is_marked(message);
    let why = why.or(is_thought.then_some(Unspoken::Thoughts));
    let why = why.or(has_unread_calls(choice, message).then_some(Unspoken::ToolMarkup));
    let (text, why) = match spoken::without_thoughts(&text) {
        Ok(answer) => (answer, why),
        // Beside calls nothing need be said, and what is thought may stand there.
        Err(Unspoken::Empty | Unspoken::Thoughts) if !calls.is_empty() => (String::new(), why),
        Err(other) => (text, why.or(Some(other))),
    };
    if calls.is_empty()
        && why.is_none()
        && let Some(written) = calls_in_text(&text)
    {
        calls.extend(written.iter().take(MOST_CALLS + 1).enumerate().map(|(place, (name, arguments))| {
            ToolCall {
                id: format!("call_{place}"),
                name: name.clone(),
                read: tools.read(name, arguments),
                arguments: arguments.as_str().into(),
            }
        }));
        return Some(answer(&body, end.of_content(Content::Calls { text: None, calls })));
    }
    // A model that stopped to call a tool says what it is about to do.
    let is_before_call = calls.is_empty() && fields::end(choice).is_some_and(spoken::is_of_calls);
    let why = why.or(is_before_call.then_some(Unspoken::ToolMarkup));
    let content = match (why, calls.is_empty()) {
        (Some(why), _) => Content::Unspoken { why, said: text.into() },
        (None, false) => {
            Content::Calls { text: Some(text).filter(|text| !text.is_empty()).map(Words::from), calls }
        }
        (None, true) => Content::Text(text.into()),
    };
    Some(answer(&body, end.of_content(content)))
}

fn answer(body: &Value, content: Content) -> Answer {
    let id = body.get("id").and_then(Value::as_str).map(|id| id.chars().take(128).collect());
    Answer { content, usage: usage(body.get("usage")), id }
}

/// How an answer ended: what says that it is not all, or not for a customer, whatever it has in it.
struct End(Result<(), Unspoken>);

impl End {
    fn of(body: &Value, choice: &Value, message: &Value, most_tokens: u32) -> Self {
        // A gateway may say `stop` where its provider says in another field that it cut the answer.
        let found = Findings::of([choice, body, message]);
        let completion = body.get("usage").and_then(|usage| usage.get("completion_tokens"));
        let is_at_limit = completion.and_then(Value::as_u64) == Some(u64::from(most_tokens));
        let is_over = fields::end(choice).is_some() && !found.goes_on;
        Self(match found.flaw {
            Some(flaw) => Err(flaw),
            None if found.wants_person => Err(Unspoken::PersonWanted),
            None if is_at_limit => Err(Unspoken::Cut),
            None if !is_over => Err(spoken::unfinished("")),
            None => Ok(()),
        })
    }

    /// What the answer has in it; its end comes before all that was said.
    fn of_content(self, content: Content) -> Content {
        let why = match (self.0, &content) {
            (Err(why), _) => why,
            (Ok(()), Content::Calls { calls, .. }) if calls.len() > MOST_CALLS => Unspoken::Several,
            (Ok(()), _) => return content,
        };
        let said = match content {
            Content::Text(text) | Content::Unspoken { said: text, .. } => text,
            Content::Calls { text, .. } => text.unwrap_or_default(),
        };
        Content::Unspoken { why, said }
    }
}

impl Answer {
    /// The messages that follow the calls of this answer, when the model is asked again.
    pub fn follow_up(&self) -> Vec<Message> {
        let Content::Calls { text, calls } = &self.content else { return Vec::new() };
        let result = |call: &ToolCall| {
            let result = match &call.read {
                // A reply that was sent ends the answer, so this one was not.
                Ok(Action::Reply(_)) => NOT_SENT.to_owned(),
                Ok(_) => "done".to_owned(),
                Err(problem) => problem.to_string(),
            };
            Message::ToolResult { id: call.id.clone(), result }
        };
        let called = Message::Called { text: text.clone(), calls: calls.clone() };
        std::iter::once(called).chain(calls.iter().map(result)).collect()
    }
}

/// A text, or the texts of its parts: of those that are text, never of those that are thought. A part of another kind is no text,
/// and the other parts are not all of the answer.
fn said(content: Option<&Value>) -> Result<String, (Unspoken, String)> {
    let parts = match content {
        Some(Value::String(text)) => return Ok(text.clone()),
        Some(Value::Array(parts)) => parts.as_slice(),
        Some(part @ Value::Object(_)) => std::slice::from_ref(part),
        _ => return Ok(String::new()),
    };
    let (mut text, mut why) = (String::new(), None);
    for part in parts {
        let kind = part.get("type").and_then(Value::as_str);
        match (part, kind) {
            (_, _) if fields::is_thought(part) => {}
            (_, Some("summary_text")) => {}
            (Value::String(piece), _) => text.push_str(piece),
            (_, None | Some("text" | "output_text")) => match part.get("text") {
                Some(Value::String(piece)) => text.push_str(piece),
                Some(Value::Object(piece)) => {
                    text.push_str(piece.get("value").and_then(Value::as_str).unwrap_or_default());
                }
                _ => why = Some(Unspoken::Markup),
            },
            (_, Some("refusal")) => why = Some(Unspoken::Refused),
            (_, Some("tool_use" | "tool_call" | "function_call" | "tool_result")) => {
                why = Some(Unspoken::ToolMarkup);
            }
            _ => why = Some(Unspoken::Markup),
        }
    }
    why.map_or(Ok(text.clone()), |why| Err((why, text)))
}

/// Whether a choice has calls in a form that is not read. None of them may be left out.
pub(super) fn has_unread_calls(choice: &Value, message: &Value) -> bool {
    let is_read = match fields::calls(message).as_slice() {
        [] => true,
        [("tool_calls", calls)] => calls.is_array(),
        [("function_call", call)] => call.is_object(),
        _ => false,
    };
    !is_read || !fields::calls(choice).is_empty()
}

fn calls(given: Option<&Value>, tools: &ToolSet) -> impl Iterator<Item = ToolCall> {
    let all = given.and_then(Value::as_array).into_iter().flatten();
    all.take(MOST_CALLS + 1).enumerate().map(move |(place, call)| {
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            // Some endpoints have an object here.
            Some(Value::Object(object)) => Value::from(object.clone()).to_string(),
            _ => String::new(),
        };
        // The function, what the type names, or the call itself; a call that is a text is a name.
        let kind = call.get("type").and_then(Value::as_str).unwrap_or_default();
        let function = ["function", kind].iter().find_map(|field| call.get(field)).unwrap_or(call);
        let name = text(function.get("name").or(Some(function)).filter(|name| name.is_string()));
        let arguments = text(["arguments", "input"].iter().find_map(|field| function.get(field)));
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

    use super::*;

    const MOST: u32 = 1_000;

    fn unspoken(why: Unspoken, said: &str) -> Content {
        Content::Unspoken { why, said: said.into() }
    }

    fn content(message: &Value, finish: &str) -> Content {
        let body = json!({ "choices": [{ "message": message, "finish_reason": finish }] });
        read(body.to_string().as_bytes(), &ToolSet::default(), MOST).unwrap().content
    }

    #[test]
    fn answer_kinds_are_distinguished() {
        let text = |text: &str| json!({ "content": text });
        for (message, finish, expected) in [
            (text(" Yes "), "stop", Content::Text("Yes".into())),
            (json!({ "content": [{ "type": "text", "text": "Yes" }] }), "stop", Content::Text("Yes".into())),
            (text("<think>Well…</think>\n\nYes"), "stop", Content::Text("Yes".into())),
            (text("<think>Well…"), "stop", unspoken(Unspoken::Thoughts, "<think>Well…")),
            (text(" \n"), "stop", unspoken(Unspoken::Empty, " \n")),
            (json!({ "content": null }), "stop", unspoken(Unspoken::Empty, "")),
            (json!({}), "tool_calls", unspoken(Unspoken::Empty, "")),
            (text("Ye"), "length", unspoken(Unspoken::Cut, "Ye")),
            (text("Ye"), "content_filter", unspoken(Unspoken::Refused, "Ye")),
            (text("Ye"), "error", unspoken(Unspoken::Unfinished("error".to_owned()), "Ye")),
            (json!({ "content": null, "refusal": "No" }), "stop", unspoken(Unspoken::Refused, "")),
        ] {
            assert_eq!(content(&message, finish), expected, "{message}");
        }
        for body in ["", "<html>", "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":{"0":42}}"#] {
            assert_eq!(read(body.as_bytes(), &ToolSet::default(), MOST), None, "{body}");
        }
    }

    #[test]
    fn no_call_of_many_is_left_out() {
        let reply = |place: usize| json!({ "id": place.to_string(), "function": { "name": "reply", "arguments": "{\"text\":\"Yes\"}" } });
        let over = json!({ "id": "z", "function": { "name": "hand_over", "arguments": "{}" } });
        let calls: Vec<Value> = (0..16).map(reply).collect();
        let with = |calls: Vec<Value>| content(&json!({ "tool_calls": calls }), "tool_calls");
        assert!(matches!(with(calls.clone()), Content::Calls { calls, .. } if calls.len() == 16));
        let many: Vec<Value> = calls.into_iter().chain([over]).collect();
        assert_eq!(with(many), unspoken(Unspoken::Several, ""));
        let written = "{\"name\":\"reply\",\"arguments\":{\"text\":\"Yes\"}}\n".repeat(17);
        assert_eq!(content(&json!({ "content": written }), "stop"), unspoken(Unspoken::Several, ""));
    }

    #[test]
    fn a_follow_up_answers_each_call() {
        let call = |id: &str, name: &str, arguments: Value| json!({ "id": id, "function": { "name": name, "arguments": arguments } });
        let calls =
            json!([call("a", "hand_over", json!({ "reason": "x" })), call("", "refund", json!("{}"))]);
        let body =
            json!({ "choices": [{ "message": { "tool_calls": calls }, "finish_reason": "tool_calls" }] });
        let answer = read(body.to_string().as_bytes(), &ToolSet::default(), MOST).unwrap();
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
            let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }], "usage": usage });
            if let Some(answer) = read(body.to_string().as_bytes(), &tools, MOST) {
                let blank = matches!(&answer.content, Content::Text(text) if text.trim().is_empty());
                prop_assert!(!blank);
            }
            read(&bytes, &tools, MOST);
        }
    }
}

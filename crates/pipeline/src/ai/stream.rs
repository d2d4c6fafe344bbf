//! An answer that an endpoint sends in pieces, though none were asked for: the pieces as one answer. Pure.

use domain::Unspoken;
use serde_json::{Map, Value, json};

use super::answer::{has_unread_calls, is_marked};
use super::reasoning;
use crate::ending::{self, is_given};

/// The most calls of one answer that are joined; what follows is one more, and an answer of that many calls is refused.
const MOST_CALLS: usize = 64;

/// Joins the pieces of a stream of events, or of lines; nothing where it is none, or where a piece is not understood: what is missing
/// may turn the answer into its opposite.
pub(super) fn joined(body: &[u8]) -> Option<Value> {
    let body = std::str::from_utf8(body).ok()?;
    let mut whole = Whole::default();
    for line in body.trim_start_matches('\u{feff}').lines().map(str::trim) {
        match line.strip_prefix("data:").map_or(line, str::trim) {
            "" => {}
            "[DONE]" => whole.is_done = true,
            _ if is_beside(line) => {}
            piece => whole.take(&serde_json::from_str(piece).ok()?)?,
        }
    }
    whole.is_any.then(|| whole.into_answer())
}

/// Whether a line of a stream of events has no piece: a comment, or a field beside the data. An event of an error has none either, but
/// the answer is not whole.
fn is_beside(line: &str) -> bool {
    let is_event = line.strip_prefix("event:").is_some_and(|name| !name.contains("error"));
    is_event || [":", "id:", "retry:"].iter().any(|start| line.starts_with(start))
}

#[derive(Default)]
struct Whole {
    id: Value,
    usage: Value,
    content: String,
    refusal: String,
    reasoning: String,
    calls: Vec<Map<String, Value>>,
    reason: Value,
    native_reason: Value,
    /// A reason that makes the answer none, from another field.
    flaw: Option<&'static str>,
    error: Value,
    /// Whether there was a piece of a choice.
    is_any: bool,
    /// Whether a piece was the whole message.
    has_message: bool,
    /// Whether the stream said that it is over.
    is_done: bool,
}

impl Whole {
    /// Takes a piece; nothing where it is not understood.
    fn take(&mut self, piece: &Value) -> Option<()> {
        let of_all = [(&mut self.id, "id"), (&mut self.usage, "usage"), (&mut self.error, "error")];
        for (kept, name) in of_all {
            if let Some(given) = piece.get(name).filter(|given| !given.is_null()) {
                *kept = given.clone();
            }
        }
        self.note_end(piece);
        let choices = match piece.get("choices") {
            Some(Value::Array(choices)) => choices.as_slice(),
            None if ["usage", "error"].iter().any(|name| piece.get(name).is_some_and(is_given)) => &[],
            None if piece["type"] == "ping" => &[],
            _ => return None,
        };
        // Of several choices the first is read, as of a whole answer.
        let of_first = |choice: &&Value| choice.get("index").is_none_or(|index| *index == 0);
        let Some(choice) = choices.iter().find(of_first) else { return Some(()) };
        let is_over = self.is_done || self.has_message || !self.reason.is_null();
        let had_any = std::mem::replace(&mut self.is_any, true);
        for (kept, name) in
            [(&mut self.reason, "finish_reason"), (&mut self.native_reason, "native_finish_reason")]
        {
            if let Some(given) = choice.get(name).filter(|given| !given.is_null()) {
                if !kept.is_null() && kept != given {
                    return None;
                }
                *kept = given.clone();
            }
        }
        self.note_end(choice);
        choice.get("delta").into_iter().for_each(|delta| self.note_end(delta));
        let object = |name: &str| choice.get(name).filter(|given| !given.is_null());
        let delta = match (object("delta"), object("message")) {
            (Some(delta @ Value::Object(_)), None) => delta,
            (None, Some(message @ Value::Object(_))) if !had_any => {
                self.has_message = true;
                message
            }
            (None, None) if !self.reason.is_null() && object("text").is_none() => return Some(()),
            _ => return None,
        };
        let (content, refusal) = (text(delta, "content")?, text(delta, "refusal")?);
        let calls = match delta.get("tool_calls") {
            None | Some(Value::Null) => &[],
            Some(Value::Array(calls)) => calls.as_slice(),
            Some(_) => return None,
        };
        // A call in the older form is not joined.
        if delta.get("function_call").is_some_and(is_given) || has_unread_calls(choice, delta) {
            return None;
        }
        let says_something = !(content.is_empty() && refusal.is_empty() && calls.is_empty());
        if says_something && (is_over || is_marked(delta)) {
            return None;
        }
        self.content.push_str(content);
        self.refusal.push_str(refusal);
        self.reasoning.extend(reasoning::beside(delta));
        for (place, call) in calls.iter().enumerate() {
            let index =
                call.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
            self.call(index.unwrap_or(place), call);
        }
        Some(())
    }

    /// Keeps that a piece says that the answer is not whole.
    fn note_end(&mut self, fields: &Value) {
        self.flaw = match ending::check(fields) {
            Err(Unspoken::Cut) => Some("length"),
            Err(Unspoken::Refused) => Some("content_filter"),
            Err(_) => Some("error"),
            Ok(()) => self.flaw,
        };
    }

    fn call(&mut self, index: usize, piece: &Value) {
        let index = index.min(MOST_CALLS);
        if self.calls.len() <= index {
            self.calls.resize(index + 1, Map::new());
        }
        let Some(call) = self.calls.get_mut(index) else { return };
        if let Some(id) = piece.get("id").filter(|id| !id.is_null()) {
            call.insert("id".to_owned(), id.clone());
        }
        let function = call.entry("function").or_insert_with(|| json!({ "name": "", "arguments": "" }));
        for name in ["name", "arguments"] {
            let more = piece.get("function").and_then(|function| function.get(name)).and_then(Value::as_str);
            let so_far = function.get(name).and_then(Value::as_str).unwrap_or_default();
            function[name] = format!("{so_far}{}", more.unwrap_or_default()).into();
        }
    }

    fn into_answer(self) -> Value {
        let Self {
            id, usage, content, refusal, reasoning, calls, reason, native_reason, flaw, error, ..
        } = self;
        let message = json!({
            "role": "assistant", "content": content, "refusal": refusal, "reasoning": reasoning, "tool_calls": calls,
        });
        let choice = json!({
            "message": message, "finish_reason": reason,
            "native_finish_reason": flaw.map_or(native_reason, Value::from),
        });
        json!({ "id": id, "usage": usage, "error": error, "choices": [choice] })
    }
}

/// A text of a piece, which may be left out; nothing where something else is in its place.
fn text<'a>(delta: &'a Value, name: &str) -> Option<&'a str> {
    match delta.get(name) {
        None | Some(Value::Null) => Some(""),
        Some(Value::String(text)) => Some(text),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(delta: &Value) -> String {
        format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }))
    }

    #[test]
    fn a_piece_that_is_not_understood_spoils_the_answer() {
        let (begin, end) =
            (piece(&json!({ "content": "Discounts: " })), piece(&json!({ "content": "free delivery" })));
        let over = |reason: &str| {
            let piece = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] });
            format!("data: {piece}\n\n")
        };
        let stop = over("stop");
        let of = |middle: &str| joined(format!("{begin}{middle}{end}{stop}data: [DONE]\n").as_bytes());
        assert!(of("").is_some() && of(": waiting\n\nevent: message\nid: 1\n").is_some());
        assert!(of("data: {\"type\":\"ping\"}\n").is_some());
        for middle in [
            "data: data: {\"choices\":[]}\n".to_owned(),
            "data: [{\"choices\":[]}]\n".to_owned(),
            "NOT\n".to_owned(),
            "event: error\n".to_owned(),
            "data: {\"type\":\"error\",\"message\":\"broke\"}\n".to_owned(),
            "data: {\"choices\":[{\"index\":0,\"text\":\"NOT \"}]}\n".to_owned(),
            piece(&json!({ "content": [{ "type": "text", "text": "NOT" }] })),
            piece(&json!({ "content": 500 })),
            piece(&json!({ "content": "thought", "channel": "analysis" })),
            piece(&json!({ "content": "row", "role": "tool" })),
            piece(&json!({ "function_call": { "name": "hand_over" } })),
            piece(&json!({ "tool_calls": { "function": { "name": "hand_over" } } })),
            piece(&json!({ "function_calls": [{ "name": "hand_over" }] })),
            over("length"),
            "data: [DONE]\n".to_owned(),
        ] {
            assert_eq!(of(&middle), None, "{middle}");
        }
        // What says that the answer is not whole is kept beside the reason.
        for (middle, flaw) in [
            ("data: {\"choices\":[],\"usage\":{},\"status\":\"incomplete\"}\n", "length"),
            (
                "data: {\"choices\":[{\"index\":0,\"delta\":{},\"content_filter_results\":{\"hate\":{\"filtered\":true}}}]}\n",
                "content_filter",
            ),
        ] {
            let whole = of(middle).unwrap();
            assert_eq!(whole["choices"][0]["native_finish_reason"], flaw, "{middle}");
        }
        let message =
            json!({ "choices": [{ "index": 0, "message": { "content": "Yes" }, "finish_reason": "stop" }] });
        let whole = format!("data: {message}\n");
        assert!(joined(whole.as_bytes()).is_some());
        assert_eq!(joined(format!("{whole}{whole}").as_bytes()), None);
        assert_eq!(joined(format!("{begin}{whole}").as_bytes()), None);
        let bom = format!("\u{feff}{begin}{stop}");
        assert_eq!(joined(bom.as_bytes()).unwrap()["choices"][0]["message"]["content"], "Discounts: ");
    }

    #[test]
    fn pieces_are_one_answer() {
        let body = concat!(
            ": keep-alive\n\n",
            "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"reasoning_content\":\"Hm\"}}]}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Y\"}}]}\n\n",
            "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"No\"}}]}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"es\"},\"finish_reason\":\"stop\"}]}\n\n",
            "data: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\n",
            "data: [DONE]\n\n",
        );
        let whole = joined(body.as_bytes()).unwrap();
        assert_eq!(whole["choices"][0]["message"]["content"], "Yes");
        assert_eq!(
            (&whole["choices"][0]["finish_reason"], &whole["usage"]["total_tokens"]),
            (&json!("stop"), &json!(7))
        );
        let cut = joined(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Y\"}}]}").unwrap();
        assert_eq!(cut["choices"][0]["finish_reason"], Value::Null);
        for body in [b"".as_slice(), b"data: [DONE]", b"<html>", b"data: {\"choices\"", b"{}\n{}"] {
            assert_eq!(joined(body), None);
        }
    }
}

//! An answer that an endpoint sends in pieces, though none were asked for: the pieces as one answer. Pure.

use domain::Unspoken;
use domain::spoken::names::HAND_OVER;
use serde_json::{Map, Value, json};

use super::answer::has_unread_calls;
use crate::fields::{self, Findings, is_given};

/// The most calls of one answer that are joined; what follows is one more, and an answer of that many calls is refused.
const MOST_CALLS: usize = 64;

/// Joins the pieces of a stream of events, or of lines; nothing where it is none, or where a piece is not understood or does not
/// continue the one before it: what is missing or said again may turn the answer into its opposite.
pub(super) fn joined(body: &[u8]) -> Option<Value> {
    let body = std::str::from_utf8(body).ok()?;
    let mut whole = Whole::default();
    for line in body.trim_start_matches('\u{feff}').lines().map(str::trim) {
        match line.strip_prefix("data:").map_or(line, str::trim) {
            "" => {}
            "[DONE]" => whole.is_over = true,
            _ if line.starts_with("id:") => whole.events.take(line.get(3..)?.trim().parse().ok())?,
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
    is_event || [":", "retry:"].iter().any(|start| line.starts_with(start))
}

/// Numbers that count what is sent.
#[derive(Default)]
struct Count(Option<u64>);

impl Count {
    /// Takes the next number; nothing where it does not follow the one before it. No number says nothing.
    fn take(&mut self, number: Option<u64>) -> Option<()> {
        let follows = self.0.zip(number).is_none_or(|(before, number)| before.checked_add(1) == Some(number));
        self.0 = number.or(self.0);
        follows.then_some(())
    }
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
    wants_person: bool,
    /// The ids of events, and the numbers of pieces.
    events: Count,
    pieces: Count,
    /// Whether there was a piece of a choice.
    is_any: bool,
    /// Whether a piece was the whole message, or the stream said that it is over.
    is_over: bool,
}

impl Whole {
    /// Takes a piece; nothing where it is not understood.
    fn take(&mut self, piece: &Value) -> Option<()> {
        self.pieces.take(piece.get("sequence_number").and_then(Value::as_u64))?;
        for (kept, name) in [(&mut self.usage, "usage"), (&mut self.error, "error")] {
            if let Some(given) = piece.get(name).filter(|given| !given.is_null()) {
                *kept = given.clone();
            }
        }
        self.note(piece);
        let choices = match piece.get("choices") {
            Some(Value::Array(choices)) => choices.as_slice(),
            None if ["usage", "error"].iter().any(|name| piece.get(name).is_some_and(is_given)) => &[],
            None if piece["type"] == "ping" => &[],
            _ => return None,
        };
        // Of several choices the first is read, as of a whole answer.
        let of_first = |choice: &&Value| choice.get("index").is_none_or(|index| *index == 0);
        let mut first = choices.iter().filter(of_first);
        let (choice, id) = match (first.next(), first.next()) {
            (Some(choice), None) => (choice, piece.get("id").filter(|id| is_given(id))),
            (None, _) => return Some(()),
            // Which of two comes first is not known.
            (Some(_), Some(_)) => return None,
        };
        // Pieces of another answer, such as a second try of a gateway.
        if let Some(id) = id {
            if !self.id.is_null() && self.id != *id {
                return None;
            }
            self.id = id.clone();
        }
        let is_over = self.is_over || !self.reason.is_null();
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
        self.note(choice);
        choice.get("delta").into_iter().for_each(|delta| self.note(delta));
        let object = |name: &str| choice.get(name).filter(|given| !given.is_null());
        let delta = match (object("delta"), object("message")) {
            (Some(delta @ Value::Object(_)), None) => delta,
            (None, Some(message @ Value::Object(_))) if !had_any => {
                self.is_over = true;
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
        let has_unread = delta.get("function_call").is_some_and(is_given) || has_unread_calls(choice, delta);
        if has_unread || repeats(content, &self.content) {
            return None;
        }
        let says_something = !(content.is_empty() && refusal.is_empty() && calls.is_empty());
        if says_something && (is_over || fields::is_marked(delta)) {
            return None;
        }
        self.content.push_str(content);
        self.refusal.push_str(refusal);
        self.reasoning.extend(fields::thoughts(delta));
        for (place, call) in calls.iter().enumerate() {
            let index =
                call.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
            self.call(index.unwrap_or(place), call);
        }
        Some(())
    }

    /// Keeps what the other fields of a piece say: that the answer is not whole, or that a person is wanted.
    fn note(&mut self, object: &Value) {
        let found = Findings::of([object]);
        self.wants_person |= found.wants_person;
        self.flaw = match found.flaw {
            Some(Unspoken::Cut) => Some("length"),
            Some(Unspoken::Refused) => Some("content_filter"),
            Some(_) => Some("error"),
            None => self.flaw,
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
            id,
            usage,
            content,
            refusal,
            reasoning,
            calls,
            reason,
            native_reason,
            flaw,
            error,
            wants_person,
            ..
        } = self;
        let message = json!({
            "role": "assistant", "content": content, "refusal": refusal, "reasoning": reasoning, "tool_calls": calls,
            HAND_OVER: wants_person,
        });
        let choice = json!({
            "message": message, "finish_reason": reason,
            "native_finish_reason": flaw.map_or(native_reason, Value::from),
        });
        json!({ "id": id, "usage": usage, "error": error, "choices": [choice] })
    }
}

/// Whether a piece has all that was said before it, as in a stream that sends the whole answer each time.
fn repeats(piece: &str, so_far: &str) -> bool {
    so_far.chars().filter(|other| other.is_alphanumeric()).count() > 1 && piece.starts_with(so_far)
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
        assert!(of("id: 1\n\nid: 2\n\nid: evt_a\n\nid: evt_a\n").is_some());
        assert!(of("data: {\"id\":\"a\",\"sequence_number\":4,\"choices\":[{\"delta\":{}}]}\n").is_some());
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
            // What does not continue the piece before it.
            piece(&json!({ "content": "Discounts: none, " })),
            piece(&json!({ "content": "Discounts: " })),
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}},{\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n"
                .to_owned(),
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\"}}]}\n".to_owned(),
            "data: {\"id\":\"a\",\"choices\":[{\"delta\":{}}]}\ndata: {\"id\":\"b\",\"choices\":[{\"delta\":{}}]}\n".to_owned(),
            "data: {\"choices\":[],\"usage\":{},\"sequence_number\":1}\ndata: {\"choices\":[],\"usage\":{},\"sequence_number\":3}\n"
                .to_owned(),
            "id: 1\n\nid: 1\n".to_owned(),
            "id: 1\n\nid: 3\n".to_owned(),
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

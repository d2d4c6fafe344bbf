//! An answer that an endpoint sends in pieces, though none were asked for: the pieces as one answer. Pure.

use serde_json::{Map, Value, json};

/// The most calls of one answer that are joined; what follows is one more, and an answer of that many calls is refused.
const MOST_CALLS: usize = 64;

/// Joins the pieces of a stream of events, or of lines; nothing where it is none.
pub(super) fn joined(body: &[u8]) -> Option<Value> {
    let body = std::str::from_utf8(body).ok()?;
    let (mut whole, mut is_any) = (Whole::default(), false);
    for line in body.lines() {
        let line = line.strip_prefix("data:").unwrap_or(line).trim();
        // A broken piece is missing, which the reason of the end would not say.
        if !line.starts_with('{') {
            continue;
        }
        let piece: Value = serde_json::from_str(line).ok()?;
        is_any |= whole.take(&piece);
    }
    is_any.then(|| whole.into_answer())
}

#[derive(Default)]
struct Whole {
    id: Value,
    usage: Value,
    content: String,
    refusal: String,
    calls: Vec<Map<String, Value>>,
    reason: Value,
    native_reason: Value,
    error: Value,
}

impl Whole {
    /// Takes a piece; says whether it is one of a choice.
    fn take(&mut self, piece: &Value) -> bool {
        let of_all = [(&mut self.id, "id"), (&mut self.usage, "usage"), (&mut self.error, "error")];
        for (kept, name) in of_all {
            if let Some(given) = piece.get(name).filter(|given| !given.is_null()) {
                *kept = given.clone();
            }
        }
        // Of several choices the first is read, as of a whole answer.
        let choices = piece.get("choices").and_then(Value::as_array);
        let of_first = |choice: &&Value| choice.get("index").is_none_or(|index| *index == 0);
        let Some(choice) = choices.and_then(|choices| choices.iter().find(of_first)) else { return false };
        let of_choice = [
            (&mut self.reason, "finish_reason"),
            (&mut self.native_reason, "native_finish_reason"),
            (&mut self.error, "error"),
        ];
        for (kept, name) in of_choice {
            if let Some(given) = choice.get(name).filter(|given| !given.is_null()) {
                *kept = given.clone();
            }
        }
        let delta = choice.get("delta").or_else(|| choice.get("message")).unwrap_or(&Value::Null);
        for (kept, name) in [(&mut self.content, "content"), (&mut self.refusal, "refusal")] {
            kept.push_str(delta.get(name).and_then(Value::as_str).unwrap_or_default());
        }
        for (place, call) in
            delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let index =
                call.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
            self.call(index.unwrap_or(place), call);
        }
        true
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
        let Self { id, usage, content, refusal, calls, reason, native_reason, error } = self;
        let message =
            json!({ "role": "assistant", "content": content, "refusal": refusal, "tool_calls": calls });
        let choice = json!({
            "message": message, "finish_reason": reason, "native_finish_reason": native_reason,
        });
        json!({ "id": id, "usage": usage, "error": error, "choices": [choice] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

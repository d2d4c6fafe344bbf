//! The fields of an answer in JSON, of a model and of a program alike: one table of their names, and what they say beside the text.
//! Pure.

use domain::Unspoken;
use domain::lenient::is_no;
use domain::spoken::{self, names};
use serde_json::Value;

/// How deep a wish for a person is looked for.
const DEEPEST: u32 = 4;
/// The most characters of a value that names an action.
const LONGEST_ACTION: usize = 40;

/// What a field of an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// Words for the customer.
    Text,
    /// Round the whole answer.
    Wrapper,
    /// What the model thinks, or a flag that marks a text as such.
    Thought,
    /// Calls of tools.
    Calls,
    /// The channel, the author and the kind of a text.
    Channel,
    Role,
    Kind,
    /// Why the answer ended.
    End,
    /// The same in other words. Unknown ones say nothing.
    Status,
    /// Flags of an answer that is not whole, of one that failed, and of one that did not.
    Cut,
    Error,
    Success,
    /// The model declines, or a filter withheld something.
    Refusal,
    Filter,
    /// A flag that asks for a person.
    Person,
    /// What is done next, or who does it.
    Route,
    /// The appeal is over.
    Close,
    Reason,
    Name,
    Phone,
    Email,
    /// The words of others, and names of no action.
    Aside,
    Other,
}

/// The names of the fields, as [`names::letters`] has them.
const NAMES: [(Field, &[&str]); 21] = [
    (Field::Text, &["text", "messagetext", "answer", "output"]),
    (Field::Wrapper, &["json"]),
    (Field::Thought, &["isthought", "isreasoning", "isthinking"]),
    (Field::Calls, &["toolcalls", "toolcall", "functioncalls", "functioncall", "mcpcalls"]),
    (Field::Channel, &["channel"]),
    (Field::Role, &["role"]),
    (Field::Kind, &["kind", "phase"]),
    (Field::End, &["finishreason", "donereason"]),
    (Field::Status, &["nativefinishreason", "finishdetails", "stopreason", "status"]),
    (Field::Cut, &["incompletedetails", "truncated", "incomplete", "partial"]),
    (Field::Error, &["error", "errors", "iserror", "errormessage"]),
    (Field::Success, &["success", "ok", "done"]),
    (Field::Refusal, &["refusal"]),
    (Field::Filter, &["flagged", "blocked"]),
    (Field::Close, &["close"]),
    (Field::Reason, &["reason"]),
    (Field::Name, &["name", "clientname"]),
    (Field::Phone, &["phone", "clientphone"]),
    (Field::Email, &["email", "clientemail"]),
    (Field::Route, &["state", "next", "handler", "queue", "decision"]),
    (
        Field::Aside,
        &[
            "content", "choices", "usage", "logprobs", "model", "id", "object", "device", "tags", "sources",
            "meta", "media", "client", "appeal",
        ],
    ),
];
/// How the names of other fields begin.
const BEGINNINGS: [(Field, &[&str]); 3] = [
    (Field::Thought, &["reasoning", "thinking", "thought"]),
    (Field::Filter, &["contentfilterresult", "moderation", "safety"]),
    (
        Field::Route,
        &[
            "action",
            "intent",
            "route",
            "routing",
            "assign",
            "responder",
            "target",
            "command",
            "nextstep",
            "nextaction",
        ],
    ),
];

impl Field {
    /// Returns what a field is for, in whatever way its name is written.
    pub(crate) fn of(name: &str) -> Self {
        let letters = names::letters(name);
        let exact = NAMES.iter().find(|(_, known)| known.contains(&letters.as_str()));
        let is_begun = |(_, known): &&(Self, &[&str])| known.iter().any(|start| letters.starts_with(start));
        match exact.or_else(|| BEGINNINGS.iter().find(is_begun)) {
            None | Some((Self::Route | Self::Filter, _)) if names::wants_a_person(name) => Self::Person,
            None => Self::Other,
            Some((field, _)) => *field,
        }
    }
}

/// The fields of an object with what each is for.
fn fields(object: &Value) -> impl Iterator<Item = (Field, &String, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (Field::of(name), name, value))
}

/// What the fields of an answer say, its text aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Why the answer is not whole, or not for a customer: the first reason.
    pub(crate) flaw: Option<Unspoken>,
    /// Whether a field asks for a person.
    pub(crate) wants_person: bool,
    /// Whether the answer is not over yet.
    pub(crate) goes_on: bool,
}

impl Findings {
    /// Reads the fields of several objects, in this order.
    pub(crate) fn of<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut found = Self::default();
        objects.into_iter().for_each(|object| found.add(object));
        found
    }

    /// Reads the fields of an object. Other fields say nothing.
    pub(crate) fn add(&mut self, object: &Value) {
        for (field, name, value) in fields(object) {
            self.wants_person |= asks_for_person(name, value);
            self.goes_on |= field == Field::Status && value.as_str().is_some_and(spoken::goes_on);
            if let Err(flaw) = check(field, name, value) {
                self.flaw.get_or_insert(flaw);
            }
        }
    }
}

/// Checks a field that says how an answer ended.
fn check(field: Field, name: &str, value: &Value) -> Result<(), Unspoken> {
    let is_set = is_yes(value);
    match field {
        Field::End if !is_given(value) => Ok(()),
        Field::End => match value {
            Value::String(reason) => spoken::finished(Some(reason)),
            // An unusual form is read as far as it says that the answer is cut, and is no end otherwise.
            other => words(other).and(Err(spoken::unfinished(&other.to_string()))),
        },
        Field::Status => words(value),
        Field::Cut if is_set => Err(Unspoken::Cut),
        Field::Error if is_set => Err(spoken::unfinished("error")),
        Field::Success if is_no(value) && !value.is_null() => Err(spoken::unfinished(name)),
        // It is a text, and "No" is one.
        Field::Refusal if is_given(value) => Err(Unspoken::Refused),
        Field::Filter if is_filtered(name, value) => Err(Unspoken::Refused),
        _ => Ok(()),
    }
}

/// Says whether a field asks for a person: as a flag of that name, as the name of an action, or in what stands in it.
pub(crate) fn asks_for_person(name: &str, value: &Value) -> bool {
    asks_within(name, value, DEEPEST)
}

fn asks_within(name: &str, value: &Value, depth: u32) -> bool {
    let field = Field::of(name);
    let has_other_words = matches!(
        field,
        Field::Text
            | Field::Thought
            | Field::Calls
            | Field::Aside
            | Field::Name
            | Field::Phone
            | Field::Email
    );
    match value {
        _ if has_other_words => false,
        flag if field == Field::Person => is_yes(flag),
        Value::Bool(true) => names::is_person(name),
        Value::String(action) => {
            let may_have_spaces = matches!(field, Field::Route | Field::Status);
            let is_action = action.chars().count() <= LONGEST_ACTION
                && !action.contains(['/', '@'])
                && (may_have_spaces || !action.trim().contains(char::is_whitespace));
            is_action && (names::wants_a_person(action) || field == Field::Route && names::is_person(action))
        }
        Value::Array(items) => depth > 0 && items.iter().any(|item| asks_within(name, item, depth - 1)),
        Value::Object(all) => {
            depth > 0 && all.iter().any(|(name, value)| asks_within(name, value, depth - 1))
        }
        _ => false,
    }
}

/// Returns why an answer ended, where that is a word.
pub(crate) fn end(object: &Value) -> Option<&str> {
    let mut ends = fields(object).filter(|(field, _, _)| *field == Field::End);
    ends.find_map(|(_, _, end)| end.as_str().filter(|end| !end.trim().is_empty()))
}

/// Returns the calls of tools in an object, by the names of their fields.
pub(crate) fn calls(object: &Value) -> Vec<(&str, &Value)> {
    let is_call = |(field, _, value): &(Field, &String, &Value)| *field == Field::Calls && is_given(value);
    fields(object).filter(is_call).map(|(_, name, value)| (name.as_str(), value)).collect()
}

/// Returns the thoughts beside the content of a message, or of a piece of one.
pub(crate) fn thoughts(message: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (field, _, value) in fields(message) {
        let mut text = String::new();
        if field == Field::Thought {
            collect(value, &mut text);
        } else if value.is_object() {
            // What a gateway passes on of its provider.
            found.extend(thoughts(value));
        }
        found.extend(Some(text).filter(|text| !text.is_empty()));
    }
    found
}

/// Adds the texts of a thought; types and signatures among them are none.
fn collect(value: &Value, text: &mut String) {
    match value {
        Value::String(piece) => text.push_str(piece),
        Value::Array(all) => all.iter().for_each(|value| collect(value, text)),
        Value::Object(_) => {
            let is_text = |field: Field, name: &str| {
                field == Field::Thought || ["text", "summary", "content", "value"].contains(&name)
            };
            fields(value)
                .filter(|(field, name, _)| is_text(*field, name))
                .for_each(|(_, _, value)| collect(value, text));
        }
        _ => {}
    }
}

/// Says whether a message, a part or a piece is marked as a thought, or as the words of another than the model.
pub(crate) fn is_marked(message: &Value) -> bool {
    fields(message).any(|(field, _, value)| {
        let word = value.as_str().unwrap_or_default().trim().to_ascii_lowercase();
        let is_other = |usual: &[&str]| !word.is_empty() && !usual.contains(&word.as_str());
        match field {
            Field::Thought => *value == true || *value == 1,
            Field::Channel => is_other(&["final"]),
            Field::Role => is_other(&["assistant", "model"]),
            Field::Kind => is_of_thoughts(&word),
            _ => false,
        }
    })
}

/// Says whether a part of a content is a thought.
pub(crate) fn is_thought(part: &Value) -> bool {
    let is_named = |field: &str| {
        let name = part.get(field).and_then(Value::as_str).unwrap_or_default();
        is_of_thoughts(&name.to_ascii_lowercase())
    };
    let has_thought = fields(part).any(|(field, _, value)| field == Field::Thought && is_given(value));
    has_thought || is_marked(part) || is_named("name") || is_named("type")
}

fn is_of_thoughts(word: &str) -> bool {
    ["think", "thought", "reason", "analysis", "commentary"].iter().any(|mark| word.contains(mark))
}

/// Says whether a value says something: it is there, and not empty, null or false.
pub(crate) fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Says whether a flag is set: it is no no, and no empty list or object.
pub(crate) fn is_yes(flag: &Value) -> bool {
    is_given(flag) && !is_no(flag)
}

/// Checks a reason, or those within a list or an object.
fn words(value: &Value) -> Result<(), Unspoken> {
    match value {
        Value::String(reason) => spoken::not_cut(reason),
        Value::Array(all) => all.iter().try_for_each(words),
        Value::Object(all) => all.values().try_for_each(words),
        _ => Ok(()),
    }
}

/// Whether a filter of the provider withheld something: a flag of such a name is set, in whatever depth.
fn is_filtered(name: &str, value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().any(|value| is_filtered(name, value)),
        Value::Object(all) => all.iter().any(|(name, value)| is_filtered(name, value)),
        flag => ["filtered", "flagged", "blocked"].contains(&names::letters(name).as_str()) && is_yes(flag),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flaw_of(fields: &Value) -> Option<Unspoken> {
        Findings::of([fields]).flaw
    }

    #[test]
    fn each_field_that_ends_an_answer_is_read() {
        let unfinished = |word: &str| Some(Unspoken::Unfinished(word.to_owned()));
        for (fields, expected) in [
            (json!({ "finish_reason": "length" }), Some(Unspoken::Cut)),
            (json!({ "finishReason": "MAX_TOKENS" }), Some(Unspoken::Cut)),
            (json!({ "finish_reason": ["length"] }), Some(Unspoken::Cut)),
            (json!({ "finish_reason": { "reason": "length" } }), Some(Unspoken::Cut)),
            (json!({ "finish_reason": 1 }), unfinished("1")),
            (json!({ "finish_details": { "type": "max_tokens" } }), Some(Unspoken::Cut)),
            (json!({ "finish_reason": "stop", "stop_reason": "max_tokens" }), Some(Unspoken::Cut)),
            (json!({ "status": "incomplete" }), Some(Unspoken::Cut)),
            (json!({ "incomplete_details": { "reason": "max_output_tokens" } }), Some(Unspoken::Cut)),
            (json!({ "done_reason": "length" }), Some(Unspoken::Cut)),
            (json!({ "content_filter_results": { "hate": { "filtered": true } } }), Some(Unspoken::Refused)),
            (json!({ "moderation": { "flagged": true } }), Some(Unspoken::Refused)),
            (json!({ "safety_ratings": [{ "category": "x", "blocked": true }] }), Some(Unspoken::Refused)),
            (json!({ "blocked": true }), Some(Unspoken::Refused)),
            (json!({ "error": "overloaded" }), unfinished("error")),
            (json!({ "is_error": true }), unfinished("error")),
            (json!({ "success": false }), unfinished("success")),
            (json!({ "done": false }), unfinished("done")),
            (json!({ "ok": 0 }), unfinished("ok")),
            (json!({ "success": "no" }), unfinished("success")),
            (json!({ "status": "failed" }), unfinished("failed")),
        ] {
            assert_eq!(flaw_of(&fields), expected, "{fields}");
        }
        for whole in [
            json!({}),
            json!({ "finish_reason": "stop", "stop_reason": null, "status": "completed", "error": null }),
            json!({ "stop_reason": "\n\n" }),
            json!({ "stop_reason": 128_009 }),
            json!({ "content_filter_results": { "hate": { "filtered": false, "severity": "safe" } } }),
            json!({ "moderation": { "flagged": false }, "safetyRatings": [{ "probability": "LOW", "blocked": false }] }),
            json!({ "success": true, "truncated": false, "done": true, "incomplete_details": null }),
            json!({ "error": 0, "errors": "None", "success": 1, "truncated": 0 }),
        ] {
            assert_eq!(flaw_of(&whole), None, "{whole}");
        }
    }

    #[test]
    fn a_wish_for_a_person_is_read_wherever_it_stands() {
        let wants = |fields: &Value| Findings::of([fields]).wants_person;
        for wish in [
            json!({ "hand_over": true }),
            json!({ "needsHuman": { "reason": "angry" } }),
            json!({ "safety_needs_human": true }),
            json!({ "route_to_human": "yes" }),
            json!({ "нужен_оператор": true }),
            json!({ "operator": true }),
            json!({ "human_agent": true }),
            json!({ "data": { "hand_over": true } }),
            json!({ "metadata": { "flags": [{ "escalate": true }] } }),
            json!({ "actions": [{ "type": "handoff" }] }),
            json!({ "action": "Transfer to operator" }),
            json!({ "intent": "transfer_to_operator" }),
            json!({ "status": "escalated" }),
            json!({ "route": "human" }),
            json!({ "assigned_to": "operator" }),
            json!({ "human_takeover": true }),
            json!({ "human_requested": 1 }),
            json!({ "next_step": "human_review" }),
            json!({ "action": "request_human_assistance" }),
            json!({ "result": "handoff" }),
        ] {
            assert!(wants(&wish), "{wish}");
        }
        for none in [
            json!({ "text": "handoff" }),
            json!({ "hand_over": false, "escalate": "", "data": { "needs_human": null } }),
            json!({ "hand_over": 0, "escalate": "0", "needs_human": "no", "human": 0.0 }),
            json!({ "needs_operator": "нет", "call_manager": "None", "route_to_human": "undefined" }),
            json!({ "support_request_id": 5, "transfer_to_operator_at": "2026-01-01" }),
            json!({ "no_handoff": true, "intent": "no_escalation" }),
            json!({ "operator": "Anna", "human": false, "manager_name": "Olga" }),
            json!({ "action": "reply", "status": "completed", "route": "ai_agent" }),
            json!({ "messages": [{ "type": "human", "role": "operator" }] }),
            json!({ "note": "Do not transfer to an operator" }),
            json!({ "link": "https://example.com/call-support" }),
            json!({ "model": "call-center-agent", "sources": ["call_manager"], "tags": ["call_manager"] }),
            json!({ "meta": { "original_messages": [{ "text": "handoff", "note": "handoff" }] } }),
            json!({ "choices": [{ "hand_over": true }] }),
        ] {
            assert!(!wants(&none), "{none}");
        }
    }

    #[test]
    fn an_answer_that_is_in_progress_goes_on() {
        assert!(Findings::of([&json!({ "status": "in_progress" })]).goes_on);
        assert!(!Findings::of([&json!({ "status": "completed", "text": "in_progress" })]).goes_on);
    }
}

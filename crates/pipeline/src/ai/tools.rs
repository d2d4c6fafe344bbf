//! What a model may do beside writing a text: the tools that it is offered, and its calls of them, read leniently. Pure.

use domain::secret::Words;
use domain::spoken::names::{CLOSE, CONFIDENCE, HAND_OVER, REPLY, SET_FIELDS, SOURCES, TEXT};
use serde_json::{Map, Value, json};

use crate::fields::asks_for_person;

/// The most characters of a reason or a field.
const LONGEST_VALUE: usize = 500;
/// The most tags of one call.
const MOST_TAGS: usize = 20;
/// The most texts that an answer cites.
const MOST_SOURCES: usize = 50;
/// The most characters of an unknown tool's name that are kept.
const LONGEST_NAME: usize = 64;

/// Which tools are offered. Replying and handing over always are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSet {
    /// Closing the appeal.
    pub close: bool,
    /// Noting what the customer says of themselves.
    pub set_fields: bool,
    /// The names of the texts that an answer may cite.
    pub sources: Vec<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Reply(Reply),
    /// A person answers.
    HandOver {
        reason: Words,
    },
    /// The appeal is over.
    Close {
        reason: Words,
    },
    SetFields(Fields),
}

/// An answer to the customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub text: Words,
    /// From 0 to 1.
    pub confidence: Option<f64>,
    /// The names of the texts that it cites, whether there are such texts or not.
    pub sources: Vec<String>,
}

/// What a customer said of themselves. Nothing of it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pub name: Option<Words>,
    pub phone: Option<Words>,
    pub email: Option<Words>,
    pub device: Option<Words>,
    pub tags: Vec<Words>,
}

impl Fields {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Both; of what both have, the other's, and the tags of each.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        let mut tags = self.tags;
        for tag in other.tags {
            if tags.len() < MOST_TAGS && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        Self {
            name: other.name.or(self.name),
            phone: other.phone.or(self.phone),
            email: other.email.or(self.email),
            device: other.device.or(self.device),
            tags,
        }
    }
}

/// Why a call does nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    #[error("there is no tool {0:?} here")]
    Unknown(String),
    #[error("the arguments of `{tool}` are no JSON object")]
    Arguments { tool: &'static str },
    #[error("`{tool}` was called without `{field}`")]
    Missing { tool: &'static str, field: &'static str },
    #[error("`{field}` of `{tool}` has more than {LONGEST_VALUE} characters")]
    TooLong { tool: &'static str, field: &'static str },
}

impl ToolSet {
    /// The tools, as an endpoint takes them.
    pub fn definitions(&self) -> Value {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let sources = if self.sources.is_empty() {
            json!({ "type": "string" })
        } else {
            json!({ "type": "string", "enum": self.sources })
        };
        let reply = json!({
            TEXT: text("The answer, as the customer reads it."),
            CONFIDENCE: {
                "type": "number",
                "description": "How sure you are that the answer is right and complete, from 0 to 1.",
            },
            SOURCES: {
                "type": "array", "items": sources,
                "description": "The names of the given texts that the answer is taken from.",
            },
        });
        let reason = |about: &str| json!({ "reason": text(about) });
        let mut all = vec![
            tool(REPLY, "Answers the customer.", &reply, &[TEXT, CONFIDENCE, SOURCES]),
            tool(
                HAND_OVER,
                "Has a person answer instead: when the customer wants one, or you cannot help.",
                &reason("Why, in a sentence for that person."),
                &["reason"],
            ),
        ];
        if self.close {
            let about = "Closes the appeal: when the customer says that nothing more is needed.";
            all.push(tool(CLOSE, about, &reason("Why, in a sentence."), &["reason"]));
        }
        if self.set_fields {
            let tag = json!({ "type": "array", "items": { "type": "string" } });
            let fields = json!({
                "name": text("What the customer is called."),
                "phone": text("A phone number that the customer gave."),
                "email": text("An address that the customer gave."),
                "device": text("The model of the device that the customer writes about."),
                "tags": tag,
            });
            let about = "Notes what the customer said of themselves. Leave out what was not said.";
            all.push(tool(SET_FIELDS, about, &fields, &[]));
        }
        Value::from(all)
    }

    /// Reads a call. A tool that is not offered is unknown.
    ///
    /// # Errors
    /// The call cannot be taken.
    pub fn read(&self, name: &str, arguments: &str) -> Result<Action, CallProblem> {
        let tool = match name.trim() {
            REPLY => REPLY,
            HAND_OVER => HAND_OVER,
            CLOSE if self.close => CLOSE,
            SET_FIELDS if self.set_fields => SET_FIELDS,
            other => return Err(CallProblem::Unknown(other.chars().take(LONGEST_NAME).collect())),
        };
        let given = object(arguments).ok_or(CallProblem::Arguments { tool })?;
        // A wish for a person counts wherever it stands.
        if given.iter().any(|(name, value)| asks_for_person(name, value)) {
            let reason = value(&given, tool, "reason")?.unwrap_or_default();
            return Ok(Action::HandOver { reason });
        }
        match tool {
            REPLY => reply(&given).map(Action::Reply).ok_or(CallProblem::Missing { tool, field: TEXT }),
            SET_FIELDS => fields(&given).map(Action::SetFields),
            _ => {
                let reason = value(&given, tool, "reason")?.unwrap_or_default();
                Ok(if tool == CLOSE { Action::Close { reason } } else { Action::HandOver { reason } })
            }
        }
    }
}

/// The answer in a text: the text itself, or the arguments of a reply, as models write them that know no tools. What else is an
/// object stays as it is, and the gate for the words of models refuses it.
pub(super) fn reply_in_text(text: &str) -> Reply {
    let text = text.trim();
    let given = values(text).and_then(|values| match <[Value; 1]>::try_from(values) {
        Ok([Value::Object(given)])
            if given.keys().all(|name| [TEXT, CONFIDENCE, SOURCES].contains(&name.as_str())) =>
        {
            reply(&given)
        }
        _ => None,
    });
    given.unwrap_or_else(|| Reply { text: text.into(), confidence: None, sources: Vec::new() })
}

/// The calls in a text that is nothing else, by name and arguments, as models write them whose endpoint does not read their calls.
pub(super) fn calls_in_text(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    for value in values(text)? {
        match value {
            Value::Array(all) => found.extend(all.iter().map(call_of).collect::<Option<Vec<_>>>()?),
            other => found.push(call_of(&other)?),
        }
    }
    Some(found).filter(|found| !found.is_empty())
}

/// The values of a text that has values of JSON alone, and marks of calls round them.
fn values(text: &str) -> Option<Vec<Value>> {
    const ROUND: [&str; 10] = [
        "<tool_call>",
        "</tool_call>",
        "[TOOL_CALLS]",
        "<|python_tag|>",
        "```json",
        "```tool_call",
        "```text",
        "```JSON",
        "```",
        ";",
    ];
    let (mut left, mut found) = (text.trim(), Vec::new());
    while !left.is_empty() {
        if let Some(rest) = ROUND.iter().find_map(|mark| left.strip_prefix(mark)) {
            left = rest.trim_start();
            continue;
        }
        let mut values = serde_json::Deserializer::from_str(left).into_iter::<Value>();
        let value = values.next()?.ok().filter(|value| value.is_object() || value.is_array())?;
        left = left.get(values.byte_offset()..)?.trim_start();
        found.push(value);
    }
    Some(found)
}

/// The name and the arguments of a call, as the families of models write it.
fn call_of(value: &Value) -> Option<(String, String)> {
    let call = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let name = ["name", "tool", "tool_name", "function"].iter().find_map(|key| call.get(key)?.as_str())?;
    let arguments = ["arguments", "parameters", "args", "input"].iter().find_map(|key| call.get(key))?;
    let arguments = match arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some((name.to_owned(), arguments))
}

fn tool(name: &str, about: &str, properties: &Value, required: &[&str]) -> Value {
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "type": "function", "function": { "name": name, "description": about, "parameters": schema } })
}

/// Arguments; none at all are an empty object.
fn object(arguments: &str) -> Option<Map<String, Value>> {
    if arguments.trim().is_empty() {
        return Some(Map::new());
    }
    serde_json::from_str(arguments).ok()
}

fn reply(given: &Map<String, Value>) -> Option<Reply> {
    let text = given.get(TEXT)?.as_str()?;
    let sources = listed(given.get(SOURCES));
    Some(Reply {
        text: text.trim().into(),
        confidence: given.get(CONFIDENCE).and_then(confidence),
        sources: sources.take(MOST_SOURCES).map(str::to_owned).collect(),
    })
}

/// A number from 0 to 1, also as text or in percent.
fn confidence(given: &Value) -> Option<f64> {
    let (number, is_percent) = match given {
        Value::Number(number) => (number.as_f64()?, false),
        Value::String(text) => {
            let text = text.trim();
            let bare = text.trim_end_matches('%');
            (bare.trim().parse().ok()?, bare.len() < text.len())
        }
        _ => return None,
    };
    let number = if is_percent || number > 1.0 { number / 100.0 } else { number };
    (0.0..=1.0).contains(&number).then_some(number)
}

/// The words of a list, or of a text with commas.
fn listed(given: Option<&Value>) -> impl Iterator<Item = &str> {
    const NONE: &[Value] = &[];
    let (list, text) = match given {
        Some(Value::Array(list)) => (list.as_slice(), None),
        Some(Value::String(text)) => (NONE, Some(text)),
        _ => (NONE, None),
    };
    let texts =
        list.iter().filter_map(Value::as_str).chain(text.into_iter().flat_map(|text| text.split(',')));
    texts.map(str::trim).filter(|text| !text.is_empty())
}

fn fields(given: &Map<String, Value>) -> Result<Fields, CallProblem> {
    let read = |field| value(given, SET_FIELDS, field);
    let tags = || listed(given.get("tags"));
    if tags().any(|tag| tag.chars().count() > LONGEST_VALUE) {
        return Err(CallProblem::TooLong { tool: SET_FIELDS, field: "tags" });
    }
    let device = match read("device")? {
        None => read("model")?,
        found => found,
    };
    Ok(Fields {
        name: read("name")?,
        phone: read("phone")?,
        email: read("email")?,
        device,
        tags: tags().take(MOST_TAGS).map(Words::from).collect(),
    })
}

/// A text, or a number as one; an empty one is none.
fn value(
    given: &Map<String, Value>,
    tool: &'static str,
    field: &'static str,
) -> Result<Option<Words>, CallProblem> {
    let text = match given.get(field) {
        Some(Value::String(text)) => text.trim().replace(char::is_control, " "),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Ok(None),
    };
    if text.chars().count() > LONGEST_VALUE {
        return Err(CallProblem::TooLong { tool, field });
    }
    Ok(Some(text).filter(|text| !text.is_empty()).map(Words::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> ToolSet {
        ToolSet { close: true, set_fields: true, sources: vec!["prices".to_owned()] }
    }

    #[test]
    fn calls_are_read_leniently() {
        let read = |name: &str, arguments: &str| all().read(name, arguments);
        let reply = |text: &str, confidence, sources: &[&str]| {
            let sources = sources.iter().map(|&name| name.to_owned()).collect();
            Ok(Action::Reply(Reply { text: text.into(), confidence, sources }))
        };
        for (arguments, confidence, sources) in [
            (r#"{"text":"Yes","confidence":0.7,"sources":["prices"]}"#, Some(0.7), ["prices"].as_slice()),
            (
                r#"{"text":" Yes ","confidence":"70%","sources":"prices, other"}"#,
                Some(0.7),
                &["prices", "other"],
            ),
            (r#"{"text":"Yes","confidence":70}"#, Some(0.7), &[]),
            (r#"{"text":"Yes","confidence":"sure","sources":[1,""]}"#, None, &[]),
            (r#"{"text":"Yes","confidence":-1}"#, None, &[]),
        ] {
            assert_eq!(read("reply", arguments), reply("Yes", confidence, sources), "{arguments}");
        }
        assert_eq!(read("hand_over", ""), Ok(Action::HandOver { reason: Words::default() }));
        let over = read("reply", r#"{"text":"Yes","hand_over":true,"reason":"angry"}"#);
        assert_eq!(over, Ok(Action::HandOver { reason: "angry".into() }));
        assert_eq!(read("reply", r#"{"text":"Yes","needs_human":false}"#), reply("Yes", None, &[]));
        let fields = Fields {
            name: Some("Anna".into()),
            phone: Some("70000000001".into()),
            device: Some("X100".into()),
            tags: vec!["repair".into()],
            ..Fields::default()
        };
        let given =
            r#"{"name":" Anna ","phone":70000000001,"email":"","model":"X100","tags":["repair"],"more":1}"#;
        assert_eq!(read("set_fields", given), Ok(Action::SetFields(fields)));
    }

    #[test]
    fn an_invalid_tool_call_is_refused_with_its_problem() {
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(501));
        for (set, name, arguments, problem) in [
            (all(), "refund", "{}", CallProblem::Unknown("refund".to_owned())),
            (ToolSet::default(), "close", "{}", CallProblem::Unknown("close".to_owned())),
            (ToolSet::default(), "set_fields", "{}", CallProblem::Unknown("set_fields".to_owned())),
            (all(), "reply", "{", CallProblem::Arguments { tool: "reply" }),
            (all(), "close", "[]", CallProblem::Arguments { tool: "close" }),
            (all(), "reply", "{}", CallProblem::Missing { tool: "reply", field: "text" }),
            (all(), "set_fields", &long, CallProblem::TooLong { tool: "set_fields", field: "name" }),
        ] {
            assert_eq!(set.read(name, arguments), Err(problem));
        }
    }

    #[test]
    fn a_reply_is_found_in_a_text() {
        let found = |text: &str| reply_in_text(text).text.into_string();
        let json = r#"{"text":"Yes","confidence":1}"#;
        for text in
            [json.to_owned(), format!(" {json}\n"), format!("```json\n{json}\n```"), format!("```{json}```")]
        {
            assert_eq!(found(&text), "Yes", "{text}");
        }
        for text in ["Yes", "", "```", "``````", "[1]", "```json\n{\n```", "{\"answer\":\"Yes\"}"] {
            assert_eq!(found(text), text);
        }
    }

    #[test]
    fn calls_are_found_in_a_text_that_has_nothing_else() {
        let call = r#"{"name":"reply","arguments":{"text":"Yes"}}"#;
        let one = vec![("reply".to_owned(), r#"{"text":"Yes"}"#.to_owned())];
        for text in [
            call.to_owned(),
            format!("<tool_call>\n{call}\n</tool_call>"),
            format!("[TOOL_CALLS][{call}]"),
            format!("```json\n{call}\n```"),
            format!("<|python_tag|>{}", call.replace("arguments", "parameters")),
            format!(r#"{{"type":"function","function":{call}}}"#),
            r#"[{"name":"reply","arguments":"{\"text\":\"Yes\"}"}]"#.to_owned(),
        ] {
            assert_eq!(calls_in_text(&text), Some(one.clone()), "{text}");
        }
        assert_eq!(
            calls_in_text(&format!("<tool_call>{call}</tool_call>\n<tool_call>{call}</tool_call>"))
                .unwrap()
                .len(),
            2
        );
        for text in ["", "Yes", "[]", "{}", "<tool_call>", &format!("Sure! {call}"), &call[..20]] {
            assert_eq!(calls_in_text(text), None, "{text}");
        }
    }
}

//! What a model says: made from the last message of the user, as the table of this folder has it. Pure.

use serde_json::{Map, Value, json};

use super::chat::{ChatRequest, Choice, Tool};

/// The longest text that is quoted, in characters.
const LONGEST: usize = 2_000;

/// What is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ModelOutput {
    Text(String),
    /// Tools that are called, by their names, with their arguments as JSON.
    Calls(Vec<(String, String)>),
    Refusal(String),
}

impl ModelOutput {
    pub(super) fn tokens_by(&self, count: impl Fn(&str) -> u64) -> u64 {
        match self {
            Self::Text(text) | Self::Refusal(text) => count(text),
            Self::Calls(calls) => calls.iter().map(|(name, arguments)| count(name) + count(arguments)).sum(),
        }
    }
}

/// What a model says to this.
pub(super) fn say(chat: &ChatRequest) -> ModelOutput {
    let last = chat.messages.iter().rev().find(|turn| turn.role == "user");
    let text = last.map(|turn| text_of(&turn.text)).unwrap_or_default();
    let is_next = chat.messages.last().is_some_and(|turn| turn.role == "user");
    let tool = |part: &str| chat.tools.iter().find(|tool| tool.name.contains(part));
    let sentence = sentence(&text);
    let call = |tool: &Tool| {
        let arguments = filled(&tool.schema, &sentence, &text);
        ModelOutput::Calls(vec![(tool.name.clone(), Value::from(arguments).to_string())])
    };
    match &chat.choice {
        Choice::None => return plain(chat, &sentence, &text),
        Choice::Named(name) => {
            if let Some(tool) = chat.tools.iter().find(|tool| tool.name == *name) {
                return call(tool);
            }
        }
        Choice::Auto | Choice::Required => {}
    }
    if is_next && let Some(output) = requested(chat, &text) {
        return output;
    }
    let reply = tool("reply");
    let forced = chat.tools.first().filter(|_| matches!(chat.choice, Choice::Required));
    reply.or(forced).map_or_else(|| plain(chat, &sentence, &text), call)
}

fn plain(chat: &ChatRequest, sentence: &str, text: &str) -> ModelOutput {
    ModelOutput::Text(match &chat.format {
        Some(schema) => Value::from(filled(schema, sentence, text)).to_string(),
        None => sentence.to_owned(),
    })
}

/// The tools that the user's words ask for.
fn requested(chat: &ChatRequest, text: &str) -> Option<ModelOutput> {
    if let Some((name, arguments)) = ordered(text) {
        return Some(ModelOutput::Calls(vec![(name, arguments)]));
    }
    let small = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| small.contains(word));
    let tool = |part: &str| chat.tools.iter().find(|tool| tool.name.contains(part));
    let called = |tool: &Tool, arguments: Map<String, Value>| {
        ModelOutput::Calls(vec![(tool.name.clone(), Value::from(arguments).to_string())])
    };
    if has(&["operator", "human", "оператор", "человек"])
        && let Some(tool) = tool("hand")
    {
        return Some(called(tool, filled(&tool.schema, text, text)));
    }
    if has(&["close", "закр"])
        && let Some(tool) = tool("close")
    {
        return Some(called(tool, filled(&tool.schema, text, text)));
    }
    let tool = tool("field")?;
    let fields = fields(text, &tool.schema["properties"]);
    (!fields.is_empty()).then(|| called(tool, fields))
}

/// The tool and the arguments of `call NAME {…}`.
fn ordered(text: &str) -> Option<(String, String)> {
    let order = text.split_once("call ")?.1;
    let (name, rest) = order.split_once(' ')?;
    let end = rest.rfind('}')?;
    rest.starts_with('{').then(|| (name.to_owned(), rest[..=end].to_owned()))
}

/// What the user's words say of the user, of what there is a property for.
fn fields(text: &str, properties: &Value) -> Map<String, Value> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|letter: char| ",.!?;:«»\"".contains(letter)).to_owned();
    let after = |phrase: &[&str]| {
        let place = words.windows(phrase.len()).position(|found| {
            found.iter().zip(phrase).all(|(word, wanted)| bare(word).to_lowercase() == *wanted)
        })?;
        words.get(place + phrase.len()).map(|word| bare(word)).filter(|word| !word.is_empty())
    };
    let phone = words.iter().map(|word| bare(word)).find(|word| {
        word.strip_prefix('+')
            .is_some_and(|rest| rest.len() > 6 && rest.bytes().all(|it| it.is_ascii_digit()))
    });
    let email = words
        .iter()
        .map(|word| bare(word))
        .find(|word| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')));
    let device = after(&["model"]).or_else(|| after(&["модель"]));
    let found = [
        ("name", after(&["my", "name", "is"]).or_else(|| after(&["меня", "зовут"]))),
        ("phone", phone),
        ("email", email),
        ("model", device.clone()),
        ("device", device),
    ];
    let known = |name: &str| properties.get(name).is_some();
    found
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|_| known(name))?.into())))
        .collect()
}

/// The text of a message; of a line that is a JSON object, its text.
fn text_of(content: &str) -> String {
    let text = |line: &str| match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(object) => object.get("text").and_then(Value::as_str).map(str::to_owned),
        Err(_) => Some(line.to_owned()),
    };
    let texts: Vec<String> = content.lines().filter_map(text).filter(|text| !text.is_empty()).collect();
    let text = if texts.is_empty() { content.to_owned() } else { texts.join("\n") };
    text.trim().chars().take(LONGEST).collect()
}

/// The sentence that quotes the user.
fn sentence(text: &str) -> String {
    let is_russian = text.chars().any(|letter| matches!(letter, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё'));
    if is_russian { format!("Вы написали: «{text}».") } else { format!("You wrote: \"{text}\".") }
}

/// An object as a schema has it.
fn filled(schema: &Value, sentence: &str, text: &str) -> Map<String, Value> {
    let small = text.to_lowercase();
    let is_unsure = small.contains("not sure") || small.contains("не уверен");
    let has_no_source = small.contains("no source") || small.contains("без источника");
    let value = |property: &Value| {
        if let Some(first) = property["enum"].get(0) {
            return first.clone();
        }
        match property["type"].as_str() {
            Some("number") => json!(if is_unsure { 0.2 } else { 0.9 }),
            Some("integer") => json!(1),
            Some("boolean") => json!(true),
            Some("array") => property["items"]["enum"]
                .get(0)
                .filter(|_| !has_no_source)
                .map_or_else(|| json!([]), |first| json!([first])),
            Some("object") => json!({}),
            _ => json!(sentence),
        }
    };
    let properties = schema["properties"].as_object();
    properties.into_iter().flatten().map(|(name, property)| (name.clone(), value(property))).collect()
}

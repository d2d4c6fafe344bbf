//! What the document says of the values in bodies: text stands for numbers and flags, numbers and flags stand for text, and
//! what may be left out may be empty text. It is read so by `extract`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const NUMBER: &str = r"^\s*(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)?\s*$";

const WHOLE: &str = r"^\s*([+-]?[0-9]+)?\s*$";

const FLAG: &str = r"^\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])?\s*$";

/// Nothing, as text.
const NOTHING: &str = r"^\s*$";

/// Says it of every schema that a JSON body is made of.
pub(super) fn describe(document: &mut Value) {
    let mut names = BTreeSet::new();
    for_each_json_body(document, &mut |schema| references(schema, &mut names));
    // Schemas within schemas are found one level at a time.
    loop {
        let known = names.len();
        for name in names.clone() {
            if let Some(schema) = document["components"]["schemas"].get(&name) {
                references(schema, &mut names);
            }
        }
        if names.len() == known {
            break;
        }
    }
    for name in names {
        if let Some(schema) = document["components"]["schemas"].get_mut(&name) {
            object(schema);
        }
    }
}

fn for_each_json_body(document: &Value, look: &mut impl FnMut(&Value)) {
    let paths = document["paths"].as_object().into_iter().flat_map(Map::values);
    for call in paths.filter_map(Value::as_object).flat_map(Map::values) {
        look(&call["requestBody"]["content"]["application/json"]["schema"]);
    }
}

/// The names of the schemas that a schema refers to.
fn references(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            names.extend(name.map(ToOwned::to_owned));
            fields.values().for_each(|inner| references(inner, names));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, names)),
        _ => {}
    }
}

fn object(schema: &mut Value) {
    let required: BTreeSet<String> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(ToOwned::to_owned)
        .collect();
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, field) in fields {
        value(field, required.contains(name));
    }
}

fn value(schema: &mut Value, required: bool) {
    if let Some(items) = schema.get_mut("items") {
        value(items, true);
    }
    let types: Vec<String> = match &schema["type"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    };
    let has = |name: &str| types.iter().any(|one| one == name);
    let is_one_of = schema.get("enum").is_some();
    let (more, pattern): (&[&str], _) = if has("string") {
        let is_secret = schema.get("writeOnly").is_some();
        match schema["format"].as_str() {
            // No number is a word of a list or a date; a chat says itself what it takes; a secret has to be exact.
            Some("date-time") => (&[], None),
            _ if is_one_of || has("integer") => (&[], None),
            _ if is_secret => (&["integer"], None),
            _ => (&["number", "boolean"], None),
        }
    } else if has("integer") {
        (&["string"], Some(WHOLE))
    } else if has("number") {
        (&["string"], Some(NUMBER))
    } else if has("boolean") {
        (&["string"], Some(FLAG))
    } else if (has("array") || has("object")) && !required {
        (&["string"], Some(NOTHING))
    } else {
        (&[], None)
    };
    if let Some(pattern) = pattern {
        schema["pattern"] = pattern.into();
    }
    let null = (!required && !types.is_empty() && !has("null")).then_some("null");
    let all: Vec<&str> = types.iter().map(String::as_str).chain(null).chain(more.iter().copied()).collect();
    if all.len() > types.len() {
        schema["type"] = json!(all);
    }
    if required {
        return;
    }
    // What may be empty has no least length.
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("minLength");
    }
    // A word of a list, a date, or another schema: or nothing.
    if is_one_of {
        if let Some(words) = schema["enum"].as_array_mut() {
            words.push("".into());
            words.push(Value::Null);
        }
    } else if schema["format"] == "date-time" {
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("format");
        }
        schema["anyOf"] = json!([
            { "type": "string", "format": "date-time" },
            { "type": "string", "pattern": NOTHING },
            { "type": "null" }
        ]);
    } else if has("string")
        && let Some(own) = schema["pattern"].as_str()
    {
        schema["pattern"] = format!(r"^\s*$|{own}").into();
    } else if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.push(json!({ "type": "string", "pattern": NOTHING }));
    }
}

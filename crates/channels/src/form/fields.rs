//! The fields of a form that was posted: as JSON, as a form, or as parts. Pure.

use serde_json::{Map, Value};

use crate::provider::HookPost;

/// The fields by their names in small letters; none where the body cannot be read.
pub(super) fn read(post: &HookPost) -> Option<Map<String, Value>> {
    let kind =
        post.header("content-type").and_then(|kind| std::str::from_utf8(kind).ok()).unwrap_or_default();
    let body = post.body.trim_ascii();
    let pairs: Vec<(String, Value)> = if kind.starts_with("multipart/form-data") {
        parts(kind, &post.body)?
    } else if kind.contains("json") || body.starts_with(b"{") {
        match serde_json::from_slice(body).ok()? {
            Value::Object(fields) => fields.into_iter().collect(),
            _ => return None,
        }
    } else {
        post.form().into_iter().map(|(name, value)| (name, Value::from(value))).collect()
    };
    let mut fields = Map::new();
    for (name, value) in pairs {
        // Of several of one name the first that says something counts.
        let name = name.trim().to_lowercase().replace(['-', ' '], "_");
        let known = fields.entry(name).or_insert(Value::Null);
        if known.as_str().is_none_or(str::is_empty) && (known.is_null() || known.is_string()) {
            *known = value;
        }
    }
    Some(fields)
}

/// The text fields among the parts of a body; files are left out.
fn parts(kind: &str, body: &[u8]) -> Option<Vec<(String, Value)>> {
    let boundary = kind.split("boundary=").nth(1)?.split(';').next()?.trim().trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let mut fields = Vec::new();
    for part in text.split(&format!("--{boundary}")).skip(1) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        let name = head.split(';').find_map(|word| word.trim().strip_prefix("name=\""));
        let name = name.and_then(|name| name.split('"').next());
        if let Some(name) = name.filter(|_| !head.contains("filename")) {
            fields.push((name.to_owned(), content.into()));
        }
    }
    Some(fields)
}

/// A value as it is shown; none of one that says nothing.
pub(super) fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => return None,
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(all) => all.iter().filter_map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(all) => {
            let pair = |(name, value): (&String, &Value)| Some(format!("{name}: {}", shown(value)?));
            all.iter().filter_map(pair).collect::<Vec<_>>().join(", ")
        }
    };
    (!text.is_empty()).then_some(text)
}

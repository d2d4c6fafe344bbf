//! Shapes of answers, written as JSON: what must be there, of which type, and nothing else. The Python client reads the
//! same language.
//!
//! An object has exactly its keys; one that ends in `?` may be missing. `["<each>", shape]` is a list of any length. A
//! text `<…>` stands for a kind: `text` (not empty), `string`, `integer`, `positive`, `number`, `boolean`, `list`,
//! `null`, `any`, `chat id` (`-100…`), `invite link`, several with `|` between; or `<contains a & b>`, `<starts a>`,
//! `<not a>`. Anything else is itself, type included.

use serde_json::Value;

/// Says what does not fit; nothing when all does.
pub(super) fn misfit(shape: &Value, value: &Value) -> Option<String> {
    at("the answer", shape, value)
}

fn at(place: &str, shape: &Value, value: &Value) -> Option<String> {
    match (shape, value) {
        (Value::Object(shape), Value::Object(value)) => {
            let unexpected =
                value.keys().find(|key| !shape.contains_key(*key) && !shape.contains_key(&format!("{key}?")));
            if let Some(key) = unexpected {
                return Some(format!("{place} has a key `{key}` too many"));
            }
            shape.iter().find_map(|(key, shape)| {
                let name = key.trim_end_matches('?');
                match value.get(name) {
                    Some(value) => at(&format!("{place}.{name}"), shape, value),
                    None if key.ends_with('?') => None,
                    None => Some(format!("{place} lacks `{name}`")),
                }
            })
        }
        (Value::Array(shape), Value::Array(value)) => match shape.as_slice() {
            [Value::String(each), shape] if each == "<each>" => value
                .iter()
                .enumerate()
                .find_map(|(index, value)| at(&format!("{place}[{index}]"), shape, value)),
            shape if shape.len() != value.len() => {
                Some(format!("{place} has {} items and not {}", value.len(), shape.len()))
            }
            shape => (0..shape.len())
                .find_map(|index| at(&format!("{place}[{index}]"), &shape[index], &value[index])),
        },
        (Value::String(word), value) => {
            match word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
                Some(kind) => (!is(kind, value)).then(|| format!("{place} is {value} and not {kind}")),
                None => (shape != value).then(|| format!("{place} is {value} and not {shape}")),
            }
        }
        (shape, value) => (shape != value).then(|| format!("{place} is {value} and not {shape}")),
    }
}

fn is(kind: &str, value: &Value) -> bool {
    let text = value.as_str();
    if let Some(parts) = kind.strip_prefix("contains ") {
        return text.is_some_and(|text| parts.split(" & ").all(|part| text.contains(part)));
    }
    if let Some(start) = kind.strip_prefix("starts ") {
        return text.is_some_and(|text| text.starts_with(start));
    }
    if let Some(other) = kind.strip_prefix("not ") {
        return text.is_some_and(|text| !text.is_empty() && text != other);
    }
    kind.split('|').any(|kind| match kind {
        "any" => true,
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "text" => text.is_some_and(|text| !text.is_empty()),
        "list" => value.is_array(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "positive" => value.as_u64().is_some_and(|number| number > 0),
        "chat id" => text.and_then(|text| text.strip_prefix("-100")).is_some_and(is_digits),
        "invite link" => text.is_some_and(|text| text.len() > 14 && text.starts_with("https://t.me/+")),
        other => panic!("no kind is called {other}"),
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn shapes_fit_what_they_say_and_nothing_else() {
    use serde_json::json;
    for (shape, value, fits) in [
        (json!({"a": 1, "b?": "<text>"}), json!({"a": 1}), true),
        (json!({"a": 1, "b?": "<text>"}), json!({"a": 1, "b": ""}), false),
        (json!({"a": 1}), json!({"a": 1, "b": 2}), false),
        (json!({"a": 1}), json!({"a": "1"}), false),
        (json!({"a": 1}), json!({"a": 1.0}), false),
        (json!({"a": 1}), json!({}), false),
        (json!(["<each>", "<integer>"]), json!([]), true),
        (json!(["<each>", "<integer>"]), json!([1, 2]), true),
        (json!(["<each>", "<integer>"]), json!([1, "2"]), false),
        (json!(["a"]), json!(["a", "b"]), false),
        (json!("<chat id>"), json!("-1001234567890"), true),
        (json!("<chat id>"), json!(-1_001_234_567_890_i64), false),
        (json!("<integer|null>"), json!(null), true),
        (json!("<integer>"), json!(1.5), false),
        (json!("<contains main & asked>"), json!("asked: main"), true),
        (json!("<contains main & asked>"), json!("asked: fifth"), false),
        (json!("<not ok>"), json!("ok"), false),
        (json!("<not ok>"), json!("flood"), true),
        (json!("ok"), json!("ok"), true),
    ] {
        assert_eq!(misfit(&shape, &value).is_none(), fits, "{shape} {value}");
    }
}

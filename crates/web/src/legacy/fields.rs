//! Fields as loosely typed callers send them: numbers as text, text as numbers, `"1"` for true. Pure.

use std::borrow::Cow;
use std::fmt;

use domain::missing;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// What is said of a chat that such a word stands for.
pub(super) const UNSET_CHAT: &str = "chat is required; it came as a word for no value (null, undefined), so look at what fills the field chat";

/// A body's fields. What is not a JSON object has none.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Fields(Map<String, Value>);

/// Callers put texts and phone numbers in: printed are the names alone.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Fields {
    pub(super) fn read(body: &[u8]) -> Self {
        Self::read_strictly(body).unwrap_or_default()
    }

    /// Reads a body that must be a JSON object, or says what it is.
    pub(super) fn read_strictly(body: &[u8]) -> Result<Self, String> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err("the body is not an object".to_owned()),
            Err(_) if body.is_empty() => Err("the body is empty".to_owned()),
            Err(error) => Self::read_form(body).ok_or_else(|| error.to_string()),
        }
    }

    /// Reads an object that a client took for the fields of a form, as n8n does with an imported `curl -d '{…}'` that has no
    /// content type: the JSON is the name of a field, cut at each `&` and `=` of its texts.
    fn read_form(body: &[u8]) -> Option<Self> {
        let body = std::str::from_utf8(body).ok()?;
        if !body.starts_with('{') && !body.starts_with("%7B") {
            return None;
        }
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
        };
        let mut json = String::new();
        for pair in body.split('&') {
            if !json.is_empty() {
                json.push('&');
            }
            match pair.split_once('=') {
                None | Some((_, "")) => json.push_str(&decoded(pair.trim_end_matches('='))?),
                Some((name, value)) => json.extend([&decoded(name)?, "=", &decoded(value)?]),
            }
        }
        match serde_json::from_str(&json) {
            Ok(Value::Object(fields)) => Some(Self(fields)),
            _ => None,
        }
    }

    /// The fields of an object inside a body.
    pub(super) const fn of(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(_)) => {
                self.number(name).ok().flatten().map_or_else(|| self.0[name].to_string(), |n| n.to_string())
            }
            Some(other) => other.to_string(),
        }
    }

    /// Whether it is a text that stands for a value that a scenario did not have: what its language prints for nothing.
    pub(super) fn is_unset(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::String(text)) if missing::is_in_text(text))
    }

    /// Whether it is a list or an object.
    pub(super) fn is_nested(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Array(_) | Value::Object(_)))
    }

    /// Whether it is a text or a number: what else is there names nothing.
    pub(super) fn is_plain(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::String(_) | Value::Number(_)))
    }

    /// Whether something is there that counts as true or is not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        match self.0.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(fields)) => !fields.is_empty(),
        }
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        match self.0.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::String(text)) => {
                let word = text.trim().to_ascii_lowercase();
                !matches!(word.as_str(), "" | "0" | "false" | "no" | "off" | "none" | "null")
            }
            Some(_) => self.has(name),
        }
    }

    /// A whole number, also as text. Nothing, zero and empty text are none; anything else is an error.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, NotANumber> {
        if !self.has(name) {
            return Ok(None);
        }
        let number = match self.0.get(name) {
            Some(Value::Number(number)) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Some(Value::String(text)) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        };
        match number {
            Some(0) => Ok(None),
            Some(number) => Ok(Some(number)),
            None => Err(NotANumber),
        }
    }

    /// Names: an array, or one text with commas or spaces between.
    pub(super) fn names(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Value::String(text) => Some(text.trim().to_owned()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .filter(|name| !name.is_empty())
                .collect(),
            Some(Value::String(text)) => text
                .split([',', ' ', ';', '\n'])
                .filter(|name| !name.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A value where a number belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotANumber;

/// A number like `-1001234567890.0`, as spreadsheets write it.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(json: &str) -> Fields {
        Fields::read(json.as_bytes())
    }

    #[test]
    fn a_body_that_is_not_an_object_has_no_fields() {
        for body in ["", "chat=1", "[1]", "\"x\"", "null", "{", "\u{0}"] {
            assert_eq!(fields(body), Fields::default(), "{body}");
        }
        assert!(fields("\u{feff}{\"a\":1}").has("a"));
        for (body, says) in [("", "empty"), ("[1]", "not an object"), ("{", "EOF"), ("x", "expected value")] {
            let error = Fields::read_strictly(body.as_bytes()).expect_err("no object");
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    #[test]
    fn json_that_was_sent_as_a_form_is_read() {
        for body in [
            r"%7B%22chat%22%3A%22%40demo%22%2C%22text%22%3A%22a%2Bb+c%22%7D=",
            r"%7B%22chat%22%3A%22%40demo%22%2C%22text%22%3A%22a%2Bb%20c%22%7D",
            r#"{"chat":"%40demo","text":"a%2Bb+c"}="#,
        ] {
            assert_eq!(fields(body), fields(r#"{"chat":"@demo","text":"a+b c"}"#), "{body}");
        }
        let cut = "%7B%22text%22%3A%22a=b%3C%2Fa%3E+&+c%22%7D=";
        assert_eq!(fields(cut).text("text"), "a=b</a> & c");
        for body in ["chat=%40demo&text=a", "%7B%22chat%22%3A%22%40demo", "%7B%ff%7D="] {
            assert_eq!(fields(body), Fields::default(), "{body}");
        }
    }

    #[test]
    fn texts_are_read_from_scalars() {
        for (json, text) in [
            (r#"{"a":"x"}"#, "x"),
            (r#"{"a":-1001234567890}"#, "-1001234567890"),
            (r#"{"a":-1001234567890.0}"#, "-1001234567890"),
            (r#"{"a":0}"#, "0"),
            (r#"{"a":1.5}"#, "1.5"),
            (r#"{"a":true}"#, "true"),
            (r#"{"a":null}"#, ""),
            ("{}", ""),
        ] {
            assert_eq!(fields(json).text("a"), text, "{json}");
        }
    }

    #[test]
    fn flags_are_read_from_texts_and_numbers() {
        for (json, flag) in [
            (r#"{"a":true}"#, true),
            (r#"{"a":1}"#, true),
            (r#"{"a":"1"}"#, true),
            (r#"{"a":"true"}"#, true),
            (r#"{"a":"True"}"#, true),
            (r#"{"a":"yes"}"#, true),
            (r#"{"a":false}"#, false),
            (r#"{"a":0}"#, false),
            (r#"{"a":"0"}"#, false),
            (r#"{"a":"False"}"#, false),
            (r#"{"a":""}"#, false),
            (r#"{"a":[]}"#, false),
        ] {
            assert_eq!(fields(json).flag("a", !flag), flag, "{json}");
        }
        assert!(fields("{}").flag("a", true) && fields(r#"{"a":null}"#).flag("a", true));
    }

    #[test]
    fn numbers_are_read_or_refused() {
        for (json, number) in [
            (r#"{"a":7}"#, Ok(Some(7))),
            (r#"{"a":"7"}"#, Ok(Some(7))),
            (r#"{"a":" 7 "}"#, Ok(Some(7))),
            (r#"{"a":7.0}"#, Ok(Some(7))),
            (r#"{"a":0}"#, Ok(None)),
            (r#"{"a":"0"}"#, Ok(None)),
            (r#"{"a":""}"#, Ok(None)),
            (r#"{"a":null}"#, Ok(None)),
            ("{}", Ok(None)),
            (r#"{"a":"x"}"#, Err(NotANumber)),
            (r#"{"a":1.5}"#, Err(NotANumber)),
            (r#"{"a":[1]}"#, Err(NotANumber)),
            (r#"{"a":1e300}"#, Err(NotANumber)),
        ] {
            assert_eq!(fields(json).number("a"), number, "{json}");
        }
    }

    #[test]
    fn names_are_read_from_lists_and_texts() {
        assert_eq!(fields(r#"{"a":["@x"," y ","",null,7]}"#).names("a"), ["@x", "y", "7"]);
        assert_eq!(fields(r#"{"a":"@x, y"}"#).names("a"), ["@x", "y"]);
        assert!(fields("{}").names("a").is_empty());
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_a_panic(body: Vec<u8>) {
            let fields = Fields::read(&body);
            let _ = Fields::read(&[b"%7B", body.as_slice()].concat());
            let _ = (fields.text("a"), fields.flag("a", true), fields.number("a"), fields.names("a"));
        }
    }
}

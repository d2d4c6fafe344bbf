//! Fingerprints of requests: two bodies that mean the same have the same one, whatever the order of their fields.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Takes values in, each with its length, so that no two sequences look alike.
#[derive(Clone, Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    #[must_use]
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.put(b's', text.as_bytes());
        self
    }

    /// Takes in a JSON object without some of its fields.
    #[must_use]
    pub(crate) fn json_without(mut self, value: &Value, left_out: &[&str]) -> Self {
        match value {
            Value::Object(fields) => self.fields(
                fields.iter().filter(|(name, value)| !left_out.contains(&name.as_str()) && !value.is_null()),
            ),
            other => self.value(other),
        }
        self
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn put(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update([kind]);
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.put(b'0', &[]),
            Value::Bool(flag) => self.put(b'b', &[u8::from(*flag)]),
            Value::Number(number) => self.put(b'n', number.to_string().as_bytes()),
            Value::String(text) => self.put(b's', text.as_bytes()),
            Value::Array(items) => {
                self.put(b'a', &(items.len() as u64).to_le_bytes());
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(fields) => self.fields(fields.iter()),
        }
    }

    fn fields<'a>(&mut self, fields: impl Iterator<Item = (&'a String, &'a Value)>) {
        let mut fields: Vec<_> = fields.collect();
        fields.sort_by(|a, b| a.0.cmp(b.0));
        self.put(b'o', &(fields.len() as u64).to_le_bytes());
        for (name, value) in fields {
            self.put(b'k', name.as_bytes());
            self.value(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> [u8; 32] {
        let value = serde_json::from_str(text).expect("JSON");
        Fingerprint::default().json_without(&value, &["wait"]).finish()
    }

    #[test]
    fn order_space_and_what_is_left_out_do_not_matter() {
        let plain = of(r#"{"chat":"@x","text":"a"}"#);
        assert_eq!(of(r#"{ "text" : "a", "chat": "@x", "wait": 5 }"#), plain);
        assert_eq!(of(r#"{"text":"a","chat":"@x","mention":null}"#), plain);
        for other in [
            r#"{"chat":"@x","text":"b"}"#,
            r#"{"chat":"@x","text":"a","silent":true}"#,
            r#"{"chat":"@x","text":["a"]}"#,
            r#"{"chat":{"@x":"text"},"text":"a"}"#,
        ] {
            assert_ne!(of(other), plain, "{other}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_run_into_each_other(a: String, b: String, c: String, d: String) {
            let one = Fingerprint::default().text(&a).text(&b).finish();
            let two = Fingerprint::default().text(&c).text(&d).finish();
            prop_assert_eq!(one == two, a == c && b == d);
        }
    }
}

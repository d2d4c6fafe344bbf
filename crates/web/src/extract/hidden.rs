//! Fields of a body that are secret: errors are reported without showing it.

use domain::SecretText;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text.into()),
        Value::Number(number) if !number.is_f64() => Ok(number.to_string().into()),
        _ => Err(D::Error::custom("write it as text, in quotes")),
    }
}

/// Reads a secret text or `null`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretText>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        // Left out: what may be empty is absent.
        Value::String(text) if text.trim().is_empty() => Err(D::Error::custom("is empty")),
        Value::String(text) => Ok(Some(text.into())),
        Value::Number(number) if !number.is_f64() => Ok(Some(number.to_string().into())),
        _ => Err(D::Error::custom("write it as text, in quotes, or as null")),
    }
}

/// What a change says of something that may be there or not; of a secret, if nothing else is said.
#[derive(Debug, Default)]
pub(crate) enum Change<T = SecretText> {
    /// It stays: the field was left out.
    #[default]
    Keep,
    /// There is to be none: the field is `null`.
    Clear,
    To(T),
}

/// Reads what a change says of a secret.
pub(crate) fn change<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Change, D::Error> {
    Ok(optional(deserializer)?.map_or(Change::Clear, Change::To))
}

#[cfg(test)]
mod tests {
    use domain::ExposeSecret;
    use serde::Deserialize;

    use super::super::parse_json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(deserialize_with = "super::text")]
        code: domain::SecretText,
        #[serde(default, deserialize_with = "super::change")]
        proxy: super::Change,
    }

    #[test]
    fn a_wrong_secret_is_named_and_not_shown() {
        for wrong in ["[\"12345\"]", "{\"12345\":1}", "123.45", "true", "null"] {
            let problem = parse_json::<Body>(format!("{{\"code\":{wrong}}}").as_bytes()).expect_err("wrong");
            assert!(problem.detail().contains("\"code\""), "{}", problem.detail());
            assert!(!problem.detail().contains("123"), "{}", problem.detail());
        }
        let code = parse_json::<Body>(br#"{"code":12345}"#).expect("a code as a number").code;
        assert_eq!(code.expose_secret(), "12345");
        let body = parse_json::<Body>(br#"{"code":"12345"}"#).expect("reads");
        assert_eq!(body.code.expose_secret(), "12345");
        assert!(matches!(body.proxy, super::Change::Keep));
        assert!(matches!(
            parse_json::<Body>(br#"{"code":"1","proxy":null}"#).expect("reads").proxy,
            super::Change::Clear
        ));
    }
}

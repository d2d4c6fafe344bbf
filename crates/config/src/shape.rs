//! The shape of a value: what a key takes, and what is said when it is given something else.

use std::{fmt::Display, str::FromStr};

use toml::Value;

use crate::{duration::parse_duration, size::parse_size};

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Bool,
    Integer {
        min: i64,
        max: i64,
    },
    Duration {
        min: &'static str,
        max: &'static str,
    },
    Size {
        min: &'static str,
        max: &'static str,
    },
    Choice(&'static [&'static str]),
    Word {
        what: &'static str,
        accepts: fn(&str) -> bool,
    },
    /// A word, or a reference to where it is; never told back.
    Secret {
        what: &'static str,
        accepts: fn(&str) -> bool,
    },
    /// A file; relative to the settings file.
    File,
    Choices(&'static [&'static str]),
    Words {
        what: &'static str,
        accepts: fn(&str) -> bool,
    },
}

/// Whether a text is a value of a type.
pub(crate) fn reads<T: FromStr<Err: Display>>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// Whether a text says something.
pub(crate) fn not_blank(text: &str) -> bool {
    !text.trim().is_empty()
}

/// A phone number as Telegram wants it.
pub(crate) fn phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// An RSA public key as PKCS#1 text; what is in it is read by whoever uses it.
pub(crate) fn rsa_public_key(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN RSA PUBLIC KEY-----")
}

/// An address that HTTP can be spoken to.
pub(crate) fn http_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// One word without spaces.
pub(crate) fn one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl Shape {
    /// Whether the value is a list.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Choices(_) | Self::Words { .. })
    }

    /// Whether the value must not be told back.
    pub(crate) fn is_secret(self) -> bool {
        matches!(self, Self::Secret { .. })
    }

    /// What one value is, as in "must be …".
    pub(crate) fn wanted(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Integer { min, max } if max == i64::from(i32::MAX) => {
                format!("a whole number, {min} or more")
            }
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { min, max } => format!("a length of time from {min} to {max}"),
            Self::Size { min, max } => format!("a size from {min} to {max}"),
            Self::Choice(names) | Self::Choices(names) => format!("one of {}", names.join(", ")),
            Self::Word { what, .. } | Self::Words { what, .. } | Self::Secret { what, .. } => what.to_owned(),
            Self::File => "the path of a file".to_owned(),
        }
    }

    /// What the key takes, for the reference.
    pub(crate) fn described(self) -> String {
        match self {
            Self::Choices(_) | Self::Words { .. } => format!("list; each {}", self.wanted()),
            Self::Secret { .. } => format!("secret: {}", self.wanted()),
            Self::File => format!("{}, relative to the settings file", self.wanted()),
            _ => self.wanted(),
        }
    }

    /// Whether one value (of a list: one of its values) fits.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        let word = |accepts: &dyn Fn(&str) -> bool| value.as_str().is_some_and(accepts);
        match self {
            Self::Bool => value.is_bool(),
            Self::Integer { min, max } => value.as_integer().is_some_and(|n| (min..=max).contains(&n)),
            Self::Duration { min, max } => word(&|text| {
                let (min, max) = (parse_duration(min).ok(), parse_duration(max).ok());
                parse_duration(text).is_ok_and(|given| min <= Some(given) && Some(given) <= max)
            }),
            Self::Size { min, max } => word(&|text| {
                let (min, max) = (parse_size(min).ok(), parse_size(max).ok());
                parse_size(text).is_ok_and(|given| min <= Some(given) && Some(given) <= max)
            }),
            Self::Choice(names) | Self::Choices(names) => word(&|text| names.contains(&text)),
            Self::Word { accepts, .. } | Self::Words { accepts, .. } | Self::Secret { accepts, .. } => {
                word(&accepts)
            }
            Self::File => word(&not_blank),
        }
    }

    /// What is said of a value that does not fit; `example` is TOML.
    pub(crate) fn refusal(self, value: &Value, example: &str) -> String {
        let example = if matches!(self, Self::Bool | Self::Choice(_) | Self::Choices(_)) || example.is_empty()
        {
            String::new()
        } else {
            format!(", such as {example}")
        };
        format!("must be {}{example}; found {}", self.wanted(), self.found(value))
    }

    fn found(self, value: &Value) -> String {
        const SHOWN: usize = 60;
        match value {
            // Even a wrong secret is one.
            Value::String(text) if self.is_secret() && !text.is_empty() => {
                "a text of another form".to_owned()
            }
            Value::String(text) => {
                let shown: String = text.chars().take(SHOWN).collect();
                let more = if shown.len() < text.len() { "…" } else { "" };
                format!("\"{}{more}\"", shown.escape_debug())
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) if !self.is_secret() => value.to_string(),
            _ => kind(value).to_owned(),
        }
    }
}

/// What a value is, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

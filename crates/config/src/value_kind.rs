//! What a key takes, and the message for anything else.

use std::{fmt::Display, str::FromStr};

use domain::account::AccountName;
use ipnet::IpNet;
use toml::Value;

use crate::{
    active_hours::{ActiveHours, InvalidHours},
    duration::parse_duration,
    size::parse_size,
};

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ValueKind {
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
    /// Hours of the day with their time zone.
    Hours,
    /// A word, or a reference to where it is; never repeated in a message.
    Secret {
        what: &'static str,
        accepts: fn(&str) -> bool,
    },
    /// A file; relative to the settings file.
    File,
    Choices(&'static [&'static str]),
    /// Whole numbers.
    Integers {
        min: i64,
        max: i64,
    },
    Words {
        what: &'static str,
        accepts: fn(&str) -> bool,
    },
}

pub(crate) const fn boolean() -> ValueKind {
    ValueKind::Bool
}

pub(crate) const fn integer(min: i64, max: i64) -> ValueKind {
    ValueKind::Integer { min, max }
}

pub(crate) const fn integers(min: i64, max: i64) -> ValueKind {
    ValueKind::Integers { min, max }
}

pub(crate) const fn duration(min: &'static str, max: &'static str) -> ValueKind {
    ValueKind::Duration { min, max }
}

pub(crate) const fn size(min: &'static str, max: &'static str) -> ValueKind {
    ValueKind::Size { min, max }
}

pub(crate) const fn choice(names: &'static [&'static str]) -> ValueKind {
    ValueKind::Choice(names)
}

pub(crate) const fn choices(names: &'static [&'static str]) -> ValueKind {
    ValueKind::Choices(names)
}

pub(crate) const fn word(what: &'static str, accepts: fn(&str) -> bool) -> ValueKind {
    ValueKind::Word { what, accepts }
}

pub(crate) const fn hours() -> ValueKind {
    ValueKind::Hours
}

pub(crate) const fn secret(what: &'static str, accepts: fn(&str) -> bool) -> ValueKind {
    ValueKind::Secret { what, accepts }
}

pub(crate) const fn words(what: &'static str, accepts: fn(&str) -> bool) -> ValueKind {
    ValueKind::Words { what, accepts }
}

pub(crate) const fn file() -> ValueKind {
    ValueKind::File
}

/// A kind that several keys have.
pub(crate) const fn like(kind: ValueKind) -> ValueKind {
    kind
}

/// The kind of a key that has no value when it is left out.
pub(crate) const fn optional(kind: ValueKind) -> ValueKind {
    kind
}

/// Networks.
pub(crate) const NETWORKS: ValueKind = words("a network such as \"10.0.0.0/8\"", reads::<IpNet>);

/// The name of an alert target or of a webhook.
pub(crate) const NAME: ValueKind = word("1 to 64 of the letters a-z, digits, _ and -", reads::<AccountName>);

/// The name of an account elsewhere than in its own section.
pub(crate) const ACCOUNT: ValueKind = word("the name of an account", reads::<AccountName>);

/// What posts are signed with.
pub(crate) const SIGNING_SECRET: &str = "whsec_ and a key in base64, or one word of 16 characters or more";

/// Whether a text is a value of a type.
pub(crate) fn reads<T: FromStr<Err: Display>>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// Whether a text has more than white space.
pub(crate) fn not_blank(text: &str) -> bool {
    !text.trim().is_empty()
}

/// A phone number as Telegram wants it.
pub(crate) fn phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// An RSA public key as PKCS#1 text; its content is read where it is used.
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

/// The name of a host, or its address of four numbers.
pub(crate) fn host_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// One word without spaces.
pub(crate) fn one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl ValueKind {
    /// Whether the value is a list.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Choices(_) | Self::Words { .. } | Self::Integers { .. })
    }

    /// Whether the value must not be repeated in a message.
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
            Self::Integer { min, max } | Self::Integers { min, max } => {
                format!("a whole number from {min} to {max}")
            }
            Self::Duration { min, max } => format!("a length of time from {min} to {max}"),
            Self::Size { min, max } => format!("a size from {min} to {max}"),
            Self::Choice(names) | Self::Choices(names) => format!("one of {}", names.join(", ")),
            Self::Word { what, .. } | Self::Words { what, .. } | Self::Secret { what, .. } => what.to_owned(),
            Self::Hours => "two times of the day and a time zone".to_owned(),
            Self::File => "the path of a file".to_owned(),
        }
    }

    /// What the key takes, for the reference.
    pub(crate) fn described(self) -> String {
        match self {
            Self::Choices(_) | Self::Words { .. } | Self::Integers { .. } => {
                format!("list; each {}", self.wanted())
            }
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
            Self::Integer { min, max } | Self::Integers { min, max } => {
                value.as_integer().is_some_and(|n| (min..=max).contains(&n))
            }
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
            Self::Hours => word(&reads::<ActiveHours>),
            Self::File => word(&not_blank),
        }
    }

    /// What is said of a value that does not fit; `example` is TOML.
    pub(crate) fn refusal(self, value: &Value, example: &str) -> String {
        if let (Self::Hours, Value::String(text)) = (self, value)
            && let Err(why @ (InvalidHours::Zone(_) | InvalidHours::Empty)) = text.parse::<ActiveHours>()
        {
            return why.to_string();
        }
        let example = if matches!(self, Self::Bool | Self::Choice(_) | Self::Choices(_)) || example.is_empty()
        {
            String::new()
        } else {
            format!(", such as {example}")
        };
        format!("must be {}{example}; found {}", self.wanted(), self.found(value))
    }

    fn found(self, value: &Value) -> String {
        const MOST_SHOWN: usize = 60;
        match value {
            // Even a wrong secret is one.
            Value::String(text) if self.is_secret() && !text.is_empty() => {
                "a text of another form".to_owned()
            }
            Value::String(text) => {
                let shown: String = text.chars().take(MOST_SHOWN).collect();
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

//! What is wrong with a field, in words for anyone who filled it in: no names of Rust types. Pure.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::unknown::unknown;
use crate::problem::FieldError;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    kind: Kind,
    /// The path of the field, once a reader has said where it was.
    at: Option<String>,
    message: String,
    /// Whether empty text was there.
    blank: bool,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The value itself.
    Value,
    /// The field of this name within.
    Field(&'static str),
    Name,
    /// A value that stands for another one.
    StandIn,
}

impl Fault {
    /// The value is wrong; the words say what to write.
    pub(super) fn value(message: impl Into<String>) -> Self {
        Self { kind: Kind::Value, at: None, blank: false, message: message.into() }
    }

    /// Nothing can stand for a value that is missing: what else is wrong cannot be found.
    pub(super) const fn of_stand_in() -> Self {
        Self { kind: Kind::StandIn, at: None, blank: false, message: String::new() }
    }

    /// Whether it is about a value that stands for another one.
    pub(super) fn is_of_stand_in(&self) -> bool {
        self.kind == Kind::StandIn
    }

    /// Says where it was, unless something further inside has said so already.
    pub(super) fn within(mut self, path: &str, blank: bool) -> Self {
        if self.at.is_none() {
            self.blank = blank && self.kind == Kind::Value;
            self.at = Some(match self.kind {
                Kind::Field(field) => join(path, field),
                Kind::Value | Kind::Name | Kind::StandIn => path.to_owned(),
            });
        }
        self
    }

    pub(super) fn path(&self) -> &str {
        self.at.as_deref().unwrap_or_default()
    }

    /// Whether empty text was where something else belongs.
    pub(super) fn is_blank(&self) -> bool {
        self.blank
    }

    pub(super) fn field_error(&self) -> FieldError {
        FieldError::new(self.path(), self.message.clone())
    }
}

pub(super) fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::value(format!("is wrong: {message}"))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::value(format!("is wrong: write {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::value(format!("is wrong: write {expected}"))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::value(format!("is wrong: write {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::value(format!("is wrong: write {}", one_of(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self { kind: Kind::Name, at: None, blank: false, message: unknown(field, expected.iter().copied()) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { kind: Kind::Field(field), at: None, blank: false, message: "is missing".to_owned() }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self { kind: Kind::Field(field), at: None, blank: false, message: "is there twice".to_owned() }
    }
}

/// The words of a fixed list.
fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

//! The token that shows that a form comes from a page of ours.

use std::fmt;

/// A token that each form carries and that another site cannot know.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Csrf(String);

impl Csrf {
    /// The field of a form that carries it.
    pub(crate) const FIELD: &'static str = "csrf";

    pub(crate) fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token of someone who may post nothing.
    pub(crate) fn none() -> Self {
        Self(String::new())
    }

    /// Whether a form carried this token, in a time that does not reveal how much of it was right.
    pub(crate) fn matches(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let differing = own.iter().zip(given).fold(0_u8, |found, (one, other)| found | (one ^ other));
        !own.is_empty() && own.len() == given.len() && differing == 0
    }
}

impl fmt::Debug for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// For templates alone: the value of the field.
impl fmt::Display for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_matches_and_nothing_never_does() {
        let token = Csrf::new("abcdef");
        assert!(token.matches("abcdef"));
        for wrong in ["", "abcde", "abcdeg", "abcdefg", "ABCDEF"] {
            assert!(!token.matches(wrong), "{wrong}");
        }
        assert!(!Csrf::none().matches(""));
        assert_eq!(format!("{token:?}"), "[REDACTED]");
    }
}

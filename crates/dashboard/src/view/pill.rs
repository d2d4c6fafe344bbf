//! A state as a word with its lamp.

use std::fmt;

use askama::filters::HtmlSafe;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    Good,
    /// Waits, or wants to be looked at.
    Waiting,
    Bad,
    Busy,
    Idle,
}

impl Tint {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Waiting => "wait",
            Self::Bad => "bad",
            Self::Busy => "busy",
            Self::Idle => "",
        }
    }
}

/// A state as a word with its lamp.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pill {
    pub(crate) tint: Tint,
    /// The word of this program, in the reader's language.
    pub(crate) word: &'static str,
}

/// Its parts are words of this program, so nothing in it needs escaping.
impl HtmlSafe for Pill {}

impl fmt::Display for Pill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, word) = (self.tint.class(), self.word);
        write!(f, "<span class=\"pill {class}\"><span class=\"lamp {class}\"></span>{word}</span>")
    }
}

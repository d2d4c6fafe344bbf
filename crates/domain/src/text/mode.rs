//! Parse modes: how a caller's text says what is bold.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    formatted::FormattedText,
    html::{self, MarkupError, Strictness},
    markdown,
};

/// How the markup of a text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum ParseMode {
    /// The text has no markup and goes out as it is.
    #[default]
    None,
    /// Telegram's subset of HTML.
    Html,
    /// The simple marks: `**bold**`, `__italic__`, `~~struck~~`, `` `code` ``, `[text](address)`.
    Markdown,
}

impl ParseMode {
    /// The name as callers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Html => "html",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for ParseMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ParseMode> for &'static str {
    fn from(mode: ParseMode) -> Self {
        mode.as_str()
    }
}

/// A parse mode that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse mode {found:?} is not known; use html, markdown (or md) or none")]
pub struct UnknownParseMode {
    /// What was given, cut to a readable length.
    pub found: String,
}

impl FromStr for ParseMode {
    type Err = UnknownParseMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "none" => Ok(Self::None),
            "html" => Ok(Self::Html),
            "markdown" | "md" => Ok(Self::Markdown),
            _ => Err(UnknownParseMode { found: text.chars().take(32).collect() }),
        }
    }
}

impl TryFrom<String> for ParseMode {
    type Error = UnknownParseMode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Reads a caller's text; broken markup is an error that says where and what to do.
pub fn parse(mode: ParseMode, text: &str) -> Result<FormattedText, MarkupError> {
    match mode {
        ParseMode::None => Ok(FormattedText::plain(text)),
        ParseMode::Html => html::parse(text, Strictness::Strict),
        ParseMode::Markdown => Ok(markdown::parse(text)),
    }
}

/// Reads a caller's text without ever refusing it: tags that are unknown or never closed leave no trace, a `<`
/// that begins no tag is text. Older automations rely on this.
pub fn parse_leniently(mode: ParseMode, text: &str) -> FormattedText {
    match mode {
        ParseMode::None => FormattedText::plain(text),
        // Lenient parsing has no error to give; the text as it is would be the honest fallback.
        ParseMode::Html => {
            html::parse(text, Strictness::Lenient).unwrap_or_else(|_| FormattedText::plain(text))
        }
        ParseMode::Markdown => markdown::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_letter_case_and_the_short_name() {
        for (text, mode) in [
            ("HTML", ParseMode::Html),
            ("Markdown", ParseMode::Markdown),
            ("mD", ParseMode::Markdown),
            ("none", ParseMode::None),
            ("", ParseMode::None),
        ] {
            assert_eq!(text.parse(), Ok(mode));
        }
        assert_eq!(
            "rtf".parse::<ParseMode>().unwrap_err().to_string(),
            "parse mode \"rtf\" is not known; use html, markdown (or md) or none"
        );
    }

    #[test]
    fn serde_reads_leniently_and_writes_one_form() {
        let mode: ParseMode = serde_json::from_str("\"MD\"").unwrap();
        assert_eq!(serde_json::to_string(&mode).unwrap(), "\"markdown\"");
        assert!(serde_json::from_str::<ParseMode>("\"rtf\"").is_err());
    }
}

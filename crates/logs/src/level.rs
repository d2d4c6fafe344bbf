//! How important a line is.

use serde::Deserialize;

/// How important a line is; the most important is the smallest.
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    /// Something may need a look.
    Warn,
    Info,
    Debug,
    Trace,
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no level; write error, warn, info, debug or trace")]
pub struct InvalidLevel(String);

impl Level {
    /// The number in files.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The level of a number in a file; an unknown one is taken as the least important.
    pub(crate) fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::Trace)
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

crate::word::is_a_word!(Level, InvalidLevel);

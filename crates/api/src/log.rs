//! A line that the program writes about itself, and counts of them.

use std::collections::BTreeMap;

use domain::Timestamp;
use logs::{Bucket, Level, Line};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A line that the program wrote about itself. Texts may have anything in them, also control characters and HTML.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Its id; sorts by the order in which lines were written, also where the clock was set back.
    #[schema(value_type = String, example = "log_001k2v7m3w0e9")]
    pub id: String,
    /// What the clock said.
    pub at: Timestamp,
    /// How important it is: `error`, `warn`, `info`, `debug` or `trace`.
    #[schema(value_type = String, example = "info")]
    pub level: Level,
    /// Which part of the program it comes from: `create_chat`, `send_text`, `send_media`, `leave_chat`, `telegram`, `web`,
    /// `delivery`, `store`, `events` and others.
    #[schema(value_type = String, example = "send_text")]
    pub service: String,
    /// The account that it is about.
    #[schema(example = "main")]
    pub account: Option<String>,
    /// The message, operation or request that it is about.
    #[schema(example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub subject: Option<String>,
    /// The type of the error that it reports, such as `flood_wait`.
    #[schema(value_type = Option<String>, example = "flood_wait")]
    pub error: Option<String>,
    /// The sentence.
    pub message: String,
    /// Everything that goes with it, the account and the subject too.
    pub fields: BTreeMap<String, String>,
}

impl From<Line> for LogLine {
    fn from(line: Line) -> Self {
        Self {
            id: line.id.to_string(),
            at: line.at,
            level: line.level,
            service: line.service.as_str().to_owned(),
            account: line.account().map(str::to_owned),
            subject: line.subject().map(str::to_owned),
            error: line.error.map(|error| error.as_str().to_owned()),
            message: line.message,
            fields: line.fields.into_iter().collect(),
        }
    }
}

/// The lines of a stretch of time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogBucket {
    /// Where it begins; it ends where the next one begins.
    pub start: Timestamp,
    /// Lines that match.
    pub lines: u64,
    /// Those of them at the level `error`.
    pub errors: u64,
}

impl From<Bucket> for LogBucket {
    fn from(Bucket { start, lines, errors }: Bucket) -> Self {
        Self { start, lines, errors }
    }
}

/// All stretches.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogHistogram {
    /// In the order of time.
    pub items: Vec<LogBucket>,
    /// Where the last one ends.
    pub end: Timestamp,
    /// Where the counting was broken off because it took long: from here on all lines are counted, of those before only some
    /// or none. `null` when all were looked at.
    pub counted_from: Option<Timestamp>,
    /// Blocks of some thousand lines each that could not be read, since the disk has changed them. They are not counted.
    pub damaged: u32,
}

/// A line with its neighbours.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogLineInPlace {
    /// The line.
    pub line: LogLine,
    /// Those before it, in the order in which they were written.
    pub before: Vec<LogLine>,
    /// Those after it.
    pub after: Vec<LogLine>,
}

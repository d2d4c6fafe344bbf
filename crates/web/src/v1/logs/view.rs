//! A log line as the API shows it.

use std::collections::BTreeMap;

use domain::Timestamp;
use logs::{ErrorKind, Level, Line, LineId, Service};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A line that the program wrote about itself. Texts may have anything in them, also control characters and HTML.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(crate) struct LineView {
    /// Its id; sorts by the order in which lines were written, also where the clock was set back.
    #[schema(value_type = String, example = "log_001k2v7m3w0e9")]
    id: LineId,
    /// What the clock said.
    at: Timestamp,
    /// How important it is: `error`, `warn`, `info`, `debug` or `trace`.
    #[schema(value_type = String, example = "info")]
    level: Level,
    /// Which part of the program it comes from: `create_chat`, `send_text`, `send_media`, `leave_chat`, `telegram`, `web`,
    /// `delivery`, `store`, `events` and others.
    #[schema(value_type = String, example = "send_text")]
    service: Service,
    /// The account that it is about.
    #[schema(example = "main")]
    account: Option<String>,
    /// The message, operation or request that it is about.
    #[schema(example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    subject: Option<String>,
    /// The type of the error that it tells of, such as `flood_wait`.
    #[schema(value_type = Option<String>, example = "flood_wait")]
    error: Option<ErrorKind>,
    /// The sentence.
    message: String,
    /// Everything that goes with it, the account and the subject too.
    #[serde(serialize_with = "as_object")]
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Vec<(String, String)>,
}

fn as_object<S: Serializer>(fields: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    // A name that comes twice would be no JSON that others read.
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)).collect::<BTreeMap<_, _>>())
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            at: line.at,
            level: line.level,
            service: line.service,
            account: line.account().map(str::to_owned),
            subject: line.subject().map(str::to_owned),
            error: line.error,
            message: line.message,
            fields: line.fields,
        }
    }
}

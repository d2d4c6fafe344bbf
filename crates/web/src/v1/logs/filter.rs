//! The parameters that narrow log lines, the same for lists, tails, counts and downloads.

use domain::Timestamp;
use logs::{ErrorKind, Filter, Level, Service};
use utoipa::IntoParams;

use crate::extract::QueryParameters;

/// The longest text that is looked for, in bytes.
const LONGEST_TEXT: usize = 1_000;

/// What log lines can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(super) struct FilterParameters {
    /// Only lines of this service; several with commas between.
    #[param(example = "send_text,telegram")]
    service: Option<String>,
    /// Only lines at least as important as this: `error`, `warn`, `info`, `debug` or `trace`.
    #[param(example = "warn")]
    level: Option<String>,
    /// Only lines about this account.
    #[param(example = "main")]
    account: Option<String>,
    /// Only lines that report this type of error; several with commas between.
    #[param(example = "flood_wait")]
    error: Option<String>,
    /// Only lines about this message, operation or request.
    #[param(example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    subject: Option<String>,
    /// Only lines written at this time or later: a time, or how long ago, such as `10m`.
    #[param(example = "2h")]
    since: Option<String>,
    /// Only lines written before this time: a time, or how long ago.
    #[param(example = "2026-01-31T12:00:00Z")]
    until: Option<String>,
    /// Only lines with these words in them, letter by letter; the fields count as `name=value`.
    #[param(example = "account=main", max_length = 1000)]
    q: Option<String>,
    /// Whether large and small letters must be the same: `true` or `false`.
    #[param(default = false)]
    match_case: Option<bool>,
}

/// Takes the parameters; errors are reported when the query is finished.
pub(super) fn take(query: &mut QueryParameters, now: Timestamp) -> Filter {
    Filter {
        services: query.take_with("service", several::<Service>).unwrap_or_default(),
        level: query.take::<Level>("level"),
        account: query.take("account"),
        errors: query.take_with("error", several::<ErrorKind>).unwrap_or_default(),
        subject: query.take("subject"),
        since: query.take_with("since", |text| moment(text, now)),
        until: query.take_with("until", |text| moment(text, now)),
        text: query.take_with("q", |text| {
            let fits = text.len() <= LONGEST_TEXT;
            fits.then(|| text.to_owned()).ok_or_else(|| format!("write at most {LONGEST_TEXT} bytes"))
        }),
        match_case: query.take::<bool>("match_case").unwrap_or_default(),
    }
}

fn several<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Vec<T>, String> {
    text.split(',').map(|word| word.trim().parse::<T>().map_err(|error| error.to_string())).collect()
}

/// A time, or how long ago.
pub(in crate::v1) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(ago) = config::parse_duration(text) {
        return Ok(now.minus(ago));
    }
    text.parse::<Timestamp>().map_err(|_| {
        "write a time such as 2030-01-31T12:00:00Z, or how long ago, such as 10m, 2h or 1d".to_owned()
    })
}

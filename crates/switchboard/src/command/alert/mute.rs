//! `switchboard alert mute` and `unmute`.

use std::time::Duration;

use domain::Timestamp;
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::Location;
use crate::output::say;
use crate::table::cell;

/// What to mute, and for how long.
#[derive(clap::Args)]
pub(super) struct Mute {
    /// An alert, by its id, or a card such as account:main
    what: String,
    /// For this long, such as 30m, 2h or 7d
    #[arg(long = "for", value_name = "TIME", value_parser = length, required_unless_present = "until", conflicts_with = "until")]
    length: Option<Duration>,
    /// Until this time, such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    #[command(flatten)]
    location: Location,
}

/// What to unmute.
#[derive(clap::Args)]
pub(super) struct Unmute {
    /// An alert, by its id, or a card such as account:main
    what: String,
    #[command(flatten)]
    location: Location,
}

/// Reads a length of time, a minute at least.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    match config::parse_duration(text) {
        Ok(length) if length >= Duration::from_mins(1) => Ok(length),
        Ok(_) => Err("it must be a minute or more".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn is_alert(what: &str) -> bool {
    what.starts_with("alert_")
}

impl Mute {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut body = match (self.length, self.until) {
            (Some(length), _) => json!({ "minutes": length.as_secs().div_ceil(60) }),
            (None, until) => json!({ "until": until }),
        };
        let path = if is_alert(&self.what) {
            format!("/v1/alerts/{}/mute", self.what)
        } else {
            body["card"] = Value::from(self.what.as_str());
            "/v1/mutes".to_owned()
        };
        let muted = self.location.call(Method::POST, &path, Some(&body)).await?;
        let field = if is_alert(&self.what) { "silent_until" } else { "until" };
        say!("{} is muted until {}.", cell(&muted, "card"), cell(&muted, field));
        Ok(())
    }
}

impl Unmute {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = if is_alert(&self.what) {
            format!("/v1/alerts/{}/mute", self.what)
        } else {
            format!("/v1/mutes/{}", utf8_percent_encode(&self.what, NON_ALPHANUMERIC))
        };
        self.location.call(Method::DELETE, &path, None).await?;
        say!("{} is no longer muted.", self.what);
        Ok(())
    }
}

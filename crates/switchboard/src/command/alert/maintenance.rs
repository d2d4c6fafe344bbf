//! `switchboard alert maintenance`: windows in which no one is notified.

use std::time::Duration;

use ambient::Clock;
use clap::Subcommand;
use domain::Timestamp;
use hyper::Method;
use serde_json::json;

use super::mute::length;
use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::say;
use crate::table::cell;

/// The arguments.
#[derive(clap::Args)]
pub(super) struct Maintenance {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List maintenance windows
    #[command(after_help = "Examples:\n  switchboard alert maintenance list\n  \
            switchboard alert maintenance list --json")]
    List(ApiOptions),
    /// Add a maintenance window: from now on, between two times, or every week
    #[command(after_help = "Examples:\n  switchboard alert maintenance add --for 2h --note \"new disk\"\n  \
            switchboard alert maintenance add --from 2030-01-31T12:00:00Z --until 2030-01-31T14:00:00Z\n  \
            switchboard alert maintenance add --days sat,sun --start 02:00 --minutes 120 \\\n    \
            --utc-offset +03:00 --scope account")]
    Add(Add),
    /// Remove a maintenance window; what is broken then is notified
    #[command(after_help = "Examples:\n  switchboard alert maintenance remove maint_01…")]
    Remove {
        /// The id of the window, as `alert maintenance list` shows it
        id: String,
        #[command(flatten)]
        location: Location,
    },
}

/// The window to add.
#[derive(clap::Args)]
struct Add {
    /// From now on, for this long, such as 2h
    #[arg(long = "for", value_name = "TIME", value_parser = length, conflicts_with_all = ["from", "until", "days", "start", "minutes"])]
    length: Option<Duration>,
    /// Once: when it starts, such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "until", conflicts_with = "days")]
    from: Option<Timestamp>,
    /// Once: when it ends
    #[arg(long, value_name = "TIME", requires = "from")]
    until: Option<Timestamp>,
    /// Every week: the days on which it starts, such as sat,sun
    #[arg(long, value_delimiter = ',', value_name = "DAYS", requires = "start", requires = "minutes")]
    days: Vec<String>,
    /// Every week: the time it starts on each of them, such as 02:00
    #[arg(long, value_name = "HH:MM", requires = "days")]
    start: Option<String>,
    /// Every week: its length
    #[arg(long, value_name = "NUMBER", requires = "days")]
    minutes: Option<u32>,
    /// Every week: your time zone, ahead of UTC, such as +03:00
    #[arg(long, value_name = "OFFSET", requires = "days", allow_hyphen_values = true)]
    utc_offset: Option<String>,
    /// The cards: all, a kind such as account, or one such as account:main
    #[arg(long, default_value = "all")]
    scope: String,
    /// A note, such as the reason
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    location: Location,
}

impl Maintenance {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => {
                let columns = [
                    ("WINDOW", "id"),
                    ("SCOPE", "scope"),
                    ("FROM", "from"),
                    ("UNTIL", "until"),
                    ("DAYS", "days"),
                    ("START", "start"),
                    ("MINUTES", "minutes"),
                    ("OFFSET", "utc_offset"),
                    ("NOW, UNTIL", "now_until"),
                    ("NOTE", "note"),
                ];
                options.list("/v1/maintenance", "There is no maintenance window.", columns).await?;
            }
            Action::Add(add) => add.run().await?,
            Action::Remove { id, location } => {
                location.call(Method::DELETE, &format!("/v1/maintenance/{id}"), None).await?;
                say!("The window is taken out.");
            }
        }
        Ok(())
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let mut body = json!({ "note": self.note, "scope": self.scope });
        if let Some(length) = self.length {
            let now = Clock::system().now();
            (body["from"], body["until"]) = (json!(now), json!(now.plus(length)));
        } else if self.days.is_empty() {
            (body["from"], body["until"]) = (json!(self.from), json!(self.until));
        } else {
            body["days"] = json!(self.days);
            (body["start"], body["minutes"]) = (json!(self.start), json!(self.minutes));
            body["utc_offset"] = json!(self.utc_offset);
        }
        let made = self.location.call(Method::POST, "/v1/maintenance", Some(&body)).await?;
        say!("Alerts are muted in this window: {}", cell(&made, "id"));
        Ok(())
    }
}

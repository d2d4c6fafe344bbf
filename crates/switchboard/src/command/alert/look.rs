//! `switchboard alert list`.

use serde_json::json;

use crate::api_client;
use crate::output::{say, say_json};
use crate::{Location, table};

/// Which alerts.
#[derive(clap::Args)]
pub(super) struct List {
    /// Those that are over instead
    #[arg(long)]
    past: bool,
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let state = if self.past { "past" } else { "open" };
        let alerts = api_client::list(&self.location, &format!("/v1/alerts?state={state}")).await?;
        if self.json {
            say_json(&json!({ "items": alerts, "next_cursor": null }));
        } else if alerts.is_empty() {
            say!("{}", if self.past { "Nothing was broken." } else { "Nothing is broken." });
        } else {
            let columns = [
                ("ALERT", "id"),
                ("CARD", "card"),
                ("REASON", "reason"),
                ("SINCE", "raised_at"),
                ("UNTIL", "closed_at"),
                ("TOLD", "told_at"),
                ("SILENCE", "silence"),
                ("DETAIL", "detail"),
            ];
            say!("{}", table::of(&alerts, columns));
        }
        Ok(())
    }
}

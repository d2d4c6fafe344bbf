//! `switchboard account remove`.

use domain::AccountName;
use hyper::Method;
use serde_json::json;

use crate::Location;
use crate::api_client;
use crate::output::{say, say_json};
use crate::terminal::confirm;

/// The account to remove.
#[derive(clap::Args)]
pub(super) struct Remove {
    /// The account's name
    name: AccountName,
    /// Even while its messages are being sent
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    location: Location,
    /// Print which account was removed as JSON
    #[arg(long)]
    json: bool,
}

impl Remove {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if !self.yes {
            confirm(&format!("Remove {} from this machine?", self.name)).await?;
        }
        let force = if self.force { "?force=true" } else { "" };
        let path = format!("/v1/accounts/{}{force}", self.name);
        api_client::call(&self.location, Method::DELETE, &path, None).await?;
        if self.json {
            say_json(&json!({ "removed": self.name }));
        } else {
            say!("{} is removed.", self.name);
        }
        Ok(())
    }
}

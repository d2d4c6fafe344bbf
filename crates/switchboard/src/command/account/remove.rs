//! `switchboard account remove`.

use anyhow::bail;
use domain::{AccountName, ExposeSecret};
use hyper::Method;
use serde_json::json;

use crate::Place;
use crate::desk;
use crate::output::say;
use crate::terminal::{self, Lines, WrongUsage};

/// The account to remove.
#[derive(clap::Args)]
pub(super) struct Remove {
    /// The account's name
    name: AccountName,
    /// Also while messages of it are under way
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    place: Place,
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
        desk::call(&self.place, Method::DELETE, &path, None).await?;
        if self.json {
            say!("{:#}", json!({ "removed": self.name }));
        } else {
            say!("{} is removed.", self.name);
        }
        Ok(())
    }
}

/// Goes on only if whoever sits at the terminal says yes.
pub(super) async fn confirm(question: &str) -> anyhow::Result<()> {
    if !terminal::somebody_is_there() {
        return Err(WrongUsage("nobody can be asked whether to: say --yes".to_owned()).into());
    }
    let answer = Lines::of_standard_input().ask(&format!("{question} [y/N] ")).await?;
    let yes =
        answer.is_some_and(|answer| ["y", "yes"].contains(&answer.expose_secret().to_lowercase().as_str()));
    if !yes {
        bail!("nothing was done");
    }
    Ok(())
}

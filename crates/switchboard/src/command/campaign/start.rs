//! `start`: a run is begun, or goes on, and is followed.

use anyhow::Context;
use hyper::Method;
use serde_json::{Value, json};

use super::choice::chosen;
use super::follow::{Frozen, follow};
use super::{encoded, forecast_summary, of, shown};
use crate::api_client::{ApiClient, ApiOptions};
use crate::command::send::Interrupt;
use crate::terminal::{WrongUsage, confirm, is_interactive};

/// How many chats a dry run names of each kind, unless `--limit` says otherwise.
const LISTED: u32 = 20;

/// How a campaign is started.
#[derive(clap::Args)]
pub(super) struct Start {
    /// The campaign; chosen from a list at the terminal without
    group: Option<String>,
    /// How many of its accounts are at work at once; all of them without
    #[arg(long)]
    workers: Option<u32>,
    /// Begin a new run, though another one is not over
    #[arg(long)]
    new: bool,
    /// Pause after so many chats and ask whether to go on; with `--dry-run`, how many chats are named
    #[arg(long)]
    limit: Option<u32>,
    /// How many cycles, in place of what the settings say
    #[arg(long)]
    cycles: Option<u32>,
    /// Not before this time, such as 2030-01-31T12:00:00Z
    #[arg(long)]
    at: Option<String>,
    /// Leave it running in the server
    #[arg(long)]
    detach: bool,
    /// Say who would get what and when the last one leaves; nothing is sent
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Start {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { group, workers, new, limit, cycles, at, detach, dry_run, options } = self;
        if dry_run {
            let api = ApiClient::open(&options.location).await?;
            let forecast = async {
                let group = chosen(&api, group).await?;
                let mut path = format!("/forecast?listed={}&new={new}", limit.unwrap_or(LISTED));
                let [cycles, workers] = [cycles, workers].map(|count| count.map(|count| count.to_string()));
                for (name, value) in [("cycles", cycles), ("workers", workers), ("starts_at", at)] {
                    if let Some(value) = value {
                        path.extend(["&", name, "=", &encoded(&value).to_string()]);
                    }
                }
                api.call(Method::GET, &of(&group, &path), None).await
            };
            let forecast = forecast.await;
            api.close().await;
            let forecast = forecast?;
            options.print(&forecast, || forecast_summary(&forecast));
            return Ok(());
        }
        let server = options.location.server().await;
        let api = server.map_err(|error| WrongUsage(format!("{error:#}")))?;
        let group = chosen(&api, group).await?;
        // Before it begins: none that is pressed from then on is missed.
        let mut interrupt = Interrupt::listen()?;
        let body =
            json!({ "new": new, "canary": limit, "cycles": cycles, "starts_at": at, "workers": workers });
        let started = match api.call(Method::POST, &of(&group, "/start"), Some(&body)).await {
            Ok(started) => started,
            Err(_) if is_frozen(&api.call(Method::GET, &of(&group, ""), None).await?) => {
                return Err(Frozen(group).into());
            }
            Err(error) => return Err(error),
        };
        if detach {
            options.print(&started, || shown(&started));
            return Ok(());
        }
        let campaign = follow(&api, &group, &options, &mut interrupt).await?;
        if !has_canary_ended(&campaign) || options.json || !is_interactive() {
            return Ok(());
        }
        let left = campaign["pending"].as_u64().unwrap_or(0);
        confirm(&format!("Go on with the {left} chats that are left?")).await.context("it stays paused")?;
        api.call(Method::POST, &of(&group, "/resume"), None).await?;
        follow(&api, &group, &options, &mut interrupt).await.map(drop)
    }
}

/// Whether a run is paused as it wrote to as many chats as `--limit` said.
fn has_canary_ended(campaign: &Value) -> bool {
    campaign["run"]["state"] == "paused" && campaign["run"]["reason"] == "canary"
}

/// Whether a campaign has senders, none of which may send.
fn is_frozen(campaign: &Value) -> bool {
    let senders = campaign["senders"].as_array().map(Vec::as_slice).unwrap_or_default();
    !senders.is_empty() && senders.iter().all(|sender| sender["state"] != "active")
}

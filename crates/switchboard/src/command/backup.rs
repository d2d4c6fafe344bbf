//! `switchboard backup`: making one, trying one, listing them.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use hyper::Method;
use indicatif::HumanBytes;
use serde_json::Value;

use crate::api_client::{self, ApiClient};
use crate::bars::Bars;
use crate::calls::Calls;
use crate::output::{say, say_json};
use crate::{Location, table};

/// How often it is looked whether it is done.
const EVERY: Duration = Duration::from_millis(100);

const PATH: &str = "/v1/backups";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Backup {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make one now, and try whether it can be put back
    #[command(after_help = "Ctrl+C while a server runs: the server goes on making it.\n\n\
                            Exit codes: 0 it is made and proven, 1 it is not.\n\nExamples:\n  \
                            switchboard backup create\n  switchboard backup create --json | jq -r .name")]
    Create {
        #[command(flatten)]
        location: Location,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// List those that are here, the newest first
    #[command(after_help = "Examples:\n  switchboard backup list\n  switchboard backup list --json")]
    List {
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try whether one can be put back: it is unpacked aside, compared, its database opened and read through
    #[command(after_help = "Exit codes: 0 nothing is wrong with it, 1 something is.\n\nExamples:\n  \
                            switchboard backup check\n  \
                            switchboard backup check switchboard-20300131T120000.250Z.tar.gz")]
    Check {
        /// The name of its file, as `backup list` shows it [default: the newest]
        name: Option<String>,
        #[command(flatten)]
        location: Location,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

impl Backup {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (location, json, work) = match self.action {
            Action::List { location, json } => return list(&location, json).await,
            Action::Create { location, json } => (location, json, Work::Making),
            Action::Check { name, location, json } => (location, json, Work::Trying(name)),
        };
        let api = ApiClient::open(&location).await?;
        let done = work.done(&api, json).await;
        api.close().await;
        let (backup, folder) = done?;
        if json {
            say_json(&backup);
        }
        let name = table::cell(&backup, "name");
        match backup["state"].as_str() {
            Some("proven") if !json => {
                say!("{folder}/{name}    {}, tried: nothing is wrong with it", size(&backup));
                say!(
                    "\nThe master key and the settings are not in it: keep copies of them elsewhere, and copies of backups on \
                     another machine."
                );
                Ok(())
            }
            Some("proven") => Ok(()),
            Some("failed") => bail!("no backup was made: {}", table::cell(&backup, "wrong")),
            Some("broken") => bail!("{name} cannot be put back: {}", table::cell(&backup, "wrong")),
            _ => bail!("{name} is in {folder}; {}", table::cell(&backup, "wrong")),
        }
    }
}

/// What is to be done.
enum Work {
    Making,
    /// The one that is named, else the newest.
    Trying(Option<String>),
}

impl Work {
    /// The backup when nothing is done with it any more, and the folder it lies in.
    async fn done(self, api: &ApiClient, quiet: bool) -> anyhow::Result<(Value, String)> {
        let bars = Bars::new(quiet);
        let bar = bars.count("Backup");
        let all = api.call(Method::GET, PATH, None).await?;
        let folder = table::cell(&all, "folder");
        let path = match self {
            Self::Making => PATH.to_owned(),
            Self::Trying(Some(name)) => format!("{PATH}/{}/check", encoded(&name)),
            Self::Trying(None) => {
                let there = all["items"].as_array().into_iter().flatten().find(|one| !one["bytes"].is_null());
                let name = there.and_then(|one| one["name"].as_str()).with_context(|| {
                    format!("there is no backup in {folder}; make one: switchboard backup create")
                })?;
                format!("{PATH}/{name}/check")
            }
        };
        let begun = api.call(Method::POST, &path, None).await?;
        let path = format!("{PATH}/{}", begun["name"].as_str().context("the server named no backup")?);
        loop {
            let backup = api.call(Method::GET, &path, None).await?;
            match backup["state"].as_str() {
                Some("making") => bar.shows(0, None, "is being made"),
                Some("proving") => bar.shows(0, None, "is made and being tried"),
                _ => {
                    bar.goes();
                    return Ok((backup, folder));
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// A name that somebody typed, as one segment of a path.
fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn size(backup: &Value) -> String {
    backup["bytes"].as_u64().map_or_else(String::new, |bytes| HumanBytes(bytes).to_string())
}

async fn list(location: &Location, json: bool) -> anyhow::Result<()> {
    let all = api_client::call(location, Method::GET, PATH, None).await?;
    if json {
        say_json(&all);
        return Ok(());
    }
    let items = all["items"].as_array().context("the server's answer has no items")?;
    if items.is_empty() {
        say!("There is no backup in {}.", table::cell(&all, "folder"));
    } else {
        let mut shown = table::with_header(["NAME", "SIZE", "STATE", "TRIED", "WRONG"]);
        for item in items {
            let cell = |field| table::cell(item, field);
            shown.add_row([
                cell("name"),
                size(item),
                cell("state"),
                minute(&cell("proven_at")),
                cell("wrong"),
            ]);
        }
        say!("{shown}");
        say!("\nIn {}; {} are kept.", table::cell(&all, "folder"), table::cell(&all, "keep"));
    }
    match all["next_at"].as_str() {
        Some(next) => say!("The running server makes the next one at {}.", minute(next)),
        None => say!("None is made by itself (backup.every is 0s)."),
    }
    Ok(())
}

/// An instant without the parts of its second.
fn minute(instant: &str) -> String {
    instant.split_once('.').map_or_else(|| instant.to_owned(), |(second, _)| format!("{second}Z"))
}

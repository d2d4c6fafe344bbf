//! `switchboard backup`: creates, checks and lists backups.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use hyper::Method;
use indicatif::HumanBytes;
use serde_json::Value;

use crate::api_client::{ApiClient, ApiOptions};
use crate::bars::{Bars, show};
use crate::output::{say, say_json};
use crate::table::{self, cell};

/// How often the state is read.
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
    /// Create a backup and check it
    #[command(after_help = "Ctrl+C while a server runs: the server goes on creating it.\n\n\
            Exit codes: 0 created and checked, 1 not.\n\nExamples:\n  switchboard backup create\n  \
            switchboard backup create --json | jq -r .name")]
    Create(ApiOptions),
    /// List backups, the newest first
    #[command(after_help = "Examples:\n  switchboard backup list\n  switchboard backup list --json")]
    List(ApiOptions),
    /// Check whether a backup can be restored: it is unpacked aside, compared, and its database read through
    #[command(after_help = "Exit codes: 0 it can be restored, 1 it cannot.\n\nExamples:\n  \
            switchboard backup check\n  switchboard backup check switchboard-20300131T120000.250Z.tar.gz")]
    Check {
        /// The name of the file, as `backup list` shows it [default: the newest]
        name: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
}

impl Backup {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (options, work) = match self.action {
            Action::List(options) => return options.call(Method::GET, PATH, None, list).await,
            Action::Create(options) => (options, Work::Making),
            Action::Check { name, options } => (options, Work::Trying(name)),
        };
        let api = ApiClient::open(&options.location).await?;
        let done = work.done(&api, options.json).await;
        api.close().await;
        let (backup, folder) = done?;
        if options.json {
            say_json(&backup);
        }
        let name = cell(&backup, "name");
        match backup["state"].as_str() {
            Some("proven") if !options.json => {
                say!("{folder}/{name}    {}, tried: nothing is wrong with it", size(&backup));
                say!(
                    "\nThe master key and the settings are not in it: keep copies of them elsewhere, and copies of backups on \
                     another machine."
                );
                Ok(())
            }
            Some("proven") => Ok(()),
            Some("failed") => bail!("no backup was made: {}", cell(&backup, "wrong")),
            Some("broken") => bail!("{name} cannot be put back: {}", cell(&backup, "wrong")),
            _ => bail!("{name} is in {folder}; {}", cell(&backup, "wrong")),
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
    /// The finished backup, and its folder.
    async fn done(self, api: &ApiClient, quiet: bool) -> anyhow::Result<(Value, String)> {
        let bars = Bars::new(quiet);
        let bar = bars.count("Backup");
        let all = api.call(Method::GET, PATH, None).await?;
        let folder = cell(&all, "folder");
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
                Some("making") => show(&bar, 0, None, "is being made"),
                Some("proving") => show(&bar, 0, None, "is made and being tried"),
                _ => {
                    bar.finish_and_clear();
                    return Ok((backup, folder));
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// A name as one segment of a path.
fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn size(backup: &Value) -> String {
    backup["bytes"].as_u64().map_or_else(String::new, |bytes| HumanBytes(bytes).to_string())
}

fn list(all: &Value) -> String {
    let (folder, keep) = (cell(all, "folder"), cell(all, "keep"));
    let mut table = table::with_header(["NAME", "SIZE", "STATE", "TRIED", "WRONG"]);
    for item in all["items"].as_array().into_iter().flatten() {
        let [name, state, proven_at, wrong] =
            ["name", "state", "proven_at", "wrong"].map(|field| cell(item, field));
        table.add_row([name, size(item), state, to_the_second(&proven_at), wrong]);
    }
    let shown = match table.row_count() {
        0 => format!("There is no backup in {folder}."),
        _ => format!("{table}\n\nIn {folder}; {keep} are kept."),
    };
    let next = match all["next_at"].as_str() {
        Some(next) => format!("The running server makes the next one at {}.", to_the_second(next)),
        None => "None is made by itself (backup.every is 0s).".to_owned(),
    };
    format!("{shown}\n{next}")
}

/// An instant without the parts of its second.
fn to_the_second(instant: &str) -> String {
    instant.split_once('.').map_or_else(|| instant.to_owned(), |(second, _)| format!("{second}Z"))
}

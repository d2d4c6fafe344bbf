//! `switchboard store`: copies a store between SQLite and PostgreSQL.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ambient::Clock;
use clap::Subcommand;
use config::StoreUrl;
use domain::ExposeSecret;
use serde_json::json;
use store::{Copied, CopyOptions, CopyProgress};

use crate::Location;
use crate::bars::{Bars, grouped, show};
use crate::output::{say, say_json};

/// The name of the address that the settings have.
const SETTINGS: &str = "settings";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Copy all tables of a store into an empty one, compare both, and continue a copy that was interrupted
    #[command(
        after_help = "Stop the server first: a store that a process works on is neither copied nor written to. The \
            target must be empty or hold a part of the same copy; until the copy is complete, no server starts \
            on it. Secrets stay sealed, so the master key is not needed here, and the server needs the same one \
            afterwards. Files of messages stay in the data directory.\n\n\
            An address is sqlite:FILE (relative to the data directory), postgres://USER:PASSWORD@HOST/DATABASE, or \
            the word settings for store.url of the settings, which keeps a password out of the list of \
            processes.\n\nExit codes: 0 copied and equal, 1 not, 2 wrong usage.\n\nExamples:\n  \
            switchboard store copy --from sqlite:switchboard.db --to settings\n  \
            switchboard store copy --from settings --to sqlite:copy.db --json\n  \
            switchboard store copy --from postgres://demo@127.0.0.1/demo --to sqlite:/srv/new/switchboard.db"
    )]
    Copy {
        /// The store to copy
        #[arg(long, value_name = "ADDRESS")]
        from: String,
        /// Where it is copied to
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl StoreCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Action::Copy { from, to, location, json } = self.action;
        let data_dir = location.data_dir()?;
        let (from, to) = (address(from, &location)?, address(to, &location)?);
        let copied = copy(from, to, &data_dir, json).await?;
        let rows: u64 = copied.tables.iter().map(|table| table.rows).sum();
        if json {
            let tables = copied
                .tables
                .iter()
                .map(|table| json!({ "name": table.name, "rows": table.rows, "checksum": table.checksum }));
            let tables: Vec<_> = tables.collect();
            say_json(&json!({ "resumed": copied.is_resumed, "rows": rows, "tables": tables }));
            return Ok(());
        }
        let tables = copied.tables.len();
        say!(
            "{} rows of {tables} tables are copied; counts and checksums are the same on both sides.",
            grouped(rows)
        );
        say!("\nStart the server with the new address in store.url and the same master key.");
        Ok(())
    }
}

/// Copies a store, with a bar on a terminal unless `quiet`.
pub(crate) async fn copy(from: String, to: String, data_dir: &Path, quiet: bool) -> anyhow::Result<Copied> {
    let target = folder(&to, data_dir);
    for folder in [folder(&from, data_dir), target.clone()].into_iter().flatten() {
        crate::test_build::check(&folder)?;
    }
    let bar = Bars::new(quiet).count("Store");
    let options = CopyOptions { from, to, dir: data_dir.to_owned(), now: Clock::system().now() };
    let shown = bar.clone();
    let progress = move |CopyProgress { table, is_comparing, rows, of }| {
        let doing = if is_comparing { "comparing" } else { "copying" };
        show(&shown, rows, Some(of), &format!("{doing} {table}"));
        ControlFlow::Continue(())
    };
    let copied = store::copy(options, progress).await;
    bar.finish_and_clear();
    if let Some(folder) = target.filter(|_| copied.is_ok()) {
        crate::test_build::mark(&folder)?;
    }
    Ok(copied?)
}

/// The folder that an address names a file in.
fn folder(address: &str, data_dir: &Path) -> Option<PathBuf> {
    let file = address.strip_prefix("sqlite:")?;
    data_dir.join(file.strip_prefix("//").unwrap_or(file)).parent().map(Path::to_owned)
}

/// An address as the store reads it.
fn address(given: String, location: &Location) -> anyhow::Result<String> {
    Ok(if given == SETTINGS { of(&location.settings()?.store.url) } else { given })
}

/// The address of the settings as the store reads it.
pub(crate) fn of(url: &StoreUrl) -> String {
    match url {
        StoreUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        StoreUrl::Postgres(address) => address.expose_secret().to_owned(),
    }
}

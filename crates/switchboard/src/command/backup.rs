//! `switchboard backup`: creates, checks and lists backups, and restores one for practice.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail};
use backup::{BackupName, FetchedCopy, Identity, Verification, Verified};
use clap::Subcommand;
use config::BackupSettings;
use hyper::Method;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Location;
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
    /// Practise a restore now, as the server does it once a week by itself
    #[command(
        after_help = "The newest copy (backup.copy) is fetched and compared with what was written, else the newest backup is \
            taken, and restored into a folder of its own, which is removed. It counts as the drill of the week, and clears \
            the alert of one that failed. Ctrl+C while a server runs: the server goes on.\n\n\
            Exit codes: 0 it can be restored, 1 it cannot.\n\nExamples:\n  switchboard backup drill\n  \
            switchboard backup drill --json | jq .drills.last"
    )]
    Drill(ApiOptions),
    /// Restore a backup into a temporary directory, compare it, and remove it again
    #[command(
        after_help = "It does all that `switchboard restore` does, elsewhere, while the server runs or not: files are compared \
            with their hashes, the database is read through, the rows of each table are counted and compared, and it is \
            opened with the master key. The directory is made in TMPDIR, and needs room for all that is in the backup.\n\n\
            Exit codes: 0 it can be restored, 1 it cannot.\n\nExamples:\n  switchboard backup verify\n  \
            switchboard backup verify latest --json\n  \
            switchboard backup verify backups/switchboard-20300131T120000.250Z.tar.gz\n  \
            switchboard backup verify copy.tar.gz.age --identity key.txt\n  \
            switchboard backup verify --copy\n  \
            switchboard backup verify --copy switchboard-20300131T120000.250Z.tar.gz"
    )]
    Verify(Verify),
}

/// A restore for practice.
#[derive(clap::Args)]
struct Verify {
    /// The file, or the name of one as `backup list` shows it
    #[arg(value_name = "FILE", default_value = LATEST)]
    file: PathBuf,

    /// Fetch the copy of this name from where copies go (backup.copy), the newest without a name, and compare it with what was
    /// written there
    #[arg(long)]
    copy: bool,

    /// The file with the identity of age that opens an encrypted copy
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,

    #[command(flatten)]
    location: Location,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What stands for the newest.
const LATEST: &str = "latest";

/// A file that is gone when this goes out of scope.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is there only where a copy was fetched.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Verify {
    async fn run(self) -> anyhow::Result<()> {
        let data_dir = self.location.data_dir()?;
        let settings = self.location.settings()?.backup;
        let folder = data_dir.join(&settings.folder);
        // Another process may do the same.
        let into = std::env::temp_dir().join(format!("switchboard-verify-{}", std::process::id()));
        let place = Temporary(into.with_extension("copy"));
        let fetched =
            if self.copy { Some(self.fetched(&settings, &data_dir, &place.0).await?) } else { None };
        let file = if fetched.is_some() { place.0.clone() } else { self.found(&folder)? };
        let stopping = CancellationToken::new();
        let verification = Verification {
            file: file.clone(),
            into,
            master_key: super::up::master_key(&data_dir)?,
            identity: self.identity.as_deref().map(Identity::read).transpose()?,
            clock: Clock::system(),
            stopping: stopping.clone(),
        };
        let verified = tokio::select! {
            verified = backup::verify(verification) => verified?,
            // Dropping it removes what was restored.
            _ = tokio::signal::ctrl_c() => {
                stopping.cancel();
                bail!("it was not verified to the end");
            }
        };
        let Verified { manifest, rows, tables, rows_compared } = verified;
        let shown = fetched.as_ref().map_or_else(|| file.display().to_string(), |copy| copy.name.clone());
        if self.json {
            say_json(&json!({
                "file": shown, "copy_in": fetched.as_ref().map(|copy| &copy.to),
                "sha256": fetched.as_ref().map(|copy| &copy.sha256),
                "copy_compared": fetched.as_ref().map(|copy| copy.is_compared), "made_at": manifest.made_at, "version": manifest.version, "schema": manifest.schema,
                "files": manifest.files.len(), "bytes": manifest.bytes(), "tables": tables, "rows": rows,
                "rows_compared": rows_compared,
            }));
            return Ok(());
        }
        let counted =
            if rows_compared { "as many as when it was made" } else { "it does not say how many it had" };
        if let Some(copy) = &fetched {
            let compared = if copy.is_compared {
                "is what was written there"
            } else {
                "was not made here, so that its hash is not known"
            };
            say!("The copy {} in {} {compared} (SHA-256 {}).", copy.name, copy.to, copy.sha256);
        }
        say!(
            "{shown} of {} can be restored: {} files of {}, {rows} rows in {tables} tables ({counted}).",
            manifest.made_at.to_the_second(),
            manifest.files.len(),
            HumanBytes(manifest.bytes())
        );
        Ok(())
    }

    async fn fetched(
        &self,
        settings: &BackupSettings,
        data_dir: &Path,
        into: &Path,
    ) -> anyhow::Result<FetchedCopy> {
        let history = backup::read_history(&data_dir.join(&settings.folder))?;
        let text = self.file.to_string_lossy();
        let name = Some(&*text).filter(|name| *name != LATEST);
        let fetching = backup::fetch_copy(&settings.copy, data_dir, history.as_ref(), name, into.to_owned());
        tokio::select! {
            fetched = fetching => Ok(fetched?),
            _ = tokio::signal::ctrl_c() => bail!("the copy was not fetched to the end"),
        }
    }

    /// A path counts before a name in the folder of backups.
    fn found(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let text = self.file.to_string_lossy();
        if !self.file.exists() && text == LATEST {
            let newest = backup::newest_in(folder).with_context(|| folder.display().to_string())?;
            return newest.with_context(|| {
                format!("there is no backup in {}; make one: switchboard backup create", folder.display())
            });
        }
        let is_name = !self.file.exists() && text.parse::<BackupName>().is_ok();
        Ok(if is_name { folder.join(&self.file) } else { self.file.clone() })
    }
}

impl Backup {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (options, work) = match self.action {
            Action::List(options) => return options.call(Method::GET, PATH, None, list).await,
            Action::Create(options) => (options, Work::Making),
            Action::Check { name, options } => (options, Work::Trying(name)),
            Action::Verify(verify) => return verify.run().await,
            Action::Drill(options) => return drill(options).await,
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

/// Restores for practice, and says what came of it.
async fn drill(options: ApiOptions) -> anyhow::Result<()> {
    let api = ApiClient::open(&options.location).await?;
    let done = drilled(&api, options.json).await;
    api.close().await;
    let all = done?;
    if options.json {
        say_json(&all);
    }
    let last = &all["drills"]["last"];
    let name = cell(last, "name");
    match (last["wrong"].as_str(), last["rows"].as_u64()) {
        (Some(wrong), _) => bail!("{name} cannot be restored: {wrong}"),
        (None, Some(rows)) if !options.json => {
            let of = match last["of"].as_str() {
                Some("copy") => "the copy was fetched, compared and restored",
                Some("encrypted_copy") => "the copy was fetched and compared, and its backup restored",
                _ => "it was restored from the folder of backups",
            };
            say!("{name} can be restored: {of}, with {rows} rows.");
            Ok(())
        }
        (None, Some(_)) => Ok(()),
        (None, None) => bail!("the server ended before the restore did"),
    }
}

async fn drilled(api: &ApiClient, quiet: bool) -> anyhow::Result<Value> {
    let bars = Bars::new(quiet);
    let bar = bars.count("Restore");
    api.call(Method::POST, &format!("{PATH}/drill"), None).await?;
    loop {
        let all = api.call(Method::GET, PATH, None).await?;
        if all["drills"]["running"] != true {
            bar.finish_and_clear();
            return Ok(all);
        }
        show(&bar, 0, None, "is being practised");
        tokio::time::sleep(EVERY).await;
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
    let shown = format!("{shown}\n{}", elsewhere(all));
    let next = match all["next_at"].as_str() {
        Some(next) => format!("The running server makes the next one at {}.", to_the_second(next)),
        None => "None is made by itself (backup.every is 0s).".to_owned(),
    };
    format!("{shown}\n{next}")
}

/// The state of copies and drills.
fn elsewhere(all: &Value) -> String {
    let (copies, drill) = (&all["copies"], &all["drills"]["last"]);
    let last_copy = match (&copies["failing"], &copies["last"]) {
        _ if copies.is_null() => "They are copied nowhere else (backup.copy).".to_owned(),
        (failing, _) if !failing.is_null() => {
            format!("NOT COPIED to {}: {}", cell(copies, "to"), cell(failing, "why"))
        }
        (_, last) if last.is_null() => format!("None is copied to {} yet.", cell(copies, "to")),
        (_, last) => {
            format!("The last copy went to {} at {}.", cell(copies, "to"), to_the_second(&cell(last, "at")))
        }
    };
    let drilled = match drill["wrong"].as_str() {
        _ if drill.is_null() => "No restore drill took place yet.".to_owned(),
        Some(wrong) => format!("THE RESTORE DRILL FAILED at {}: {wrong}", to_the_second(&cell(drill, "at"))),
        None => format!("The last restore drill went well at {}.", to_the_second(&cell(drill, "at"))),
    };
    format!("{last_copy}\n{drilled}")
}

/// An instant without the parts of its second.
fn to_the_second(instant: &str) -> String {
    instant.split_once('.').map_or_else(|| instant.to_owned(), |(second, _)| format!("{second}Z"))
}

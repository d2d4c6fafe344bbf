//! `switchboard move take-over` and `hand-back`: sessions come from an old Python installation, and go back to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail, ensure};
use hyper::Method;
use moving::{Direction, OldUnit, Takeover, TakeoverStep};
use serde_json::{Value, json};
use session_files::{Assignment, AssignmentStatus, Table};
use telegram::import::Plan;
use tokio::process::Command;

use super::old_machine::OldMachine;
use crate::Location;
use crate::control::{self, Control};
use crate::output::{say, say_json};
use crate::terminal::{WrongUsage, confirm};

/// How long one call, an import and an account that connects may take.
const CALL: Duration = Duration::from_mins(2);
const IMPORT: Duration = Duration::from_mins(45);
const READY: Duration = Duration::from_mins(2);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// The largest plan, in bytes.
const LARGEST_PLAN: u64 = 1 << 20;

/// Where files of another machine are copied to, in the folder of moves, until they are imported.
const FETCHED: &str = "fetched";

/// What an import says of a session that the old programs have to get back.
const REFUSED: [&str; 6] =
    ["signed_out", "auth_key_duplicated", "banned", "no_answer", "refused", "other_person"];

/// The chats that were made here meanwhile.
const CHATS: &str = "chats-made-meanwhile.json";

#[derive(clap::Args)]
pub(super) struct TakeOver {
    /// Session files, folders of them, the database of the old registry [default: the files that the plan names]
    #[arg(required_unless_present = "plan", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A service of systemd that the old installation runs as (repeatable)
    #[arg(long = "unit", value_name = "UNIT", required = true)]
    units: Vec<String>,
    /// The machine of the old installation; paths, and files that the plan names, are absolute there [default: this machine]
    #[arg(long, value_name = "ssh://USER@HOST[:PORT]")]
    from: Option<String>,
    /// A plan file, as `switchboard doctor --legacy --write-plan` makes it
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    more: More,
}

#[derive(clap::Args)]
pub(super) struct HandBack {
    #[command(flatten)]
    more: More,
}

#[derive(clap::Args)]
struct More {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl TakeOver {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let data_dir = self.more.location.data_dir()?;
        let known = Takeover::read(&data_dir)?.filter(|takeover| takeover.next().is_some());
        let takeover = match known {
            Some(takeover) if takeover.direction == Direction::Back => {
                bail!("a hand-back was begun; give `switchboard move hand-back` again first")
            }
            Some(takeover) => takeover,
            None => self.begun(&data_dir).await?,
        };
        if !self.more.yes {
            let units = takeover.units.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(", ");
            confirm(&format!("Stop {units} and open their sessions here?")).await?;
        }
        let mut work = Work {
            data_dir,
            location: self.more.location,
            quiet: self.more.json,
            clock: Clock::system(),
            takeover,
        };
        if let Err(error) = work.go_on().await {
            work.takeover.turn_back();
            let back = work.go_on().await;
            return Err(match back {
                Ok(()) => error.context("it was undone, and the old services run again"),
                Err(also) => error
                    .context(format!("it is not undone yet ({also:#}); give `switchboard move hand-back`")),
            });
        }
        work.tell("The sessions are here; the old services are stopped and disabled.");
        Ok(())
    }

    async fn begun(&self, data_dir: &Path) -> anyhow::Result<Takeover> {
        let server = control::running(data_dir).await?;
        let machine = OldMachine::of(self.from.as_deref())?;
        let manager = machine.manager();
        let mut units = Vec::new();
        for name in &self.units {
            // A shell may read it.
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@:".contains(c))
                || name.starts_with('-')
            {
                return Err(WrongUsage(format!("{name:?} is no name of a service")).into());
            }
            let unit = OldUnit::look(&manager, name).await?;
            units.push(unit.with_context(|| format!("there is no service {name}"))?);
        }
        let absolute = |path: &PathBuf| {
            if machine.is_here() {
                return std::path::absolute(path).with_context(|| path.display().to_string());
            }
            ensure!(
                path.is_absolute(),
                "{} is not absolute; the old machine has no folder of yours",
                path.display()
            );
            Ok(path.clone())
        };
        let paths = self.paths.iter().map(absolute).collect::<Result<_, _>>()?;
        let plan = self.plan.as_ref().map(std::path::absolute).transpose()?;
        let mut takeover = Takeover::new(Clock::system().now(), units, paths, plan);
        takeover.machine.clone_from(&self.from);
        if let Some(file) = &takeover.plan {
            let plan = read_plan(file)?;
            takeover.old_names = plan.names.into_iter().map(|(old, here)| (here.to_string(), old)).collect();
            let named = plan.sessions.into_iter().filter(|session| !session.skip);
            takeover.planned = named
                .filter_map(|session| session.file)
                .map(|file| absolute(&file.into()))
                .collect::<Result<_, _>>()?;
        }
        takeover.accounts_before = sessions(&server).await?;
        Ok(takeover)
    }
}

fn read_plan(file: &Path) -> anyhow::Result<Plan> {
    let mut text = String::new();
    let named = || format!("the plan file {}", file.display());
    std::fs::File::open(file)
        .with_context(named)?
        .take(LARGEST_PLAN)
        .read_to_string(&mut text)
        .with_context(named)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    Ok(Plan::read(&text, folder, |name| std::env::var(name).ok())?)
}

impl HandBack {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let data_dir = self.more.location.data_dir()?;
        let Some(mut takeover) = Takeover::read(&data_dir)? else {
            bail!("nothing was taken over into {}", data_dir.display());
        };
        if !self.more.yes {
            confirm("Stop the accounts here and start the old services again?").await?;
        }
        takeover.turn_back();
        let mut work = Work {
            data_dir,
            location: self.more.location,
            quiet: self.more.json,
            clock: Clock::system(),
            takeover,
        };
        work.go_on().await?;
        work.tell("The sessions are with the old installation again.");
        Ok(())
    }
}

/// How many sessions each account has.
async fn sessions(server: &Control) -> anyhow::Result<BTreeMap<String, usize>> {
    let listed = server.call_within(CALL, Method::GET, "/v1/accounts?limit=200", None).await?;
    let accounts = listed["items"].as_array().into_iter().flatten();
    Ok(accounts
        .filter_map(|account| {
            let lines = account["lines"].as_array().map_or(0, Vec::len);
            Some((account["name"].as_str()?.to_owned(), lines))
        })
        .collect())
}

struct Work {
    data_dir: PathBuf,
    location: Location,
    quiet: bool,
    clock: Clock,
    takeover: Takeover,
}

impl Work {
    async fn go_on(&mut self) -> anyhow::Result<()> {
        while let Some(step) = self.takeover.next() {
            self.takeover.begin(step);
            self.takeover.write(&self.data_dir)?;
            if !self.quiet {
                eprintln!("{}", step.title());
            }
            self.perform(step).await.with_context(|| step.title())?;
            self.takeover.end(step);
            self.takeover.write(&self.data_dir)?;
        }
        Ok(())
    }

    fn old(&self) -> anyhow::Result<OldMachine> {
        Ok(OldMachine::of(self.takeover.machine.as_deref())?)
    }

    /// Where files of another machine are copied to.
    fn fetched(&self) -> PathBuf {
        self.data_dir.join(moving::FOLDER).join(FETCHED)
    }

    /// Where a file or folder of the old installation is on this machine.
    fn here(&self, path: &Path) -> PathBuf {
        match &self.takeover.machine {
            Some(_) => self.fetched().join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// All that was named of the old installation.
    fn named(&self) -> BTreeSet<PathBuf> {
        self.takeover.paths.iter().chain(&self.takeover.planned).cloned().collect()
    }

    async fn perform(&mut self, step: TakeoverStep) -> anyhow::Result<()> {
        let old = self.old()?;
        let manager = old.manager();
        match step {
            TakeoverStep::StopUnits => {
                for unit in &self.takeover.units {
                    unit.stop(&manager).await?;
                }
                Ok(())
            }
            TakeoverStep::CheckSessions => self.check_sessions().await,
            TakeoverStep::Fetch => {
                old.fetch(&self.named(), &self.fetched()).await?;
                // The server reads them.
                Ok(moving::adopt(&self.data_dir)?)
            }
            TakeoverStep::Import => {
                let report = self.import().await;
                // They are secrets, and are in the store now.
                match std::fs::remove_dir_all(self.fetched()) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                }
                self.take_in(&report?).await
            }
            TakeoverStep::Validate => self.validate().await,
            TakeoverStep::DisableUnits => {
                for unit in &self.takeover.units {
                    unit.disable(&manager).await?;
                }
                Ok(())
            }
            TakeoverStep::CloseAccounts => self.close_accounts().await,
            TakeoverStep::HandBack => self.hand_back().await,
            TakeoverStep::StartUnits => {
                for unit in &self.takeover.units {
                    unit.restore(&manager).await?;
                }
                Ok(())
            }
        }
    }

    /// No process may have a session file open: one that no service of the list is of would go on using it.
    async fn check_sessions(&self) -> anyhow::Result<()> {
        let named: Vec<PathBuf> = self.named().into_iter().collect();
        if let Some((file, pids)) = self.old()?.open_session(&named).await? {
            bail!(
                "{} is open in process {pids}; end it first (`switchboard doctor --legacy` names it)",
                file.display()
            );
        }
        Ok(())
    }

    /// The plan with the files where they are on this machine.
    fn plan_here(&self) -> anyhow::Result<Option<PathBuf>> {
        let Some(plan) = &self.takeover.plan else { return Ok(None) };
        if self.takeover.machine.is_none() {
            return Ok(Some(plan.clone()));
        }
        let mut text = std::fs::read_to_string(plan)?;
        for file in &self.takeover.planned {
            text = text.replace(&quoted(file), &quoted(&self.here(file)));
        }
        let file = self.fetched().join("plan.toml");
        std::fs::write(&file, text)?;
        let elsewhere = read_plan(&file)?.sessions.into_iter().filter(|session| !session.skip);
        for file in elsewhere.filter_map(|session| session.file) {
            ensure!(Path::new(&file).exists(), "write {file} as an absolute path into the plan");
        }
        Ok(Some(file))
    }

    async fn import(&self) -> anyhow::Result<Value> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["account", "import", "--yes", "--json"]);
        // With a path an import takes no others.
        let is_below = |file: &&PathBuf| self.takeover.paths.iter().any(|path| file.starts_with(path));
        let planned = self.takeover.planned.iter().filter(|file| !is_below(file));
        command.args(self.takeover.paths.iter().chain(planned).map(|path| self.here(path)));
        if let Some(plan) = self.plan_here()? {
            command.arg("--plan").arg(plan);
        }
        moving::adopt(&self.data_dir)?;
        command.arg("--data-dir").arg(&self.data_dir);
        if let Some(config) = self.location.settings_file()? {
            command.arg("--config").arg(config);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let ran =
            tokio::time::timeout(IMPORT, command.output()).await.context("the import does not end")??;
        if !ran.status.success() {
            bail!("{}", String::from_utf8_lossy(&ran.stderr).trim());
        }
        Ok(serde_json::from_slice(&ran.stdout)?)
    }

    /// The result of each session: one that Telegram refused, or that no account took, gives all of them back. An account that was
    /// closed for an earlier hand-back works again.
    async fn take_in(&mut self, report: &Value) -> anyhow::Result<()> {
        let server = control::running(&self.data_dir).await?;
        for row in report["sessions"].as_array().into_iter().flatten() {
            let what = row["what"].as_str().unwrap_or_default();
            if REFUSED.contains(&what) {
                let why = row["detail"].as_str().unwrap_or_default();
                bail!(
                    "{}: {what}. {why} (`skip = true` in a plan leaves a session out)",
                    row["file"].as_str().unwrap_or_default()
                );
            }
            if let Some(account) = row["account"].as_str().filter(|_| ["new", "known"].contains(&what)) {
                self.takeover.accounts.insert(account.to_owned());
            }
        }
        self.takeover.write(&self.data_dir)?;
        for name in &self.takeover.accounts {
            server
                .call_within(CALL, Method::POST, &format!("/v1/accounts/{name}/actions/start"), None)
                .await?;
        }
        Ok(())
    }

    /// The accounts that have sessions of the old installation.
    async fn taken(&self, server: &Control) -> anyhow::Result<BTreeSet<String>> {
        let before = &self.takeover.accounts_before;
        let mut taken = self.takeover.accounts.clone();
        let now = sessions(server).await?;
        taken.extend(
            now.into_iter().filter(|(name, lines)| before.get(name) != Some(lines)).map(|(name, _)| name),
        );
        Ok(taken)
    }

    async fn validate(&self) -> anyhow::Result<()> {
        let server = control::running(&self.data_dir).await?;
        for name in self.taken(&server).await? {
            let begun = self.clock.now();
            loop {
                let account =
                    server.call_within(CALL, Method::GET, &format!("/v1/accounts/{name}"), None).await?;
                match account["state"].as_str().unwrap_or_default() {
                    "needs_login" | "banned" => {
                        bail!("Telegram refuses a session of {name}: {}", account["reason"])
                    }
                    "connecting" | "error" if self.clock.now().since(begun) < READY => {
                        self.clock.sleep(LOOK).await;
                    }
                    "connecting" | "error" => bail!("{name} is not ready after {} s", READY.as_secs()),
                    _ => break,
                }
            }
        }
        Ok(())
    }

    async fn close_accounts(&self) -> anyhow::Result<()> {
        // What it is asked to close stays closed when it is started again; without it the next start would open all.
        let server = control::running(&self.data_dir).await?;
        for name in self.taken(&server).await? {
            server
                .call_within(CALL, Method::POST, &format!("/v1/accounts/{name}/actions/stop"), None)
                .await?;
            let begun = self.clock.now();
            loop {
                let account =
                    server.call_within(CALL, Method::GET, &format!("/v1/accounts/{name}"), None).await?;
                let mut lines = account["lines"].as_array().into_iter().flatten();
                let is_open = |line: &Value| {
                    matches!(line["state"].as_str(), Some("ready" | "connecting" | "flood_wait"))
                };
                if !lines.any(is_open) {
                    break;
                }
                if self.clock.now().since(begun) > READY {
                    bail!("{name} does not close");
                }
                self.clock.sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Chats that were made here meanwhile: written down, and added to the registries that were named.
    async fn hand_back(&self) -> anyhow::Result<()> {
        let server = control::running(&self.data_dir).await?;
        let (mut made, mut cursor) = (Vec::new(), String::new());
        let since = self.takeover.begun_at.to_string();
        loop {
            let page =
                server.call_within(CALL, Method::GET, &format!("/v1/chats?limit=200{cursor}"), None).await?;
            let chats = page["items"].as_array().cloned().unwrap_or_default();
            let is_new = |chat: &Value| chat["created_at"].as_str().is_some_and(|at| at >= since.as_str());
            made.extend(chats.into_iter().filter(is_new));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let file = self.data_dir.join(moving::FOLDER).join(CHATS);
        std::fs::write(&file, serde_json::to_vec_pretty(&made)?)?;
        moving::adopt(&self.data_dir)?;
        let mut added = Vec::new();
        if !made.is_empty() {
            let assignments: Vec<Assignment> =
                made.iter().filter_map(|chat| assignment(chat, &self.takeover.old_names)).collect();
            for path in &self.takeover.paths {
                if let Some(count) = self.add_to_registry(path, &assignments).await? {
                    added.push((path, count));
                }
            }
        }
        if !self.quiet {
            eprintln!("{} chats, in {}", made.len(), file.display());
            for (path, count) in added {
                eprintln!("{count} of them added to {}", path.display());
            }
        }
        Ok(())
    }

    /// Adds chats to an old registry; nothing where the path is none. The file as it was stays beside it.
    async fn add_to_registry(&self, path: &Path, made: &[Assignment]) -> anyhow::Result<Option<usize>> {
        let old = self.old()?;
        let Some(before) = old.read(path).await? else { return Ok(None) };
        let copy = tempfile::NamedTempFile::new()?;
        std::fs::write(copy.path(), before)?;
        if !session_files::legacy_registry(copy.path())
            .is_ok_and(|registry| !registry.missing.contains(&Table::Assignments))
        {
            return Ok(None);
        }
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = old.read(Path::new(&log)).await?;
        ensure!(
            log.is_none_or(|log| log.is_empty()),
            "{} has a write-ahead log, so a program has it open or was killed; open and close it with sqlite3 first",
            path.display()
        );
        let added = session_files::add_assignments(copy.path(), made)?;
        if added > 0 {
            old.write(path, &std::fs::read(copy.path())?).await?;
        }
        Ok(Some(added))
    }

    fn tell(&self, words: &str) {
        if self.quiet {
            say_json(&json!({ "takeover": self.takeover }));
        } else {
            say!("{words}");
        }
    }
}

/// A chat of ours as the old registry has it.
fn assignment(chat: &Value, old_names: &BTreeMap<String, String>) -> Option<Assignment> {
    let word = |key: &str| chat[key].as_str().map(str::to_owned);
    Some(Assignment {
        chat_id: chat["chat_id"].as_str()?.parse().ok()?,
        account_name: word("account").map(|name| old_names.get(&name).cloned().unwrap_or(name)),
        title: word("title"),
        invite_link: word("invite_link"),
        created_at: chat["created_at"].as_str().and_then(|at| at.parse().ok()),
        status: AssignmentStatus::Active,
    })
}

/// A path as a plan has it.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

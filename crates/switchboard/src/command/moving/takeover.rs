//! `switchboard move take-over` and `hand-back`: sessions come from an old Python installation, and go back to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, bail};
use hyper::Method;
use moving::{Direction, OldUnit, Takeover, TakeoverStep};
use serde_json::{Value, json};
use systemd::Systemd;
use tokio::process::Command;

use crate::Location;
use crate::control::{self, Control};
use crate::output::{say, say_json};
use crate::terminal::confirm;

/// How long one call, an import and an account that connects may take.
const CALL: Duration = Duration::from_mins(2);
const IMPORT: Duration = Duration::from_mins(45);
const READY: Duration = Duration::from_mins(2);

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

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
        let manager = Systemd::of_machine();
        let mut units = Vec::new();
        for name in &self.units {
            let unit = OldUnit::look(&manager, name).await?;
            units.push(unit.with_context(|| format!("there is no service {name}"))?);
        }
        let absolute = |path: &PathBuf| std::path::absolute(path).with_context(|| path.display().to_string());
        let paths = self.paths.iter().map(absolute).collect::<Result<_, _>>()?;
        let plan = self.plan.as_ref().map(absolute).transpose()?;
        let mut takeover = Takeover::new(Clock::system().now(), units, paths, plan);
        takeover.accounts_before = sessions(&server).await?;
        Ok(takeover)
    }
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

    async fn perform(&self, step: TakeoverStep) -> anyhow::Result<()> {
        let manager = Systemd::of_machine();
        match step {
            TakeoverStep::StopUnits => {
                for unit in &self.takeover.units {
                    unit.stop(&manager).await?;
                }
                Ok(())
            }
            TakeoverStep::CheckSessions => self.check_sessions().await,
            TakeoverStep::Import => self.import().await,
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
        let paths = self.takeover.paths.clone();
        let look = move || {
            let snapshot = machine::Snapshot::take(&machine::Root::default(), &paths);
            snapshot.sessions.into_iter().find(|(file, _)| paths.iter().any(|path| file.starts_with(path)))
        };
        if let Some((file, pids)) = tokio::task::spawn_blocking(look).await? {
            bail!(
                "{} is open in process {:?}; end it first (`switchboard doctor --legacy` names it)",
                file.display(),
                pids
            );
        }
        Ok(())
    }

    async fn import(&self) -> anyhow::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["account", "import", "--yes", "--json"]).args(&self.takeover.paths);
        if let Some(plan) = &self.takeover.plan {
            command.arg("--plan").arg(plan);
        }
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
        Ok(())
    }

    /// The accounts that have other sessions than before.
    async fn taken(&self, server: &Control) -> anyhow::Result<Vec<String>> {
        let now = sessions(server).await?;
        let before = &self.takeover.accounts_before;
        Ok(now
            .into_iter()
            .filter(|(name, lines)| before.get(name) != Some(lines))
            .map(|(name, _)| name)
            .collect())
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
        // Without a server nothing is open.
        let Some(server) = control::find(&self.data_dir).await else { return Ok(()) };
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

    async fn hand_back(&self) -> anyhow::Result<()> {
        let Some(server) = control::find(&self.data_dir).await else { return Ok(()) };
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
        if !self.quiet {
            eprintln!("{} chats, in {}", made.len(), file.display());
        }
        Ok(())
    }

    fn tell(&self, words: &str) {
        if self.quiet {
            say_json(&json!({ "takeover": self.takeover }));
        } else {
            say!("{words}");
        }
    }
}

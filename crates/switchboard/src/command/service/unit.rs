//! `switchboard service install`, `uninstall`, `status` and `logs`: the program itself as a service of this machine.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use systemd::{Account, InstallError, Plan, Systemd, UnitOptions};
use tokio::process::Command;

use crate::Location;
use crate::output::{say, say_json};
use crate::table;
use crate::terminal::WrongUsage;

/// How a master key is made.
const MAKE_KEY: &str = "; make one: (umask 077; openssl rand -hex 32 > FILE), or copy that of the data directory, if there is one";

/// The service's name.
#[derive(clap::Args)]
pub(super) struct Named {
    /// The name of the service, without `.service`
    #[arg(long, default_value = "switchboard")]
    name: String,
}

impl Named {
    fn unit(&self) -> String {
        format!("{}.service", self.name)
    }
}

/// How to install it.
#[derive(clap::Args)]
pub(super) struct Install {
    #[command(flatten)]
    named: Named,
    /// Run as this existing user [default: a user that exists only while the service runs]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The file of the master key, readable by root alone [default: the key is in the data directory]
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// A file that the service gets as a credential, NAME:FILE (repeatable); settings name it as
    /// { file = "/run/credentials/switchboard.service/NAME" }
    #[arg(long = "credential", value_name = "NAME:FILE", value_parser = credential)]
    credentials: Vec<(String, PathBuf)>,
    /// A file with environment variables, one NAME=value on each line
    #[arg(long, value_name = "FILE")]
    environment_file: Option<PathBuf>,
    /// The memory limit, such as 512M; `none` for no limit
    #[arg(long, value_name = "SIZE", default_value = "512M")]
    memory_max: String,
    /// The program to run [default: this one]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print the units and change nothing; needs no systemd
    #[arg(long, conflicts_with = "no_start")]
    print: bool,
    /// Start it at boot, but not now
    #[arg(long)]
    no_start: bool,
    #[command(flatten)]
    location: Location,
}

/// Which service to take away.
#[derive(clap::Args)]
pub(super) struct Uninstall {
    #[command(flatten)]
    named: Named,
}

/// Which service to look at.
#[derive(clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    named: Named,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which lines to show.
#[derive(clap::Args)]
pub(super) struct Logs {
    #[command(flatten)]
    named: Named,
    /// The number of lines
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
    lines: u32,
    /// Follow new lines until Ctrl+C
    #[arg(long, short)]
    follow: bool,
}

fn credential(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once(':').ok_or("write NAME:FILE")?;
    Ok((name.to_owned(), file.into()))
}

impl Install {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let options = self.options()?;
        let manager = Systemd::of_machine();
        if self.print {
            // A unit that is there already is nothing that could keep it from being shown.
            let nowhere = PathBuf::from("/nonexistent");
            let shown = Systemd::at(nowhere.clone(), nowhere.clone(), nowhere);
            for file in plan(&options, &shown)?.files {
                let name = file.file.file_name().unwrap_or_default().to_string_lossy();
                say!("# --- {} ---\n{}", manager.file(&name).display(), file.text);
            }
            return Ok(());
        }
        manager.check()?;
        present(&options)?;
        let plan = plan(&options, &manager)?;
        for file in plan.files.iter().filter(|file| !file.diff.is_empty()) {
            let how = if file.exists { "changes" } else { "is new" };
            say!("{} {how}:\n{}", file.file.display(), file.diff);
        }
        let done = plan.carry_out(&manager, self.no_start).await?;
        let unit = options.unit();
        match (done.wrote, done.started) {
            (_, true) => say!("{unit} runs, and is started at boot. `switchboard service status` shows it."),
            (true, false) => say!("{unit} is written, and started at boot: systemctl start {unit}"),
            (false, false) => say!("{unit} is as it should be; nothing was changed."),
        }
        Ok(())
    }

    fn options(&self) -> anyhow::Result<UnitOptions> {
        let absolute = |path: &PathBuf| {
            std::path::absolute(path).with_context(|| format!("the path {}", path.display()))
        };
        let maybe = |path: &Option<PathBuf>| path.as_ref().map(absolute).transpose();
        let program = match &self.program {
            Some(program) => absolute(program)?,
            None => std::env::current_exe().context("the path of this program")?,
        };
        let data_dir = match &self.location.data_dir {
            Some(folder) => absolute(folder)?,
            // The same for every user who types this.
            None => PathBuf::from("/var/lib").join(&self.named.name),
        };
        let credentials = self.credentials.iter().map(|(name, file)| Ok((name.clone(), absolute(file)?)));
        Ok(UnitOptions {
            name: self.named.name.clone(),
            program,
            account: self.user.clone().map_or(Account::Dynamic, Account::Named),
            config: maybe(&self.location.config)?,
            data_dir,
            master_key: maybe(&self.master_key)?,
            credentials: credentials.collect::<anyhow::Result<_>>()?,
            environment: maybe(&self.environment_file)?,
            memory_max: Some(self.memory_max.clone()).filter(|size| size != "none"),
        })
    }
}

/// The plan; an option that cannot be is wrong usage.
fn plan(options: &UnitOptions, manager: &Systemd) -> anyhow::Result<Plan> {
    Plan::make(options, manager).map_err(|error| match error {
        InstallError::Invalid(invalid) => WrongUsage(invalid.to_string()).into(),
        other => other.into(),
    })
}

/// Each file that the service is given must be there, or it never starts.
fn present(options: &UnitOptions) -> Result<(), InstallError> {
    let key = options.master_key.iter().map(|file| ("--master-key", file, MAKE_KEY));
    let config = options.config.iter().map(|file| ("--config", file, "; write it first"));
    let variables = options.environment.iter().map(|file| ("--environment-file", file, "; write it first"));
    let credentials = options.credentials.iter().map(|(_, file)| ("--credential", file, "; write it first"));
    let missing = key.chain(config).chain(variables).chain(credentials).find(|(_, file, _)| !file.is_file());
    match missing {
        Some((option, file, hint)) => Err(InstallError::Missing { option, file: file.clone(), hint }),
        None => Ok(()),
    }
}

impl Uninstall {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let gone = Systemd::of_machine().uninstall(&self.named.name).await?;
        if gone.removed.is_empty() {
            say!("There is no service {}; nothing was changed.", self.named.unit());
            return Ok(());
        }
        for file in &gone.removed {
            say!("{} is removed.", file.display());
        }
        say!("{} does not run any more. Its data directory and its settings stay.", self.named.unit());
        Ok(())
    }
}

impl Status {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let status = Systemd::of_machine().status(&self.named.unit()).await?;
        if !status.exists {
            bail!("there is no service {}; `switchboard service install` makes it", status.unit);
        }
        let value = serde_json::to_value(&status)?;
        if self.json {
            say_json(&value);
        } else {
            say!("{}", table::fields(&value));
        }
        // As `systemctl status` does, so that scripts can ask.
        if status.state == "active" { Ok(()) } else { bail!("{} is {}", status.unit, status.state) }
    }
}

impl Logs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut journal = Command::new("journalctl");
        journal
            .arg(format!("--unit={}", self.named.unit()))
            .arg(format!("--lines={}", self.lines))
            .arg("--no-pager")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if self.follow {
            journal.arg("--follow");
        }
        let ended = journal.status().await.context(
            "`journalctl` cannot be run; on a machine without systemd the lines are where `switchboard up` writes them",
        )?;
        if ended.success() { Ok(()) } else { bail!("`journalctl` ended with {ended}") }
    }
}

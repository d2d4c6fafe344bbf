//! `switchboard move`: an installation goes to another machine, and back.

mod auditing;
mod carry;
mod choices;
mod environment;
mod measuring;
mod old_machine;
mod opening;
mod packages;
mod server;
mod side;
mod sources;
mod takeover;
mod target;
mod used_files;
mod validation;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use ambient::{Clock, Ids};
use anyhow::{Context, bail};
use clap::Subcommand;
use moving::{Conductor, Journal, Link, MoveError, Step, Until};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde_json::{Value, json};
use tokio::net::unix::pipe::{Receiver, Sender};

use self::choices::Choices;
use self::side::SideWork;
use self::target::{Beside, Target};
use crate::Location;
use crate::output::{say, say_json};
use crate::terminal::{WrongUsage, confirm};

/// How long a line that was lost is tried again, and the shortest and the longest wait between: each is twice the one before.
const LOST: Duration = Duration::from_mins(5);
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Move {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Look at both sides, show what the move would do and what keeps it from beginning; change nothing
    #[command(after_help = "Exit codes: 0 the move can begin, 1 something is in its way.\n\nExamples:\n  \
            switchboard move plan --to ssh://root@new.example.com\n  \
            switchboard move plan --to /srv/new --listen 127.0.0.1:6099 --json")]
    Plan(Box<Sides>),
    /// Move; a move that was begun is taken up where it is
    #[command(
        after_help = "What needs no stop is done first, on a backup, while the old side serves. Then the old side is stopped, gives \
            its sessions up, the difference is brought over, and the new side starts and opens the accounts one by one, the \
            least important first. What waits to be sent goes along and is sent once. If anything fails after the stop, the \
            move is undone by itself.\n\nA side is ssh://USER@HOST[:PORT][/DATA/DIR], by the system's OpenSSH and \
            `switchboard` there; a data directory of this machine; or exec:COMMAND.\n\nExamples:\n  \
            switchboard move run --to ssh://root@new.example.com --unit switchboard --canary @demo_main\n  \
            switchboard move run --to ssh://root@new.example.com --at 03:30 --yes\n  \
            switchboard move run --from ssh://root@old.example.com --to ssh://root@new.example.com\n  \
            switchboard move run --to /srv/new --listen 127.0.0.1:6099 --yes"
    )]
    Run(Box<Run>),
    /// Show how far the move of this data directory is
    #[command(
        after_help = "Examples:\n  switchboard move status\n  switchboard move status --json | jq .progress"
    )]
    Status(Status),
    /// Undo the move: the old side takes its sessions back and serves again
    #[command(
        after_help = "It can be given on either side, at any time before `switchboard move finish`. What the new side sent and took \
            in is brought back first.\n\nExamples:\n  switchboard move rollback --yes\n  \
            switchboard move rollback --to ssh://root@new.example.com"
    )]
    Rollback(Rollback),
    /// Retire the old side: its service is disabled and its secrets are wiped; its data stay as an archive
    #[command(
        after_help = "There is no way back after this.\n\nExamples:\n  switchboard move finish --yes\n  \
            switchboard move finish --from ssh://root@old.example.com\n  \
            switchboard move finish --receipt bundle.age.receipt"
    )]
    Finish(Finish),
    /// Take over from an old Python installation: its services are stopped first, and disabled once ours works
    #[command(
        name = "take-over",
        after_help = "An old program knows no fence, so nothing of it may run while its sessions are open here: its services are \
            stopped, nothing may have a session file open, then the sessions and the registry are imported into the running \
            server, and once the accounts work the services are disabled. A session that Telegram refuses gives everything \
            back.\n\nExamples:\n  switchboard move take-over /old/sessions /old/registry.db --unit old-gateway.service\n  \
            switchboard move take-over --plan survey.toml --unit old-gateway.service --yes\n  \
            switchboard move take-over --from ssh://root@old --plan survey.toml --unit old.service"
    )]
    TakeOver(takeover::TakeOver),
    /// Give the sessions back to an old Python installation, and start its services again
    #[command(
        name = "hand-back",
        after_help = "The accounts are stopped here first. The chats that were made meanwhile are written to a file for the old \
            programs.\n\nExamples:\n  switchboard move hand-back --yes"
    )]
    HandBack(takeover::HandBack),
    /// Write the ticket of this side, for a move in a bundle that a person carries
    #[command(
        after_help = "Where the two machines do not reach each other: write a ticket on the new side, carry it to the old one, pack \
            there, carry the bundle to the new one, unpack there.\n\nExamples:\n  switchboard move ticket new.ticket"
    )]
    Ticket(carry::MakeTicket),
    /// Stop this side, give its sessions up, and write all of it into a bundle for the other side
    #[command(
        after_help = "The bundle is encrypted to the side that the ticket is of. Without a ticket the new side gives back what it \
            was brought.\n\nExamples:\n  switchboard move pack --ticket new.ticket bundle.age --unit switchboard\n  \
            switchboard move pack back.age"
    )]
    Pack(Box<carry::Pack>),
    /// Put a bundle in place and start here
    #[command(
        after_help = "If this side does not work, it gives the sessions back by itself, in BUNDLE.back, which is carried to the old \
            side and unpacked there.\n\nExamples:\n  switchboard move unpack bundle.age"
    )]
    Unpack(carry::Unpack),
    /// Answer another `switchboard move` over the standard input and output
    #[command(hide = true, after_help = "Examples:\n  switchboard move serve --data-dir /srv/new")]
    Serve(Location),
}

/// Which two sides.
#[derive(clap::Args, Clone)]
struct Sides {
    /// The side that serves now [default: this machine]
    #[arg(long, value_name = "SIDE")]
    from: Option<String>,
    /// The side to move to
    #[arg(long, value_name = "SIDE")]
    to: String,
    /// The settings file of the new side [default: switchboard.toml in its data directory]
    #[arg(long, value_name = "FILE")]
    to_config: Option<String>,
    /// The data directory of the new side [default: as its machine has it]
    #[arg(long, value_name = "DIR")]
    to_data_dir: Option<String>,
    /// The settings file of the old side, where that is another machine
    #[arg(long, value_name = "FILE", requires = "from")]
    from_config: Option<String>,
    /// The data directory of the old side, where that is another machine
    #[arg(long, value_name = "DIR", requires = "from")]
    from_data_dir: Option<String>,
    /// The address of the API on the new side [default: as its settings say]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Run {
    #[command(flatten)]
    sides: Sides,
    /// Install it as this service of systemd on the new side [default: a process of its own]
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// The chat that gets a message once the new side works; if it does not arrive, the move is undone
    #[arg(long, value_name = "CHAT")]
    canary: Option<String>,
    /// How long the new side is watched before the move counts as done
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = config::parse_duration)]
    watch: Duration,
    /// The time of day to stop the old side at; all that needs no stop is done at once
    #[arg(long, value_name = "HH:MM")]
    at: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

#[derive(clap::Args)]
struct Status {
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Rollback {
    /// The old side [default: as the move was begun]
    #[arg(long, value_name = "SIDE")]
    from: Option<String>,
    /// The new side [default: as the move was begun]
    #[arg(long, value_name = "SIDE")]
    to: Option<String>,
    #[command(flatten)]
    location: Location,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Finish {
    /// What the new side wrote when a bundle was unpacked there and all was well
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    sides: Rollback,
}

impl Finish {
    async fn run(self) -> anyhow::Result<()> {
        let Some(receipt) = self.receipt else { return self.sides.run(true).await };
        let mut own = carry::Own::new(&self.sides.location, self.sides.json)?;
        if !self.sides.yes {
            confirm(&format!(
                "Wipe the secrets of {}? There is no way back after this.",
                own.data_dir.display()
            ))
            .await?;
        }
        let journal = own.carrier().retire(&receipt).await?;
        tell_done(&journal, self.sides.json);
        Ok(())
    }
}

/// A service by the name that was given.
fn service_name(name: String) -> String {
    if name.ends_with(".service") { name } else { format!("{name}.service") }
}

/// Shows each step once, and what is said of it.
fn shown_steps(quiet: bool) -> impl FnMut(Step, &str) + Send {
    let mut shown = None;
    move |step: Step, what: &str| {
        if quiet {
            return;
        }
        if shown != Some(step) {
            eprintln!("{:>2}  {}", step.stage(), step.title());
            shown = Some(step);
        }
        if !what.is_empty() {
            eprintln!("      {what}");
        }
    }
}

impl Move {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Plan(sides) => plan(*sides).await,
            Action::Run(run) => run.run().await,
            Action::Status(status) => status.show(),
            Action::Rollback(rollback) => rollback.run(false).await,
            Action::Finish(finish) => finish.run().await,
            Action::TakeOver(take_over) => take_over.run().await,
            Action::HandBack(hand_back) => hand_back.run().await,
            Action::Ticket(ticket) => ticket.run().await,
            Action::Pack(pack) => pack.run().await,
            Action::Unpack(unpack) => unpack.run().await,
            Action::Serve(location) => serve(location).await,
        }
    }
}

async fn serve(location: Location) -> anyhow::Result<()> {
    let clock = Clock::system();
    let data_dir = location.data_dir()?;
    let side = carry::own_side(&data_dir, &clock)?;
    let mut work = SideWork::new(location, clock.clone())?;
    let line = line()?;
    Ok(moving::serve(&data_dir, side, env!("CARGO_PKG_VERSION"), &mut work, &clock, line).await?)
}

/// The standard input and output, as files that a runtime waits for: no thread is held by a read that never ends.
fn line() -> anyhow::Result<(Receiver, Sender)> {
    let ready = |file: BorrowedFd<'_>| {
        let flags = fcntl_getfl(file)?;
        fcntl_setfl(file, flags | OFlags::NONBLOCK)?;
        file.try_clone_to_owned()
    };
    let (from, to) = (ready(std::io::stdin().as_fd())?, ready(std::io::stdout().as_fd())?);
    Ok((Receiver::from_owned_fd_unchecked(from)?, Sender::from_owned_fd_unchecked(to)?))
}

/// Both sides, as they are reached.
struct Ends {
    old: (String, Vec<String>),
    new: (String, Vec<String>),
}

impl Ends {
    async fn links(&self, clock: &Clock) -> Result<(Link, Link), moving::LinkError> {
        let old = Link::start(&self.old.0, &self.old.1, clock.clone()).await?;
        let new = Link::start(&self.new.0, &self.new.1, clock.clone()).await?;
        Ok((old, new))
    }

    async fn conductor<'a>(&self, choices: Option<Value>, quiet: bool) -> Result<Conductor<'a>, MoveError> {
        let clock = Clock::system();
        let id = Ids::new(clock.clone()).next().to_string();
        let links = self.links(&clock).await?;
        let tell = Box::new(shown_steps(quiet));
        Conductor::meet(links, env!("CARGO_PKG_VERSION"), id, clock, choices, tell).await
    }
}

impl Sides {
    fn choices(&self) -> anyhow::Result<Choices> {
        let config = self.location.settings_file()?.map(std::path::absolute).transpose()?;
        let here = self.location.data_dir()?.display().to_string();
        Ok(Choices {
            from: self.from.clone().unwrap_or(here),
            to: self.to.clone(),
            from_config: self.from_config.clone().or_else(|| {
                config.filter(|_| self.from.is_none()).map(|config| config.display().to_string())
            }),
            to_config: self.to_config.clone(),
            from_data_dir: self.from_data_dir.clone(),
            to_data_dir: self.to_data_dir.clone(),
            listen: self.listen.clone(),
            ..Choices::default()
        })
    }
}

impl Choices {
    fn ends(&self) -> anyhow::Result<Ends> {
        let end = |side: &str, data_dir: Option<&String>, config: Option<&String>| {
            let target: Target = side.parse()?;
            let beside = Beside { data_dir: data_dir.map(PathBuf::from), config: config.map(PathBuf::from) };
            anyhow::Ok((target.name(), target.command(&beside)?))
        };
        Ok(Ends {
            old: end(&self.from, self.from_data_dir.as_ref(), self.from_config.as_ref())?,
            new: end(&self.to, self.to_data_dir.as_ref(), self.to_config.as_ref())?,
        })
    }
}

async fn plan(sides: Sides) -> anyhow::Result<()> {
    let choices = sides.choices()?;
    let mut conductor = choices.ends()?.conductor(Some(choices.as_value()), true).await?;
    let (old, new, objections) = conductor.plan().await?;
    if sides.json {
        say_json(&json!({ "old": old, "new": new, "objections": objections }));
    } else {
        for (name, side) in [("Old side", &old), ("New side", &new)] {
            say!("{name}  {} on {}, version {}", side.data_dir, side.machine, side.version);
            say!(
                "          {} of data, {} MB free, {} accounts",
                megabytes(side.data_bytes),
                side.free_bytes >> 20,
                side.accounts.len()
            );
            for note in &side.notes {
                say!("          {note}");
            }
        }
        say!("\nWhat would be done:");
        for step in Step::FORWARD {
            say!("{:>2}  {}", step.stage(), step.title());
        }
        for objection in &objections {
            say!("\nIn the way: {}", objection.what);
        }
    }
    if objections.is_empty() { Ok(()) } else { bail!("the move cannot begin") }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1 << 20))
}

impl Run {
    async fn run(self) -> anyhow::Result<()> {
        let choices = Choices {
            unit: self.unit.clone().map(service_name),
            canary: self.canary.clone(),
            watch: self.watch.as_secs(),
            ..self.sides.choices()?
        };
        if self.unit.is_some() && self.sides.listen.is_some() {
            return Err(WrongUsage(
                "--listen is for a process of its own; with --unit write `listen` into the settings of the new side".to_owned(),
            )
            .into());
        }
        let at = match &self.at {
            Some(at) => Some(wait_until(at).await?),
            None => None,
        };
        if !self.yes {
            let question = format!(
                "Move from {} to {}? The old side is stopped for a moment.",
                choices.from, choices.to
            );
            confirm(&question).await?;
        }
        let (ends, quiet) = (choices.ends()?, self.sides.json);
        if let Some(wait) = at {
            taken_up(&ends, Some(&choices), quiet, Until::Prepared).await?;
            if !quiet {
                eprintln!("Prepared; the old side is stopped in {} min", wait.as_secs() / 60);
            }
            tokio::time::sleep(wait).await;
        }
        let journal = taken_up(&ends, Some(&choices), quiet, Until::Compared).await?;
        tell_done(&journal, quiet);
        Ok(())
    }
}

/// How long until a time of day of this machine.
async fn wait_until(at: &str) -> anyhow::Result<Duration> {
    let wrong = || WrongUsage(format!("{at:?} is no time of day; write 03:30"));
    let (hour, minute) = at.split_once(':').ok_or_else(wrong)?;
    let is_time = hour.parse::<u8>().is_ok_and(|hour| hour < 24)
        && minute.parse::<u8>().is_ok_and(|minute| minute < 60);
    if !is_time {
        return Err(wrong().into());
    }
    let seconds = async |words: &[&str]| {
        let ran =
            tokio::process::Command::new("date").args(words).output().await.context("the program `date`")?;
        String::from_utf8_lossy(&ran.stdout).trim().parse::<u64>().context("what `date` said")
    };
    let (now, today) = (seconds(&["+%s"]).await?, seconds(&["-d", at, "+%s"]).await?);
    let then = if today > now { today } else { seconds(&["-d", &format!("tomorrow {at}"), "+%s"]).await? };
    Ok(Duration::from_secs(then.saturating_sub(now)))
}

/// Goes on with a move; a line that is lost is tried again for a while.
async fn taken_up(
    ends: &Ends,
    choices: Option<&Choices>,
    quiet: bool,
    until: Until,
) -> anyhow::Result<Journal> {
    let clock = Clock::system();
    let (mut lost_at, mut wait) = (None, AGAIN.0);
    loop {
        let mut is_begun = lost_at.is_some();
        let went = async {
            let mut conductor = ends.conductor(choices.map(Choices::as_value), quiet).await?;
            lost_at = None;
            is_begun |= conductor.journal().progress.is_begun(Step::FirstBackup);
            let ended = conductor.run(until).await;
            is_begun |= conductor.journal().progress.is_begun(Step::FirstBackup);
            ended
        }
        .await;
        let error = match went {
            Ok(ended) => return Ok(ended.journal),
            Err(error) => error,
        };
        let is_lost = matches!(&error, MoveError::Link(link) if link.is_lost());
        let since = *lost_at.get_or_insert_with(|| clock.now());
        if !is_lost || !is_begun || clock.now().since(since) > LOST {
            let hint = if is_lost && is_begun {
                "give the same command again, which takes the move up, or `switchboard move rollback`"
            } else {
                return Err(error.into());
            };
            return Err(anyhow::Error::from(error).context(hint));
        }
        if !quiet {
            eprintln!("      {error}; trying again");
        }
        clock.sleep(wait).await;
        wait = (wait * 2).min(AGAIN.1);
    }
}

fn tell_done(journal: &Journal, json: bool) {
    let downtime = moving::downtime(journal);
    if json {
        say_json(&json!({ "journal": journal, "downtime": downtime }));
        return;
    }
    if journal.is_back() {
        say!("The move is undone; {} serves.", journal.old.name);
    } else {
        say!("The move is done; {} serves.", journal.new.name);
    }
    if let Some(downtime) = downtime {
        let seconds = |ms: Option<u64>| {
            ms.map_or_else(|| "?".to_owned(), |ms| format!("{}.{:01} s", ms / 1000, ms % 1000 / 100))
        };
        say!(
            "Requests were taken in again {} after the stop, and the last account was open after {}.",
            seconds(downtime.not_serving_ms),
            seconds(downtime.ms)
        );
    }
    if !journal.is_back() && !journal.progress.is_done(Step::Retire) {
        say!("To go back: switchboard move rollback. To retire the old side: switchboard move finish.");
    }
}

/// The journal of this machine's data directory.
fn read_journal(location: &Location) -> anyhow::Result<Option<Journal>> {
    Ok(moving::read_journal(&location.data_dir()?)?)
}

impl Status {
    fn show(self) -> anyhow::Result<()> {
        let data_dir = self.location.data_dir()?;
        let journal = read_journal(&self.location)?;
        let fence = store::remembered_fence(&data_dir)?;
        let holder = fence.as_ref().map(|fence| fence.holder.name.clone());
        if self.json {
            let downtime = journal.as_ref().and_then(moving::downtime);
            say_json(&json!({ "journal": journal, "downtime": downtime, "fence": fence }));
            return Ok(());
        }
        let Some(journal) = journal else {
            say!("{} took part in no move.", data_dir.display());
            return Ok(());
        };
        say!("From {} to {}", journal.old.name, journal.new.name);
        let steps = Step::FORWARD.iter().chain(if journal.is_back() {
            journal.progress.rollback_steps()
        } else {
            &[]
        });
        for step in steps {
            let state = match (journal.progress.is_done(*step), journal.progress.is_begun(*step)) {
                (true, _) => "done",
                (false, true) => "begun",
                (false, false) => "",
            };
            say!("{:>2}  {:<36} {state}", step.stage(), step.title());
        }
        if let Some(why) = &journal.why_back {
            say!("It was turned back: {why}");
        }
        if let Some(holder) = holder {
            say!("The sessions are held by {holder}.");
        }
        Ok(())
    }
}

impl Rollback {
    async fn run(self, finish: bool) -> anyhow::Result<()> {
        let choices = self.choices()?;
        if !self.yes {
            let question = if finish {
                format!("Wipe the secrets of {}? There is no way back after this.", choices.from)
            } else {
                format!("Go back from {} to {}?", choices.to, choices.from)
            };
            confirm(&question).await?;
        }
        let ends = choices.ends()?;
        let mut conductor = ends.conductor(None, self.json).await?;
        let journal = if finish {
            if !conductor.journal().progress.is_done(Step::Compare) {
                bail!("the move is not done; give `switchboard move run` again first");
            }
            conductor.run(Until::Retired).await?.journal
        } else {
            match conductor.roll_back("as was asked").await {
                Ok(ended) => ended.journal,
                Err(MoveError::NoMove) => {
                    if self.json {
                        say_json(&json!({ "journal": null, "downtime": null }));
                    } else {
                        say!("Nothing is to be undone: no step of a move was begun between these two sides.");
                    }
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        };
        tell_done(&journal, self.json);
        Ok(())
    }

    /// As the move was begun, seen from this machine.
    fn choices(&self) -> anyhow::Result<Choices> {
        let data_dir = self.location.data_dir()?;
        let own = store::recorded_side(&data_dir)?;
        let journal = read_journal(&self.location)?;
        let mut choices = journal.as_ref().map(|journal| Choices::of(&journal.choices)).unwrap_or_default();
        let is_named = self.from.is_some() && self.to.is_some();
        if journal.is_some() && choices.to.is_empty() && !is_named {
            bail!(
                "this move is carried in a bundle: unpack it on the new side, give `switchboard move pack FILE` there, and unpack \
                 that file here; to retire the old side give `switchboard move finish --receipt FILE`"
            );
        }
        let config = self.location.settings_file()?.map(|config| config.display().to_string());
        if let (Some(own), Some(journal)) = (own, &journal) {
            let here = data_dir.display().to_string();
            if own.id == journal.old.id {
                (choices.from, choices.from_data_dir) = (here, None);
                choices.from_config = config.or(choices.from_config);
            } else {
                (choices.to, choices.to_data_dir) = (here, None);
                choices.to_config = config.or(choices.to_config);
            }
        }
        if let Some(from) = &self.from {
            choices.from.clone_from(from);
        }
        if let Some(to) = &self.to {
            choices.to.clone_from(to);
        }
        if choices.from.is_empty() || choices.to.is_empty() {
            return Err(WrongUsage(format!(
                "{} knows of no move; name both sides: --from SIDE --to SIDE",
                data_dir.display()
            ))
            .into());
        }
        Ok(choices)
    }
}

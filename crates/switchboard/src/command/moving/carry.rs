//! `switchboard move ticket`, `pack` and `unpack`: a move in a bundle that a person carries.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::{Clock, Ids};
use anyhow::Context;
use moving::{Carrier, Journal, Step, Ticket};
use serde_json::json;
use store::Side;

use super::choices::Choices;
use super::side::SideWork;
use super::{service_name, shown_steps, tell_done};
use crate::output::{say, say_json};
use crate::terminal::confirm;
use crate::{Location, machine};

/// The largest ticket, in bytes.
const LARGEST: u64 = 4 << 20;

#[derive(clap::Args)]
pub(super) struct MakeTicket {
    /// Where to write the ticket
    file: PathBuf,
    /// The address of the API on this side [default: as its settings say]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    location: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(super) struct Pack {
    /// Where to write the bundle
    bundle: PathBuf,
    /// The ticket of the new side; without it the new side gives the sessions back
    #[arg(long, value_name = "FILE")]
    ticket: Option<PathBuf>,
    /// Install it as this service of systemd on the new side [default: a process of its own]
    #[arg(long, value_name = "NAME", requires = "ticket")]
    unit: Option<String>,
    /// The address of the API on the new side [default: as its settings say]
    #[arg(long, value_name = "ADDR:PORT", requires = "ticket", conflicts_with = "unit")]
    listen: Option<String>,
    /// The chat that gets a message once the new side works; if it does not arrive, the sessions are given back
    #[arg(long, value_name = "CHAT", requires = "ticket")]
    canary: Option<String>,
    /// How long the new side is watched before the move counts as done
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = config::parse_duration)]
    watch: Duration,
    #[command(flatten)]
    more: More,
}

#[derive(clap::Args)]
pub(super) struct Unpack {
    /// The bundle
    bundle: PathBuf,
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

/// What one side of a carried move needs.
pub(super) struct Own {
    pub(super) data_dir: PathBuf,
    side: Side,
    work: SideWork,
    clock: Clock,
    quiet: bool,
}

impl Own {
    pub(super) fn new(location: &Location, quiet: bool) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let data_dir = location.data_dir()?;
        let side = own_side(&data_dir, &clock)?;
        let work = SideWork::new(location.clone(), clock.clone())?;
        Ok(Self { data_dir, side, work, clock, quiet })
    }

    pub(super) fn carrier(&mut self) -> Carrier<'_, SideWork> {
        let tell = Box::new(shown_steps(self.quiet));
        Carrier::new(self.data_dir.clone(), self.side.clone(), &mut self.work, self.clock.clone(), tell)
    }

    fn id(&self) -> String {
        Ids::new(self.clock.clone()).next().to_string()
    }
}

/// The side that a data directory is, or will be.
pub(super) fn own_side(data_dir: &Path, clock: &Clock) -> anyhow::Result<Side> {
    let new = || Side {
        id: Ids::new(clock.clone()).next().to_string(),
        name: format!("{}:{}", machine::name(), data_dir.display()),
    };
    Ok(store::recorded_side(data_dir)?.unwrap_or_else(new))
}

impl MakeTicket {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut own = Own::new(&self.location, self.json)?;
        let choices = Choices { listen: self.listen, ..Choices::default() };
        let ticket = own.carrier().ticket(choices.as_value()).await?;
        let text = serde_json::to_vec_pretty(&ticket)?;
        let mut options = fs::OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(&self.file);
        let mut made = made.with_context(|| self.file.display().to_string())?;
        made.write_all(&text)?;
        made.sync_all()?;
        if self.json {
            say_json(&json!({ "ticket": self.file, "side": ticket.side }));
        } else {
            say!("The ticket of {} is in {}.", ticket.side.name, self.file.display());
            say!(
                "Carry it to the old side, and give there: switchboard move pack --ticket {} BUNDLE",
                self.file.display()
            );
            say!("Anyone who has it can make bundles that this side accepts: keep it secret.");
        }
        Ok(())
    }
}

impl Pack {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut own = Own::new(&self.more.location, self.more.json)?;
        let bundle = std::path::absolute(&self.bundle)?;
        let Some(ticket) = &self.ticket else {
            if !self.more.yes {
                confirm("Stop this side and give its sessions back?").await?;
            }
            let journal = own.carrier().pack_return(&bundle).await?;
            tell_packed(&journal, &bundle, self.more.json);
            return Ok(());
        };
        let ticket = read_ticket(ticket)?;
        if !self.more.yes {
            confirm(&format!(
                "Move to {}? This side is stopped until the bundle is unpacked there.",
                ticket.side.name
            ))
            .await?;
        }
        let choices = Choices {
            from: own.data_dir.display().to_string(),
            unit: self.unit.map(service_name),
            listen: self.listen,
            canary: self.canary,
            watch: self.watch.as_secs(),
            ..Choices::default()
        };
        let id = own.id();
        let journal = own.carrier().pack(&ticket, &bundle, id, choices.as_value()).await?;
        tell_packed(&journal, &bundle, self.more.json);
        Ok(())
    }
}

fn read_ticket(file: &Path) -> anyhow::Result<Ticket> {
    let named = || format!("the ticket {}", file.display());
    let mut text = String::new();
    fs::File::open(file).with_context(named)?.take(LARGEST).read_to_string(&mut text).with_context(named)?;
    serde_json::from_str(&text).with_context(named)
}

fn tell_packed(journal: &Journal, bundle: &Path, json: bool) {
    if json {
        return say_json(&json!({ "journal": journal, "bundle": bundle }));
    }
    let to = if journal.is_back() { &journal.old.name } else { &journal.new.name };
    say!(
        "All is in {}; carry it to {to}, and give there: switchboard move unpack {}",
        bundle.display(),
        bundle.display()
    );
    say!("Until then no side serves.");
}

impl Unpack {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut own = Own::new(&self.more.location, self.more.json)?;
        let bundle = std::path::absolute(&self.bundle)?;
        if !self.more.yes {
            confirm("Put what is in the bundle in place, and start here?").await?;
        }
        let journal = own.carrier().unpack(&bundle).await?;
        if !self.more.json && journal.progress.is_done(Step::Compare) && !journal.is_back() {
            say!(
                "To retire the old side carry {}.receipt there, and give: switchboard move finish --receipt FILE",
                bundle.display()
            );
        }
        tell_done(&journal, self.more.json);
        Ok(())
    }
}

//! The scenarios: what is measured, each in a world of its own.

pub(crate) mod added_latency;
pub(crate) mod browser_profile;
pub(crate) mod campaigns;
pub(crate) mod channels;
pub(crate) mod choosing;
pub(crate) mod conversations;
pub(crate) mod costs;
pub(crate) mod dashboard;
pub(crate) mod dead_channel;
pub(crate) mod drill;
pub(crate) mod failover;
pub(crate) mod flows;
pub(crate) mod followed;
pub(crate) mod hooks;
pub(crate) mod idle;
pub(crate) mod import;
pub(crate) mod logs;
pub(crate) mod many_files;
pub(crate) mod postgresql;
pub(crate) mod readers;
pub(crate) mod received;
pub(crate) mod replay;
pub(crate) mod search;
pub(crate) mod send_text;
pub(crate) mod sizes;
pub(crate) mod ten_million;
pub(crate) mod upload;
pub(crate) mod webhooks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use anyhow::{Context, Result};
use store::{MasterKey, Store, StoreOptions};

use crate::library::{Library, Person};
use crate::program::empty_folder;
use crate::usage::Ticks;
use crate::world::World;

/// Enough for each account to have all clients among its dialogs.
const DIALOGS: usize = 500;

/// The clients that every account knows.
const CLIENTS: usize = 64;

/// A store in a file of the data directory.
const SQLITE: &str = "sqlite:switchboard.db";

/// The account that Switchboard sends from, the baseline's, and the bare library's: each key is used in one place.
const OURS: &str = "main";
const THEIRS: &str = "backup_1";
const BARE: &str = "backup_2";

/// Where things are, and how long to measure.
pub(crate) struct Stage {
    pub(crate) switchboard: PathBuf,
    /// A build whose clock can be moved, where there is one.
    pub(crate) testing: Option<PathBuf>,
    pub(crate) python: PathBuf,
    /// The folder of the baseline's source.
    pub(crate) baseline: PathBuf,
    /// The folder with n8n, where it is installed.
    pub(crate) n8n: Option<PathBuf>,
    /// The folder for data and logs.
    pub(crate) work: PathBuf,
    /// The address of a PostgreSQL, where there is one.
    pub(crate) postgres: Option<String>,
    pub(crate) ticks: Ticks,
    pub(crate) pace: Pace,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// One round of load on one side.
    pub(crate) round: Duration,
    pub(crate) rounds: usize,
    /// Load before the first round, not measured.
    pub(crate) warm_up: Duration,
    /// Sends in a row by one caller, for the added latency.
    pub(crate) sends: usize,
    /// How long the idle programs are watched.
    pub(crate) rest: Duration,
    /// Stretches of choices of each kind.
    pub(crate) choices: usize,
    /// The size of a large file, in bytes.
    pub(crate) upload: u64,
    /// The size of the one that goes out and comes back, in bytes.
    pub(crate) both_ways: u64,
    /// Messages of which each leaves five log lines.
    pub(crate) logged: u64,
    /// Messages that are searched by their text.
    pub(crate) searched: usize,
    /// Messages that are in the store beside the measured ones.
    pub(crate) stored: u64,
    /// Messages that wait for an account that is held back, and those with a time to come.
    pub(crate) waiting: (usize, usize),
    /// Chats of a campaign, and how many of them workers claim.
    pub(crate) campaign: (usize, usize),
    /// Chats that wait for silence, and clients whose answers are measured: 200 at most.
    pub(crate) conversations: (usize, usize),
    /// Chats that are written to through a browser: 60 at most.
    pub(crate) browsed: usize,
    /// A campaign that is killed again and again.
    pub(crate) drill: drill::Size,
    /// Messages that are received.
    pub(crate) received: usize,
    /// Events that are posted once more.
    pub(crate) replayed: usize,
    /// Trips that are offered to flows, and how many a second.
    pub(crate) trips: (usize, usize),
    /// Readers of the events.
    pub(crate) readers: usize,
    /// Accounts of the dashboard, and minutes in its file of beats.
    pub(crate) accounts: usize,
    pub(crate) beats: u64,
    /// How often each thing on a page is pressed.
    pub(crate) presses: usize,
    /// How long a page is left open.
    pub(crate) watched: Duration,
}

impl Pace {
    /// For the table in the documentation.
    pub(crate) const FULL: Self = Self {
        round: Duration::from_secs(15),
        rounds: 3,
        warm_up: Duration::from_secs(3),
        sends: 300,
        rest: Duration::from_secs(10),
        choices: 2_000,
        upload: 100_000_000,
        both_ways: 500_000_000,
        logged: 2_000_000,
        searched: 1_000_000,
        stored: 10_000_000,
        waiting: (200_000, 100_000),
        campaign: (1_000_000, 20_000),
        conversations: (100_000, 100),
        browsed: 50,
        drill: drill::Size { accounts: 50, runs: 4, cycles: 100, kills: 20 },
        received: 20_000,
        replayed: 1_000_000,
        // At twice the pace Telethon can fall behind for good, and a ratio to that says nothing.
        trips: (10_000, 50),
        readers: 10_000,
        accounts: 2_000,
        beats: 10_000_000,
        presses: 10,
        watched: Duration::from_mins(1),
    };

    /// To see that it works.
    pub(crate) const QUICK: Self = Self {
        round: Duration::from_secs(5),
        rounds: 1,
        warm_up: Duration::from_secs(1),
        sends: 100,
        rest: Duration::from_secs(2),
        choices: 200,
        upload: 20_000_000,
        both_ways: 100_000_000,
        logged: 60_000,
        searched: 20_000,
        stored: 200_000,
        waiting: (20_000, 10_000),
        campaign: (20_000, 2_000),
        conversations: (5_000, 10),
        browsed: 10,
        drill: drill::Size { accounts: 10, runs: 1, cycles: 4, kills: 3 },
        received: 2_000,
        replayed: 30_000,
        trips: (1_000, 50),
        readers: 1_000,
        accounts: 60,
        beats: 100_000,
        presses: 3,
        watched: Duration::from_secs(20),
    };
}

struct Folders {
    world: PathBuf,
    data: PathBuf,
    logs: PathBuf,
}

impl Folders {
    fn fresh(work: &Path, scenario: &str) -> Result<Self> {
        let folder = work.join(scenario);
        empty_folder(&folder)?;
        let folders =
            Self { world: folder.join("world"), data: folder.join("data"), logs: folder.join("logs") };
        empty_folder(&folders.logs)?;
        Ok(folders)
    }
}

/// The store of a program that does not run.
async fn open_store((data, url): (&Path, &str)) -> Result<(Store, Clock)> {
    let clock = Clock::system();
    let store = Store::open(StoreOptions {
        data_dir: data.to_owned(),
        url: url.to_owned(),
        clock: clock.clone(),
        master_key: MasterKey::File(data.join("master.key")),
    })
    .await?;
    Ok((store, clock))
}

/// A connection of the bare library, and all clients as it may address them.
async fn bare_library(world: &World) -> Result<(Library, Vec<Person>)> {
    let library = Library::connect(world.account(BARE)?).await?;
    let mut clients = Vec::with_capacity(CLIENTS);
    for number in 1..=CLIENTS {
        let name = format!("client_{number}");
        clients.push(library.resolve(&name).await.with_context(|| format!("cannot look @{name} up"))?);
    }
    Ok((library, clients))
}

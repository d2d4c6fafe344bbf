//! Flows: how soon a button is pressed after its keyboard is shown, beside Telethon's events doing the same.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

use super::{CLIENTS, Folders, Stage};
use crate::contender;
use crate::latency::{Latencies, Summary};
use crate::ledger::PressRow;
use crate::program::{self, Program};
use crate::report::{Goal, Measured, milliseconds, table};
use crate::world::World;

/// Accounts, and flows of each.
const ACCOUNTS: usize = 20;
const FLOWS: usize = 10;

/// Other messages to these accounts in a second.
const OTHERS: usize = 1_000;

/// The bot that offers trips, and the buttons of one trip.
const BOT: &str = "@demo_trips_bot";
const BUTTONS: usize = 3;

/// While a trip is not booked its bot changes the keyboard so many times a second: who is slow presses buttons that are gone.
const EDITS: u32 = 15;

/// The goals in microseconds, and how many times as long Telethon takes.
const P50: u32 = 1_000;
const P99: u32 = 3_000;
const TIMES: f64 = 5.0;

/// A bot that answers presses late, how many trips it offers at once, and within which time.
const SLOW_BOT: &str = "@demo_bot_1";
const AT_ONCE: usize = 3;
const ANSWERS_AFTER: Duration = Duration::from_secs(10);
const OFFERED_WITHIN: Duration = Duration::from_millis(100);

/// How long a side may take to be ready.
const STARTING: Duration = Duration::from_secs(90);
/// How long the last presses may take to come.
const LIMIT: Duration = Duration::from_secs(30);

/// One side.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    /// From the moment the bytes of a keyboard are handed to the connection until the kernel has the bytes of the press there.
    pub(crate) pressed_after: Summary,
    /// The same with the world's own work: from the moment it changes a keyboard until it takes the press.
    pub(crate) with_world: Summary,
    pub(crate) booked: usize,
    pub(crate) stale: usize,
    pub(crate) refused: usize,
    /// Other messages that were written meanwhile, each second.
    pub(crate) others_a_second: usize,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Flows {
    pub(crate) trips: usize,
    pub(crate) ours: Side,
    pub(crate) telethon: Side,
    /// What was booked of what the slow bot offered at once, and within which time it offered that, in milliseconds.
    pub(crate) booked_at_once: usize,
    pub(crate) offered_within_ms: u128,
}

impl Measured for Flows {
    fn text(&self) -> String {
        let row = |what: &str, of: &dyn Fn(&Side) -> String| {
            format!("| {what} | {} | {} |", of(&self.ours), of(&self.telethon))
        };
        let timed = |what: &str, of: &dyn Fn(&Summary) -> u32| {
            row(what, &|side| milliseconds(of(&side.pressed_after)))
        };
        let rows = [
            timed("pressed after, p50, ms", &|all| all.p50),
            timed("pressed after, p99, ms", &|all| all.p99),
            timed("pressed after, longest, ms", &|all| all.max),
            row("the same with the world's work, p50, ms", &|side| milliseconds(side.with_world.p50)),
            row("the same with the world's work, p99, ms", &|side| milliseconds(side.with_world.p99)),
            row("trips booked", &|side| side.booked.to_string()),
            row("stale presses", &|side| side.stale.to_string()),
            row("refused presses", &|side| side.refused.to_string()),
            row("other messages a second", &|side| side.others_a_second.to_string()),
        ];
        format!(
            "## Flows\n\n{} trips, each with {BUTTONS} buttons to press one after the other; {} flows on {ACCOUNTS} accounts, which \
             get {OTHERS} other messages a second. For the first second of a trip that is not booked its bot moves and renames the \
             buttons {EDITS} times; a press of a keyboard that was no longer there is stale. A time is from the moment the pretend Telegram hands the bytes of a keyboard to \
             the connection until the kernel has the bytes of the press there; that of a stale press has the world's work in it \
             too.\n\n{}\n\nA bot that answers presses after {} s offered {AT_ONCE} trips within {} ms: Switchboard booked {}.",
            self.trips,
            ACCOUNTS * FLOWS,
            table("| | Switchboard | Telethon's events |", rows),
            ANSWERS_AFTER.as_secs(),
            self.offered_within_ms,
            self.booked_at_once,
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let (ours, theirs) = (&self.ours.pressed_after, &self.telethon.pressed_after);
        let below = |what: &str, limit: u32, value: u32| {
            Goal::new(
                what,
                format!("< {} ms", limit / 1_000),
                format!("{} ms", milliseconds(value)),
                value < limit,
            )
        };
        let ratio = |what: &str, of: &dyn Fn(&Summary) -> u32| {
            let more = f64::from(of(theirs)) / f64::from(of(ours).max(1));
            Goal::new(what, format!("> {TIMES:.0}×"), format!("{more:.1}×"), more > TIMES)
        };
        vec![
            below("flows: a button pressed, p50", P50, ours.p50),
            below("flows: a button pressed, p99", P99, ours.p99),
            ratio("flows: Telethon's p50, of ours", &|all| all.p50),
            ratio("flows: Telethon's p99, of ours", &|all| all.p99),
            Goal::new("flows: stale presses", 0, self.ours.stale, self.ours.stale == 0),
            Goal::all("flows: trips booked", self.ours.booked == self.trips),
            Goal::new(
                "flows: trips booked of those at once",
                AT_ONCE,
                self.booked_at_once,
                self.booked_at_once == AT_ONCE,
            ),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Flows> {
    let folders = Folders::fresh(&stage.work, "flows")?;
    // The first six accounts have sessions for one purpose each, or live elsewhere.
    let accounts: Vec<String> = (2..).map(|number| format!("extra_{number}")).take(ACCOUNTS).collect();
    let names: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let size = ACCOUNTS + 6;
    let world =
        World::of_size(&stage.switchboard, &folders.world, &folders.logs, size, super::DIALOGS).await?;
    world.add_settings(&settings(&names))?;
    let mut world = Arc::new(world);

    let mut ours =
        contender::switchboard(&stage.switchboard, &world, &names, &folders.data, &folders.logs).await?;
    ours.all_read().await?;
    let of_ours = side(stage, &mut world, &names).await?;
    let slow_account = names.first().context("an account")?;
    let (booked_at_once, offered_within_ms) = at_once(&mut world, slow_account).await?;
    ours.contender.program.stop().await?;

    let telethon = telethon(stage, &world, &names, &folders.logs).await?;
    let of_telethon = side(stage, &mut world, &names).await?;
    drop(telethon);
    Arc::into_inner(world).context("a writer is left")?.stop().await?;
    Ok(Flows {
        trips: stage.pace.trips.0,
        ours: of_ours,
        telethon: of_telethon,
        booked_at_once,
        offered_within_ms,
    })
}

/// The flows of all accounts, as settings.
fn settings(accounts: &[&str]) -> String {
    let mut text = String::new();
    for account in accounts {
        for line in 0..FLOWS {
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "[[flows]]\nname = \"{account}_{line}\"\naccount = \"{account}\"\nwatch = \"{BOT}\"\n\
                 trigger = {{ regex = 'New trip line-{line} .* (?P<from>\\w+)' }}\n\
                 [[flows.steps]]\npress = {{ contains = \"Book\" }}\n\
                 [[flows.steps]]\npress = {{ contains = \"{{from}}\" }}\n\
                 [[flows.steps]]\npress = {{ regex = \"Confirm|Yes\" }}\n\
                 expect = {{ text = \"booked\", within = \"20s\" }}\n"
            );
        }
    }
    if let Some(first) = accounts.first() {
        let _ = write!(
            text,
            "[[flows]]\nname = \"at_once\"\naccount = \"{first}\"\nwatch = \"{SLOW_BOT}\"\n\
             trigger = {{ text = \"New trip\" }}\n[[flows.steps]]\npress = {{ text = \"Book\" }}\n\
             [[flows.steps]]\npress = {{ text = \"Yes\" }}\nexpect = {{ text = \"booked\", within = \"20s\" }}\n"
        );
    }
    text
}

/// Several trips at once of a bot that answers presses late: how many are booked, and within which time they were offered.
async fn at_once(world: &mut Arc<World>, account: &str) -> Result<(usize, u128)> {
    let late = json!({ "kind": "late", "after_ms": u64::try_from(ANSWERS_AFTER.as_millis())? });
    let sure = json!({ "text": "Sure?", "buttons": [[{ "text": "Yes", "data": "confirm:{rest}" }]] });
    let rules = json!([
        { "prefix": "book:", "answer": late, "then": [{ "edit": sure }] },
        { "prefix": "confirm:", "answer": late, "then": [{ "edit": { "text": "The trip is booked" } }] },
    ]);
    world.rules(SLOW_BOT, &json!({ "rules": rules })).await?;
    let begun = Instant::now();
    for trip in 0..AT_ONCE {
        let buttons = json!([[{ "text": "Book", "data": format!("book:slow-{trip}") }]]);
        let words = json!({ "text": format!("New trip {trip} from Tver"), "buttons": buttons });
        world.play(SLOW_BOT, &json!({ "chat": account, "then": [{ "send": words }] })).await?;
    }
    let offered = begun.elapsed();
    if offered > OFFERED_WITHIN {
        bail!("the world took {} ms to offer {AT_ONCE} trips", offered.as_millis());
    }
    let world = Arc::get_mut(world).context("a writer is left")?;
    let (mut booked, until) = (0, Instant::now() + LIMIT);
    while booked < AT_ONCE && Instant::now() < until {
        sleep(Duration::from_millis(100)).await;
        booked += judged(&world.new_presses().await?, 0).booked;
    }
    Ok((booked, offered.as_millis()))
}

/// Starts Telethon's side and waits until it listens.
async fn telethon(stage: &Stage, world: &World, accounts: &[&str], logs: &Path) -> Result<Program> {
    let mut lines = String::new();
    for name in accounts {
        let account = world.account(name)?;
        let line = json!({
            "name": account.name, "dc_id": account.dc_id, "host": account.host, "port": account.port,
            "auth_key": account.auth_key, "api_id": account.api_id, "api_hash": account.api_hash,
        });
        let _ = writeln!(lines, "{line}");
    }
    let file = logs.join("accounts.jsonl");
    fs::write(&file, lines).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = program::isolated_command(&stage.python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(stage.baseline.join("flows.py"))
        .arg(&file)
        .args([BOT, &FLOWS.to_string()]);
    let mut program = Program::start("telethon", command, logs)?;
    let log = logs.join("telethon.log");
    program
        .ready(STARTING, || async {
            let text = fs::read_to_string(&log)?;
            if text.lines().any(|line| line == "ready") { Ok(()) } else { bail!("not yet") }
        })
        .await?;
    Ok(program)
}

/// Offers the trips to the program that listens now, and reads what was pressed.
async fn side(stage: &Stage, world: &mut Arc<World>, accounts: &[&str]) -> Result<Side> {
    let (trips, a_second) = stage.pace.trips;
    let writers = Writers::begin(world, accounts);
    let began = Instant::now();
    let period = Duration::from_secs(1) / u32::try_from(a_second)?;
    let mut tick = interval(period);
    for trip in 0..trips {
        tick.tick().await;
        sleep(moment(trip, period)).await;
        let account = accounts[trip % accounts.len()];
        world.play(BOT, &offer(trip, account)).await?;
    }
    let others = writers.end().await?;
    let written_for = began.elapsed();
    let world = Arc::get_mut(world).context("a writer is left")?;
    let mut rows = world.new_presses().await?;
    let until = Instant::now() + LIMIT;
    while rows.len() < trips * BUTTONS && Instant::now() < until {
        sleep(Duration::from_millis(100)).await;
        rows.extend(world.new_presses().await?);
    }
    Ok(judged(&rows, others / usize::try_from(written_for.as_secs().max(1))?))
}

/// How far into its period a trip is offered: elsewhere each time, so that what a side does in a rhythm is met as often as it takes
/// place. A fixed moment would meet all of it or none.
fn moment(trip: usize, period: Duration) -> Duration {
    let part = u32::try_from(trip * 617 % 1_000).unwrap_or_default();
    period * part / 1_000
}

/// A trip of one line, each account's lines by turns.
fn offer(trip: usize, account: &str) -> serde_json::Value {
    let line = trip / ACCOUNTS % FLOWS;
    let buttons = json!([[{ "text": "Book", "data": format!("book:{trip}") }, { "text": "Not now", "data": "cancel:" }]]);
    let text = format!("New trip line-{line} tomorrow at 07:40 from Tver");
    let storm = json!({ "after_ms": 1_000 / EDITS, "storm": { "per_second": EDITS, "seconds": 1 } });
    json!({ "chat": account, "then": [{ "send": { "text": text, "buttons": buttons } }, storm] })
}

fn judged(rows: &[PressRow], others_a_second: usize) -> Side {
    let (mut times, mut with_world) = (Latencies::default(), Latencies::default());
    let (mut booked, mut stale, mut refused) = (0, 0, 0);
    for (row, press) in rows.iter().filter_map(|row| Some((row, row.press.as_ref()?))) {
        // Of a stale press the last keyboard is not the one that was pressed.
        let wire = press.wire_us.filter(|_| !press.stale).or(press.shown_us_ago);
        if let Some(micros) = wire {
            times.add(Duration::from_micros(micros));
        }
        if let Some(micros) = press.shown_us_ago {
            with_world.add(Duration::from_micros(micros));
        }
        stale += usize::from(press.stale);
        refused += usize::from(press.refused.is_some());
        booked += usize::from(press.refused.is_none() && row.text.starts_with("confirm:"));
    }
    let (pressed_after, with_world) = (times.summary(), with_world.summary());
    Side { pressed_after, with_world, booked, stale, refused, others_a_second }
}

/// People who write to the accounts all the while. The pretend Telegram keeps the pace itself: a request for each message would take
/// as much of the machine as what is measured.
struct Writers {
    task: JoinHandle<Result<usize>>,
    over: Arc<AtomicBool>,
}

impl Writers {
    fn begin(world: &Arc<World>, accounts: &[&str]) -> Self {
        let to: Vec<String> = accounts.iter().map(|name| (*name).to_owned()).collect();
        let from: Vec<String> = (1..=CLIENTS).map(|number| format!("@client_{number}")).collect();
        let over = Arc::new(AtomicBool::new(false));
        let (world, is_over) = (Arc::clone(world), Arc::clone(&over));
        let task = tokio::spawn(async move {
            let mut written = 0;
            while !is_over.load(Ordering::Relaxed) {
                world.traffic(&from, &to, OTHERS).await?;
                written += OTHERS;
            }
            Ok(written)
        });
        Self { task, over }
    }

    /// Ends them within a second and returns how many messages there were.
    async fn end(self) -> Result<usize> {
        self.over.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Press;
    use crate::report::assert_missed;

    fn row(text: &str, micros: u64, stale: bool) -> PressRow {
        let refused = stale.then(|| "DATA_INVALID".to_owned());
        PressRow {
            seq: 1,
            text: text.to_owned(),
            press: Some(Press { stale, shown_us_ago: Some(micros + 1), wire_us: Some(micros), refused }),
        }
    }

    #[test]
    fn presses_are_counted_and_judged() {
        let side = |micros| judged(&[row("book:1", micros, false), row("confirm:1", micros, false)], 1_000);
        let flows = |ours, booked_at_once| Flows {
            trips: 1,
            ours,
            telethon: side(4_501),
            booked_at_once,
            offered_within_ms: 10,
        };
        let good = flows(side(900), AT_ONCE);
        assert_eq!((good.ours.booked, good.ours.pressed_after.count), (1, 2));
        assert_missed(&good, 0);
        let stale = judged(&[row("book:1", 900, false), row("confirm:1", 9_000, true)], 1_000);
        // The p99, its ratio, the stale press, the trip.
        assert_missed(&flows(stale, AT_ONCE), 4);
        assert_missed(&flows(side(900), 1), 1);
    }

    #[test]
    fn trips_come_at_all_moments_of_their_period() {
        let period = Duration::from_millis(20);
        let mut moments: Vec<_> = (0..1_000).map(|trip| moment(trip, period)).collect();
        moments.sort();
        assert_eq!(moments.first(), Some(&Duration::ZERO));
        assert!(moments.windows(2).all(|two| two[0] + period / 1_000 == two[1]));
    }

    #[test]
    fn every_flow_gets_its_trips() {
        let settings: toml::Table = toml::from_str(&settings(&["main", "fifth"])).unwrap();
        assert_eq!(settings["flows"].as_array().unwrap().len(), 2 * FLOWS + 1);
        let mut seen = std::collections::BTreeSet::new();
        for trip in 0..ACCOUNTS * FLOWS {
            let text = offer(trip, "main")["then"][0]["send"]["text"].as_str().unwrap().to_owned();
            seen.insert((trip % ACCOUNTS, text));
        }
        assert_eq!(seen.len(), ACCOUNTS * FLOWS);
    }
}

//! Conversations with clients: how exactly batches are released whose silence is over, how fast the burst is cleared in which all of
//! them are over at once, how long an answer takes beside the silence and beside the old workers, and the inbox with all of them. The
//! clients of an older program are taken over twice.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ambient::{Clock, Ids};
use anyhow::{Context, Result, bail};
use domain::{
    ClientIdentity, ExternalChat, ImportId, InboundChange, InboundEvent, InboundMessage, Responder, Timestamp,
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{OutsideStages, PastClient, PastPage, PipelineRule, PipelineRules, Store, TakenFromChannel};

use super::dashboard::page as pages;
use super::{Folders, OURS, SQLITE, Stage, hooks, open_store};
use crate::browser::{self, Browser};
use crate::contender::{self, ADMIN, ADMIN_PASSWORD, Switchboard, authorization};
use crate::latency::{Latencies, Summary};
use crate::program::isolated_command;
use crate::report::{Goal, Measured, megabytes, milliseconds, table};
use crate::world::World;
use crate::{http, usage};

/// How late a batch may be released, in microseconds.
const LATE: u32 = 50_000;
/// Batches of a burst that are cleared in a second, at least.
const A_SECOND: u128 = 3_000;
/// Anonymous memory, in kilobytes.
const MEMORY: u64 = 200_000;
/// How long an answer may take beside the silence, in microseconds.
const OWN: u32 = 100_000;
/// How long a page of the inbox, and a search, may take, and until each is painted.
const INBOX: Duration = Duration::from_millis(300);
/// Of so many visits to a page the fastest counts.
const VISITS: usize = 3;

/// The account that clients write to.
const ACCOUNT: &str = "phone";
/// The account that answers leave through one after the other: a bot, which may send soonest after it sent.
const ANSWERS: (&str, &str) = ("telegram", "bot");
/// Batches that are due at the same time, where they are spread.
const TOGETHER: usize = 100;
/// Over how long they are spread.
const SPREAD: Duration = Duration::from_mins(1);
/// How long after they were written the first of them is due: the program starts within it.
const LEAD: Duration = Duration::from_secs(20);
/// How long all of them may take in the end.
const LIMIT: Duration = Duration::from_mins(5);
/// The silence of those whose answers are measured.
const SILENCE: Duration = Duration::from_secs(1);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Conversations {
    pub(crate) chats: usize,
    /// How late batches were released that were due at different times.
    pub(crate) late: Summary,
    /// Kilobytes of anonymous memory while they waited.
    pub(crate) memory: u64,
    /// Batches a second that left all stages of the store, all due at once.
    pub(crate) burst: u128,
    /// From the end of the silence to the answer at the provider.
    pub(crate) own: Summary,
    /// The same of the old workers.
    pub(crate) old: Summary,
    /// Answers that left, and messages that were taken in, in a minute while many wrote at once; here and by the old workers.
    pub(crate) answers: [u128; 2],
    pub(crate) messages: [u128; 2],
    /// The fastest of three pages of the inbox, and of three searches, in milliseconds.
    pub(crate) page: u128,
    pub(crate) search: u128,
    /// Until a browser has first painted each of the two; nothing where there is no Chromium.
    pub(crate) painted: Option<[u128; 2]>,
    pub(crate) twice: Twice,
}

/// What came of taking the clients of an older program over twice.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Twice {
    pub(crate) clients: usize,
    /// Milliseconds of each time.
    pub(crate) took: [u128; 2],
    /// Clients that each time made, or found here.
    pub(crate) new: [u64; 2],
    /// Kilobytes of anonymous memory that both took.
    pub(crate) memory: u64,
}

impl Measured for Conversations {
    fn text(&self) -> String {
        let Self { chats, late, memory, burst, own, old, answers, messages, page, search, painted, twice } =
            self;
        let painted = |which: usize| match painted {
            Some(painted) => painted[which].to_string(),
            None => "no Chromium".to_owned(),
        };
        let row = |what: &str, ours: String, theirs: &str| format!("| {what} | {ours} | {theirs} |");
        let rows = [
            row("released late, p50, ms", milliseconds(late.p50), ""),
            row("released late, p99, ms", milliseconds(late.p99), ""),
            row("anonymous memory while they wait, MB", megabytes(*memory), ""),
            row("cleared a second, all due at once", burst.to_string(), ""),
            row("answer after the silence, p50, ms", milliseconds(own.p50), &milliseconds(old.p50)),
            row("answer after the silence, p99, ms", milliseconds(own.p99), &milliseconds(old.p99)),
            row("answers a minute", answers[0].to_string(), &answers[1].to_string()),
            row("messages a minute", messages[0].to_string(), &messages[1].to_string()),
            row("page of the inbox, ms", page.to_string(), ""),
            row("search in it, ms", search.to_string(), ""),
            row("first paint of the inbox in a browser, ms", painted(0), ""),
            row("first paint of what is found, ms", painted(1), ""),
            row("clients of an older program taken over, ms", twice.took[0].to_string(), ""),
            row("the same clients once more, ms", twice.took[1].to_string(), ""),
            row("anonymous memory that both took, MB", megabytes(twice.memory), ""),
        ];
        format!(
            "## Conversations\n\n{chats} chats wait for silence, which ends within {} s of each other, {TOGETHER} at a time; then as \
             many once more, all at the same instant. Answers are those of a pretend model and end at the pretend provider; the old \
             workers poll lists of Redis every 5, 10 and 3 s and answer without a model. The answers of a minute are those to clients who \
             write at once, its messages those that are due or written at once. The inbox has all of these conversations. An older \
             program has {} clients.\n\n{}",
            SPREAD.as_secs(),
            twice.clients,
            table("| | Switchboard | Redis workers |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let time = |what: &str, took: u128| {
            let most = INBOX.as_millis();
            Goal::new(what, format!("< {most} ms"), format!("{took} ms"), took < most)
        };
        let mut goals = vec![
            Goal::new(
                "batches released late, p99",
                format!("≤ {} ms", milliseconds(LATE)),
                format!("{} ms", milliseconds(self.late.p99)),
                self.late.count == self.chats && self.late.p99 <= LATE,
            ),
            Goal::memory("anonymous memory while chats wait for silence", MEMORY, self.memory),
            Goal::new(
                "batches of a burst cleared",
                format!("≥ {A_SECOND}/s"),
                format!("{}/s", self.burst),
                self.burst >= A_SECOND,
            ),
            Goal::new(
                "answer after the silence, p99",
                format!("< {} ms", milliseconds(OWN)),
                format!("{} ms", milliseconds(self.own.p99)),
                self.own.count > 0 && self.own.p99 < OWN,
            ),
            time("page of the inbox", self.page),
            time("search in the inbox", self.search),
            Goal::new(
                "clients that are new, taken over twice",
                format!("{}, 0", self.twice.clients),
                format!("{}, {}", self.twice.new[0], self.twice.new[1]),
                self.twice.new == [self.twice.clients as u64, 0],
            ),
            Goal::memory("anonymous memory that both took", MEMORY, self.twice.memory),
        ];
        if let Some([page, search]) = self.painted {
            goals.extend([
                time("first paint of the inbox", page),
                time("first paint of what is found in it", search),
            ]);
        }
        goals
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Conversations> {
    let folders = Folders::fresh(&stage.work, "conversations")?;
    // First, while nothing that was freed hides what it takes.
    let twice = taken_over_twice(&folders.data, 2 * stage.pace.conversations.0).await?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (chats, answers) = stage.pace.conversations;
    let start = async |responder: &str, silence: Duration| {
        world.answer_by(responder, silence)?;
        let accounts = [OURS, ACCOUNT, ANSWERS.1];
        contender::switchboard_again(&stage.switchboard, &world, &accounts, &folders.data, &folders.logs)
            .await
    };
    crate::program::empty_folder(&folders.data)?;
    // People answer: a batch ends where it is theirs.
    start("human", SILENCE).await?.contender.program.stop().await?;

    let due = written(&folders.data, "spread", chats, SPREAD).await?;
    let ours = start("human", SILENCE).await?;
    let memory = usage::memory(ours.contender.program.pid())?.anonymous;
    let released = all_released(&folders.data, &due).await?;
    let mut late = Latencies::default();
    for (chat, due_at) in &due {
        let turn = released.get(chat).with_context(|| format!("{chat} is not released"))?;
        late.add(turn.begun_at.since(*due_at));
    }
    ours.contender.program.stop().await?;

    let due = written(&folders.data, "burst", chats, Duration::ZERO).await?;
    let ours = start("human", SILENCE).await?;
    let released = all_released(&folders.data, &due).await?;
    let began = due.values().min().copied().context("no chat")?;
    let ended = released.values().map(|turn| turn.stage_at).max().context("no turn")?;
    let burst = u128::try_from(chats)? * 1_000 / ended.since(began).as_millis().max(1);
    let page = fastest(&ours, "/inbox", "Hello from burst_").await?;
    let one = format!("burst_{}", chats / 2);
    let found = format!("/inbox?q={one}");
    let search = fastest(&ours, &found, &format!("Hello from {one}")).await?;
    let painted = painted(&ours, &folders, ["/inbox", &found]).await?;
    ours.contender.program.stop().await?;

    let ours = start("ai", SILENCE).await?;
    let (own, ours_a_minute) = answered(&ours, &world, answers).await?;
    ours.contender.program.stop().await?;
    world.stop().await?;
    let workers = old_workers(stage, answers, &folders.logs).await.context("the workers on Redis")?;
    let (late, old) = (late.summary(), workers.summary());
    let answers = [ours_a_minute, workers.answers.into()];
    // Each batch of the burst is of one message.
    let messages = [60 * burst, workers.messages.into()];
    Ok(Conversations {
        chats,
        late,
        memory,
        burst,
        own,
        old,
        answers,
        messages,
        page,
        search,
        painted,
        twice,
    })
}

/// Takes so many clients over, page by page, and then once more.
async fn taken_over_twice(data: &Path, clients: usize) -> Result<Twice> {
    let (store, clock) = open_store((data, SQLITE)).await?;
    let (pipeline, ids) = (store.pipeline(), Ids::new(clock.clone()));
    let before = usage::memory(std::process::id())?.anonymous;
    let mut twice = Twice { clients, ..Twice::default() };
    for time in 0..2 {
        let began = Instant::now();
        let run = pipeline.begin_import(ImportId::from_uuid(ids.next()), "old.example.com/crm").await?.id;
        for first in (0..clients).step_by(500) {
            let old = (first..clients.min(first + 500)).map(|number| PastClient {
                id: number.to_string(),
                identities: ClientIdentity::new("telegram", &number.to_string()).into_iter().collect(),
                name: Some(format!("Client {number}")),
                ..PastClient::default()
            });
            let page = PastPage { clients: old.collect(), ..PastPage::default() };
            let taken = pipeline.take_past(run, page, &ids).await?;
            twice.new[time] += taken.clients + taken.joined;
        }
        twice.took[time] = began.elapsed().as_millis();
    }
    twice.memory = usage::memory(std::process::id())?.anonymous.saturating_sub(before);
    store.close().await;
    Ok(twice)
}

/// Lets so many clients write, and lets their silence end this long from each other; when each of them ends.
async fn written(
    data: &Path,
    name: &str,
    chats: usize,
    spread: Duration,
) -> Result<HashMap<String, Timestamp>> {
    let (store, clock) = open_store((data, SQLITE)).await?;
    let numbers: Vec<usize> = (0..chats).collect();
    for some in numbers.chunks(500) {
        let events = some.iter().map(|number| {
            let text = format!("{name}_{number}");
            let chat = ExternalChat::new(&format!("{text}@c.us")).context("a chat")?;
            let message = InboundMessage {
                user: Some(text.clone()),
                name: Some(text.clone()),
                ..InboundMessage::private(chat, text.as_str(), format!("Hello from {text}"), clock.now())
            };
            Ok(InboundEvent { key: text, change: InboundChange::Message(Box::new(message)) })
        });
        let taken = TakenFromChannel {
            channel: "whatsapp".parse()?,
            account: ACCOUNT.parse()?,
            events: events.collect::<Result<_>>()?,
            cursor: None,
            stores_files: false,
        };
        store.channels().take(taken).await?;
    }
    take_in(&store, &clock, chats, spread).await?;
    store.close().await;
    let (file, like) = (data.join("switchboard.db"), format!("{name}_%"));
    tokio::task::spawn_blocking(move || {
        let connection = Connection::open(file)?;
        let mut due = connection.prepare("SELECT chat, due_at FROM pipeline_chats WHERE chat LIKE ?1")?;
        let due = due.query_map([like], |row| Ok((row.get(0)?, Timestamp::from_micros(row.get(1)?))))?;
        Ok(due.collect::<rusqlite::Result<_>>()?)
    })
    .await?
}

/// Takes what was written, so many chats with each silence.
async fn take_in(store: &Store, clock: &Clock, chats: usize, spread: Duration) -> Result<()> {
    // What is written and taken last is due within the lead too.
    let first = clock.now().plus(LEAD + Duration::from_secs(u64::try_from(chats / 5_000)?));
    let (mut taken, mut up_to) = (0, None);
    while taken < chats {
        let share =
            spread.as_secs_f64() * f64::from(u32::try_from(taken)?) / f64::from(u32::try_from(chats)?);
        let due_at = first.plus(Duration::from_secs_f64(share));
        let rule = PipelineRule {
            channel: None,
            account: None,
            is_on: true,
            silence: due_at.since(clock.now()),
            longest: Duration::from_hours(1),
            responder: Responder::Human,
        };
        let reopen_within = Duration::from_hours(24);
        let rules = PipelineRules {
            rules: vec![rule],
            reopen_within,
            hears_within: None,
            outside: OutsideStages::default(),
            customers: domain::CustomerRule::default(),
        };
        let took = store.pipeline().take_in(&rules, u32::try_from(TOGETHER)?).await?;
        if up_to == Some(took.up_to) {
            bail!("only {taken} of {chats} chats were taken");
        }
        up_to = Some(took.up_to);
        taken += took.took;
    }
    Ok(())
}

/// A batch that was released.
struct Turn {
    begun_at: Timestamp,
    stage_at: Timestamp,
}

/// Waits until all of these chats are in the hands of people.
async fn all_released(data: &Path, due: &HashMap<String, Timestamp>) -> Result<HashMap<String, Turn>> {
    let began = Instant::now();
    loop {
        let file = data.join("switchboard.db");
        let read = tokio::task::spawn_blocking(move || {
            let connection = Connection::open(file)?;
            let mut turns = connection
                .prepare("SELECT chat, created_at, stage_at FROM pipeline_turns WHERE stage >= 10")?;
            let turns = turns.query_map([], |row| {
                let at = |index| row.get(index).map(Timestamp::from_micros);
                Ok((row.get(0)?, Turn { begun_at: at(1)?, stage_at: at(2)? }))
            })?;
            turns.collect::<rusqlite::Result<HashMap<String, Turn>>>()
        });
        let turns = read.await??;
        if due.keys().all(|chat| turns.contains_key(chat)) {
            return Ok(turns);
        }
        if began.elapsed() > LIMIT {
            bail!("{} of {} chats are released", turns.len(), due.len());
        }
        // Reading takes time of the machine that is measured.
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Lets clients write one after the other; how long after the silence each was answered at the provider. Then as many write at once:
/// their answers in a minute.
async fn answered(ours: &Switchboard, world: &World, clients: usize) -> Result<(Summary, u128)> {
    let get = async |path: String| http::get::<Value>(ours.main, &path, &authorization()).await;
    let mut own = Latencies::default();
    // From here on the provider posts.
    let (channel, account) = ANSWERS;
    http::post(ours.main, &format!("/v1/channels/{account}/connect"), &authorization(), &json!({})).await?;
    for client in 0..clients {
        world.customer_writes(channel, account, &format!("{}", 7_000_000 + client)).await?;
        let answers = sent(&get, client + 1).await?;
        own.add(after_silence(&get, answers.first().context("an answer")?).await?);
    }
    let began = Instant::now();
    for client in clients..2 * clients {
        world.customer_writes(channel, account, &format!("{}", 7_000_000 + client)).await?;
    }
    sent(&get, 2 * clients).await?;
    Ok((own.summary(), u128::try_from(clients)? * 60_000 / began.elapsed().as_millis().max(1)))
}

/// Waits until so many answers are sent, which fit on one page; the latest comes first.
async fn sent(get: &impl AsyncFn(String) -> Result<Value>, count: usize) -> Result<Vec<Value>> {
    let (_, account) = ANSWERS;
    let began = Instant::now();
    loop {
        let page = get(format!("/v1/messages?direction=out&account={account}&limit=200")).await?;
        let answers = page["items"].as_array().into_iter().flatten();
        let sent: Vec<_> = answers
            .filter(|answer| ["sent", "delivered", "read"].iter().any(|state| answer["state"] == *state))
            .cloned()
            .collect();
        if sent.len() >= count {
            return Ok(sent);
        }
        if began.elapsed() > LIMIT {
            bail!("{} of {count} clients are answered", sent.len());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long after the silence an answer was sent.
async fn after_silence(get: &impl AsyncFn(String) -> Result<Value>, answer: &Value) -> Result<Duration> {
    let time = |value: &Value| -> Result<Timestamp> {
        let text = value.as_str().with_context(|| format!("{value} is no time"))?;
        text.parse().map_err(|_| anyhow::anyhow!("{text} is no time"))
    };
    let chat = answer["chat"].as_str().context("a chat")?.replace('/', "%2F");
    let all = get(format!("/v1/chats/{chat}/messages?limit=10")).await?;
    let wrote = all["items"].as_array().into_iter().flatten().find(|one| one["direction"] == "in");
    let wrote_at = time(&wrote.context("nothing was written")?["received_at"])?;
    let id = answer["id"].as_str().context("an id")?;
    let whole = get(format!("/v1/messages/{id}")).await?;
    let attempts = whole["attempts"].as_array();
    let sent_at = time(&attempts.and_then(|all| all.last()).context("no attempt")?["at"])?;
    Ok(sent_at.since(wrote_at.plus(SILENCE)))
}

/// The fastest of three pages of the dashboard, each of which has this text, in milliseconds.
async fn fastest(ours: &Switchboard, path: &str, text: &str) -> Result<u128> {
    let cookie = http::sign_in(ours.main, ADMIN, ADMIN_PASSWORD).await?;
    let mut best = u128::MAX;
    for _ in 0..VISITS {
        let requested_at = Instant::now();
        let shown = http::send(ours.main, "GET", path, &cookie).await?;
        best = best.min(requested_at.elapsed().as_millis());
        if !String::from_utf8_lossy(&shown).contains(text) {
            bail!("{path} does not show {text:?}");
        }
    }
    Ok(best)
}

/// How soon a browser has first painted two pages, in milliseconds; nothing where there is no Chromium.
async fn painted(ours: &Switchboard, folders: &Folders, paths: [&str; 2]) -> Result<Option<[u128; 2]>> {
    if browser::found(&["chromedriver"]).is_err() || browser::found(&browser::NAMES).is_err() {
        return Ok(None);
    }
    let browser = Browser::start(&folders.world, &folders.logs).await?;
    let place = format!("http://{}", ours.main);
    pages::sign_in(&browser, &place).await?;
    let mut painted = [0; 2];
    for (took, path) in painted.iter_mut().zip(paths) {
        *took = pages::first_paint(&browser, &format!("{place}{path}"), VISITS).await?.as_millis();
    }
    browser.close().await?;
    Ok(Some(painted))
}

/// What the old workers print.
#[derive(Deserialize)]
struct OldWorkers {
    /// Milliseconds from the last message of a chat to its answer.
    late: Vec<u64>,
    answers: u64,
    messages: u64,
}

impl OldWorkers {
    /// How long after the silence they answered.
    fn summary(&self) -> Summary {
        let mut late = Latencies::default();
        for &took in &self.late {
            late.add(Duration::from_millis(took).saturating_sub(Duration::from_secs(20)));
        }
        late.summary()
    }
}

/// What the old workers take for as many chats.
async fn old_workers(stage: &Stage, chats: usize, logs: &Path) -> Result<OldWorkers> {
    let (_redis, port) = hooks::redis(logs)?;
    let mut command = isolated_command(&stage.python);
    command
        .current_dir(&stage.baseline)
        .arg("workers.py")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BASELINE_CHATS", chats.min(20).to_string())
        .env("BASELINE_REDIS_PORT", port.to_string())
        .stdout(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = tokio::time::timeout(LIMIT, output).await.context("they do not end")???;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn late_slow_or_large_results_miss_the_goals() {
        let times = |p99| Summary { count: 100, p50: 1, p90: 1, p99, max: p99 };
        let good = |late, own| Conversations {
            chats: 100,
            late: times(late),
            memory: 199_999,
            burst: 3_000,
            own: times(own),
            old: times(18_000_000),
            answers: [1_000, 20],
            messages: [180_000, 120],
            page: 299,
            search: 299,
            painted: Some([299, 299]),
            twice: Twice { clients: 10, new: [10, 0], memory: 199_999, ..Twice::default() },
        };
        assert_missed(&good(50_000, 99_999), 0);
        let bad = Conversations {
            memory: 200_000,
            burst: 2_999,
            page: 300,
            search: 300,
            painted: Some([300, 300]),
            ..good(50_001, 100_000)
        };
        assert_missed(&bad, 8);
        let doubled = Twice { clients: 10, new: [10, 1], memory: 200_000, ..Twice::default() };
        assert_missed(&Conversations { twice: doubled, ..good(50_000, 99_999) }, 2);
    }
}

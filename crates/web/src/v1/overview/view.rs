//! Cards, minutes and the overview as the API shows them.

use std::time::Duration;

use domain::{AccountName, Timestamp};
use health::{Advice, CardKind, Lamp, Stuck};
use serde::Serialize;
use utoipa::ToSchema;

use crate::v1::flood_clearing::FloodClearing;

/// One thing that works or does not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Card)]
pub(crate) struct CardView {
    /// Its name, the same after a restart.
    #[schema(example = "service:send_text")]
    id: String,
    /// What it is of: `service`, `account`, `line`, `port`, `store` or `queue`.
    #[schema(example = "service")]
    kind: &'static str,
    /// The name that people see.
    #[schema(example = "send_text")]
    name: String,
    /// The card of the account that a line belongs to.
    parent: Option<String>,
    /// How it is, at a glance: `trouble` (somebody has to do something), `waiting`, `busy` (being brought up), `off` or `good`.
    #[schema(example = "good")]
    lamp: &'static str,
    /// How it is, in a word: `ready`, `active`, `flood_wait`, `needs_login`, `stopped`, `taken`, `stalled` …
    #[schema(example = "active")]
    state: &'static str,
    /// Why, as a stable code.
    #[schema(example = "no_answer")]
    reason: Option<String>,
    /// More, in words of whoever said it.
    detail: Option<String>,
    /// What somebody should do, in English.
    advice: Option<&'static str>,
    /// What shows it: an error as it came, an address, a process.
    proof: Option<String>,
    /// Since when it is so.
    since: Timestamp,
    /// When it ends by itself.
    until: Option<Timestamp>,
    /// Since when it runs without a restart.
    up_since: Option<Timestamp>,
    /// Calls to Telegram since the start or the last restart; of a listener the requests that it answered.
    operations: Option<u64>,
    /// How many of them went wrong.
    errors: Option<u64>,
    /// What went wrong last.
    last_error: Option<String>,
    /// Its part of all calls since the start, 0 to 1.
    share: Option<f32>,
    /// Its part of the processor time that the program takes, by its share; 1 is one core.
    cpu: Option<f32>,
    /// Its part of the memory that the program takes, by its share, in bytes.
    memory_bytes: Option<u64>,
    /// How many chats and users it knows.
    cache_size: Option<u64>,
    /// What waits for it; at a listener the requests that are being answered.
    queue: Option<u64>,
    /// Work that it has for longer than a minute without a result.
    stuck: Option<StuckView>,
    /// Of a service: the accounts that cannot do its work, by why; those with the most common reason first.
    unable: Vec<UnableView>,
    /// What it sent within the last hour; of a listener the requests that it answered well.
    sent_last_hour: Option<u64>,
    /// What it sent in each of the last 24 hours, oldest first; of a listener the requests that it answered well.
    sends: Option<Vec<u32>>,
    /// How long its last answer took, in milliseconds.
    latency_ms: Option<u64>,
    /// What can be done to it.
    #[schema(example = json!(["stop", "restart", "reload_cache"]))]
    actions: Vec<&'static str>,
}

impl From<health::Card> for CardView {
    fn from(card: health::Card) -> Self {
        Self {
            id: card.id.to_string(),
            kind: card.kind.as_str(),
            name: card.name,
            parent: card.parent.map(|parent| parent.to_string()),
            lamp: card.lamp.as_str(),
            state: card.state,
            reason: card.reason,
            detail: card.detail,
            advice: card.advice.map(advice),
            proof: card.proof,
            since: card.since,
            until: card.until,
            up_since: card.up_since,
            operations: card.operations,
            errors: card.errors,
            last_error: card.last_error,
            share: card.share,
            cpu: card.cpu,
            memory_bytes: card.memory,
            cache_size: card.cache,
            queue: card.queue,
            stuck: card.stuck.map(|Stuck { count, since }| StuckView { count, since }),
            unable: card.unable.into_iter().map(UnableView::from).collect(),
            sent_last_hour: card.sent_last_hour,
            sends: card.sends.map(|sends| sends.to_vec()),
            latency_ms: card.latency.map(millis),
            actions: card.actions.iter().map(health::CardAction::as_str).collect(),
        }
    }
}

/// Work that an account has for longer than a minute without a result.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StuckWork)]
pub(crate) struct StuckView {
    /// How much of it there is.
    count: u32,
    /// Since when the account has the oldest.
    since: Timestamp,
}

/// Accounts that cannot do the work of a service, for the same reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnableAccounts)]
pub(crate) struct UnableView {
    /// Why, as a stable code: `flood_wait`, `needs_login`, `banned`, `paused` …
    #[schema(example = "needs_login")]
    reason: &'static str,
    /// How many.
    count: u32,
    /// The first of them by name, at most five.
    accounts: Vec<String>,
}

impl From<health::Unable> for UnableView {
    fn from(unable: health::Unable) -> Self {
        Self { reason: unable.reason, count: unable.count, accounts: unable.names }
    }
}

/// What somebody should do, in words.
fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::Account(reason) => reason.advice(),
        Advice::WaitOrAddAnAccount => {
            "nothing: it goes on by itself when the first account is free; or add an account that is"
        }
        Advice::WaitForDeadline => "nothing: it goes on by itself when the deadline has passed",
        Advice::Resume => "resume it when it should work again",
        Advice::Start => "start it when it should work again",
        Advice::MendAnAccount => "fix an account of the pool, or add one",
        Advice::RestartTheProgram => "restart the program; its log says why work does not start",
        Advice::FreeThePort => "stop the program that has the port, or name another port in the settings",
        Advice::MendTheAddress => {
            "look at the address in the settings; the detail says what the system refuses"
        }
        Advice::LookIntoTheLog => "look into the log; restart the program if the port stays silent",
        Advice::FreeDisk => "free some space in the data directory",
        Advice::RepairTheRow => {
            "the detail names a row of the database that cannot be read; repair it, or put a backup back"
        }
        Advice::MendTheStore => "look at the disk and into the log; nothing is lost that was accepted",
        Advice::PauseTheAccount => {
            "pause the account, so that others do its work, or restart it; look into the log if it goes on"
        }
        Advice::WaitForClearing => "nothing: flood waits are being cleared; cancel that to go on at once",
    }
}

/// One dot of a health strip: the worst of a minute's beats.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthMinute)]
pub(crate) struct MinuteView {
    /// When it began.
    at: Timestamp,
    /// `answered`, `slow`, `failed` or `not_asked`.
    #[schema(example = "answered")]
    answer: &'static str,
    /// The longest time an answer took, in milliseconds.
    latency_ms: Option<u64>,
    /// Why, as a stable code.
    reason: Option<String>,
}

impl From<health::Minute> for MinuteView {
    fn from(minute: health::Minute) -> Self {
        Self {
            at: minute.at,
            answer: minute.answer.as_str(),
            latency_ms: minute.latency.map(millis),
            reason: minute.reason,
        }
    }
}

/// A card and its last two hours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CardWithStrip {
    #[serde(flatten)]
    card: CardView,
    /// The last 120 minutes, oldest first; the last one still runs.
    strip: Vec<MinuteView>,
}

impl CardWithStrip {
    pub(super) fn new(card: health::Card, strip: Vec<health::Minute>) -> Self {
        Self { card: card.into(), strip: strip.into_iter().map(Into::into).collect() }
    }
}

/// How many cards of a kind there are, by lamp.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KindCount {
    /// The kind.
    #[schema(example = "account")]
    kind: &'static str,
    trouble: u32,
    waiting: u32,
    busy: u32,
    off: u32,
    good: u32,
}

/// The program itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProcessView {
    /// The memory it takes, in bytes, where the system shows it.
    memory_bytes: Option<u64>,
    /// The processor time it takes; 1 is one core.
    cpu: Option<f32>,
    /// When it was started.
    started_at: Timestamp,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// A few numbers about the work; those of the store are up to 20 seconds old.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactsView {
    /// Messages sent in the last hour.
    sent_last_hour: u64,
    /// Messages and operations that are not finished.
    waiting: u64,
    /// For how many seconds the oldest one that is due has been waiting.
    oldest_waiting_seconds: Option<u64>,
    /// Messages that failed since midnight, UTC.
    failed_today: u64,
    /// Messages and operations of which nobody knows whether they happened.
    in_doubt: u64,
    /// Failed requests that wait for a person.
    failed_requests: u64,
    /// Chats that nobody found.
    unresolved: u64,
    /// Half of the calls to Telegram were answered within so many milliseconds.
    answer_p50_ms: Option<u64>,
    /// All but one in a hundred.
    answer_p99_ms: Option<u64>,
    /// Whether beats are kept on disk; if not, they go on in memory.
    beats_kept: bool,
}

/// Everything at a glance, and a page of cards.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Overview)]
pub(crate) struct OverviewView {
    /// When it was looked at.
    at: Timestamp,
    /// How many cards there are of each kind, whatever is filtered.
    counts: Vec<KindCount>,
    /// How many cards match, over all pages.
    matching: u32,
    process: ProcessView,
    facts: FactsView,
    /// The clearing of flood waits that runs.
    clearing: Option<FloodClearing>,
    /// The cards: trouble first, then what waits, then the rest by kind and name.
    items: Vec<CardView>,
    /// What to give as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl From<health::Overview> for OverviewView {
    fn from(overview: health::Overview) -> Self {
        let counts = overview.counts;
        let count = |kind: CardKind| KindCount {
            kind: kind.as_str(),
            trouble: counts.of(kind, Lamp::Trouble),
            waiting: counts.of(kind, Lamp::Waiting),
            busy: counts.of(kind, Lamp::Busy),
            off: counts.of(kind, Lamp::Off),
            good: counts.of(kind, Lamp::Good),
        };
        let facts = overview.facts;
        Self {
            at: overview.at,
            counts: CardKind::ALL.map(count).into(),
            matching: overview.matching,
            process: ProcessView {
                memory_bytes: overview.process.memory,
                cpu: overview.process.cpu,
                started_at: overview.process.started_at,
                version: overview.process.version,
            },
            facts: FactsView {
                sent_last_hour: facts.sent_last_hour,
                waiting: facts.waiting,
                oldest_waiting_seconds: facts.oldest_waiting.map(|oldest| oldest.as_secs()),
                failed_today: facts.failed_today,
                in_doubt: facts.in_doubt,
                failed_requests: facts.failed_requests,
                unresolved: facts.unresolved,
                answer_p50_ms: facts.answer_p50.map(millis),
                answer_p99_ms: facts.answer_p99.map(millis),
                beats_kept: facts.beats_kept,
            },
            clearing: overview.clearing.map(Into::into),
            items: overview.cards.into_iter().map(Into::into).collect(),
            next_cursor: overview.next.map(|next| next.to_string()),
        }
    }
}

/// An account that is paused until its deadline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PausedAccount {
    /// The account.
    #[schema(value_type = String, example = "main")]
    pub(crate) account: AccountName,
    /// Until when.
    pub(crate) until: Timestamp,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

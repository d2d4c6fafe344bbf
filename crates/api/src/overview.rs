//! Cards, minutes and the overview.

use std::time::Duration;

use domain::{AccountName, Timestamp};
use health::{Advice, CardKind, Lamp, Stuck};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::flood_clearing::FloodClearing;

/// One thing that works or does not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Card {
    /// Its name, the same after a restart.
    #[schema(example = "service:send_text")]
    pub id: String,
    /// What it is of: `service`, `account`, `line`, `port`, `store` or `queue`.
    #[schema(example = "service")]
    pub kind: String,
    /// The name that people see.
    #[schema(example = "send_text")]
    pub name: String,
    /// The card of the account that a line belongs to.
    pub parent: Option<String>,
    /// How it is, at a glance: `trouble` (someone has to do something), `waiting`, `busy` (being brought up), `off` or `good`.
    #[schema(example = "good")]
    pub lamp: String,
    /// How it is, in a word: `ready`, `active`, `flood_wait`, `needs_login`, `stopped`, `taken`, `stalled` …
    #[schema(example = "active")]
    pub state: String,
    /// Why, as a stable code.
    #[schema(example = "no_answer")]
    pub reason: Option<String>,
    /// More, in the words of its source.
    pub detail: Option<String>,
    /// What someone should do, in English.
    pub advice: Option<String>,
    /// What shows it: an error as it came, an address, a process.
    pub proof: Option<String>,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Since when it runs without a restart.
    pub up_since: Option<Timestamp>,
    /// Calls to Telegram since the start or the last restart; of a listener the requests that it answered.
    pub operations: Option<u64>,
    /// How many of them went wrong.
    pub errors: Option<u64>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Its part of all calls since the start, 0 to 1.
    pub share: Option<f32>,
    /// Its part of the processor time that the program takes, by its share; 1 is one core.
    pub cpu: Option<f32>,
    /// Its part of the memory that the program takes, by its share, in bytes.
    pub memory_bytes: Option<u64>,
    /// How many chats and users it knows.
    pub cache_size: Option<u64>,
    /// What waits for it; at a listener the requests that are being answered.
    pub queue: Option<u64>,
    /// Work that it has for longer than a minute without a result.
    pub stuck: Option<StuckWork>,
    /// Of a service: the accounts that cannot do its work, by why; those with the most common reason first.
    pub unable: Vec<UnableAccounts>,
    /// What it sent within the last hour; of a listener the requests that it answered well.
    pub sent_last_hour: Option<u64>,
    /// What it sent in each of the last 24 hours, oldest first; of a listener the requests that it answered well.
    pub sends: Option<Vec<u32>>,
    /// How long its last answer took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// What can be done to it.
    #[schema(example = json!(["stop", "restart", "reload_cache"]))]
    pub actions: Vec<String>,
}

impl From<health::Card> for Card {
    fn from(card: health::Card) -> Self {
        Self {
            id: card.id.to_string(),
            kind: card.kind.as_str().to_owned(),
            name: card.name,
            parent: card.parent.map(|parent| parent.to_string()),
            lamp: card.lamp.as_str().to_owned(),
            state: card.state.to_owned(),
            reason: card.reason,
            detail: card.detail,
            advice: card.advice.map(|given| advice(given).to_owned()),
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
            stuck: card.stuck.map(|Stuck { count, since }| StuckWork { count, since }),
            unable: card.unable.into_iter().map(UnableAccounts::from).collect(),
            sent_last_hour: card.sent_last_hour,
            sends: card.sends.map(|sends| sends.to_vec()),
            latency_ms: card.latency.map(millis),
            actions: card.actions.iter().map(|action| action.as_str().to_owned()).collect(),
        }
    }
}

/// Work that an account has for longer than a minute without a result.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StuckWork {
    /// How much of it there is.
    pub count: u32,
    /// Since when the account has the oldest.
    pub since: Timestamp,
}

/// Accounts that cannot do the work of a service, for the same reason.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnableAccounts {
    /// Why, as a stable code: `flood_wait`, `needs_login`, `banned`, `paused` …
    #[schema(example = "needs_login")]
    pub reason: String,
    /// How many.
    pub count: u32,
    /// The first of them by name, at most five.
    pub accounts: Vec<String>,
}

impl From<health::Unable> for UnableAccounts {
    fn from(unable: health::Unable) -> Self {
        Self { reason: unable.reason.to_owned(), count: unable.count, accounts: unable.names }
    }
}

/// What someone should do, in words.
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
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HealthMinute {
    /// When it began.
    pub at: Timestamp,
    /// `answered`, `slow`, `failed` or `not_asked`.
    #[schema(example = "answered")]
    pub answer: String,
    /// The longest time an answer took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// Why, as a stable code.
    pub reason: Option<String>,
}

impl From<health::Minute> for HealthMinute {
    fn from(minute: health::Minute) -> Self {
        Self {
            at: minute.at,
            answer: minute.answer.as_str().to_owned(),
            latency_ms: minute.latency.map(millis),
            reason: minute.reason,
        }
    }
}

/// A card and its last two hours.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CardWithStrip {
    #[serde(flatten)]
    pub card: Card,
    /// The last 120 minutes, oldest first; the last one still runs.
    pub strip: Vec<HealthMinute>,
}

impl CardWithStrip {
    pub fn new(card: health::Card, strip: Vec<health::Minute>) -> Self {
        Self { card: card.into(), strip: strip.into_iter().map(Into::into).collect() }
    }
}

/// How many cards of a kind there are, by lamp.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KindCount {
    /// The kind.
    #[schema(example = "account")]
    pub kind: String,
    pub trouble: u32,
    pub waiting: u32,
    pub busy: u32,
    pub off: u32,
    pub good: u32,
}

/// The program itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProcessView {
    /// The memory it takes, in bytes, where the system shows it.
    pub memory_bytes: Option<u64>,
    /// The processor time it takes; 1 is one core.
    pub cpu: Option<f32>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Its version.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// A few numbers about the work; those of the store are up to 20 seconds old.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FactsView {
    /// Messages sent in the last hour.
    pub sent_last_hour: u64,
    /// Messages and operations that are not finished.
    pub waiting: u64,
    /// For how many seconds the oldest one that is due has been waiting.
    pub oldest_waiting_seconds: Option<u64>,
    /// Messages that failed since midnight, UTC.
    pub failed_today: u64,
    /// Messages and operations of which no one knows whether they happened.
    pub in_doubt: u64,
    /// Failed requests that wait for a person.
    pub failed_requests: u64,
    /// Chats that no one found.
    pub unresolved: u64,
    /// Half of the calls to Telegram were answered within so many milliseconds.
    pub answer_p50_ms: Option<u64>,
    /// All but one in a hundred.
    pub answer_p99_ms: Option<u64>,
    /// Whether beats are kept on disk; if not, they go on in memory.
    pub beats_kept: bool,
}

/// Everything at a glance, and a page of cards.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// When it was looked at.
    pub at: Timestamp,
    /// How many cards there are of each kind, whatever is filtered.
    pub counts: Vec<KindCount>,
    /// How many cards match, over all pages.
    pub matching: u32,
    pub process: ProcessView,
    pub facts: FactsView,
    /// The clearing of flood waits that runs.
    pub clearing: Option<FloodClearing>,
    /// The cards: trouble first, then what waits, then the rest by kind and name.
    pub items: Vec<Card>,
    /// What to give as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl From<health::Overview> for Overview {
    fn from(overview: health::Overview) -> Self {
        let counts = overview.counts;
        let count = |kind: CardKind| KindCount {
            kind: kind.as_str().to_owned(),
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
                version: overview.process.version.to_owned(),
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
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PausedAccount {
    /// The account.
    #[schema(value_type = String, example = "main")]
    pub account: AccountName,
    /// Until when.
    pub until: Timestamp,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

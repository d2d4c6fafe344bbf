//! Deliveries: one row for each event that a webhook wants, until it is past its retention.

use std::time::Duration;

use domain::{EventId, EventType, Timestamp, WebhookId};

use super::rows::key;
use super::{cut, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::events::StoredEvent;
use crate::point::{self, Point};
use crate::write::{Durability, Transaction, Write};

const TABLE: &str = "posts";
/// The item of a post that is an event.
const NO_ITEM: [u8; 0] = [];

/// What became of an event for a webhook.
#[derive(strum::Display, strum::EnumString, Debug, Clone, Copy, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
pub enum WebhookDeliveryState {
    /// It is to be posted, now or later.
    Waiting,
    /// It was given up.
    Dead,
    /// The endpoint took it.
    Delivered,
}

impl WebhookDeliveryState {
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Dead => 1,
            Self::Delivered => 2,
        }
    }

    const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Waiting),
            1 => Some(Self::Dead),
            2 => Some(Self::Delivered),
            _ => None,
        }
    }
}

/// An event on its way to a webhook, with its last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// The event.
    pub event: EventId,
    /// What became of it.
    pub state: WebhookDeliveryState,
    /// How often it was posted.
    pub attempts: u32,
    /// When it is posted next, if it waits.
    pub next_at: Timestamp,
    /// When it was posted last.
    pub tried_at: Option<Timestamp>,
    /// What the endpoint answered then.
    pub status: Option<u16>,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// How long the answer took.
    pub latency: Option<Duration>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// What is posted; none once the event is past its retention.
    pub what: Option<StoredEvent>,
}

/// An event that is to be posted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The event.
    pub event: EventId,
    /// How often it was posted.
    pub attempts: u32,
    /// What is posted; none once the event is past its retention.
    pub what: Option<StoredEvent>,
}

/// How much of a webhook waits and is dead, and how well it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookTotals {
    /// To be posted.
    pub waiting: u64,
    /// The oldest event that is to be posted.
    pub oldest_waiting: Option<EventId>,
    /// Given up.
    pub dead: u64,
    /// The latest events that were posted, 100 at most.
    pub recent: u64,
    /// So many of those were delivered.
    pub recent_delivered: u64,
}

/// The failures of a webhook since it took something last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookFailures {
    /// Since when every attempt failed.
    pub since: Option<Timestamp>,
    /// How many did.
    pub count: u64,
}

/// What comes of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint took it.
    Delivered,
    /// It did not; it is tried again then.
    PutOff {
        /// Why.
        error: String,
        /// When.
        next_at: Timestamp,
    },
    /// It did not, and is not tried again.
    GivenUp {
        /// Why.
        error: String,
    },
}

/// An attempt and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The event that was posted.
    pub event: EventId,
    /// What came of it.
    pub outcome: Outcome,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Its beginning.
    pub answer: Option<String>,
    /// How long it took.
    pub latency: Option<Duration>,
}

pub(super) fn read_due(row: &Row<'_>) -> Result<DueDelivery, StoreError> {
    let columns = Columns::new(row, TABLE);
    let event = EventId::new(columns.get(0)?);
    Ok(DueDelivery { event, attempts: columns.get(1)?, what: stored_event(&columns, event, 2)? })
}

pub(super) fn read(row: &Row<'_>) -> Result<WebhookDelivery, StoreError> {
    let columns = Columns::new(row, TABLE);
    let event = EventId::new(columns.get(0)?);
    let latency: Option<u32> = columns.get(7)?;
    Ok(WebhookDelivery {
        event,
        state: columns.coded(1, "state of a delivery", WebhookDeliveryState::from_code)?,
        attempts: columns.get(2)?,
        next_at: columns.time(3)?,
        tried_at: columns.maybe_time(4)?,
        status: columns.get::<Option<u32>>(5)?.and_then(|status| u16::try_from(status).ok()),
        answer: columns.get(6)?,
        latency: latency.map(|latency| Duration::from_millis(latency.into())),
        error: columns.get(8)?,
        what: stored_event(&columns, event, 9)?,
    })
}

/// The event from its five columns, if it is still there.
fn stored_event(columns: &Columns<'_>, id: EventId, at: usize) -> Result<Option<StoredEvent>, StoreError> {
    let Some(happened) = columns.maybe_time(at)? else { return Ok(None) };
    Ok(Some(StoredEvent {
        id,
        at: happened,
        kind: columns.word(at + 1, "type of an event", EventType::from_word)?,
        account: columns.maybe_account(at + 2)?,
        chat: columns.get(at + 3)?,
        data: columns.get(at + 4)?,
    }))
}

/// Events that get their deliveries.
#[derive(Debug, Clone)]
pub struct FanOut {
    /// Whose.
    pub webhook: WebhookId,
    /// The replay that runs up to there; the cursor moves where there is none.
    pub replay_until: Option<EventId>,
    /// Where the cursor is.
    pub from: EventId,
    /// Where it comes to be.
    pub to: EventId,
    /// What the webhook wants of that, each with the chat whose order is kept.
    pub events: Vec<(EventId, Option<String>)>,
    /// What the webhook never gets, in words: its last error from then on.
    pub missed: Option<String>,
    /// Now.
    pub at: Timestamp,
}

impl Write for FanOut {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::FAN_OUT);

    /// After a power cut it is made again: the cursor and the rows are there or not together.
    fn durability(&self) -> Durability {
        Durability::Soon
    }

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let (webhook, from, to) = (key(self.webhook), self.from.get(), self.to.get());
        let moved = match self.replay_until {
            None => transaction.execute(sql::ADVANCE, params![to, webhook, from])?,
            Some(until) => {
                let goes_on = to < until.get();
                let (after, until) = (goes_on.then_some(to), goes_on.then_some(until.get()));
                transaction.execute(sql::ADVANCE_REPLAY, params![after, until, webhook, from])?
            }
        };
        if moved == 0 {
            return Ok(false);
        }
        if let Some(missed) = &self.missed {
            transaction.run(sql::MISSED, params![cut(missed), webhook])?;
        }
        for (event, chat) in &self.events {
            let row = params![webhook, event.get(), NO_ITEM, chat, self.at.as_micros()];
            transaction.run(sql::ADD_DELIVERY, row)?;
        }
        Ok(true)
    }
}

/// How attempts of one webhook went.
pub(super) struct DeliveryStates {
    pub(super) webhook: WebhookId,
    pub(super) attempts: Vec<Tried>,
    pub(super) at: Timestamp,
}

impl Write for DeliveryStates {
    type Answer = Option<WebhookFailures>;
    const POINT: Option<Point> = Some(point::WEBHOOK_TRIED);

    /// After a power cut what was taken is posted once more, with the same id.
    fn durability(&self) -> Durability {
        Durability::Soon
    }

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Option<WebhookFailures>, StoreError> {
        let (webhook, at) = (key(self.webhook), self.at.as_micros());
        let mut failed = Vec::new();
        for Tried { event, outcome, status, answer, latency } in &self.attempts {
            let event = event.get();
            let status = status.map(u32::from);
            let latency = latency.map(|latency| i64::try_from(latency.as_millis()).unwrap_or(i64::MAX));
            match outcome {
                Outcome::Delivered => {
                    let row = params![at, status, answer, latency, webhook, event];
                    transaction.run(sql::DELIVERED, row)?;
                }
                Outcome::PutOff { error, next_at } => {
                    let (error, next_at) = (cut(error), next_at.as_micros());
                    let row = params![next_at, at, status, answer, latency, error, webhook, event];
                    transaction.run(sql::PUT_OFF, row)?;
                    failed.push(error);
                }
                Outcome::GivenUp { error } => {
                    let row = params![at, status, answer, latency, cut(error), webhook, event];
                    transaction.run(sql::GIVE_UP, row)?;
                    failed.push(cut(error));
                }
            }
        }
        if failed.len() < self.attempts.len() {
            if transaction.first(sql::IS_FAILING, [webhook], |_| Ok(()))?.is_some() {
                transaction.run(sql::HURRY, params![at, webhook])?;
            }
            transaction.run(sql::SUCCEEDED, params![at, webhook])?;
        } else if let Some(last) = failed.last() {
            let count = i64::try_from(failed.len()).unwrap_or(i64::MAX);
            transaction.run(sql::FAILED, params![at, count, last, webhook])?;
        }
        transaction.first(sql::FAILURES, [webhook], |row| {
            let columns = Columns::new(row, super::TABLE);
            Ok(WebhookFailures { since: columns.maybe_time(0)?, count: columns.count(1)? })
        })
    }
}

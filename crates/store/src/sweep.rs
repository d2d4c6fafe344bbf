//! Retention: what is old enough is removed, in pieces small enough that no one waits for them.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use crate::access::statements as access;
use crate::accounts::statements as accounts;
use crate::alerts::{DropNotices, statements as alerts};
use crate::callbacks::DropDelivered;
use crate::campaigns::{hour_of, statements as campaigns};
use crate::channels::{self, files as channel_files, statements as of_channels};
use crate::chats::unresolved::DropUnresolved;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::failed_requests::DropFailedRequests;
use crate::files::statements as files;
use crate::outbox::{COUNTED_AT_ONCE, KEY_LIFE, TABLE, statements as sql};
use crate::pipeline::{DropMessages, statements as pipeline};
use crate::point::{self, Point};
use crate::received::{
    TABLE as RECEIVED, files as received_files, gaps as received_gaps, reading as received,
};
use crate::sagas::statements as sagas;
use crate::webhooks::statements as webhooks;
use crate::write::{Transaction, Write};
use crate::{Retention, Store, StoreError, failovers, flows, sent_counts};

/// A reference to a file at the provider is removed when it was saved this long ago; the one who uses one saves it again.
const REFERENCE_LIFE: Duration = Duration::from_hours(30 * 24);
/// An upload that was not finished is forgotten when it began this long ago: the provider has forgotten its parts.
const UPLOAD_LIFE: Duration = Duration::from_hours(24);
/// A session of a user is forgotten when it was not used for this long; it is over much sooner.
const SESSION_LIFE: Duration = Duration::from_hours(30 * 24);
/// Providers report again what was not taken, for two days at most.
const REPORT_LIFE: Duration = Duration::from_hours(7 * 24);
/// Messages are counted once they were made this long ago: none can be written before them by then.
const COUNTED_AFTER: Duration = Duration::from_hours(1);
/// Rows looked at in one read.
const LOOK: u32 = 2000;
/// Rows removed in one write.
const PIECE: usize = MOST as usize;
/// The same, for statements.
const MOST: u32 = 100;

/// How many messages there are, as far as they were counted: those that came since are counted by the next sweep, never all of
/// them again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MessagesCounted {
    /// The id up to which they were counted.
    up_to: [u8; 16],
    messages: u64,
}

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages, with everything about them.
    pub messages: u64,
    /// Messages that came in.
    pub received: u64,
    /// Idempotency keys.
    pub keys: u64,
    /// Requests without a key that could be joined.
    pub joins: u64,
    /// Floods and slow modes that are over.
    pub holds: u64,
    /// Sagas, with their histories.
    pub sagas: u64,
    /// Failovers.
    pub failovers: u64,
    /// Chats that no one found, with their callers.
    pub unresolved: u64,
    /// Callbacks that were delivered.
    pub callbacks: u64,
    /// Failed requests that were tried again with success, dropped, or that no one cared about.
    pub failed_requests: u64,
    /// References to files at the provider.
    pub references: u64,
    /// Uploads that were not finished.
    pub uploads: u64,
    /// Minutes of which no limit asks any more.
    pub sent_counts: u64,
    /// Sessions of users.
    pub sessions: u64,
    /// Entries of the audit log.
    pub audit: u64,
    /// Alerts that are over.
    pub alerts: u64,
    /// Notices about alerts.
    pub alert_notices: u64,
    /// What was posted to webhooks or given up.
    pub webhook_deliveries: u64,
    /// Runs of flows that ended.
    pub flow_runs: u64,
    /// Messages of conversations with clients.
    pub conversations: u64,
    /// Turns that are over.
    pub turns: u64,
    /// Attempts of campaigns whose run is over.
    pub attempts: u64,
}

impl Store {
    /// Removes what is past its [`Retention`](crate::Retention), but for events. Safe to call at any time and to interrupt.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let (now, keep) = (self.now(), self.retention());
        let older = |life: Duration| (now.minus(life).as_micros(), MOST);
        Ok(Swept {
            messages: self.sweep_messages(now, keep).await?,
            received: self.sweep_received(now, keep).await?,
            keys: self.sweep_keys(now.minus(KEY_LIFE)).await?,
            joins: in_pieces(|| self.execute(point::DROP_JOINS, sql::DROP_JOINS, (now.as_micros(), MOST)))
                .await?,
            holds: self.write(DropHolds(now)).await?,
            // Requests first: a saga stays while its request waits for a person.
            failed_requests: in_pieces(|| {
                self.write(DropFailedRequests { before: now.minus(keep.failed_requests), most: MOST })
            })
            .await?,
            sagas: self.sweep_work(SAGAS, now.minus(keep.operations), None).await?,
            failovers: in_pieces(|| {
                self.execute(point::DROP_FAILOVERS, failovers::DROP_OLD, older(keep.messages))
            })
            .await?,
            unresolved: in_pieces(|| {
                self.write(DropUnresolved { before: now.minus(keep.operations), most: MOST })
            })
            .await?,
            callbacks: in_pieces(|| {
                self.write(DropDelivered { before: now.minus(keep.operations), most: MOST })
            })
            .await?,
            references: in_pieces(|| {
                self.execute(point::DROP_REFERENCES, files::DROP_REFERENCES, older(REFERENCE_LIFE))
            })
            .await?,
            uploads: in_pieces(|| self.execute(point::DROP_UPLOADS, files::DROP_UPLOADS, older(UPLOAD_LIFE)))
                .await?,
            sent_counts: in_pieces(|| {
                self.execute(
                    point::DROP_SENT_COUNTS,
                    sent_counts::DROP_OLD,
                    (sent_counts::oldest_minute(now), MOST),
                )
            })
            .await?,
            sessions: in_pieces(|| self.drop_rows(access::DROP_SESSIONS, older(SESSION_LIFE))).await?,
            audit: in_pieces(|| self.drop_rows(access::DROP_AUDIT, older(keep.audit))).await?,
            alerts: in_pieces(|| self.execute(point::DROP_ALERTS, alerts::DROP_OLD, older(keep.alerts)))
                .await?,
            alert_notices: in_pieces(|| {
                self.write(DropNotices { before: now.minus(keep.alerts), most: MOST })
            })
            .await?,
            webhook_deliveries: in_pieces(|| {
                self.execute(point::DROP_WEBHOOK_DELIVERIES, webhooks::DROP_OLD, older(keep.webhook_attempts))
            })
            .await?,
            flow_runs: in_pieces(|| self.drop_rows(flows::DROP_OLD, older(keep.operations))).await?,
            conversations: self.sweep_conversations(now.minus(keep.conversations)).await?,
            turns: in_pieces(|| self.drop_rows(pipeline::DROP_TURNS, older(keep.messages))).await?,
            attempts: self.sweep_campaigns(now.minus(keep.campaigns)).await?,
        })
    }

    /// Removes messages that are past their time, then the oldest of those that are too many and whose keys are over.
    async fn sweep_messages(&self, now: Timestamp, keep: Retention) -> Result<u64, StoreError> {
        // Until it is put back, so that a sweep that fails in between counts all of them again.
        let counted = self.counted().take().unwrap_or_default();
        let up_to = first_id_at(now.minus(COUNTED_AFTER)).max(counted.up_to);
        let count = counted.messages + self.count_messages(counted.up_to, up_to).await?;
        let mut removed = self.sweep_work(MESSAGES, now.minus(keep.messages), None).await?;
        let surplus = count.saturating_sub(removed).saturating_sub(keep.messages_at_most.into());
        if surplus > 0 {
            let oldest_retained = self.nth_message_after([0; 16], surplus + 1).await?;
            removed +=
                self.sweep_work(MESSAGES, now.minus(KEY_LIFE), oldest_retained.or(Some(up_to))).await?;
        }
        *self.counted() = Some(MessagesCounted { up_to, messages: count.saturating_sub(removed) });
        Ok(removed)
    }

    /// How many messages have ids above the first and at most the second.
    async fn count_messages(&self, mut after: [u8; 16], up_to: [u8; 16]) -> Result<u64, StoreError> {
        let piece = u64::from(COUNTED_AT_ONCE);
        let mut counted = 0;
        while let Some(last) = self.nth_message_after(after, piece).await?.filter(|last| *last <= up_to) {
            counted += piece;
            after = last;
        }
        let rest = self.first(sql::COUNT_BETWEEN, (after, up_to), |row| Columns::new(row, TABLE).count(0));
        Ok(counted + rest.await?.unwrap_or_default())
    }

    /// The id of the message that is the nth above an id, from one on.
    pub(crate) async fn nth_message_after(
        &self,
        mut after: [u8; 16],
        mut nth: u64,
    ) -> Result<Option<[u8; 16]>, StoreError> {
        loop {
            let piece = u32::try_from(nth).map_or(COUNTED_AT_ONCE, |nth| nth.min(COUNTED_AT_ONCE));
            let id = |row: &Row<'_>| Columns::new(row, TABLE).get::<[u8; 16]>(0);
            let Some(last) = self.first(sql::NTH_AFTER, (after, piece.saturating_sub(1)), id).await? else {
                return Ok(None);
            };
            nth = nth.saturating_sub(piece.into());
            if nth == 0 {
                return Ok(Some(last));
            }
            after = last;
        }
    }

    /// Removes messages that came in and are past their time, and the oldest of those that are too many.
    async fn sweep_received(&self, now: Timestamp, keep: Retention) -> Result<u64, StoreError> {
        let number = |row: &Row<'_>| Columns::new(row, RECEIVED).get::<i64>(0);
        let count = self.first(received::COUNT, (), number).await?.unwrap_or_default();
        let surplus = count.saturating_sub(keep.received_at_most.into());
        let too_many = match surplus {
            1.. => self.first(received::NTH, [surplus - 1], number).await?,
            _ => None,
        };
        let last = now.minus(keep.received).as_micros().max(too_many.unwrap_or(i64::MIN));
        let removed =
            in_pieces(|| self.execute(point::DROP_RECEIVED, received::DROP_OLD, (last, MOST))).await?;
        let files = (last, MOST);
        in_pieces(|| self.execute(point::DROP_RECEIVED_FILES, received_files::DROP_OLD, files)).await?;
        let gaps = (now.minus(received_gaps::LISTED).as_micros(), MOST);
        in_pieces(|| self.drop_rows(received_gaps::DROP_OLD, gaps)).await?;
        Ok(removed + self.sweep_channels(now, keep).await?)
    }

    /// The same of channels, and what providers reported so long ago that they do not repeat it.
    async fn sweep_channels(&self, now: Timestamp, keep: Retention) -> Result<u64, StoreError> {
        let number = |row: &Row<'_>| Columns::new(row, channels::TABLE).get::<i64>(0);
        let too_many = self.first(of_channels::NTH_LAST, [keep.received_at_most], number).await?;
        let last = now.minus(keep.received).as_micros().max(too_many.unwrap_or(i64::MIN));
        let events = (now.minus(REPORT_LIFE).as_micros(), MOST);
        in_pieces(|| self.drop_rows(of_channels::DROP_EVENTS, events)).await?;
        in_pieces(|| self.drop_rows(sql::DROP_FAILURES, events)).await?;
        in_pieces(|| self.drop_rows(of_channels::DROP_EARLY, events)).await?;
        let old = (last, MOST);
        let removed =
            in_pieces(|| self.execute(point::DROP_CHANNEL_MESSAGES, of_channels::DROP_OLD, old)).await?;
        in_pieces(|| self.execute(point::DROP_CHANNEL_FILES, channel_files::DROP_OLD, old)).await?;
        Ok(removed)
    }

    /// Removes messages of conversations, those of one client in a write.
    async fn sweep_conversations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            match self.write(DropMessages { before, most: MOST }).await? {
                0 => return Ok(removed),
                piece => removed += piece,
            }
        }
    }

    /// Removes attempts of runs that were over before. What is counted of them stays as long: a clock that is set back asks for it again.
    async fn sweep_campaigns(&self, before: Timestamp) -> Result<u64, StoreError> {
        in_pieces(|| self.drop_rows(campaigns::DROP_SENT, (hour_of(before), MOST))).await?;
        in_pieces(|| self.drop_rows(campaigns::DROP_ATTEMPTS, (before.as_micros(), MOST))).await
    }

    fn counted(&self) -> MutexGuard<'_, Option<MessagesCounted>> {
        self.inner.messages_counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes messages or sagas that ended before, with all their rows; with `below`, those of lower ids alone.
    async fn sweep_work(
        &self,
        work: Work,
        before: Timestamp,
        below: Option<[u8; 16]>,
    ) -> Result<u64, StoreError> {
        // Ids begin with the milliseconds of their making: a later one cannot belong to work that ended before.
        let end = below.map_or(first_id_at(before), |below| below.min(first_id_at(before)));
        let mut after = [0; 16];
        let mut removed = 0;
        loop {
            let rows = self
                .all(work.old, (after, end, LOOK), move |row| {
                    let columns = Columns::new(row, work.table);
                    Ok((columns.get::<[u8; 16]>(0)?, columns.maybe_time(1)?, columns.get::<bool>(2)?))
                })
                .await?;
            let Some((last, ..)) = rows.last() else { return Ok(removed) };
            after = *last;
            let old: Vec<[u8; 16]> = rows
                .into_iter()
                .filter(|(_, finished, kept)| !kept && finished.is_some_and(|finished| finished <= before))
                .map(|(id, ..)| id)
                .collect();
            for ids in old.chunks(PIECE) {
                let ids = ids.to_vec();
                let drop_piece =
                    move |transaction: &Transaction<'_>| drop_work(transaction, work, &ids, before);
                removed += self.change((work.point)(), drop_piece).await?;
            }
        }
    }

    async fn sweep_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut after = Vec::new();
        let mut removed = 0;
        loop {
            let rows = self
                .all(sql::KEYS, (after, LOOK), |row| {
                    let columns = Columns::new(row, "idempotency_keys");
                    Ok((columns.get::<[u8; 32]>(0)?, columns.time(1)?))
                })
                .await?;
            let Some((last, _)) = rows.last() else { return Ok(removed) };
            after = last.to_vec();
            let old: Vec<[u8; 32]> =
                rows.into_iter().filter(|(_, since)| *since <= before).map(|(scope, _)| scope).collect();
            for scopes in old.chunks(PIECE) {
                removed += self.write(DropKeys { scopes: scopes.to_vec(), before }).await?;
            }
        }
    }

    async fn drop_rows(&self, sql: &'static str, old: (i64, u32)) -> Result<usize, StoreError> {
        self.execute(point::DROP_OLD_ROWS, sql, old).await
    }
}

/// Repeats a write that removes at most [`PIECE`] rows until there are no more.
async fn in_pieces<F>(write: impl Fn() -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<usize, StoreError>>,
{
    let mut removed = 0;
    loop {
        let piece = write().await?;
        removed += piece as u64;
        if piece < PIECE {
            return Ok(removed);
        }
    }
}

/// The smallest id that can be made at this time.
pub(crate) fn first_id_at(time: Timestamp) -> [u8; 16] {
    let millis = u64::try_from(time.as_micros() / 1000).unwrap_or(0);
    let mut id = [0; 16];
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id
}

/// The statements that find and remove one kind of work.
#[derive(Clone, Copy)]
struct Work {
    table: &'static str,
    point: fn() -> Point,
    old: &'static str,
    /// What is to be found only while it is there.
    drop_first: &'static [&'static str],
    drop: &'static str,
    /// What belongs to it in other tables.
    drop_rows: &'static [&'static str],
}

const MESSAGES: Work = Work {
    table: TABLE,
    point: || point::DROP_MESSAGES,
    old: sql::OLD_MESSAGES,
    drop_first: &[sql::DROP_INDEX_ENTRIES],
    drop: sql::DROP_MESSAGE,
    drop_rows: &[sql::DROP_PARTS, sql::DROP_FILES, sql::DROP_TIMELINE, sql::DROP_PROVIDER_IDS],
};

const SAGAS: Work = Work {
    table: "operations",
    point: || point::DROP_SAGAS,
    old: sagas::OLD_SAGAS,
    drop_first: &[],
    drop: sagas::DROP_SAGA,
    drop_rows: &[sagas::DROP_STEPS],
};

fn drop_work(
    transaction: &Transaction<'_>,
    work: Work,
    ids: &[[u8; 16]],
    before: Timestamp,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for id in ids {
        // It may have been taken up again since it was looked at.
        for rows in work.drop_first {
            transaction.run(rows, params![id, before.as_micros()])?;
        }
        if transaction.execute(work.drop, params![id, before.as_micros()])? > 0 {
            work.drop_rows.iter().try_for_each(|rows| transaction.run(rows, [id]))?;
            removed += 1;
        }
    }
    Ok(removed)
}

struct DropKeys {
    scopes: Vec<[u8; 32]>,
    before: Timestamp,
}

impl Write for DropKeys {
    type Answer = u64;
    const POINT: Option<Point> = Some(point::DROP_KEYS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<u64, StoreError> {
        let mut removed = 0;
        for scope in &self.scopes {
            removed += transaction.execute(sql::DROP_KEY, params![scope, self.before.as_micros()])? as u64;
        }
        Ok(removed)
    }
}

struct DropHolds(Timestamp);

impl Write for DropHolds {
    type Answer = u64;
    const POINT: Option<Point> = Some(point::DROP_HOLDS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<u64, StoreError> {
        let now = self.0.as_micros();
        let floods = transaction.execute(accounts::FORGET_FLOODS, [now])?;
        let slow_modes = transaction.execute(accounts::FORGET_SLOW_MODES, [now])?;
        Ok((floods + slow_modes) as u64)
    }
}

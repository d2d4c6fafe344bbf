//! Retention: what is old enough is removed, in pieces small enough that nobody waits for them.

use std::time::Duration;

use domain::Timestamp;
use rusqlite::params;

use crate::access::{DropAudit, DropSessions};
use crate::accounts::statements as accounts;
use crate::alerts::{DropAlerts, DropNotices};
use crate::callbacks::DropCallbacks;
use crate::chats::unresolved::DropUnresolved;
use crate::column::Columns;
use crate::failed_requests::DropFailedRequests;
use crate::failovers::DropFailovers;
use crate::files::{DropReferences, DropUploads};
use crate::outbox::{KEY_LIFE, TABLE, statements as sql};
use crate::point::{self, Point};
use crate::sagas::statements as sagas;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError, statement};

/// Messages, sagas and what is told about them are removed when they ended this long ago. Those in doubt stay until a
/// person decides about them.
const LIFE: Duration = Duration::from_hours(30 * 24);
/// A reference to a file at the provider is removed when it was saved this long ago; whoever uses one saves it anew.
const REFERENCE_LIFE: Duration = Duration::from_hours(30 * 24);
/// An upload that was not finished is forgotten when it began this long ago: the provider has forgotten its parts.
const UPLOAD_LIFE: Duration = Duration::from_hours(24);
/// A session of a user is forgotten when it was not used for this long; it is over much sooner.
const SESSION_LIFE: Duration = Duration::from_hours(30 * 24);
/// Entries of the audit log are kept for this long.
const AUDIT_LIFE: Duration = Duration::from_hours(365 * 24);
/// Rows looked at in one read.
const LOOK: u32 = 2000;
/// Rows removed in one write.
const PIECE: usize = MOST as usize;
/// The same, for statements.
const MOST: u32 = 100;

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages, with everything about them.
    pub messages: u64,
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
    /// Chats that nobody found, with their callers.
    pub unresolved: u64,
    /// Callbacks that were delivered.
    pub callbacks: u64,
    /// Failed requests that were tried again with success, dropped, or that nobody cared about.
    pub failed_requests: u64,
    /// References to files at the provider.
    pub references: u64,
    /// Uploads that were not finished.
    pub uploads: u64,
    /// Sessions of users.
    pub sessions: u64,
    /// Entries of the audit log.
    pub audit: u64,
    /// Alerts that are over.
    pub alerts: u64,
    /// What was told about alerts.
    pub alert_notices: u64,
}

impl Store {
    /// Removes what is past its retention. Safe to call at any time and to interrupt.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let now = self.now();
        let before = now.minus(LIFE);
        Ok(Swept {
            messages: self.sweep_messages(before).await?,
            keys: self.sweep_keys(now.minus(KEY_LIFE)).await?,
            joins: self.in_pieces(|| DropJoins(now)).await?,
            holds: self.write(DropHolds(now)).await?,
            // Requests first: a saga stays while its request waits for a person.
            failed_requests: self.in_pieces(|| DropFailedRequests { before, most: MOST }).await?,
            sagas: self.sweep_sagas(before).await?,
            failovers: self.in_pieces(|| DropFailovers { before, most: MOST }).await?,
            unresolved: self.in_pieces(|| DropUnresolved { before, most: MOST }).await?,
            callbacks: self.in_pieces(|| DropCallbacks { before, most: MOST }).await?,
            references: self
                .in_pieces(|| DropReferences { before: now.minus(REFERENCE_LIFE), most: MOST })
                .await?,
            uploads: self.in_pieces(|| DropUploads { before: now.minus(UPLOAD_LIFE), most: MOST }).await?,
            sessions: self.in_pieces(|| DropSessions { before: now.minus(SESSION_LIFE), most: MOST }).await?,
            audit: self.in_pieces(|| DropAudit { before: now.minus(AUDIT_LIFE), most: MOST }).await?,
            alerts: self.in_pieces(|| DropAlerts { before, most: MOST }).await?,
            alert_notices: self.in_pieces(|| DropNotices { before, most: MOST }).await?,
        })
    }

    async fn sweep_messages(&self, before: Timestamp) -> Result<u64, StoreError> {
        // Ids begin with the milliseconds of their making: a later one cannot belong to a message that ended before.
        let end = first_id_at(before);
        let mut after = [0; 16];
        let mut removed = 0;
        loop {
            let rows = self
                .read(move |connection| {
                    statement::all(connection, sql::OLD_MESSAGES, params![after, end, LOOK], |row| {
                        let columns = Columns::new(row, TABLE);
                        Ok((columns.get::<[u8; 16]>(0)?, columns.maybe_time(1)?))
                    })
                })
                .await?;
            let Some((last, _)) = rows.last() else { return Ok(removed) };
            after = *last;
            let old: Vec<[u8; 16]> = rows
                .into_iter()
                .filter(|(_, finished)| finished.is_some_and(|finished| finished <= before))
                .map(|(id, _)| id)
                .collect();
            for ids in old.chunks(PIECE) {
                removed += self.write(DropMessages { ids: ids.to_vec(), before }).await?;
            }
        }
    }

    async fn sweep_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut after = Vec::new();
        let mut removed = 0;
        loop {
            let rows = self
                .read(move |connection| {
                    statement::all(connection, sql::KEYS, params![after, LOOK], |row| {
                        let columns = Columns::new(row, "idempotency_keys");
                        Ok((columns.get::<[u8; 32]>(0)?, columns.time(1)?))
                    })
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

    async fn sweep_sagas(&self, before: Timestamp) -> Result<u64, StoreError> {
        let end = first_id_at(before);
        let mut after = [0; 16];
        let mut removed = 0;
        loop {
            let rows = self
                .read(move |connection| {
                    statement::all(connection, sagas::OLD_SAGAS, params![after, end, LOOK], |row| {
                        let columns = Columns::new(row, "operations");
                        Ok((columns.get::<[u8; 16]>(0)?, columns.maybe_time(1)?, columns.get::<bool>(2)?))
                    })
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
                removed += self.write(DropSagas { ids: ids.to_vec(), before }).await?;
            }
        }
    }

    /// Repeats a write that removes at most [`PIECE`] rows until there are no more.
    async fn in_pieces<W: Write<Answer = usize>>(&self, write: impl Fn() -> W) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let piece = self.write(write()).await?;
            removed += piece as u64;
            if piece < PIECE {
                return Ok(removed);
            }
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

struct DropMessages {
    ids: Vec<[u8; 16]>,
    before: Timestamp,
}

impl Write for DropMessages {
    type Answer = u64;
    const POINT: Option<Point> = Some(point::DROP_MESSAGES);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<u64, StoreError> {
        let mut removed = 0;
        for id in &self.ids {
            // It may have been taken up again since it was looked at.
            if transaction.execute(sql::DROP_MESSAGE, params![id, self.before.as_micros()])? > 0 {
                transaction.execute(sql::DROP_PARTS, [id])?;
                transaction.execute(sql::DROP_FILES, [id])?;
                transaction.execute(sql::DROP_TIMELINE, [id])?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

struct DropSagas {
    ids: Vec<[u8; 16]>,
    before: Timestamp,
}

impl Write for DropSagas {
    type Answer = u64;
    const POINT: Option<Point> = Some(point::DROP_SAGAS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<u64, StoreError> {
        let mut removed = 0;
        for id in &self.ids {
            // It may have been taken up again since it was looked at.
            if transaction.execute(sagas::DROP_SAGA, params![id, self.before.as_micros()])? > 0 {
                transaction.execute(sagas::DROP_STEPS, [id])?;
                removed += 1;
            }
        }
        Ok(removed)
    }
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

struct DropJoins(Timestamp);

impl Write for DropJoins {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::DROP_JOINS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.execute(sql::DROP_JOINS, params![self.0.as_micros(), MOST])
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

//! Where the updates of each account stand, kept with every update that is taken.

use domain::{AccountName, Timestamp};
use rusqlite::{Connection, params};

use super::statements as sql;
use crate::column::Columns;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, statement};

/// A backlog of this length is committed without waiting for more.
const LONG: usize = 512;

/// Where the updates of an account stand, in Telegram's own counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateState {
    /// Events of private dialogs and basic groups.
    pub pts: i32,
    /// Events of secret chats and bots.
    pub qts: i32,
    /// The server's time of the last event, in seconds.
    pub date: i32,
    /// Sequences of updates.
    pub seq: i32,
    /// Events of each channel, by its bare id.
    pub channels: Vec<(i64, i32)>,
    /// When it was kept.
    pub saved_at: Timestamp,
}

/// What of it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateChange {
    /// Everything: channels that are not in it are forgotten.
    All(UpdateState),
    /// The counters of the account itself.
    Primary {
        /// See [`UpdateState::pts`].
        pts: i32,
        /// See [`UpdateState::date`].
        date: i32,
        /// See [`UpdateState::seq`].
        seq: i32,
    },
    /// The second counter.
    Secondary {
        /// See [`UpdateState::qts`].
        qts: i32,
    },
    /// The counter of one channel.
    Channel {
        /// Its bare id.
        id: i64,
        /// Its counter.
        pts: i32,
    },
}

impl UpdateChange {
    /// Whether this change makes an earlier one of the same account pointless.
    fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::All(_), _)
            | (Self::Primary { .. }, Self::Primary { .. })
            | (Self::Secondary { .. }, Self::Secondary { .. }) => true,
            (Self::Channel { id, .. }, Self::Channel { id: earlier, .. }) => id == earlier,
            _ => false,
        }
    }
}

pub(crate) struct SaveUpdateState {
    account: AccountName,
    change: UpdateChange,
    at: Timestamp,
}

impl SaveUpdateState {
    pub(super) const fn new(account: AccountName, change: UpdateChange, at: Timestamp) -> Self {
        Self { account, change, at }
    }
}

impl Write for SaveUpdateState {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_UPDATE_STATE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let account = self.account.as_str();
        let at = self.at.as_micros();
        match &self.change {
            UpdateChange::All(state) => {
                let UpdateState { pts, qts, date, seq, channels, saved_at } = state;
                transaction.execute(
                    sql::SAVE_UPDATE_STATE,
                    params![account, pts, qts, date, seq, saved_at.as_micros()],
                )?;
                transaction.execute(sql::FORGET_CHANNELS, [account])?;
                for (id, pts) in channels {
                    transaction.execute(sql::SAVE_CHANNEL, params![account, id, pts])?;
                }
            }
            UpdateChange::Primary { pts, date, seq } => {
                transaction.execute(sql::SAVE_PRIMARY, params![account, pts, date, seq, at])?;
            }
            UpdateChange::Secondary { qts } => {
                transaction.execute(sql::SAVE_SECONDARY, params![account, qts, at])?;
            }
            UpdateChange::Channel { id, pts } => {
                transaction.execute(sql::SAVE_CHANNEL, params![account, id, pts])?;
            }
        }
        Ok(())
    }
}

/// Changes that wait for the next commit. A later one takes the place of those it makes pointless, so a busy account
/// costs one row a commit, not one an update.
#[derive(Default)]
pub(crate) struct Backlog(Vec<SaveUpdateState>);

impl Backlog {
    pub(crate) fn put(&mut self, write: SaveUpdateState) {
        self.0.retain(|earlier| earlier.account != write.account || !write.change.replaces(&earlier.change));
        self.0.push(write);
    }

    pub(crate) fn take(&mut self) -> impl Iterator<Item = SaveUpdateState> {
        self.0.drain(..)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn is_long(&self) -> bool {
        self.0.len() >= LONG
    }
}

/// Changes nothing, but is answered only when everything before it is on the disk.
pub(super) struct Settle;

impl Write for Settle {
    type Answer = ();

    fn apply(&self, _: &Transaction<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

pub(super) fn read(
    connection: &Connection,
    account: &AccountName,
) -> Result<Option<UpdateState>, StoreError> {
    let state = statement::first(connection, sql::UPDATE_STATE, [account.as_str()], |row| {
        let columns = Columns::new(row, "telegram_update_state");
        Ok(UpdateState {
            pts: columns.get(0)?,
            qts: columns.get(1)?,
            date: columns.get(2)?,
            seq: columns.get(3)?,
            channels: Vec::new(),
            saved_at: columns.time(4)?,
        })
    })?;
    let Some(state) = state else { return Ok(None) };
    let channels = statement::all(connection, sql::CHANNEL_STATES, [account.as_str()], |row| {
        let columns = Columns::new(row, "telegram_channel_state");
        Ok((columns.get(0)?, columns.get(1)?))
    })?;
    Ok(Some(UpdateState { channels, ..state }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_keeps_only_what_still_matters() {
        let account: AccountName = "main".parse().unwrap();
        let other: AccountName = "backup_1".parse().unwrap();
        let mut backlog = Backlog::default();
        let put = |backlog: &mut Backlog, account: &AccountName, change| {
            backlog.put(SaveUpdateState::new(account.clone(), change, Timestamp::default()));
        };
        for pts in 0..3 {
            put(&mut backlog, &account, UpdateChange::Primary { pts, date: 0, seq: 0 });
            put(&mut backlog, &account, UpdateChange::Channel { id: 1, pts });
            put(&mut backlog, &account, UpdateChange::Channel { id: 2, pts });
            put(&mut backlog, &other, UpdateChange::Secondary { qts: pts });
        }
        let kept: Vec<UpdateChange> = backlog.0.iter().map(|write| write.change.clone()).collect();
        assert_eq!(
            kept,
            [
                UpdateChange::Primary { pts: 2, date: 0, seq: 0 },
                UpdateChange::Channel { id: 1, pts: 2 },
                UpdateChange::Channel { id: 2, pts: 2 },
                UpdateChange::Secondary { qts: 2 },
            ]
        );
        let all = UpdateChange::All(UpdateState {
            pts: 9,
            qts: 9,
            date: 9,
            seq: 9,
            channels: Vec::new(),
            saved_at: Timestamp::default(),
        });
        put(&mut backlog, &account, all.clone());
        let kept: Vec<UpdateChange> = backlog.take().map(|write| write.change).collect();
        assert_eq!(kept, [UpdateChange::Secondary { qts: 2 }, all]);
        assert!(backlog.is_empty());
    }
}

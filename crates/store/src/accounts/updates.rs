//! The update state of each account, kept with every update that is taken.

use domain::{AccountName, Timestamp};

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// The update state of an account, in Telegram's own counters.
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
    pub(crate) const fn new(account: AccountName, change: UpdateChange, at: Timestamp) -> Self {
        Self { account, change, at }
    }

    #[cfg(test)]
    pub(crate) const fn change(&self) -> &UpdateChange {
        &self.change
    }

    /// Whether this change makes an earlier one pointless.
    pub(crate) fn replaces(&self, earlier: &Self) -> bool {
        self.account == earlier.account && self.change.replaces(&earlier.change)
    }
}

impl Write for SaveUpdateState {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_UPDATE_STATE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        save(transaction, &self.account, &self.change, self.at)
    }
}

/// Keeps a change of the update state of an account.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    account: &AccountName,
    change: &UpdateChange,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (account, at) = (account.as_str(), at.as_micros());
    match change {
        UpdateChange::All(state) => {
            let UpdateState { pts, qts, date, seq, channels, saved_at } = state;
            transaction
                .run(sql::SAVE_UPDATE_STATE, params![account, pts, qts, date, seq, saved_at.as_micros()])?;
            transaction.run(sql::FORGET_CHANNELS, [account])?;
            for (id, pts) in channels {
                transaction.run(sql::SAVE_CHANNEL, params![account, id, pts])?;
            }
            Ok(())
        }
        UpdateChange::Primary { pts, date, seq } => {
            transaction.run(sql::SAVE_PRIMARY, params![account, pts, date, seq, at])
        }
        UpdateChange::Secondary { qts } => transaction.run(sql::SAVE_SECONDARY, params![account, qts, at]),
        UpdateChange::Channel { id, pts } => transaction.run(sql::SAVE_CHANNEL, params![account, id, pts]),
    }
}

pub(super) fn read(
    connection: &Connection,
    account: &AccountName,
) -> Result<Option<UpdateState>, StoreError> {
    let state = connection.first(sql::UPDATE_STATE, [account.as_str()], |row| {
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
    let channels = connection.all(sql::CHANNEL_STATES, [account.as_str()], |row| {
        let columns = Columns::new(row, "telegram_channel_state");
        Ok((columns.get(0)?, columns.get(1)?))
    })?;
    Ok(Some(UpdateState { channels, ..state }))
}

//! Alerts: cards that stayed red, the notices about them, and who receives them.

mod deliveries;
mod mirror;
mod rows;
mod silences;
pub(crate) mod statements;
mod targets;

use domain::{AlertId, AlertNoticeId, MaintenanceId, MessageId, SecretText, Timestamp};
use uuid::Uuid;

use crate::column::Columns;
use crate::database::params;
use crate::paging::{Page, Paged};
use crate::write::Transaction;
use crate::{Store, StoreError, point};

pub use deliveries::{AlertDelivery, DeliveriesWaiting, NewNotice};
pub(crate) use deliveries::{DropNotices, HoldNotices};
pub use mirror::{MirrorError, MirroredTarget, read_mirrored_targets};
pub use rows::{AlertFilter, AlertState, StoredAlert};
pub use silences::{StoredMute, StoredWindow};
pub use targets::{StoredTarget, TargetHealth};

use deliveries::key;
use statements as sql;

/// Alerts, mutes and windows read at once at most.
const MOST_READ: u32 = 10_000;
/// What went wrong is cut to this many bytes.
const LONGEST: usize = 1000;

/// The alerts' part of a store.
#[derive(Clone, Copy)]
pub struct Alerts<'a> {
    pub(crate) store: &'a Store,
}

impl Alerts<'_> {
    /// Keeps alerts as they are now and, in the same transaction, the notice about them.
    pub async fn save(&self, alerts: Vec<StoredAlert>, notice: Option<NewNotice>) -> Result<(), StoreError> {
        self.store.write(rows::Save { alerts, notice }).await
    }

    /// Alerts that are open, or closed without everybody knowing; the oldest first, 10,000 at most.
    pub async fn unfinished(&self) -> Result<Vec<StoredAlert>, StoreError> {
        self.store.all(sql::UNFINISHED, [MOST_READ], rows::read).await
    }

    /// An alert.
    pub async fn get(&self, id: AlertId) -> Result<Option<StoredAlert>, StoreError> {
        let key = *id.as_uuid().as_bytes();
        self.store.first(sql::GET, [key], rows::read).await
    }

    /// Alerts, the latest first, a page at a time.
    pub async fn list(&self, filter: &AlertFilter, page: &Page) -> Result<Paged<StoredAlert>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| rows::list(connection, &filter, &page)).await
    }

    // ---- notices -------------------------------------------------------------------------------------------------

    /// Of each target the first delivery that waits, those due first.
    pub async fn first_waiting(&self) -> Result<Vec<AlertDelivery>, StoreError> {
        self.store.all(sql::FIRST_WAITING, (), deliveries::read).await
    }

    /// How much waits for each target.
    pub async fn waiting(&self) -> Result<Vec<DeliveriesWaiting>, StoreError> {
        self.store.all(sql::WAITING, (), deliveries::read_waiting).await
    }

    /// A target has it.
    pub async fn delivered(
        &self,
        target: &str,
        notice: AlertNoticeId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (target, at) = (target.to_owned(), at.as_micros());
        self.store
            .change(point::ALERT_DELIVERED, move |transaction| {
                transaction.run(sql::DELIVERED, params![at, target.as_bytes(), key(&notice)])?;
                transaction.run(sql::RECEIVED, params![target, at])
            })
            .await
    }

    /// A target does not have it yet: it is looked at again at `next_at`. `tried` says whether that was an attempt that
    /// failed; `message` is the message that is on its way to a chat.
    pub async fn put_off(
        &self,
        delivery: &AlertDelivery,
        tried: Option<String>,
        message: Option<MessageId>,
        at: Timestamp,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        let (target, notice) = (delivery.target.clone(), delivery.notice);
        let (at, next_at) = (at.as_micros(), next_at.as_micros());
        self.store
            .change(point::ALERT_PUT_OFF, move |transaction| {
                let error = tried.as_deref().map(cut);
                let message = message.as_ref().map(|id| id.as_uuid().as_bytes());
                let receiver = target.as_bytes();
                let row =
                    params![u32::from(error.is_some()), error, next_at, message, receiver, key(&notice)];
                transaction.run(sql::PUT_OFF, row)?;
                if error.is_some() {
                    transaction.run(sql::FAILED, params![target, at, error, None::<i64>])?;
                }
                Ok(())
            })
            .await
    }

    /// A target will not get it.
    pub async fn gave_up(
        &self,
        target: &str,
        notice: AlertNoticeId,
        error: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (target, at) = (target.to_owned(), at.as_micros());
        self.store
            .change(point::ALERT_GIVEN_UP, move |transaction| {
                transaction.run(sql::GIVE_UP, params![cut(&error), at, target.as_bytes(), key(&notice)])?;
                transaction.run(sql::FAILED, params![target, at, cut(&error), None::<i64>])
            })
            .await
    }

    /// A target wants nothing more, or is no more: what waits for it is given up. `off` keeps that it wants nothing.
    pub async fn give_up_all(
        &self,
        target: &str,
        error: String,
        off: bool,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (target, at) = (target.to_owned(), at.as_micros());
        self.store
            .change(point::ALERT_TARGET_OFF, move |transaction| {
                transaction.run(sql::GIVE_UP_ALL, params![cut(&error), at, target.as_bytes()])?;
                let row = params![target, at, cut(&error), off.then_some(at)];
                transaction.run(sql::FAILED, row)
            })
            .await
    }

    /// A target received something outside the row of deliveries: a test, or what the store could not take.
    pub async fn target_received(&self, target: &str, at: Timestamp) -> Result<(), StoreError> {
        let target = target.to_owned();
        self.store
            .change(point::ALERT_RECEIVED, move |transaction| {
                transaction.run(sql::RECEIVED, params![target, at.as_micros()])
            })
            .await
    }

    // ---- targets -------------------------------------------------------------------------------------------------

    /// The targets that are not in the settings, by name.
    pub async fn targets(&self) -> Result<Vec<StoredTarget>, StoreError> {
        let sealed = self.store.all(sql::TARGETS, (), targets::read).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// Adds a target; its record is sealed. False when its name is taken.
    pub async fn add_target(&self, target: &StoredTarget) -> Result<bool, StoreError> {
        self.store.write(targets::AddTarget::new(target, &self.store.inner.vault)?).await
    }

    /// Takes a target out, with what waits for it. False when there was none.
    pub async fn remove_target(&self, name: &str, at: Timestamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.store
            .change(point::REMOVE_ALERT_TARGET, move |transaction| {
                let removed = transaction.execute(sql::REMOVE_TARGET, [&name])? > 0;
                if removed {
                    let row = params!["the target was taken out", at.as_micros(), name.as_bytes()];
                    transaction.run(sql::GIVE_UP_ALL, row)?;
                    transaction.run(sql::FORGET_HEALTH, [&name])?;
                }
                Ok(removed)
            })
            .await
    }

    /// What is known of the targets, by name.
    pub async fn target_health(&self) -> Result<Vec<TargetHealth>, StoreError> {
        self.store.all(sql::TARGET_HEALTH, (), targets::read_health).await
    }

    /// Writes the targets of the store into a file beside it, for a program that must notify someone while the store is
    /// held by another, or cannot be opened at all. See [`read_mirrored_targets`].
    pub async fn mirror_targets(&self) -> Result<(), MirrorError> {
        let sealed = self.store.all(sql::TARGETS, (), targets::read).await?;
        let dir = self.store.inner.location.dir.clone();
        mirror::write(dir, sealed).await
    }

    // ---- silence -------------------------------------------------------------------------------------------------

    /// The cards of which no one wants to be notified for a while.
    pub async fn mutes(&self) -> Result<Vec<StoredMute>, StoreError> {
        self.store.all(sql::MUTES, [MOST_READ], silences::read_mute).await
    }

    /// Mutes a card, or changes until when it is muted.
    pub async fn save_mute(&self, mute: &StoredMute) -> Result<(), StoreError> {
        let StoredMute { card, until, muted_at, muted_by } = mute.clone();
        self.store
            .change(point::SAVE_ALERT_MUTE, move |transaction| {
                // Those that are over go with the next one that comes.
                transaction.execute(sql::DROP_MUTES, [muted_at.as_micros()])?;
                let row = params![card, until.as_micros(), muted_at.as_micros(), muted_by];
                transaction.run(sql::SAVE_MUTE, row)
            })
            .await
    }

    /// Unmutes a card. False when it was not muted.
    pub async fn forget_mute(&self, card: &str) -> Result<bool, StoreError> {
        let card = card.to_owned();
        let forget = move |transaction: &Transaction<'_>| transaction.execute(sql::FORGET_MUTE, [&card]);
        Ok(self.store.change(point::FORGET_ALERT_MUTE, forget).await? > 0)
    }

    /// The maintenance windows, the oldest first.
    pub async fn windows(&self) -> Result<Vec<StoredWindow>, StoreError> {
        self.store.all(sql::WINDOWS, [MOST_READ], silences::read_window).await
    }

    /// Adds a maintenance window.
    pub async fn add_window(&self, window: &StoredWindow) -> Result<(), StoreError> {
        let StoredWindow { id, record, created_at, created_by } = window.clone();
        self.store
            .change(point::ADD_MAINTENANCE, move |transaction| {
                let row = params![id.as_uuid().as_bytes(), record, created_at.as_micros(), created_by];
                transaction.run(sql::ADD_WINDOW, row)
            })
            .await
    }

    /// Takes a maintenance window out. False when there was none.
    pub async fn remove_window(&self, id: MaintenanceId) -> Result<bool, StoreError> {
        let key = *id.as_uuid().as_bytes();
        let remove = move |transaction: &Transaction<'_>| transaction.execute(sql::REMOVE_WINDOW, [key]);
        Ok(self.store.change(point::REMOVE_MAINTENANCE, remove).await? > 0)
    }
}

/// A time that may be none, as its column has it.
fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_micros)
}

/// An alert's id from its column.
fn alert_id(columns: &Columns<'_>, index: usize) -> Result<AlertId, StoreError> {
    Ok(AlertId::from_uuid(Uuid::from_bytes(columns.get(index)?)))
}

/// The id of a notice from its column.
fn notice_id(columns: &Columns<'_>, index: usize) -> Result<AlertNoticeId, StoreError> {
    Ok(AlertNoticeId::from_uuid(Uuid::from_bytes(columns.get(index)?)))
}

/// What went wrong, cut to a length that fits.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// A text that holds a secret.
fn secret(text: String) -> SecretText {
    SecretText::from(text)
}

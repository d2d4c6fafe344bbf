//! Alerts: cards that stayed red, what is told about them, and to whom.

mod deliveries;
mod mirror;
mod rows;
mod silences;
pub(crate) mod statements;
mod targets;

use domain::{AlertId, AlertNoticeId, MaintenanceId, MessageId, SecretText, Timestamp};
use uuid::Uuid;

use crate::column::Columns;
use crate::paging::{Page, Paged};
use crate::{Store, StoreError, statement};

pub use deliveries::{AlertDelivery, DeliveriesWaiting, NewNotice};
pub(crate) use deliveries::{DropNotices, HoldNotices};
pub use mirror::{MirrorError, MirroredTarget, read_mirrored_targets};
pub(crate) use rows::DropAlerts;
pub use rows::{AlertFilter, AlertState, StoredAlert};
pub use silences::{StoredMute, StoredWindow};
pub use targets::{StoredTarget, TargetHealth};

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
    /// Keeps alerts as they are now and, in the same transaction, what is to be told about them.
    pub async fn save(&self, alerts: Vec<StoredAlert>, notice: Option<NewNotice>) -> Result<(), StoreError> {
        self.store.write(rows::Save { alerts, notice }).await
    }

    /// Alerts that are open, or closed without everybody knowing; the oldest first, 10,000 at most.
    pub async fn unfinished(&self) -> Result<Vec<StoredAlert>, StoreError> {
        self.store
            .read(|connection| statement::all(connection, sql::UNFINISHED, [MOST_READ], rows::read))
            .await
    }

    /// An alert.
    pub async fn get(&self, id: AlertId) -> Result<Option<StoredAlert>, StoreError> {
        let key = *id.as_uuid().as_bytes();
        self.store.read(move |connection| statement::first(connection, sql::GET, [key], rows::read)).await
    }

    /// Alerts, the latest first, a page at a time.
    pub async fn list(&self, filter: &AlertFilter, page: &Page) -> Result<Paged<StoredAlert>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| rows::list(connection, &filter, &page)).await
    }

    // ---- telling -------------------------------------------------------------------------------------------------

    /// Of each target the first delivery that waits, those due first.
    pub async fn first_waiting(&self) -> Result<Vec<AlertDelivery>, StoreError> {
        self.store
            .read(|connection| statement::all(connection, sql::FIRST_WAITING, [], deliveries::read))
            .await
    }

    /// How much waits for each target.
    pub async fn waiting(&self) -> Result<Vec<DeliveriesWaiting>, StoreError> {
        self.store
            .read(|connection| statement::all(connection, sql::WAITING, [], deliveries::read_waiting))
            .await
    }

    /// A target has it.
    pub async fn delivered(
        &self,
        target: &str,
        notice: AlertNoticeId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.write(deliveries::Delivered { target: target.to_owned(), notice, at }).await
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
        self.store.write(deliveries::PutOff { target, notice, tried, message, at, next_at }).await
    }

    /// A target will not get it.
    pub async fn gave_up(
        &self,
        target: &str,
        notice: AlertNoticeId,
        error: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.write(deliveries::GiveUp { target: target.to_owned(), notice, error, at }).await
    }

    /// A target wants nothing more, or is no more: what waits for it is given up. `off` keeps that it wants nothing.
    pub async fn give_up_all(
        &self,
        target: &str,
        error: String,
        off: bool,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.write(deliveries::GiveUpAll { target: target.to_owned(), error, off, at }).await
    }

    /// A target was told something outside the row of deliveries: a test, or what the store could not take.
    pub async fn told(&self, target: &str, at: Timestamp) -> Result<(), StoreError> {
        self.store.write(deliveries::Told { target: target.to_owned(), at }).await
    }

    // ---- targets -------------------------------------------------------------------------------------------------

    /// The targets that are not in the settings, by name.
    pub async fn targets(&self) -> Result<Vec<StoredTarget>, StoreError> {
        let sealed =
            self.store.read(|connection| statement::all(connection, sql::TARGETS, [], targets::read)).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// Adds a target; its record is sealed. False when its name is taken.
    pub async fn add_target(&self, target: &StoredTarget) -> Result<bool, StoreError> {
        self.store.write(targets::AddTarget::new(target, &self.store.inner.vault)?).await
    }

    /// Takes a target out, with what waits for it. False when there was none.
    pub async fn remove_target(&self, name: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.store.write(targets::RemoveTarget { name: name.to_owned(), at }).await
    }

    /// What is known of the targets, by name.
    pub async fn target_health(&self) -> Result<Vec<TargetHealth>, StoreError> {
        self.store
            .read(|connection| statement::all(connection, sql::STANDINGS, [], targets::read_health))
            .await
    }

    /// Writes the targets of the store into a file beside it, for a program that must tell somebody while the store is
    /// held by another, or cannot be opened at all. See [`read_mirrored_targets`].
    pub async fn mirror_targets(&self) -> Result<(), MirrorError> {
        let sealed =
            self.store.read(|connection| statement::all(connection, sql::TARGETS, [], targets::read)).await?;
        let dir = self.store.inner.location.dir.clone();
        mirror::write(dir, sealed).await
    }

    // ---- silence -------------------------------------------------------------------------------------------------

    /// The cards of which nobody wants to be told for a while.
    pub async fn mutes(&self) -> Result<Vec<StoredMute>, StoreError> {
        self.store
            .read(|connection| statement::all(connection, sql::MUTES, [MOST_READ], silences::read_mute))
            .await
    }

    /// Mutes a card, or changes until when it is muted.
    pub async fn save_mute(&self, mute: &StoredMute) -> Result<(), StoreError> {
        self.store.write(silences::SaveMute(mute.clone())).await
    }

    /// Lets a card be told of again. False when it was not muted.
    pub async fn forget_mute(&self, card: &str) -> Result<bool, StoreError> {
        self.store.write(silences::ForgetMute(card.to_owned())).await
    }

    /// The maintenance windows, the oldest first.
    pub async fn windows(&self) -> Result<Vec<StoredWindow>, StoreError> {
        self.store
            .read(|connection| statement::all(connection, sql::WINDOWS, [MOST_READ], silences::read_window))
            .await
    }

    /// Adds a maintenance window.
    pub async fn add_window(&self, window: &StoredWindow) -> Result<(), StoreError> {
        self.store.write(silences::AddWindow(window.clone())).await
    }

    /// Takes a maintenance window out. False when there was none.
    pub async fn remove_window(&self, id: MaintenanceId) -> Result<bool, StoreError> {
        self.store.write(silences::RemoveWindow(id)).await
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

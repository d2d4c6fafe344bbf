//! Webhooks: the endpoints of other programs, which events each wants, and what became of each event for each of them.
//!
//! An event gets its delivery in the write that moves the webhook's cursor over it, so each event gets one and no more,
//! wherever the program is killed. How a post went is written afterwards: one that was taken right before a kill is posted
//! once more, with the same id.

mod deliveries;
mod rows;
pub(crate) mod statements;

use domain::{EventId, Timestamp, WebhookId};

pub use deliveries::{
    DueDelivery, FanOut, Outcome, Tried, WebhookDelivery, WebhookDeliveryState, WebhookFailures,
    WebhookTotals,
};
pub use rows::{StoredWebhook, WebhookForm, WebhookSecrets};

use crate::column::Columns;
use crate::database::params;
use crate::paging::{Page, Paged};
use crate::point;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};
use deliveries::DeliveryStates;
use rows::{key, read};
use statements as sql;

pub(crate) const TABLE: &str = "webhooks";
/// Webhooks there may be.
const MOST: u32 = 100;
/// Rows removed in one write.
const PIECE: u32 = 500;
/// Deliveries of one webhook that are counted at most.
const COUNTED: u32 = 100_000;
/// The latest deliveries that say how well a webhook does.
const RECENT: u32 = 100;
/// What went wrong is cut to this many bytes.
const LONGEST: usize = 1000;

/// The webhooks' part of a store.
#[derive(Clone, Copy)]
pub struct Webhooks<'a> {
    pub(crate) store: &'a Store,
}

impl Webhooks<'_> {
    /// All of them, the oldest first.
    pub async fn list(&self) -> Result<Vec<StoredWebhook>, StoreError> {
        let sealed = self.store.all(sql::LIST, [MOST], read).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// One.
    pub async fn get(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StoreError> {
        let sealed = self.store.first(sql::GET, [key(id)], read).await?;
        sealed.map(|sealed| sealed.open(&self.store.inner.vault)).transpose()
    }

    /// Adds one, which hears what happens from now on. Its cursor is not looked at.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there are as many as there may be (100).
    pub async fn add(&self, webhook: &StoredWebhook) -> Result<(), StoreError> {
        let record = rows::seal(&self.store.inner.vault, webhook)?;
        let webhook = webhook.clone();
        self.store
            .change(point::ADD_WEBHOOK, move |transaction| {
                let count = transaction.first(sql::COUNT, (), |row| Columns::new(row, TABLE).count(0))?;
                if count.unwrap_or_default() >= u64::from(MOST) {
                    return Err(StoreError::conflict(TABLE, format!("there are {MOST} webhooks already")));
                }
                let filter = rows::filter_text(&webhook.filter)?;
                let row = params![
                    key(webhook.id),
                    record,
                    webhook.description,
                    filter,
                    webhook.ordered,
                    webhook.created_at.as_micros(),
                    webhook.created_by
                ];
                transaction.run(sql::ADD, row)
            })
            .await
    }

    /// Writes what was changed: where it is, its secrets and headers, what it wants. False when there is no such webhook.
    pub async fn change(&self, webhook: &StoredWebhook) -> Result<bool, StoreError> {
        let record = rows::seal(&self.store.inner.vault, webhook)?;
        let webhook = webhook.clone();
        self.store
            .change(point::CHANGE_WEBHOOK, move |transaction| {
                let filter = rows::filter_text(&webhook.filter)?;
                let row = params![record, webhook.description, filter, webhook.ordered, key(webhook.id)];
                Ok(transaction.execute(sql::CHANGE, row)? > 0)
            })
            .await
    }

    /// Nothing is posted to it until it is resumed; what happens meanwhile waits. False when there is no such webhook.
    pub async fn pause(&self, id: WebhookId, at: Timestamp) -> Result<bool, StoreError> {
        let paused = self.store.execute(point::PAUSE_WEBHOOK, sql::PAUSE, (at.as_micros(), key(id)));
        Ok(paused.await? > 0)
    }

    /// Posts again to one that was paused or switched off, beginning with what waits. False when there is no such webhook.
    pub async fn resume(&self, id: WebhookId, at: Timestamp) -> Result<bool, StoreError> {
        self.store
            .change(point::RESUME_WEBHOOK, move |transaction| {
                let found = transaction.execute(sql::RESUME, [key(id)])? > 0;
                if found {
                    transaction.run(sql::HURRY, params![at.as_micros(), key(id)])?;
                }
                Ok(found)
            })
            .await
    }

    /// Switches one off. False when it is off, or is not there.
    pub async fn disable(&self, id: WebhookId, reason: &str, at: Timestamp) -> Result<bool, StoreError> {
        let row = (at.as_micros(), cut(reason).to_owned(), key(id));
        Ok(self.store.execute(point::DISABLE_WEBHOOK, sql::DISABLE, row).await? > 0)
    }

    /// Removes one with its deliveries. False when there is no such webhook.
    pub async fn remove(&self, id: WebhookId, at: Timestamp) -> Result<bool, StoreError> {
        // Paused first, so that nothing is added while its deliveries go in pieces.
        if !self.pause(id, at).await? {
            return Ok(false);
        }
        while self.drop_of(id).await? == PIECE as usize {}
        self.store
            .change(point::REMOVE_WEBHOOK, move |transaction| {
                transaction.run(sql::DROP_OF, params![key(id), i64::from(u32::MAX)])?;
                Ok(transaction.execute(sql::REMOVE, [key(id)])? > 0)
            })
            .await
    }

    async fn drop_of(&self, id: WebhookId) -> Result<usize, StoreError> {
        self.store.execute(point::DROP_WEBHOOK_POSTS, sql::DROP_OF, (key(id), PIECE)).await
    }

    /// Lets every event since a time be posted once more, up to the last one that has a delivery. One replay runs at a time:
    /// a new one takes the place of the one before. False when there is no such webhook.
    pub async fn replay(&self, id: WebhookId, since: Timestamp) -> Result<bool, StoreError> {
        let after = since.as_micros().saturating_sub(1).max(0);
        let began = self.store.execute(point::REPLAY_WEBHOOK, sql::BEGIN_REPLAY, (after, key(id)));
        Ok(began.await? > 0)
    }

    /// How much waits and is dead, up to 100,000 each, and how the latest posts went.
    pub async fn totals(&self, id: WebhookId) -> Result<WebhookTotals, StoreError> {
        let waiting = self.store.first(sql::WAITING, (key(id), COUNTED), |row| {
            let columns = Columns::new(row, TABLE);
            Ok((columns.count(0)?, columns.get::<Option<i64>>(1)?.map(EventId::new)))
        });
        let (waiting, oldest_waiting) = waiting.await?.unwrap_or_default();
        let dead = self.store.first(sql::DEAD, (key(id), COUNTED), |row| Columns::new(row, TABLE).count(0));
        let dead = dead.await?.unwrap_or_default();
        let recent = self.store.first(sql::RECENT, (key(id), RECENT), |row| {
            let columns = Columns::new(row, TABLE);
            Ok((columns.count(0)?, columns.count(1)?))
        });
        let (recent, recent_delivered) = recent.await?.unwrap_or_default();
        Ok(WebhookTotals { waiting, oldest_waiting, dead, recent, recent_delivered })
    }

    /// Its deliveries, those of the latest events first, of one state or of any.
    pub async fn deliveries(
        &self,
        id: WebhookId,
        state: Option<WebhookDeliveryState>,
        page: &Page,
    ) -> Result<Paged<WebhookDelivery>, StoreError> {
        let before = page.after::<EventId>()?.map_or(i64::MAX, EventId::get);
        let found = match state {
            None => self.store.all(sql::DELIVERIES, (key(id), before, page.rows()), deliveries::read),
            Some(state) => {
                let row = (key(id), before, state.code(), page.rows());
                return Ok(page
                    .cut(self.store.all(sql::DELIVERIES_IN, row, deliveries::read).await?, |delivery| {
                        delivery.event.to_string()
                    }));
            }
        };
        Ok(page.cut(found.await?, |delivery| delivery.event.to_string()))
    }

    /// Posts one event once more, now. False when the webhook has no delivery of it.
    pub async fn retry(&self, id: WebhookId, event: EventId, at: Timestamp) -> Result<bool, StoreError> {
        let row = (at.as_micros(), key(id), event.get());
        Ok(self.store.execute(point::RETRY_WEBHOOK, sql::RETRY, row).await? > 0)
    }

    /// Posts all that is dead once more; says how many.
    pub async fn retry_dead(&self, id: WebhookId, at: Timestamp) -> Result<u64, StoreError> {
        let mut retried = 0;
        loop {
            let row = (at.as_micros(), key(id), PIECE);
            let piece = self.store.execute(point::RETRY_WEBHOOK, sql::RETRY_DEAD, row).await?;
            retried += piece as u64;
            if piece < PIECE as usize {
                return Ok(retried);
            }
        }
    }

    // ---- posting -------------------------------------------------------------------------------------------------

    /// How much of one waits, `most` at most.
    pub async fn waiting(&self, id: WebhookId, most: u32) -> Result<u64, StoreError> {
        let count = self.store.first(sql::WAITING, (key(id), most), |row| Columns::new(row, TABLE).count(0));
        Ok(count.await?.unwrap_or_default())
    }

    /// Gives events their deliveries and moves the cursor over them, in one write. False when the cursor is elsewhere, or the
    /// webhook is gone.
    pub async fn fan_out(&self, fan_out: FanOut) -> Result<bool, StoreError> {
        self.store.write(fan_out).await
    }

    /// What is to be posted now, what has waited longest first. Where order is asked for, the first of each chat alone.
    pub async fn due(
        &self,
        id: WebhookId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        self.store.all(sql::DUE, (key(id), now.as_micros(), limit), deliveries::read_due).await
    }

    /// Lets all that waits be posted now.
    pub async fn hurry(&self, id: WebhookId, at: Timestamp) -> Result<(), StoreError> {
        self.store.execute(point::HURRY_WEBHOOK, sql::HURRY, (at.as_micros(), key(id))).await.map(|_| ())
    }

    /// When the next one is due of those that are not yet.
    pub async fn next_due(&self, id: WebhookId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next = self
            .store
            .first(sql::NEXT_DUE, (key(id), now.as_micros()), |row| Columns::new(row, TABLE).time(0));
        next.await
    }

    /// Writes how attempts went, many at once; says how many failed since one was taken. None when it is gone.
    pub async fn tried(
        &self,
        id: WebhookId,
        attempts: Vec<Tried>,
        at: Timestamp,
    ) -> Result<Option<WebhookFailures>, StoreError> {
        self.store.write(DeliveryStates { webhook: id, attempts, at }).await
    }

    /// Of what is in one state, delivered or given up, removes all but the latest `keep`.
    pub async fn trim(
        &self,
        id: WebhookId,
        state: WebhookDeliveryState,
        keep: u32,
    ) -> Result<u64, StoreError> {
        let state = state.code();
        let oldest = self.store.first(sql::OLDEST_RETAINED, (key(id), state, keep), |row| {
            Columns::new(row, TABLE).get::<i64>(0)
        });
        let Some(oldest) = oldest.await? else { return Ok(0) };
        let mut removed = 0;
        loop {
            let row = (key(id), state, oldest, PIECE);
            let piece = self.store.execute(point::TRIM_WEBHOOK, sql::TRIM, row).await?;
            removed += piece as u64;
            if piece < PIECE as usize {
                return Ok(removed);
            }
        }
    }
}

/// Pauses all of them.
pub(crate) struct HoldWebhooks {
    pub(crate) at: Timestamp,
}

impl Write for HoldWebhooks {
    type Answer = usize;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.execute(sql::HOLD_BACK, [self.at.as_micros()])
    }
}

/// What went wrong, cut to a length that fits.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

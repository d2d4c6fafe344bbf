//! How long rows are kept. What the answers given to callers depend on has times of its own, which no setting changes.

use std::sync::PoisonError;
use std::time::Duration;

use crate::Store;
use crate::events::EventRetention;

const DAY: Duration = Duration::from_hours(24);

/// How long each kind of row is kept after it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Messages with all that belongs to them, and which account replaced which. Those in doubt stay until a person decides about them.
    pub messages: Duration,
    /// So many of them at most. One is never removed before the key that it came under.
    pub messages_at_most: u32,
    /// Messages that came in.
    pub received: Duration,
    /// So many of them at most.
    pub received_at_most: u32,
    /// Conversations with clients.
    pub conversations: Duration,
    /// Attempts of campaigns whose run is over.
    pub campaigns: Duration,
    /// Operations with their steps, runs of flows, chats that no one found, callbacks that were delivered.
    pub operations: Duration,
    /// Failed requests.
    pub failed_requests: Duration,
    /// What was posted to webhooks or given up.
    pub webhook_attempts: Duration,
    /// Alerts, and the notices about them.
    pub alerts: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
    /// Events.
    pub events: EventRetention,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            messages: 90 * DAY,
            messages_at_most: 1_000_000,
            received: 90 * DAY,
            received_at_most: 250_000,
            conversations: 1095 * DAY,
            campaigns: 180 * DAY,
            operations: 30 * DAY,
            failed_requests: 30 * DAY,
            webhook_attempts: 30 * DAY,
            alerts: 30 * DAY,
            audit: 365 * DAY,
            events: EventRetention { keep: 14 * DAY, most: 1_000_000 },
        }
    }
}

impl Store {
    /// Keeps rows for so long from now on; [`Store::sweep`] goes by it.
    pub fn keep(&self, retention: Retention) {
        *self.inner.retention.write().unwrap_or_else(PoisonError::into_inner) = retention;
    }

    /// How long rows are kept.
    pub fn retention(&self) -> Retention {
        *self.inner.retention.read().unwrap_or_else(PoisonError::into_inner)
    }
}

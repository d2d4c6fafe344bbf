//! What a restored store would do by itself is held back: the server that went on may have done it since.

use domain::Timestamp;
use domain::outcome::Failure;

use crate::access::EndSessions;
use crate::alerts::HoldNotices;
use crate::callbacks::HoldCallbacks;
use crate::campaigns::HoldCampaigns;
use crate::clearing::EndClearing;
use crate::outbox::HoldMessages;
use crate::pipeline::HoldTurns;
use crate::sagas::HoldSagas;
use crate::webhooks::HoldWebhooks;
use crate::{Store, StoreError};

/// Rows changed in one write: a large backlog fills neither the memory nor the log.
const PIECE: u32 = 500;

/// What a restored store would have sent by itself, and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Messages of which no part was under way: failed, until a person tries them again.
    pub messages_failed: u64,
    /// Messages with a part under way: in doubt, until it is seen in the chat or a person decides.
    pub messages_in_doubt: u64,
    /// Sagas that were neither making nor leaving a chat: failed, until a person tries them again.
    pub operations_failed: u64,
    /// Sagas that were making or leaving a chat: in doubt, until a person decides.
    pub operations_in_doubt: u64,
    /// Callbacks: given up, and kept as failed requests.
    pub callbacks: u64,
    /// Notices about alerts, one for each target that waited for it: given up.
    pub notices: u64,
    /// Webhooks: paused, until a person resumes them.
    pub webhooks: u64,
    /// Sessions of users: ended.
    pub user_sessions: u64,
}

impl Store {
    /// For a store that was restored from the backup made at `made_at`, before anything else is done with it: nothing that
    /// waited then leaves by itself. The server that went on may have sent it; a person finds out and tries it again.
    ///
    /// Messages and sagas end with [`Failure::Restored`], or are in doubt where something was under way; those that were
    /// in doubt before stay so, and what is behind the doubt no longer leaves when it ends. Callbacks and notices are given
    /// up, webhooks are paused. Runs of campaigns are paused, and their open attempts are unknown. What clients wrote
    /// and was not answered is for a person. A clearing of flood waits is over, and what it stopped runs. All users are signed out: a session that was ended
    /// since the backup must not come alive again. Keys against doubles, joins and API keys stay.
    ///
    /// Written in pieces. After a crash in between it is called again and does the rest; each call returns what it did.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn hold_back(&self, made_at: Timestamp) -> Result<HeldBack, StoreError> {
        let at = self.now();
        let why = Failure::Restored { made_at }.describe();
        self.write(EndClearing).await?;
        self.write(HoldCampaigns { at }).await?;
        self.write(HoldTurns { at }).await?;
        let mut held = HeldBack {
            user_sessions: self.write(EndSessions).await? as u64,
            notices: self.write(HoldNotices { error: why.clone(), at }).await? as u64,
            webhooks: self.write(HoldWebhooks { at }).await? as u64,
            ..HeldBack::default()
        };
        self.hold_callbacks(&why, at, &mut held).await?;
        self.hold_sagas(made_at, at, &mut held).await?;
        self.hold_messages(made_at, at, &mut held).await?;
        Ok(held)
    }

    async fn hold_callbacks(&self, why: &str, at: Timestamp, held: &mut HeldBack) -> Result<(), StoreError> {
        loop {
            let piece = self.write(HoldCallbacks { error: why.to_owned(), at, most: PIECE }).await?;
            if piece == 0 {
                return Ok(());
            }
            held.callbacks += piece as u64;
        }
    }

    async fn hold_sagas(
        &self,
        made_at: Timestamp,
        at: Timestamp,
        held: &mut HeldBack,
    ) -> Result<(), StoreError> {
        let mut after = [0; 16];
        loop {
            let piece = self.write(HoldSagas { made_at, at, after, most: PIECE }).await?;
            let Some(last) = piece.last else { return Ok(()) };
            held.operations_failed += piece.failed;
            held.operations_in_doubt += piece.in_doubt;
            after = last;
        }
    }

    async fn hold_messages(
        &self,
        made_at: Timestamp,
        at: Timestamp,
        held: &mut HeldBack,
    ) -> Result<(), StoreError> {
        let mut after = [0; 16];
        loop {
            let piece = self.write(HoldMessages::new(made_at, at, after, PIECE)?).await?;
            let Some(last) = piece.last else { return Ok(()) };
            held.messages_failed += piece.failed;
            held.messages_in_doubt += piece.in_doubt;
            after = last;
        }
    }
}

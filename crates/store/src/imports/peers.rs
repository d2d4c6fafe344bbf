//! Peers out of a session file: many at once.

use domain::{AccountName, Username};

use super::SAVE_PEER;
use crate::StoreError;
use crate::database::params;
use crate::peers::StoredPeer;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// Peers in one write: some 20 ms, so that a message that is accepted meanwhile hardly waits.
pub(super) const CHUNK: usize = 1_000;

pub(super) struct SavePeers {
    pub(super) account: AccountName,
    pub(super) peers: Vec<StoredPeer>,
}

impl Write for SavePeers {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::IMPORT_PEERS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let account = self.account.as_str();
        let mut new = 0;
        for peer in &self.peers {
            new += transaction.execute(
                SAVE_PEER,
                params![
                    account,
                    peer.chat_id.get(),
                    peer.access_hash.0,
                    peer.username.as_ref().map(Username::as_str),
                    peer.title,
                    peer.kind.as_str(),
                    peer.dialog,
                ],
            )?;
        }
        Ok(new)
    }
}

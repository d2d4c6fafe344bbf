//! The newest messages of a chat, for looking at: what is in a history is never acted upon.

use domain::account::Operation;
use domain::{AccountName, ChatRef};
use grammers_tl_types::{enums, functions};

use super::{Sighting, Target, TargetError, sighting};
use crate::pool::Pool;

impl Pool {
    /// Reads the newest messages of a chat, the oldest of them first; their versions only say their order.
    pub async fn latest(
        &self,
        account: &AccountName,
        target: &Target,
        count: u8,
    ) -> Result<Vec<Sighting>, TargetError> {
        let found = self.get(account).ok_or_else(|| TargetError::NoAccount(account.clone()))?;
        let request = functions::messages::GetHistory {
            peer: target.peer.clone(),
            offset_id: 0,
            offset_date: 0,
            add_offset: 0,
            limit: i32::from(count),
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let page = found.read(Operation::Read, &request).await.map_err(|error| {
            TargetError::NotNow(account.clone(), ChatRef::Id(target.chat_id), error.to_string())
        })?;
        let messages = match page {
            enums::messages::Messages::Messages(all) => all.messages,
            enums::messages::Messages::Slice(slice) => slice.messages,
            enums::messages::Messages::ChannelMessages(slice) => slice.messages,
            enums::messages::Messages::NotModified(_) => Vec::new(),
        };
        let (me, arrived) = (found.health.user_id(), found.health.clock.running());
        let read = messages
            .iter()
            .rev()
            .zip(1..)
            .filter_map(|(message, version)| sighting::of_message(message, version, me, arrived));
        Ok(read.collect())
    }
}

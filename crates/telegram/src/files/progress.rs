//! How much of a file of a message Telegram has, for anyone who watches it go up.

use domain::media::MediaSource;
use domain::message::OutboundMessage;

use crate::pool::Pool;

impl Pool {
    /// Of each file of a message, in their order, how many of its bytes Telegram has: all of them once it was sent or is
    /// ready to be; none where nothing is known, as of a post, of a file id, and before an account has begun.
    pub fn uploaded(&self, message: &OutboundMessage) -> Vec<Option<u64>> {
        let accounts = self.all();
        let one = |(place, media): (usize, &domain::media::Media)| {
            let MediaSource::File { size, sha256, .. } = &media.source else { return None };
            let items = message.parts.iter().flat_map(|part| &part.items);
            let item = items.into_iter().find(|item| item.media.map(usize::from) == Some(place))?;
            let is_there =
                |account: &crate::account::Account| account.file_state.peek(item.random_id).is_some();
            if item.message_id.is_some() || accounts.iter().any(|account| is_there(account)) {
                return Some(*size);
            }
            accounts.iter().filter_map(|account| account.file_state.uploaded_bytes(*sha256)).max()
        };
        message.content.media.iter().enumerate().map(one).collect()
    }
}

//! Messages that were sent and whose files no one sends again: the keeper of files is notified.

use domain::MessageId;
use domain::media::MediaSource;
use domain::message::{MessageState, OutboundMessage};
use tokio::sync::broadcast;

/// How many are kept for a listener that is slow; it misses the oldest of more than that.
const CAPACITY: usize = 1_024;

/// Announces messages whose files are spent. No one has to listen.
pub(crate) struct MediaReleased(broadcast::Sender<MessageId>);

impl Default for MediaReleased {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl MediaReleased {
    /// Announces a message, as the store has it, if its files are spent.
    pub(crate) fn tell(&self, message: &OutboundMessage) {
        if is_spent(message) {
            // An error says that no one listens.
            let _ = self.0.send(message.id);
        }
    }

    /// What is announced from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<MessageId> {
        self.0.subscribe()
    }
}

/// Whether a message had files here and needs them no more. One that failed, was cancelled or is in doubt may be sent
/// after all.
fn is_spent(message: &OutboundMessage) -> bool {
    let is_sent = matches!(message.state, MessageState::Sent | MessageState::Delivered | MessageState::Read);
    is_sent && message.content.media.iter().any(|media| matches!(media.source, MediaSource::File { .. }))
}

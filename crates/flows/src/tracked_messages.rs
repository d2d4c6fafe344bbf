//! The newest that is known of the messages of a chat. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::{ChatId, Keyboard, TelegramMessageId, Timestamp};
use telegram::Sighting;

/// The most messages that are remembered. Of those that no run needs, the one that changed longest ago is forgotten first.
const MOST: usize = 128;

/// A message as it was last seen.
#[derive(Debug, Clone)]
pub(crate) struct TrackedMessage {
    pub(crate) message_id: TelegramMessageId,
    pub(crate) sender: ChatId,
    /// The message that it answers.
    pub(crate) reply_to: Option<TelegramMessageId>,
    /// Telegram's number of the change, which grows with each.
    pub(crate) version: i32,
    written_at: Timestamp,
    /// The same in the order in which changes came here.
    pub(crate) order: u64,
    /// Its keyboard; none also when the newest one is not known.
    pub(crate) keyboard: Option<Arc<Keyboard>>,
    /// Its text, where it is one that begins a run: only another text begins another one.
    fits: Option<String>,
    /// The number of the run that it belongs to: the run that it began, or one that used its keyboard.
    pub(crate) owner: Option<u32>,
}

/// A change of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// Nothing was known of the message.
    pub(crate) is_first: bool,
    /// Its place in the order of changes.
    pub(crate) order: u64,
    /// The text with which the message already was one that begins a run.
    pub(crate) fitted: Option<String>,
}

/// Messages of one chat.
#[derive(Debug, Default)]
pub(crate) struct TrackedMessages {
    all: VecDeque<TrackedMessage>,
    changes: u64,
}

impl TrackedMessages {
    /// Takes in a message; nothing when it is no newer than what is known, as when another line brings it too.
    /// It takes the place of another one that belongs to no run and does not wait for one.
    pub(crate) fn take(
        &mut self,
        sighting: &Sighting,
        keyboard: Option<Arc<Keyboard>>,
        waits: impl Fn(TelegramMessageId) -> bool,
    ) -> Option<News> {
        let Sighting { message_id, version, written_at, .. } = *sighting;
        let place = self.all.iter().position(|tracked| tracked.message_id == message_id);
        if place.and_then(|place| self.all.get(place)).is_some_and(|before| version <= before.version) {
            return None;
        }
        let is_first = place.is_none();
        let before = place.and_then(|place| self.all.remove(place));
        let (fitted, owner) = before.map_or((None, None), |before| (before.fits, before.owner));
        if self.all.len() >= MOST {
            let is_spare = |tracked: &TrackedMessage| tracked.owner.is_none() && !waits(tracked.message_id);
            let free = self.all.iter().position(is_spare);
            self.all.remove(free.unwrap_or(0));
        }
        self.changes += 1;
        let order = self.changes;
        let (sender, reply_to) = (sighting.sender.id, sighting.reply_to);
        self.all.push_back(TrackedMessage {
            message_id,
            sender,
            reply_to,
            version,
            written_at,
            order,
            keyboard,
            fits: None,
            owner,
        });
        Some(News { is_first, order, fitted })
    }

    /// The newest change makes its message one that begins a run.
    pub(crate) fn mark(&mut self, text: &str) {
        if let Some(newest) = self.all.back_mut() {
            newest.fits = Some(text.to_owned());
        }
    }

    /// A message is gone; what is older than that and comes later is not taken.
    pub(crate) fn gone(&mut self, message_id: TelegramMessageId, version: i32) {
        if let Some(tracked) = self.all.iter_mut().find(|tracked| tracked.message_id == message_id) {
            tracked.version = tracked.version.max(version);
            tracked.keyboard = None;
        }
    }

    /// The message is another one since then; how it looks now is not known.
    pub(crate) fn missed(&mut self, message_id: TelegramMessageId, written_at: Timestamp) {
        let older = |tracked: &&mut TrackedMessage| {
            tracked.message_id == message_id && tracked.written_at < written_at
        };
        if let Some(tracked) = self.all.iter_mut().find(older) {
            tracked.keyboard = None;
        }
    }

    /// Something may have been missed: which keyboards are the newest is not known any more.
    pub(crate) fn doubt(&mut self) {
        self.all.iter_mut().for_each(|tracked| tracked.keyboard = None);
    }

    /// Telegram says that the keyboard of a message is none: unless it has changed since, it is pressed no more.
    pub(crate) fn drop_keyboard(&mut self, message_id: TelegramMessageId, order: u64) {
        let same = |tracked: &&mut TrackedMessage| tracked.message_id == message_id && tracked.order == order;
        if let Some(tracked) = self.all.iter_mut().find(same) {
            tracked.keyboard = None;
        }
    }

    /// The message as it was last seen.
    pub(crate) fn get(&self, message_id: TelegramMessageId) -> Option<&TrackedMessage> {
        self.all.iter().find(|tracked| tracked.message_id == message_id)
    }

    /// The number of the run that a message belongs to.
    pub(crate) fn owner(&self, message_id: TelegramMessageId) -> Option<u32> {
        self.get(message_id)?.owner
    }

    /// Gives a message to a run.
    pub(crate) fn give(&mut self, message_id: TelegramMessageId, run: u32) {
        if let Some(tracked) = self.all.iter_mut().find(|tracked| tracked.message_id == message_id) {
            tracked.owner = Some(run);
        }
    }

    /// A run has ended: its messages belong to none.
    pub(crate) fn release(&mut self, run: u32) {
        for tracked in self.all.iter_mut().filter(|tracked| tracked.owner == Some(run)) {
            tracked.owner = None;
        }
    }

    /// Those that changed at or after this place in the order, the latest first.
    pub(crate) fn since(&self, order: u64) -> impl Iterator<Item = &TrackedMessage> {
        self.all.iter().rev().take_while(move |tracked| tracked.order >= order)
    }
}

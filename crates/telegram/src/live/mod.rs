//! What comes in live, shown to a watcher before anything that may wait, and presses of buttons.
//!
//! The watcher is called in the task of the connection; a press over the same connection is written before it goes on.

mod keyboard;
mod latest;
mod press;
mod sighting;

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ambient::lock::RwLock;
use domain::{AccountName, ChatId, Keyboard, TelegramMessageId, Timestamp, UserId};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::enums;

use crate::line::Line;

pub use press::{Hand, LiveLine, PressAnswer, Target, TargetError};

/// A message or an edit that came in live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub chat_id: ChatId,
    pub message_id: TelegramMessageId,
    /// Telegram's number of the change in this account, or in this channel: the greater, the newer. Edits within one second
    /// have the same date, and each its own number.
    pub version: i32,
    /// When it was written or edited, by Telegram's clock, in whole seconds.
    pub written_at: Timestamp,
    /// When it came in, by the clock that no one sets.
    pub arrived: Duration,
    /// Whether the account itself wrote it.
    pub is_own: bool,
    pub sender: Sender,
    /// The message that it answers, in the same chat.
    pub reply_to: Option<TelegramMessageId>,
    pub text: String,
    /// Shared by all who watch.
    pub keyboard: Option<Arc<Keyboard>>,
}

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// The user or the chat that wrote it. In private chats and channels it is the chat itself.
    pub id: ChatId,
    /// Whether the message is in a group, where many write.
    pub is_in_group: bool,
    /// Whether a bot wrote it, as far as Telegram says so. Known of messages in groups.
    pub is_bot: bool,
}

/// Sees what comes in live. No method may wait, nor take long: the connection is blocked meanwhile.
pub trait Watcher: Send + Sync {
    /// Whether it wants to see messages of this chat.
    fn watches(&self, account: &AccountName, chat_id: ChatId) -> bool;

    /// A message or an edit. `line` presses over the line that it came by.
    fn seen(self: Arc<Self>, account: &AccountName, sighting: &Sighting, line: &LiveLine<'_>);

    /// Messages were deleted: of a channel, or of any other chat, which is not named.
    fn gone(
        self: Arc<Self>,
        account: &AccountName,
        channel: Option<ChatId>,
        message_ids: &[TelegramMessageId],
        version: i32,
    );

    /// A message was heard of that came or changed in an absence: what is known of it is the newest no longer, if it is older
    /// than this.
    fn missed(
        self: Arc<Self>,
        account: &AccountName,
        chat_id: ChatId,
        message_id: TelegramMessageId,
        written_at: Timestamp,
    );

    /// What came meanwhile may have been missed.
    fn interrupted(self: Arc<Self>, account: &AccountName);
}

type Watchers = Arc<[Weak<dyn Watcher>]>;

/// Those who watch, in the order in which they began to.
#[derive(Clone)]
pub(crate) struct Watch(Arc<RwLock<Watchers>>, KnownBots);

impl Default for Watch {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Arc::new([]))), KnownBots::default())
    }
}

/// The bots that wrote in groups that are watched. A message in its short form does not say that a bot wrote it.
#[derive(Clone, Default)]
struct KnownBots(Arc<RwLock<HashSet<UserId>>>);

impl KnownBots {
    /// More bots are not remembered.
    const MOST: usize = 10_000;

    fn has(&self, user: UserId) -> bool {
        self.0.read().contains(&user)
    }

    fn add(&self, user: UserId) {
        if !self.has(user) {
            let mut all = self.0.write();
            if all.len() < Self::MOST {
                all.insert(user);
            }
        }
    }
}

impl Watch {
    fn all(&self) -> Watchers {
        Arc::clone(&self.0.read())
    }

    /// Those who are gone are forgotten.
    pub(crate) fn add(&self, watcher: Weak<dyn Watcher>) {
        let mut all = self.0.write();
        let there = all.iter().filter(|watcher| watcher.strong_count() > 0).cloned();
        *all = there.chain([watcher]).collect();
    }

    /// `write` writes at once what was handed to the connection.
    pub(crate) fn see(&self, line: &Arc<Line>, updates: &UpdatesLike, write: &mut dyn FnMut()) {
        let all = self.all();
        if all.is_empty() {
            return;
        }
        let (health, shown) = (line.health(), LiveLine::new(line, write));
        let (me, arrived) = (health.user_id(), health.clock.running());
        for watcher in all.iter().filter_map(Weak::upgrade) {
            let bots = &self.1;
            let reading = sighting::Reading { account: &health.name, me, arrived, watcher: &watcher, bots };
            reading.read(updates, &shown);
        }
    }

    /// What an account asked for after an absence.
    pub(crate) fn missed<'u>(&self, account: &AccountName, updates: impl Iterator<Item = &'u enums::Update>) {
        let watchers: Vec<_> = self.all().iter().filter_map(Weak::upgrade).collect();
        if watchers.is_empty() {
            return;
        }
        for (chat_id, message_id, written_at) in sighting::missed(updates) {
            for watcher in watchers.iter().filter(|watcher| watcher.watches(account, chat_id)) {
                Arc::clone(watcher).missed(account, chat_id, message_id, written_at);
            }
        }
    }

    pub(crate) fn interrupted(&self, account: &AccountName) {
        for watcher in self.all().iter().filter_map(Weak::upgrade) {
            watcher.interrupted(account);
        }
    }
}

//! Messages that came in: kept with the update state, reported as events, changed as Telegram changes them.

pub(crate) mod files;
pub(crate) mod gaps;
pub(crate) mod reading;
pub(crate) mod row;
mod take;
mod whose;

use domain::received_message::Reaction;
use domain::{
    AccountName, ChatId, ContactWish, FileRule, MessageOrigin, ReceivedId, ReceivedMessage,
    TelegramMessageId, Timestamp,
};

use crate::database::params;
use crate::paging::{Page, Paged};
use crate::{Store, StoreError, UpdateChange};

pub use files::{FetchedFile, StoredFile, WantedFile};
pub use gaps::{GapChange, Missed, PageRead, ReceivedGap};
pub use reading::ReceivedFilter;
use statements as sql;

pub(crate) const TABLE: &str = "received_messages";

pub(crate) mod statements {
    //! The statements of the messages that came in.

    use crate::statement::statements;

    statements! {
        LAST = "SELECT coalesce(max(seq), 0) FROM received_messages";
        INSERT = "
            INSERT INTO received_messages (seq, owner, chat_id, message_id, account, origin, sender_id, sender_name, text,
                entities, media, forward, reactions, service, reply_to, album, sent_at, place, edited_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            ON CONFLICT (owner, message_id, chat_id) DO NOTHING";
        SINCE = "SELECT seq FROM received_messages WHERE seq >= $1";
        EDIT = "
            UPDATE received_messages SET text = $1, entities = $2, media = $3, edited_at = $4
            WHERE owner = $5 AND message_id = $6 AND chat_id = $7
                AND (edited_at IS NULL OR edited_at < CAST($4 AS BIGINT))";
        REACT = "
            UPDATE received_messages SET reactions = $1 WHERE owner = $2 AND message_id = $3 AND chat_id = $4";
        /// Of one chat, or of all that an account counts together.
        NUMBERED = "
            SELECT seq, account, chat_id, message_id, origin, sender_id, sender_name, text, entities, media, forward,
                reactions, service, reply_to, album, sent_at, edited_at, deleted_at
            FROM received_messages
            WHERE owner = $1 AND message_id IN (SELECT value FROM json_each($2))
                AND (CAST($3 AS BIGINT) IS NULL OR chat_id = $3) AND deleted_at IS NULL";
        DELETED = "UPDATE received_messages SET deleted_at = $1 WHERE seq = $2";
        UNSETTLED = "
            SELECT seq, account, chat_id, message_id, CAST(2 AS BIGINT), sender_id, sender_name, text, entities, media, forward,
                reactions, service, reply_to, album, sent_at, edited_at, deleted_at
            FROM received_messages WHERE account = $1 AND origin = 4 ORDER BY seq LIMIT 1000";
        HAS_UNSETTLED = "SELECT seq FROM received_messages WHERE account = $1 AND origin = 4 LIMIT 1";
        SETTLE = "UPDATE received_messages SET origin = 2 WHERE seq = $1";
        REMOVE = "DELETE FROM received_messages WHERE seq = $1";
        GET = "
            SELECT seq, account, chat_id, message_id, origin, sender_id, sender_name, text, entities, media, forward,
                reactions, service, reply_to, album, sent_at, edited_at, deleted_at
            FROM received_messages WHERE owner = $1 AND message_id = $2 AND chat_id = $3 AND origin <> 4";
        /// The accounts as users.
        OWN_USERS = "SELECT DISTINCT user_id, account FROM telegram_sessions WHERE user_id IS NOT NULL";
        /// Parts that an account has sent into a chat, or may have.
        OWN_PARTS = "
            SELECT p.state, o.created_at, p.provider_id, p.provider_ids
            FROM (
                SELECT id, account, created_at FROM outbox WHERE chat_id = $1 AND state = 0
                UNION ALL SELECT id, account, created_at FROM outbox WHERE chat_id = $1 AND state = 3
                UNION ALL SELECT m.id, m.account, m.created_at
                FROM outbox_places AS s INNER JOIN outbox AS m ON m.id = s.id
                WHERE s.chat_id = $1 AND s.at >= $2 AND m.state >= 10
            ) AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
            WHERE o.account = $3 AND p.state > 0";
        /// The same of one message.
        OWN_PARTS_OF = "
            SELECT p.state, o.created_at, p.provider_id, p.provider_ids
            FROM outbox AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
            WHERE o.id = $1 AND o.state >= 10 AND o.account = $2 AND p.state > 0";
    }
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReceived {
    /// Its place in the order in which messages came in.
    pub seq: i64,
    /// The message as it is now.
    pub message: ReceivedMessage,
    /// When it was heard that it was deleted.
    pub deleted_at: Option<Timestamp>,
}

impl StoredReceived {
    /// When it was written down.
    pub const fn received_at(&self) -> Timestamp {
        Timestamp::from_micros(self.seq)
    }
}

/// A change of the messages of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedChange {
    /// A message came. One that is kept already stays as it is. With [`MessageOrigin::Owner`] it is the
    /// account's own, and is kept unless this program sent it.
    New(Box<ReceivedMessage>),
    /// A message was changed, and is now this. One that is not kept yet is kept.
    Edited(Box<ReceivedMessage>),
    /// Messages were deleted.
    Deleted {
        /// Of this supergroup or channel; none: of all other chats of the account, which counts them together.
        channel: Option<ChatId>,
        /// Their ids.
        message_ids: Vec<TelegramMessageId>,
    },
    /// The reactions to a message are these now.
    Reactions {
        /// Its chat.
        chat_id: ChatId,
        /// Its id.
        message_id: TelegramMessageId,
        /// All of them.
        reactions: Vec<Reaction>,
    },
    /// A message that is not kept said this about further messages, in the private chat of its writer.
    Wish(ChatId, ContactWish),
    /// What the account sent into a chat was read, whatever is kept of it: in a group by at least one member.
    ReadUpTo {
        /// The chat.
        chat_id: ChatId,
        /// The last one that was read.
        message_id: TelegramMessageId,
    },
}

impl ReceivedChange {
    /// Whether it is a message of the account itself: mostly one that this program sent.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::New(message) if message.origin == MessageOrigin::Owner)
    }
}

/// What was reported to an account, and its update state after it: one write, so that nothing is passed over.
#[derive(Debug, Clone)]
pub struct TakenUpdates {
    /// The account.
    pub account: AccountName,
    /// In the order in which they came.
    pub changes: Vec<ReceivedChange>,
    /// The update state after them.
    pub state: Vec<UpdateChange>,
    /// What was passed over on the way there.
    pub missed: Vec<Missed>,
    /// Which of their files are fetched.
    pub files: FileRule,
    /// The page of a history that the messages are from, where they are no updates.
    pub page: Option<PageRead>,
}

impl TakenUpdates {
    /// Nothing, of this account, none of whose files is fetched.
    pub fn new(account: AccountName) -> Self {
        let (changes, state, missed) = (Vec::new(), Vec::new(), Vec::new());
        Self { account, changes, state, missed, files: FileRule::default(), page: None }
    }
}

/// What was new in what was reported to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Messages that were not known before.
    pub new: usize,
    /// Messages of the account of which it is not clear yet whether this program sent them. They are settled by the next
    /// [`Received::take`], which may be empty.
    pub unsettled: usize,
    /// Files that are to be fetched.
    pub files: usize,
}

/// The messages' part of a store.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    pub(crate) store: &'a Store,
}

impl Received<'_> {
    /// Keeps what was reported to an account and its update state after it. The same once more changes nothing.
    ///
    /// # Errors
    /// The store cannot be written, or has no room for new work: nothing was kept, and the update state is as it was.
    pub async fn take(&self, taken: TakenUpdates) -> Result<Taken, StoreError> {
        self.store.write(take::Take { taken, at: self.store.now() }).await
    }

    /// Whether there are messages of an account of which it is not clear whether this program sent them.
    pub async fn has_unsettled(&self, account: &AccountName) -> Result<bool, StoreError> {
        let found = self.store.first(sql::HAS_UNSETTLED, [account.to_string()], |_| Ok(()));
        Ok(found.await?.is_some())
    }

    /// What an account missed and reads from histories, as far as it is not read yet.
    pub async fn open_gaps(&self, account: &AccountName) -> Result<Vec<ReceivedGap>, StoreError> {
        let account = account.clone();
        self.store.read(move |connection| gaps::open(connection, &account)).await
    }

    /// What an account missed: what is being read from histories, and what was not read; the 1,000 noticed last.
    pub async fn gaps(&self, account: &AccountName) -> Result<Vec<ReceivedGap>, StoreError> {
        let account = account.clone();
        self.store.read(move |connection| gaps::all(connection, &account)).await
    }

    /// Notes what comes of a gap.
    pub async fn change_gap(&self, account: &AccountName, change: GapChange) -> Result<(), StoreError> {
        self.store.write(gaps::Change { account: account.clone(), gap: change, at: self.store.now() }).await
    }

    /// Messages that came in, the latest first, a page at a time. A page may have fewer than were asked for and still lead on.
    pub async fn list(
        &self,
        filter: &ReceivedFilter,
        page: &Page,
    ) -> Result<Paged<StoredReceived>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| reading::list(connection, &filter, &page)).await
    }

    /// The message of this id.
    pub async fn get(&self, id: &ReceivedId) -> Result<Option<StoredReceived>, StoreError> {
        let (owner, message_id, chat_id) = (owner(id), id.message_id().get(), id.chat_id().get());
        self.store
            .read(move |connection| {
                connection.first(sql::GET, params![owner, message_id, chat_id], row::read)
            })
            .await
    }
}

/// Whose number the id is, as the table has it.
pub(crate) fn owner(id: &ReceivedId) -> String {
    id.counted_by().map(ToString::to_string).unwrap_or_default()
}

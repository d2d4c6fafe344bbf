//! What came in through channels: kept once, reported as events, changed as its provider changes it; and what an account of a
//! channel has to know after a restart.

mod conversation;
pub(crate) mod files;
mod hand_in;
pub(crate) mod row;
pub(crate) mod statements;
mod take;
pub(crate) mod values;

use domain::{
    AccountName, ChannelChat, ChannelName, ExternalChat, InboundEvent, InboundId, InboundMessage,
    MessageOrigin, MessageRef, Reactions, Timestamp, Words,
};

use crate::conversations::ConversationStart;
use crate::database::params;
use crate::needle::Needle;
use crate::paging::{Page, Paged};
use crate::{Store, StoreError, point};
use domain::message::OutboundMessage;
use statements as sql;

pub use files::{FetchedInboundFile, InboundFile, InboundFileId, StoredInboundFile, WantedInboundFile};
pub use hand_in::HandInOutcome;

pub(crate) const TABLE: &str = "channel_messages";
/// The most rows that one look goes through.
const MOST_ROWS: u32 = 50_000;

/// A message that came in through a channel, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInbound {
    /// Its id.
    pub id: InboundId,
    /// The chat, with its channel and account.
    pub address: ChannelChat,
    /// The message.
    pub message: InboundMessage,
    /// When its writer changed it last.
    pub edited_at: Option<Timestamp>,
    /// When its deletion was reported.
    pub deleted_at: Option<Timestamp>,
    /// What people think of it.
    pub reactions: Reactions,
}

impl StoredInbound {
    /// When it was received.
    pub const fn received_at(&self) -> Timestamp {
        Timestamp::from_micros(self.id.get())
    }
}

/// What a provider reported, and where asking it goes on: one write, so that nothing is passed over.
#[derive(Debug, Clone)]
pub struct TakenFromChannel {
    /// The channel.
    pub channel: ChannelName,
    /// The account.
    pub account: AccountName,
    /// In the order in which it came. Receipts are not looked at: they are the outbox's.
    pub events: Vec<InboundEvent>,
    /// Where asking goes on.
    pub cursor: Option<String>,
    /// Whether the files of its messages are to be stored.
    pub stores_files: bool,
}

/// What was new in what a provider reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelTaken {
    /// The messages that were not known before, for all but those that are not settled.
    pub new: Vec<InboundId>,
    /// Messages of the account of which it is not clear yet whether this program sent them. They are settled by the next
    /// [`Channels::take`], which may be empty.
    pub unsettled: usize,
    /// Events that were reported before.
    pub repeated: usize,
    /// What the provider said of messages that have the id of another one, and other words or another chat. They are not kept.
    pub conflicts: Vec<Option<Words>>,
}

/// A chat of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChannelChat {
    /// The chat.
    pub chat: ExternalChat,
    /// The customer's id at the provider.
    pub user: Option<String>,
    /// What the customer is called.
    pub name: Option<String>,
    /// The customer's number.
    pub phone: Option<String>,
    /// When the customer wrote last.
    pub last_in_at: Option<Timestamp>,
    /// Since when it takes no messages.
    pub unreachable_at: Option<Timestamp>,
}

/// Which messages of channels to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundFilter {
    /// Of this channel.
    pub channel: Option<ChannelName>,
    /// Of this account.
    pub account: Option<AccountName>,
    /// In this chat.
    pub chat: Option<ChannelChat>,
    /// Written by this.
    pub origin: Option<MessageOrigin>,
    /// With this in its text, whatever letters are large.
    pub text: Option<String>,
    /// Or, where a text is wanted too, from someone whose name has it.
    pub or_from: bool,
    /// Received at this instant or later.
    pub since: Option<Timestamp>,
    /// Received before this instant.
    pub until: Option<Timestamp>,
}

/// A message of a conversation in a channel.
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelConversationMessage {
    /// What came in.
    Received(Box<StoredInbound>),
    /// What was sent from here, or was to be.
    Sent(Box<OutboundMessage>),
}

/// The channels' part of a store.
#[derive(Clone, Copy)]
pub struct Channels<'a> {
    pub(crate) store: &'a Store,
}

impl Channels<'_> {
    /// Keeps what a provider reported and where asking it goes on. The same once more changes nothing. A time that no clock can have
    /// said becomes the present one.
    ///
    /// # Errors
    /// The store cannot be written, or has no room for new work: nothing was kept.
    pub async fn take(&self, mut taken: TakenFromChannel) -> Result<ChannelTaken, StoreError> {
        let at = self.store.now();
        for event in &mut taken.events {
            event.correct_time(at);
        }
        self.store.write(take::Take { taken, at }).await
    }

    /// Takes messages that another program hands in, each id of an account once. A time that no clock can have said becomes the present
    /// one.
    ///
    /// # Errors
    /// The store cannot be written, or has no room for new work: nothing was kept.
    pub async fn hand_in(
        &self,
        channel: ChannelName,
        account: AccountName,
        mut messages: Vec<InboundMessage>,
    ) -> Result<Vec<HandInOutcome>, StoreError> {
        let at = self.store.now();
        for message in &mut messages {
            message.sent_at = message.sent_at.plausible(at);
        }
        let to = TakenFromChannel { channel, account, events: Vec::new(), cursor: None, stores_files: false };
        self.store.write(hand_in::HandIn { messages, to, at }).await
    }

    /// Where asking a provider goes on.
    pub async fn cursor(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<Option<String>, StoreError> {
        let params = (channel.to_string(), account.to_string());
        self.store.first(sql::CURSOR, params, |row| row.get(0)).await
    }

    /// A chat, as far as it is known.
    pub async fn chat(&self, address: &ChannelChat) -> Result<Option<StoredChannelChat>, StoreError> {
        let params = (address.channel.to_string(), address.account.to_string(), address.chat.to_string());
        self.store.first(sql::CHAT, params, row::chat).await
    }

    /// Chats of an account, the one that was written in last first: how many, and after how many.
    pub async fn chats(
        &self,
        channel: &ChannelName,
        account: &AccountName,
        (most, after): (u32, u32),
    ) -> Result<Vec<StoredChannelChat>, StoreError> {
        let params = (channel.to_string(), account.to_string(), i64::from(most), i64::from(after));
        self.store.all(sql::CHATS, params, row::chat).await
    }

    /// The message of this id.
    pub async fn get(&self, id: InboundId) -> Result<Option<StoredInbound>, StoreError> {
        self.store.first(sql::GET, [id.get()], row::read).await
    }

    /// The message that the provider calls so.
    pub async fn by_external_id(
        &self,
        channel: &ChannelName,
        account: &AccountName,
        external_id: &str,
    ) -> Result<Option<StoredInbound>, StoreError> {
        let params = (channel.to_string(), account.to_string(), external_id.to_owned());
        self.store.first(sql::BY_EXTERNAL_ID, params, row::read).await
    }

    /// When a customer's message came in last.
    pub async fn last_in(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<Option<Timestamp>, StoreError> {
        let params = (channel.to_string(), account.to_string());
        let found = self.store.first(sql::LAST_IN, params, |row| row.get::<i64>(0)).await?;
        Ok(found.map(Timestamp::from_micros))
    }

    /// When an account sent something last.
    pub async fn last_out(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<Option<Timestamp>, StoreError> {
        let params = (channel.to_string(), account.to_string());
        let found = self.store.first(sql::LAST_OUT, params, |row| row.get::<Option<i64>>(0)).await?;
        Ok(found.flatten().map(Timestamp::from_micros))
    }

    /// The provider's ids of what an account sent last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn last_sent(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<Vec<String>, StoreError> {
        let params = (channel.to_string(), account.to_string());
        self.store.all(sql::LAST_SENT, params, |row| row.get(0)).await
    }

    /// How many messages wait for an account, those among them that are scheduled.
    pub async fn waiting(&self, channel: &ChannelName, account: &AccountName) -> Result<u64, StoreError> {
        // '0' is what comes next after '/'.
        let params = (format!("{channel}:{account}/"), format!("{channel}:{account}0"));
        let count = self.store.first(sql::WAITING, params, |row| row.get::<i64>(0)).await?;
        Ok(count.map_or(0, |count| u64::try_from(count).unwrap_or(0)))
    }

    /// What was kept of how an account fares.
    pub async fn health(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<Option<String>, StoreError> {
        let params = (channel.to_string(), account.to_string());
        self.store.first(sql::HEALTH, params, |row| row.get(0)).await
    }

    /// Keeps how an account fares, in place of what was kept.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn keep_health(
        &self,
        channel: &ChannelName,
        account: &AccountName,
        health: String,
    ) -> Result<(), StoreError> {
        let params = (channel.to_string(), account.to_string(), health);
        self.store.execute(point::KEEP_CHANNEL_VALUES, sql::SAVE_HEALTH, params).await.map(drop)
    }

    /// The provider's ids of the last messages that were sent to a chat by then and are not read, 100 at most.
    pub async fn unread(&self, address: &ChannelChat, by: Timestamp) -> Result<Vec<String>, StoreError> {
        let params =
            (address.to_string(), by.as_micros(), address.channel.to_string(), address.account.to_string());
        self.store.all(sql::UNREAD, params, |row| row.get(0)).await
    }

    /// Messages of channels, the latest received first. A page may have fewer than were asked for and still lead on.
    pub async fn list(
        &self,
        filter: &InboundFilter,
        page: &Page,
    ) -> Result<Paged<StoredInbound>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| list(connection, &filter, &page)).await
    }

    /// A page of a conversation, of the messages with a text in them if one is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: the message that it starts from is not stored.
    pub async fn conversation(
        &self,
        address: ChannelChat,
        start: ConversationStart,
        text: Option<String>,
        page: &Page,
    ) -> Result<Paged<ChannelConversationMessage>, StoreError> {
        let page = page.clone();
        self.store
            .read(move |connection| conversation::list(connection, &address, &start, text.as_deref(), &page))
            .await
    }
}

fn list(
    connection: &crate::database::Connection,
    filter: &InboundFilter,
    page: &Page,
) -> Result<Paged<StoredInbound>, StoreError> {
    let until = filter.until.map_or(i64::MAX, Timestamp::as_micros);
    let before = page.after::<i64>()?.unwrap_or(i64::MAX).min(until);
    let since = filter.since.map_or(i64::MIN, Timestamp::as_micros);
    let needle = filter.text.as_deref().map(Needle::new);
    let wanted = page.rows() as usize;
    let (mut found, mut seen, mut last) = (Vec::new(), 0, None);
    connection.each(sql::SCAN, params![before, since, MOST_ROWS], |found_row| {
        let stored = row::read(found_row)?;
        seen += 1;
        last = Some(stored.id.get());
        let address = &stored.address;
        if filter.channel.as_ref().is_none_or(|channel| *channel == address.channel)
            && filter.account.as_ref().is_none_or(|account| *account == address.account)
            && filter.chat.as_ref().is_none_or(|chat| chat == address)
            && filter.origin.is_none_or(|origin| origin == stored.message.origin)
            && needle.as_ref().is_none_or(|needle| {
                let name = stored.message.name.as_deref().filter(|_| filter.or_from);
                let subject = stored.message.subject.as_deref();
                let is_about = subject.is_some_and(|subject| needle.fits(subject));
                is_about
                    || needle.fits(stored.message.text.as_str())
                    || name.is_some_and(|name| needle.names(name))
            })
        {
            found.push(stored);
        }
        let is_full = found.len() == wanted;
        Ok(if is_full { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) })
    })?;
    let is_cut = found.len() == wanted;
    let mut paged = page.cut(found, |stored| stored.id.get().to_string());
    if !is_cut && seen == MOST_ROWS {
        paged.next_cursor = last.map(|seq| seq.to_string());
    }
    Ok(paged)
}

/// The row of a message by either kind of its id.
pub(crate) fn not_stored(message: &MessageRef) -> StoreError {
    StoreError::not_found(TABLE, format!("there is no message {message}"))
}

//! What Telegram and providers of channels report about what was sent there: that it arrived, that it was read.

use std::collections::BTreeMap;

use domain::outcome::{Failure, SentIds};
use domain::timeline::Step;
use domain::{
    AccountName, ChannelChat, ChannelName, ChatId, MessageId, MessageState, ProviderId, Reactions,
    TelegramMessageId, Timestamp,
};

use super::statements as sql;
use super::{PARTS, events, items, key, state_of, timeline};
use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::write::{Transaction, Write};
use crate::{StoreError, codes};

const TABLE: &str = "provider_messages";

/// So many of what ended last in a chat may have been read.
const MOST_READ: u32 = 200;

/// How far a message is at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptState {
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
}

/// What a provider reports about something that was sent there.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The channel.
    pub channel: ChannelName,
    /// The account it was sent by.
    pub account: AccountName,
    /// What the provider calls it.
    pub provider_id: ProviderId,
    /// How far it is.
    pub state: ReceiptState,
    /// When.
    pub at: Timestamp,
}

impl ReceiptState {
    const fn code(self) -> i64 {
        match self {
            Self::Delivered => 1,
            Self::Read => 2,
        }
    }

    /// How far a message is whose least part is so far.
    const fn of_least(code: i64) -> Option<(MessageState, Step)> {
        match code {
            1 => Some((MessageState::Delivered, Step::Delivered)),
            2 => Some((MessageState::Read, Step::Read)),
            _ => None,
        }
    }
}

/// Notes what the provider calls a part, in the write that says that it has it.
pub(super) fn save_ids(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    id: &MessageId,
    part: u16,
    ids: &SentIds,
) -> Result<(), StoreError> {
    for (item, provider_id) in ids.iter().enumerate() {
        let Some(provider_id) = provider_id else { continue };
        let item = i64::try_from(item).unwrap_or(i64::MAX);
        let (channel, account) = (chat.channel.as_str(), chat.account.as_str());
        transaction.run(
            sql::SAVE_PROVIDER_ID,
            params![channel, account, provider_id.to_string(), key(id), part, item],
        )?;
    }
    Ok(())
}

pub(super) fn reactions(row: &Row<'_>) -> Result<Reactions, StoreError> {
    Ok(Columns::new(row, TABLE).maybe_json(0)?.unwrap_or_default())
}

pub(super) struct ReceiptWrite(pub(super) Receipt);

/// A provider had taken something and could not deliver it. Reported before the whole message is sent, it is kept until then.
pub(super) struct UndeliveredWrite {
    pub(super) channel: ChannelName,
    pub(super) account: AccountName,
    pub(super) provider_id: ProviderId,
    pub(super) why: String,
    pub(super) at: Timestamp,
    pub(super) now: Timestamp,
}

impl Write for UndeliveredWrite {
    type Answer = Option<MessageId>;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Option<MessageId>, StoreError> {
        let Self { channel, account, provider_id, why, at, now } = self;
        let (channel, account, provider_id) = (channel.as_str(), account.as_str(), provider_id.to_string());
        let found = transaction.first(sql::RECEIPT_FOR, params![channel, account, provider_id], |row| {
            Columns::new(row, TABLE).message_id(0)
        })?;
        let is_early = match &found {
            Some(id) => !fail(transaction, id, why, *at)? && !state_of(transaction, id)?.is_final(),
            None => true,
        };
        if is_early {
            let (at, now) = (at.as_micros(), now.as_micros());
            transaction.run(sql::KEEP_FAILURE, params![channel, account, provider_id, why, at, now])?;
        }
        Ok(found)
    }
}

/// A message that was sent has failed; says whether it had been sent, and had not arrived.
fn fail(transaction: &Transaction<'_>, id: &MessageId, why: &str, at: Timestamp) -> Result<bool, StoreError> {
    let failure = Failure::Undelivered { detail: why.to_owned() };
    let state = codes::of_message(MessageState::Failed);
    let params = params![state, to_json(TABLE, &failure)?, at.as_micros(), key(id)];
    let is_changed = transaction.execute(sql::UNDELIVERED, params)? > 0;
    if is_changed {
        timeline::add(transaction, id, &timeline::plain(at, Step::Failed, Some(why.to_owned())))?;
        events::changed(transaction, id, at)?;
    }
    Ok(is_changed)
}

/// A message of a channel was sent: it has failed where that was reported already.
pub(super) fn fail_early(transaction: &Transaction<'_>, id: &MessageId) -> Result<(), StoreError> {
    let reported = transaction.first(sql::EARLY_FAILURE, [key(id)], |row| {
        let columns = Columns::new(row, TABLE);
        Ok((columns.get::<String>(0)?, columns.time(1)?))
    })?;
    reported.map_or(Ok(()), |(why, at)| fail(transaction, id, &why, at).map(drop))
}

impl Write for ReceiptWrite {
    type Answer = Option<MessageId>;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Option<MessageId>, StoreError> {
        let Receipt { channel, account, provider_id, state, at } = &self.0;
        let (channel, account, provider_id) = (channel.as_str(), account.as_str(), provider_id.to_string());
        let found = transaction.first(sql::RECEIPT_FOR, params![channel, account, provider_id], |row| {
            Columns::new(row, TABLE).message_id(0)
        })?;
        let Some(id) = found else { return Ok(None) };
        if transaction.execute(sql::SAVE_RECEIPT, params![state.code(), channel, account, provider_id])? == 0
        {
            return Ok(Some(id));
        }
        let least = transaction.first(sql::RECEIPTS_OF, [key(&id)], |row| {
            let columns = Columns::new(row, TABLE);
            let is_whole = columns.get::<i64>(1)? == columns.get::<i64>(2)?;
            Ok(columns.get::<Option<i64>>(0)?.filter(|_| is_whole))
        })?;
        if let Some((state, step)) = least.flatten().and_then(ReceiptState::of_least) {
            arrived(transaction, &id, state, step, *at)?;
        }
        Ok(Some(id))
    }
}

/// A message that was sent is so far, and is said to be, unless it was before.
fn arrived(
    transaction: &Transaction<'_>,
    id: &MessageId,
    state: MessageState,
    step: Step,
    at: Timestamp,
) -> Result<(), StoreError> {
    if transaction.execute(sql::ARRIVED, params![codes::of_message(state), at.as_micros(), key(id)])? > 0 {
        timeline::add(transaction, id, &timeline::plain(at, step, None))?;
        events::changed(transaction, id, at)?;
    }
    Ok(())
}

/// What a Telegram account sent into a chat was read up to a message, in a group by at least one member. Looked at are the last 200
/// messages that ended in the chat, and as many that are not in the index of conversations yet: what is older stays sent, and so does
/// what is not known to be sent at that moment, until more is read.
pub(crate) fn read_up_to(
    transaction: &Transaction<'_>,
    account: &AccountName,
    chat_id: ChatId,
    last: TelegramMessageId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let params = params![chat_id.get(), MOST_READ, account.as_str()];
    let mut parts = transaction.all(sql::UNREAD_PARTS, params, unread_part)?;
    let mut lately = transaction.ended_lately(chat_id);
    lately.sort_unstable();
    for place in lately.iter().rev().take(MOST_READ as usize) {
        let params = params![place.id, account.as_str(), chat_id.get()];
        parts.extend(transaction.all(sql::UNREAD_PARTS_OF, params, unread_part)?);
    }
    let mut are_read = BTreeMap::new();
    for (id, ids) in parts {
        let is_read =
            |id: Option<&ProviderId>| id.and_then(ProviderId::telegram).is_some_and(|id| id <= last);
        *are_read.entry(id).or_insert(true) &= ids.iter().all(is_read);
    }
    for (id, _) in are_read.into_iter().filter(|(_, is_read)| *is_read) {
        arrived(transaction, &id, MessageState::Read, Step::Read, at)?;
    }
    Ok(())
}

fn unread_part(row: &Row<'_>) -> Result<(MessageId, SentIds), StoreError> {
    let columns = Columns::new(row, PARTS);
    Ok((columns.message_id(0)?, items::read_ids(&columns, 1, 2)?))
}

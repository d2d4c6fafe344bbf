//! What providers of channels tell about what was sent there: that it arrived, that it was read.

use domain::outcome::{Failure, SentIds};
use domain::timeline::Step;
use domain::{AccountName, ChannelChat, ChannelName, MessageId, MessageState, ProviderId, Timestamp};

use super::statements as sql;
use super::{events, key, timeline};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::write::{Transaction, Write};
use crate::{StoreError, codes};

const TABLE: &str = "provider_messages";

/// How far a message is at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptState {
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
}

/// What a provider tells about something that was sent there.
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

pub(super) struct ReceiptWrite(pub(super) Receipt);

/// A provider had taken something and could not deliver it.
pub(super) struct UndeliveredWrite {
    pub(super) channel: ChannelName,
    pub(super) account: AccountName,
    pub(super) provider_id: ProviderId,
    pub(super) why: String,
    pub(super) at: Timestamp,
}

impl Write for UndeliveredWrite {
    type Answer = Option<MessageId>;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Option<MessageId>, StoreError> {
        let Self { channel, account, provider_id, why, at } = self;
        let params = params![channel.as_str(), account.as_str(), provider_id.to_string()];
        let found =
            transaction.first(sql::RECEIPT_FOR, params, |row| Columns::new(row, TABLE).message_id(0))?;
        let Some(id) = found else { return Ok(None) };
        let failure = Failure::ProviderError { detail: why.clone() };
        let state = codes::of_message(MessageState::Failed);
        let params = params![state, to_json(TABLE, &failure)?, at.as_micros(), key(&id)];
        if transaction.execute(sql::UNDELIVERED, params)? > 0 {
            timeline::add(transaction, &id, &timeline::plain(*at, Step::Failed, Some(why.clone())))?;
            events::changed(transaction, &id, *at)?;
        }
        Ok(Some(id))
    }
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
        let Some((state, step)) = least.flatten().and_then(ReceiptState::of_least) else {
            return Ok(Some(id));
        };
        let params = params![codes::of_message(state), at.as_micros(), key(&id)];
        if transaction.execute(sql::ARRIVED, params)? > 0 {
            timeline::add(transaction, &id, &timeline::plain(*at, step, None))?;
            events::changed(transaction, &id, *at)?;
        }
        Ok(Some(id))
    }
}

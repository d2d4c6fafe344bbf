//! The limiter of first messages to people, whichever part of the program sends them.
//!
//! A first contact is a message of an account to a person who has not written to it and with whom it has no dialog. The limiter counts it
//! in the write that begins the message, and keeps the row: a second message to the same person is no first contact.

use std::sync::PoisonError;
use std::time::Duration;

use domain::{AccountName, Address, ContactLimits, Timestamp};

use crate::column::Columns;
use crate::database::params;
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError};

const TABLE: &str = "first_contacts";
const DAY: Duration = Duration::from_hours(24);

statements! {
    KNOWN = "SELECT 1 FROM first_contacts WHERE account = $1 AND person = $2";
    LATELY = "SELECT at FROM first_contacts WHERE account = $1 AND at > $2 ORDER BY at DESC LIMIT $3";
    ADD = "INSERT INTO first_contacts (account, person, at) VALUES ($1, $2, $3) ON CONFLICT (account, person) DO NOTHING";
    HAS_DIALOG = "
        SELECT 1 FROM telegram_peers WHERE account = $1 AND chat_id = $2 AND (dialog = 1 OR contact = 1)";
    WROTE_TO_ACCOUNT = "
        SELECT 1 FROM received_messages WHERE chat_id = $1 AND account = $2 AND origin = 0 LIMIT 1";
    WROTE_TO_CHANNEL = "
        SELECT 1 FROM channel_chats WHERE channel = $1 AND account = $2 AND chat = $3 AND last_in_at IS NOT NULL";
}

/// The limiter's part of a store.
#[derive(Clone, Copy)]
pub struct FirstContacts<'a> {
    pub(crate) store: &'a Store,
}

impl FirstContacts<'_> {
    /// Counts a first contact of a browser profile. Returns the time of the next one where the profile may make none now.
    pub async fn count(&self, sender: String, person: String) -> Result<Option<Timestamp>, StoreError> {
        let (now, limits) = (self.store.now(), self.store.contact_limits());
        let change = move |transaction: &Transaction<'_>| match take(
            transaction,
            &sender,
            &person,
            limits.first_contacts_per_day,
            now,
        ) {
            Ok(()) => Ok(None),
            Err(StoreError::FirstContacts { until }) => Ok(Some(until)),
            Err(error) => Err(error),
        };
        self.store.write(change).await
    }
}

impl Store {
    /// Sets the limits of first contacts and of advertising, within what is built in.
    pub fn limit_contacts(&self, limits: ContactLimits) {
        *self.inner.contact_limits.write().unwrap_or_else(PoisonError::into_inner) = limits.bounded();
    }

    pub(crate) fn contact_limits(&self) -> ContactLimits {
        *self.inner.contact_limits.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a message as a first contact if it is one.
///
/// # Errors
/// [`StoreError::FirstContacts`] if the account may make none now.
pub(crate) fn admit(
    transaction: &Transaction<'_>,
    (account, address): (&AccountName, &Address),
    limits: ContactLimits,
    now: Timestamp,
) -> Result<(), StoreError> {
    let found = |sql, params: &[&dyn crate::database::ToValue]| {
        Ok::<_, StoreError>(transaction.first(sql, params, |_| Ok(()))?.is_some())
    };
    match address {
        Address::Telegram(chat) => {
            let account = account.as_str();
            if chat.user_id().is_none()
                || found(HAS_DIALOG, params![account, chat.get()])?
                || found(WROTE_TO_ACCOUNT, params![chat.get(), account])?
            {
                return Ok(());
            }
            take(transaction, account, &chat.to_string(), limits.first_contacts_per_day, now)
        }
        Address::Channel(chat) => {
            let (channel, account, external) =
                (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
            if found(WROTE_TO_CHANNEL, params![channel, account, external])? {
                return Ok(());
            }
            let sender = format!("{channel}:{account}");
            take(transaction, &sender, external, limits.channel_first_contacts_per_day, now)
        }
    }
}

fn take(
    transaction: &Transaction<'_>,
    account: &str,
    person: &str,
    most: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    if transaction.first(KNOWN, params![account, person], |_| Ok(()))?.is_some() {
        return Ok(());
    }
    let time = |row: &crate::database::Row<'_>| Columns::new(row, TABLE).time(0);
    let lately = transaction.all(LATELY, params![account, now.minus(DAY).as_micros(), most], time)?;
    if lately.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
        // A clock that was set back wrote later times: they count as now.
        let oldest = lately.last().copied().unwrap_or(now).min(now);
        return Err(StoreError::FirstContacts { until: oldest.plus(DAY) });
    }
    transaction.run(ADD, params![account, person, now.as_micros()])
}

//! The limiter of first messages to people and of invitations, whichever part of the program sends them.
//!
//! A first contact is a message or an invitation of an account to a person who has not written to it, and is not among its dialogs and contacts. The
//! limiter counts it in the write that begins the message, and keeps the row: a second message to the same person is no first contact.

use std::sync::PoisonError;
use std::time::Duration;

use domain::{AccountName, Address, CampaignSender, ChatId, ContactLimits, Timestamp};

use crate::column::Columns;
use crate::database::{Row, ToValue, params};
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
        let contact = FirstContact { sender, person, most: limits.first_contacts_per_day };
        let change = move |transaction: &Transaction<'_>| match contact.take(transaction, now) {
            Ok(()) => Ok(None),
            Err(StoreError::FirstContacts { until }) => Ok(Some(until)),
            Err(error) => Err(error),
        };
        self.store.write(change).await
    }

    /// Until when a message of an account to a person waits for its turn as a first contact. None where it may be begun.
    pub async fn held_until(
        &self,
        account: AccountName,
        address: Address,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (now, limits) = (self.store.now(), self.store.contact_limits());
        let look = move |connection: &_| {
            let transaction = Transaction::new(connection, false);
            let contact = contact(&transaction, (&account, &address), limits)?;
            contact.map_or(Ok(None), |contact| contact.held_until(&transaction, now))
        };
        self.store.read(look).await
    }

    /// Until when invitations of an account to these people wait for their turn as first contacts, in their order. None for one
    /// that may go out now with those before it.
    pub async fn held_invitations(
        &self,
        account: AccountName,
        people: Vec<ChatId>,
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let (now, limits) = (self.store.now(), self.store.contact_limits());
        let look = move |connection: &_| {
            let transaction = Transaction::new(connection, false);
            let mut room = None;
            let mut held = Vec::with_capacity(people.len());
            for person in people {
                let address = Address::Telegram(person);
                let contact = contact(&transaction, (&account, &address), limits)?;
                let contact = match contact {
                    Some(contact) if !is_counted(&transaction, &contact.sender, &contact.person)? => contact,
                    _ => {
                        held.push(None);
                        continue;
                    }
                };
                let left = match &mut room {
                    Some(left) => left,
                    none => none.insert(contact.room(&transaction, now)?),
                };
                held.push(match left {
                    Ok(0) => Some(now.plus(DAY)),
                    Ok(left) => {
                        *left -= 1;
                        None
                    }
                    Err(until) => Some(*until),
                });
            }
            Ok(held)
        };
        self.store.read(look).await
    }

    /// How many of these messages would be first contacts: of each sender to each person.
    pub async fn count_strangers(
        &self,
        senders: Vec<CampaignSender>,
        people: Vec<ChatId>,
    ) -> Result<u64, StoreError> {
        let look = move |connection: &_| {
            let transaction = Transaction::new(connection, false);
            let mut strangers = 0;
            for (sender, person) in
                senders.iter().flat_map(|sender| people.iter().map(move |one| (sender, one)))
            {
                let is_known =
                    sender.account().map(|account| has_met(&transaction, account, *person)).transpose()?;
                if is_known != Some(true) && !is_counted(&transaction, &key(sender), &person.to_string())? {
                    strangers += 1;
                }
            }
            Ok(strangers)
        };
        self.store.read(look).await
    }

    /// When these senders made first contacts since an instant.
    pub async fn since(
        &self,
        senders: Vec<CampaignSender>,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let look = move |connection: &_| {
            let transaction = Transaction::new(connection, false);
            let mut found = Vec::new();
            for sender in &senders {
                let lately = params![key(sender), since.as_micros(), ContactLimits::MOST_FIRST_CONTACTS];
                found.extend(transaction.all(LATELY, lately, time)?);
            }
            Ok(found)
        };
        self.store.read(look).await
    }
}

/// What the table has for a sender of a campaign.
fn key(sender: &CampaignSender) -> String {
    sender.account().map_or_else(|| sender.to_string(), |account| account.as_str().to_owned())
}

fn time(row: &Row<'_>) -> Result<Timestamp, StoreError> {
    Columns::new(row, TABLE).time(0)
}

fn is_there(
    transaction: &Transaction<'_>,
    sql: &'static str,
    params: &[&dyn ToValue],
) -> Result<bool, StoreError> {
    Ok(transaction.first(sql, params, |_| Ok(()))?.is_some())
}

/// Whether an account has a dialog with a person, has it among its contacts, or was written to by it.
fn has_met(transaction: &Transaction<'_>, account: &AccountName, person: ChatId) -> Result<bool, StoreError> {
    let account = account.as_str();
    Ok(is_there(transaction, HAS_DIALOG, params![account, person.get()])?
        || is_there(transaction, WROTE_TO_ACCOUNT, params![person.get(), account])?)
}

/// Whether an account wrote to a person first before.
fn is_counted(transaction: &Transaction<'_>, account: &str, person: &str) -> Result<bool, StoreError> {
    is_there(transaction, KNOWN, params![account, person])
}

impl Store {
    /// Sets the limits of first contacts and of advertising, within what is built in.
    pub fn limit_contacts(&self, limits: ContactLimits) {
        *self.inner.contact_limits.write().unwrap_or_else(PoisonError::into_inner) = limits.bounded();
    }

    /// The limits of first contacts and of advertising.
    pub fn contact_limits(&self) -> ContactLimits {
        *self.inner.contact_limits.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a message as a first contact if it is one.
///
/// # Errors
/// [`StoreError::FirstContacts`] if the account may make none now.
pub(crate) fn admit(
    transaction: &Transaction<'_>,
    message: (&AccountName, &Address),
    limits: ContactLimits,
    now: Timestamp,
) -> Result<(), StoreError> {
    match contact(transaction, message, limits)? {
        Some(contact) => contact.take(transaction, now),
        None => Ok(()),
    }
}

/// The first contact that a message to a person is, if the person does not know the account.
fn contact(
    transaction: &Transaction<'_>,
    (account, address): (&AccountName, &Address),
    limits: ContactLimits,
) -> Result<Option<FirstContact>, StoreError> {
    match address {
        Address::Telegram(chat) => {
            if chat.user_id().is_none() || has_met(transaction, account, *chat)? {
                return Ok(None);
            }
            let (sender, person) = (account.to_string(), chat.to_string());
            Ok(Some(FirstContact { sender, person, most: limits.first_contacts_per_day }))
        }
        Address::Channel(chat) => {
            let (channel, account, external) =
                (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
            if is_there(transaction, WROTE_TO_CHANNEL, params![channel, account, external])? {
                return Ok(None);
            }
            let (sender, person) = (format!("{channel}:{account}"), external.to_owned());
            Ok(Some(FirstContact { sender, person, most: limits.channel_first_contacts_per_day }))
        }
    }
}

/// A message of a sender to a person that does not know it.
struct FirstContact {
    sender: String,
    person: String,
    /// How many the sender may make within a day.
    most: u32,
}

impl FirstContact {
    /// Until when it has to wait. None for a person that the sender wrote to before.
    fn held_until(
        &self,
        transaction: &Transaction<'_>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if is_counted(transaction, &self.sender, &self.person)? {
            return Ok(None);
        }
        Ok(self.room(transaction, now)?.err())
    }

    /// How many the sender may make now, or when it may again.
    fn room(
        &self,
        transaction: &Transaction<'_>,
        now: Timestamp,
    ) -> Result<Result<usize, Timestamp>, StoreError> {
        let Self { sender, most, .. } = self;
        let lately = transaction.all(LATELY, params![sender, now.minus(DAY).as_micros(), most], time)?;
        let left = usize::try_from(*most).unwrap_or(usize::MAX).saturating_sub(lately.len());
        if left > 0 {
            return Ok(Ok(left));
        }
        // A clock that was set back wrote later times: they count as now.
        let oldest = lately.last().copied().unwrap_or(now).min(now);
        Ok(Err(oldest.plus(DAY)))
    }

    fn take(&self, transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        if let Some(until) = self.held_until(transaction, now)? {
            return Err(StoreError::FirstContacts { until });
        }
        transaction.run(ADD, params![self.sender, self.person, now.as_micros()])
    }
}

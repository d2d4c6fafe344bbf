//! The do-not-contact list, and whether a chat is on it.

use domain::do_not_contact::known_as;
use domain::{ChatId, ChatKind, ChatRef, Contact, ContactKind, ContactSource, DoNotContactId, Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::column::Columns;
use crate::database::{Row, params};
use crate::paging::{Page, Paged};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError};

const TABLE: &str = "do_not_contact";
/// Who adds those who opt out.
const OPT_OUT: &str = "opt-out";

/// Entries that are written at once, so that a long list does not hold other writes up.
const CHUNK: usize = 200;

statements! {
    IS_THERE_ANY = "SELECT 1 FROM do_not_contact LIMIT 1";
    NAMES_OF_PEER = "
        SELECT username, phone FROM telegram_peers
        WHERE chat_id = $1 AND (username IS NOT NULL OR phone IS NOT NULL)";
    FIND = "
        SELECT id, kind, contact, source, added_by, reason, added_at FROM do_not_contact
        WHERE kind = $1 AND contact = $2";
    LIST = "
        SELECT id, kind, contact, source, added_by, reason, added_at FROM do_not_contact
        WHERE id < $1 ORDER BY id DESC LIMIT $2";
    ADD = "
        INSERT INTO do_not_contact (id, kind, contact, source, added_by, reason, added_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, contact) DO NOTHING";
    /// What a chat was before it became a supergroup, and what it became.
    MIGRATIONS_OF = "
        SELECT from_id FROM chat_migrations WHERE to_id = $1
        UNION SELECT to_id FROM chat_migrations WHERE from_id = $1";
    REMOVE = "DELETE FROM do_not_contact WHERE id = $1";
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoNotContactEntry {
    /// Its id.
    pub id: DoNotContactId,
    /// Whom it names.
    pub contact: Contact,
    /// Where it comes from.
    pub source: ContactSource,
    /// Who added it: a user, an API key, or the machine.
    pub added_by: String,
    /// Why, in a few words.
    pub reason: Option<String>,
    /// When.
    pub added_at: Timestamp,
}

/// The list's part of a store.
#[derive(Clone, Copy)]
pub struct DoNotContact<'a> {
    pub(crate) store: &'a Store,
}

impl DoNotContact<'_> {
    /// Adds entries; says which of them are new. A contact that is on the list already keeps the entry it has.
    pub async fn add(&self, entries: Vec<DoNotContactEntry>) -> Result<Vec<DoNotContactEntry>, StoreError> {
        let mut new = Vec::new();
        for chunk in entries.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            let write = move |transaction: &Transaction<'_>| {
                let mut new = Vec::new();
                for entry in &chunk {
                    if save(transaction, entry)? > 0 {
                        new.push(entry.clone());
                    }
                }
                Ok(new)
            };
            new.extend(self.store.write(write).await?);
        }
        Ok(new)
    }

    /// Takes an entry off the list. False when there is none.
    pub async fn remove(&self, id: DoNotContactId) -> Result<bool, StoreError> {
        let key = *id.as_uuid().as_bytes();
        self.store
            .write(move |transaction: &Transaction<'_>| Ok(transaction.execute(REMOVE, [key])? > 0))
            .await
    }

    /// The entry of a contact; of a phone number in any of its forms.
    pub async fn find(&self, contact: &Contact) -> Result<Option<DoNotContactEntry>, StoreError> {
        for form in contact.forms() {
            let found = self.store.first(FIND, (form.kind().as_str().to_owned(), form.value()), read).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Entries, the latest first, a page at a time.
    pub async fn list(&self, page: &Page) -> Result<Paged<DoNotContactEntry>, StoreError> {
        let before = page.after::<DoNotContactId>()?.map_or([u8::MAX; 16], |id| *id.as_uuid().as_bytes());
        let found = self.store.all(LIST, (before, page.rows()), read).await?;
        Ok(page.cut(found, |entry| entry.id.to_string()))
    }

    /// The entry that each of these chats is on the list by, if there is one: as it is written, or as its accounts know
    /// it.
    pub async fn listed(
        &self,
        chats: Vec<(ChatRef, Option<ChatId>)>,
    ) -> Result<Vec<Option<DoNotContactEntry>>, StoreError> {
        let look = move |connection: &_| {
            let transaction = Transaction::new(connection, false);
            chats.iter().map(|(chat, chat_id)| entry_of(&transaction, chat, *chat_id)).collect()
        };
        self.store.read(look).await
    }
}

/// Refuses what is for a chat on the list, in the transaction of whatever write it is asked for.
///
/// # Errors
/// [`StoreError::DoNotContact`].
pub(crate) fn refuse(
    transaction: &Transaction<'_>,
    chat: &ChatRef,
    chat_id: Option<ChatId>,
) -> Result<(), StoreError> {
    match entry_of(transaction, chat, chat_id)? {
        Some(entry) => Err(StoreError::DoNotContact { entry: entry.id }),
        None => Ok(()),
    }
}

/// Whether there is any entry at all: most lists are empty, and every message asks.
pub(crate) fn is_there_any(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    transaction.has_contacts(|| Ok(transaction.first(IS_THERE_ANY, (), |_| Ok(()))?.is_some()))
}

fn entry_of(
    transaction: &Transaction<'_>,
    chat: &ChatRef,
    chat_id: Option<ChatId>,
) -> Result<Option<DoNotContactEntry>, StoreError> {
    if !is_there_any(transaction)? {
        return Ok(None);
    }
    let written = match chat {
        ChatRef::Id(id) => Some(*id),
        ChatRef::Username(_) | ChatRef::Channel(_) => None,
    };
    let mut names = Vec::new();
    let mut migrated = Vec::new();
    for id in written.into_iter().chain(chat_id.filter(|id| Some(*id) != written)) {
        if id.kind() != ChatKind::User {
            migrated.extend(
                transaction
                    .all(MIGRATIONS_OF, [id.get()], |row| Columns::new(row, "chat_migrations").chat_id(0))?,
            );
        }
        names.extend(transaction.all(NAMES_OF_PEER, [id.get()], |row| {
            let columns = Columns::new(row, "telegram_peers");
            Ok((columns.maybe_parsed(0)?, columns.get::<Option<String>>(1)?))
        })?);
    }
    let migrated = migrated.into_iter().map(Contact::ChatId);
    for contact in known_as(chat, chat_id, names).into_iter().chain(migrated) {
        let found = transaction.first(FIND, params![contact.kind().as_str(), contact.value()], read)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Puts someone on the list who wrote that no more is wanted. The id is made of the moment and the contact, so that no caller has to
/// have one ready for each message.
pub(crate) fn opt_out(
    transaction: &Transaction<'_>,
    contact: Contact,
    at: Timestamp,
) -> Result<(), StoreError> {
    let digest = Sha256::digest(format!("{} {}", contact.kind().as_str(), contact.value()));
    let mut letters = [0; 10];
    letters.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or_default();
    let entry = DoNotContactEntry {
        id: DoNotContactId::from_uuid(
            uuid::Builder::from_unix_timestamp_millis(millis, &letters).into_uuid(),
        ),
        contact,
        source: ContactSource::OptOut,
        added_by: OPT_OUT.to_owned(),
        reason: None,
        added_at: at,
    };
    save(transaction, &entry).map(drop)
}

pub(crate) fn save(transaction: &Transaction<'_>, entry: &DoNotContactEntry) -> Result<usize, StoreError> {
    let DoNotContactEntry { id, contact, source, added_by, reason, added_at } = entry;
    let (kind, value) = (contact.kind().as_str(), contact.value());
    let at = added_at.as_micros();
    let id = id.as_uuid().as_bytes();
    transaction.contacts_changed();
    transaction.execute(ADD, params![id, kind, value, source.as_str(), added_by, reason, at])
}

fn read(row: &Row<'_>) -> Result<DoNotContactEntry, StoreError> {
    let columns = Columns::new(row, TABLE);
    let kind = columns.word(1, "kind of contact", ContactKind::from_word)?;
    Ok(DoNotContactEntry {
        id: DoNotContactId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        contact: columns.word(2, "contact", |value| Contact::stored(kind, value))?,
        source: columns.word(3, "source of an entry", ContactSource::from_word)?,
        added_by: columns.get(4)?,
        reason: columns.get(5)?,
        added_at: columns.time(6)?,
    })
}

//! The do-not-contact list, and whether a chat is on it.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::do_not_contact::{known_as, telegram_id};
use domain::{
    ChannelChat, ChatId, ChatKind, ChatRef, Contact, ContactKind, ContactProof, ContactSource, ContactWish,
    DoNotContactId, Suppression, Timestamp, Username, wants_answer,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::access::audit;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::paging::{Page, Paged};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{AuditEntry, AuditResult, AuditWho, Origin, Store, StoreError};

const TABLE: &str = "do_not_contact";
/// Who adds those who opt out.
const OPT_OUT: &str = "opt-out";

/// Entries that are written at once, so that a long list does not hold other writes up.
const CHUNK: usize = 200;

/// How long a message of a contact who wants no advertising may be answered.
const ANSWERED_WITHIN: Duration = Duration::from_hours(7 * 24);

/// Who asks the outbox for messages of campaigns.
pub(crate) const CAMPAIGNS: &str = "campaigns";

statements! {
    IS_THERE_ANY = "SELECT 1 FROM do_not_contact LIMIT 1";
    NAMES_OF_PEER = "
        SELECT username, phone FROM telegram_peers
        WHERE chat_id = $1 AND (username IS NOT NULL OR phone IS NOT NULL)";
    FIND = "
        SELECT id, kind, contact, source, added_by, reason, added_at, level FROM do_not_contact
        WHERE kind = $1 AND contact = $2";
    LIST = "
        SELECT id, kind, contact, source, added_by, reason, added_at, level FROM do_not_contact
        WHERE id < $1 ORDER BY id DESC LIMIT $2";
    ADD = "
        INSERT INTO do_not_contact (id, kind, contact, source, added_by, reason, added_at, level)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (kind, contact) DO NOTHING";
    CHANGE = "
        UPDATE do_not_contact SET source = $1, added_by = $2, reason = $3, added_at = $4, level = $5 WHERE id = $6";
    GET = "
        SELECT id, kind, contact, source, added_by, reason, added_at, level FROM do_not_contact WHERE id = $1";
    WROTE_TO_CHANNEL = "
        SELECT text, sender_proof FROM channel_messages
        WHERE channel = $1 AND account = $2 AND chat = $3 AND origin = 0 AND deleted_at IS NULL AND seq + 0 >= $4
        ORDER BY place DESC, seq DESC LIMIT 20";
    WROTE_TO_ACCOUNT = "
        SELECT text FROM received_messages
        WHERE chat_id = $1 AND origin = 0 AND deleted_at IS NULL AND seq + 0 >= $2
        ORDER BY place DESC, seq DESC LIMIT 20";
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
    /// The person or group.
    pub contact: Contact,
    /// Where it comes from.
    pub source: ContactSource,
    /// Who added it: a user, an API key, or the machine.
    pub added_by: String,
    /// Why, in a few words.
    pub reason: Option<String>,
    /// When.
    pub added_at: Timestamp,
    /// What it refuses.
    pub level: Suppression,
}

/// What a message is for, as far as the list is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is one of a campaign.
    Advertising,
    Other,
}

impl Purpose {
    /// The purpose of what a listener asks for.
    pub(crate) fn of(listener: &str) -> Self {
        if listener == CAMPAIGNS { Self::Advertising } else { Self::Other }
    }
}

/// The list's part of a store.
#[derive(Clone, Copy)]
pub struct DoNotContact<'a> {
    pub(crate) store: &'a Store,
}

impl DoNotContact<'_> {
    /// Adds entries; says which of them are new. A contact that is on the list already keeps the entry it has, unless the new one
    /// goes further.
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

    /// Decides about an entry that is paused: it refuses advertising from now on, or it goes. False where no such entry is paused.
    pub async fn decide(&self, id: DoNotContactId, refuses: bool) -> Result<bool, StoreError> {
        let key = *id.as_uuid().as_bytes();
        let change = move |transaction: &Transaction<'_>| {
            let entry = transaction.first(GET, [key], read)?;
            let Some(entry) = entry.filter(|entry| entry.level == Suppression::Paused) else {
                return Ok(false);
            };
            if refuses {
                change(transaction, id, &DoNotContactEntry { level: Suppression::Advertising, ..entry })?;
            } else {
                transaction.contacts_changed();
                transaction.execute(REMOVE, [key])?;
            }
            Ok(true)
        };
        self.store.write(change).await
    }

    /// Removes the entry that a person's own words made, if the person took it back later, at this time.
    pub async fn take_back(&self, contact: Contact, at: Timestamp) -> Result<(), StoreError> {
        self.store.write(move |transaction: &Transaction<'_>| take_back(transaction, &contact, at)).await
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

    /// Refuses a message to any of these chats that is not one of a campaign, as the write that accepts it would.
    ///
    /// # Errors
    /// [`StoreError::DoNotContact`].
    pub async fn refuse_message(&self, chats: Vec<(ChatRef, Option<ChatId>)>) -> Result<(), StoreError> {
        let now = self.store.now();
        let look = move |connection: &_| {
            let transaction = Transaction::new(connection, false);
            chats.iter().try_for_each(|(chat, chat_id)| {
                refuse(&transaction, chat, *chat_id, Purpose::Other, now).map(drop)
            })
        };
        self.store.read(look).await
    }
}

/// Refuses a message to a chat on the list, in the transaction of whatever write it is asked for. Returns the entry of one that may
/// be sent all the same.
///
/// # Errors
/// [`StoreError::DoNotContact`].
pub(crate) fn refuse(
    transaction: &Transaction<'_>,
    chat: &ChatRef,
    chat_id: Option<ChatId>,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<DoNotContactEntry>, StoreError> {
    let Some(entry) = entry_of(transaction, chat, chat_id)? else { return Ok(None) };
    let may_be_sent = match (entry.level, purpose) {
        (Suppression::All, _) | (_, Purpose::Advertising) => false,
        (Suppression::Paused, Purpose::Other) => true,
        (Suppression::Advertising, Purpose::Other) => {
            let since = entry.added_at.max(now.minus(ANSWERED_WITHIN));
            has_asked(transaction, chat, chat_id, since)?
        }
    };
    if may_be_sent { Ok(Some(entry)) } else { Err(StoreError::DoNotContact { entry: entry.id }) }
}

/// Refuses what a listed contact gets from no one, such as an invitation.
///
/// # Errors
/// [`StoreError::DoNotContact`].
pub(crate) fn refuse_all(
    transaction: &Transaction<'_>,
    chat: &ChatRef,
    chat_id: Option<ChatId>,
) -> Result<(), StoreError> {
    match entry_of(transaction, chat, chat_id)? {
        Some(entry) => Err(StoreError::DoNotContact { entry: entry.id }),
        None => Ok(()),
    }
}

/// Channels whose senders are proved in few messages.
const UNPROVED: [&str; 2] = ["email", "form"];

/// Whether the contact wrote something in this chat since that wants an answer.
fn has_asked(
    transaction: &Transaction<'_>,
    chat: &ChatRef,
    chat_id: Option<ChatId>,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let since = since.as_micros();
    let texts: Vec<String> = match (chat, chat_id) {
        (ChatRef::Channel(chat), _) => {
            let key = params![chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str(), since];
            let written = transaction.all(WROTE_TO_CHANNEL, key, |row| {
                let columns = Columns::new(row, "channel_messages");
                Ok((columns.get::<String>(0)?, columns.parsed::<ContactProof>(1)?))
            })?;
            let is_theirs =
                |proof: &ContactProof| proof.is_proved() || UNPROVED.contains(&chat.channel.as_str());
            written.into_iter().filter(|(_, proof)| is_theirs(proof)).map(|(text, _)| text).collect()
        }
        (ChatRef::Id(_) | ChatRef::Username(_), _) => {
            let written = if let ChatRef::Id(id) = chat { Some(*id) } else { chat_id };
            let key = written.map(ChatId::get);
            transaction.all(WROTE_TO_ACCOUNT, params![key, since], |row| row.get::<String>(0))?
        }
    };
    Ok(texts.iter().any(|text| wants_answer(text)))
}

/// Notes in the audit log that a message is accepted for a contact on the list, as an answer.
pub(crate) fn audit_answer(
    transaction: &Transaction<'_>,
    entry: &DoNotContactEntry,
    message: String,
    origin: &Origin,
    at: Timestamp,
) -> Result<(), StoreError> {
    let details = [
        ("entry", entry.id.to_string()),
        ("level", entry.level.as_str().to_owned()),
        ("listener", origin.listener.clone()),
    ];
    let noted = AuditEntry {
        at,
        who: origin.api_key.map_or(AuditWho::Program, AuditWho::ApiKey),
        action: "answer_do_not_contact".to_owned(),
        subject: Some(message),
        details: details.map(|(name, value)| (name.to_owned(), value)).into(),
        address: origin.address,
        result: AuditResult::Done,
        code: None,
    };
    audit(transaction, noted)
}

/// Whether there is any entry at all: most lists are empty, and every message asks.
pub(crate) fn is_there_any(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    transaction.has_contacts(|| Ok(transaction.first(IS_THERE_ANY, (), |_| Ok(()))?.is_some()))
}

/// The username and the phone number by which an account knows a chat.
type PeerNames = (Option<Username>, Option<String>);

/// The usernames and phone numbers by which accounts know a chat.
pub(crate) fn names_of(transaction: &Transaction<'_>, chat: ChatId) -> Result<Vec<PeerNames>, StoreError> {
    transaction.all(NAMES_OF_PEER, [chat.get()], |row| {
        let columns = Columns::new(row, "telegram_peers");
        Ok((columns.maybe_parsed(0)?, columns.get(1)?))
    })
}

fn entry_of(
    transaction: &Transaction<'_>,
    chat: &ChatRef,
    chat_id: Option<ChatId>,
) -> Result<Option<DoNotContactEntry>, StoreError> {
    if !is_there_any(transaction)? {
        return Ok(None);
    }
    let written = telegram_id(chat);
    let mut names = Vec::new();
    let mut migrated = Vec::new();
    for id in written.into_iter().chain(chat_id.filter(|id| Some(*id) != written)) {
        if id.kind() != ChatKind::User {
            migrated.extend(
                transaction
                    .all(MIGRATIONS_OF, [id.get()], |row| Columns::new(row, "chat_migrations").chat_id(0))?,
            );
        }
        names.extend(names_of(transaction, id)?);
    }
    let mut furthest: Option<DoNotContactEntry> = None;
    let migrated = migrated.into_iter().map(Contact::ChatId);
    for contact in known_as(chat, chat_id, names).into_iter().chain(migrated) {
        let found = transaction.first(FIND, params![contact.kind().as_str(), contact.value()], read)?;
        if found.as_ref().map(|entry| entry.level) > furthest.as_ref().map(|entry| entry.level) {
            furthest = found;
        }
    }
    Ok(furthest)
}

/// Does what a person wrote in a chat of a channel about further messages. The entry is of the person, whichever account and channel
/// the person wrote to. A START also takes back the entry of an older version, which was of the chat alone.
pub(crate) fn heard_in(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    wish: Option<ContactWish>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let person = Contact::of_chat(chat);
    if wish == Some(ContactWish::Again) {
        let written = Contact::as_written(chat);
        if written != person {
            take_back(transaction, &written, at)?;
        }
    }
    heard(transaction, person, wish, at)
}

/// Does what a person wrote about further messages, if anything. The id of an entry is made of the moment and the contact, so that no
/// caller has to have one ready for each message.
pub(crate) fn heard(
    transaction: &Transaction<'_>,
    contact: Contact,
    wish: Option<ContactWish>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let level = match wish {
        None => return Ok(()),
        Some(ContactWish::Again) => return take_back(transaction, &contact, at),
        Some(ContactWish::NoMore) => Suppression::Advertising,
        Some(ContactWish::MaybeNoMore) => Suppression::Paused,
    };
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
        level,
    };
    save(transaction, &entry).map(drop)
}

/// Removes the entry that a person's own words made until then. What others entered stays.
fn take_back(transaction: &Transaction<'_>, contact: &Contact, at: Timestamp) -> Result<(), StoreError> {
    if !is_there_any(transaction)? {
        return Ok(());
    }
    let mut found = None;
    for form in contact.forms() {
        if found.is_none() {
            found = transaction.first(FIND, params![form.kind().as_str(), form.value()], read)?;
        }
    }
    let is_own = |entry: &DoNotContactEntry| {
        entry.source == ContactSource::OptOut && entry.level.is_of_advertising() && entry.added_at <= at
    };
    let Some(own) = found.filter(is_own) else { return Ok(()) };
    transaction.contacts_changed();
    transaction.execute(REMOVE, [own.id.as_uuid().as_bytes()])?;
    let noted = AuditEntry {
        at,
        who: AuditWho::Program,
        action: "take_back_opt_out".to_owned(),
        subject: Some(contact.to_string()),
        details: BTreeMap::new(),
        address: None,
        result: AuditResult::Done,
        code: None,
    };
    audit(transaction, noted)
}

pub(crate) fn save(transaction: &Transaction<'_>, entry: &DoNotContactEntry) -> Result<usize, StoreError> {
    let DoNotContactEntry { id, contact, source, added_by, reason, added_at, level } = entry;
    let (kind, value) = (contact.kind().as_str(), contact.value());
    if let Some(known) = transaction.first(FIND, params![kind, value], read)? {
        let is_own = known.source == ContactSource::OptOut;
        let is_repeated = is_own && *source == ContactSource::OptOut && *level == known.level;
        if *level <= known.level && !is_repeated {
            return Ok(0);
        }
        // What a person wrote stays that person's wish, which the person may take back.
        let source = if is_own && level.is_of_advertising() { known.source } else { *source };
        return change(transaction, known.id, &DoNotContactEntry { source, ..entry.clone() });
    }
    let at = added_at.as_micros();
    let id = id.as_uuid().as_bytes();
    transaction.contacts_changed();
    let level = level.as_str();
    transaction.execute(ADD, params![id, kind, value, source.as_str(), added_by, reason, at, level])
}

fn change(
    transaction: &Transaction<'_>,
    id: DoNotContactId,
    entry: &DoNotContactEntry,
) -> Result<usize, StoreError> {
    let DoNotContactEntry { source, added_by, reason, added_at, level, .. } = entry;
    let (at, key) = (added_at.as_micros(), id.as_uuid().as_bytes());
    transaction.execute(CHANGE, params![source.as_str(), added_by, reason, at, level.as_str(), key])
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
        level: columns.word(7, "level of an entry", Suppression::from_word)?,
    })
}

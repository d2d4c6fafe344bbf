//! Taking a message in: once for each key, once for each body that a caller without a key repeats.

use std::net::IpAddr;
use std::time::Duration;

use domain::media::MediaSource;
use domain::message::{OutboundMessage, Part, PartState};
use domain::outcome::Failure;
use domain::{AccountName, ApiKeyId, ChatId, ContactLimits, MessageId, MessageState, Timestamp};

use super::callers::{CallerChange, WaitingCaller};
use super::statements as sql;
use super::{PARTS, Queue, TABLE, events, items, key, timeline};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::do_not_contact::Purpose;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, codes, do_not_contact, first_contacts};

/// How long a key stands for its message.
pub(crate) const KEY_LIFE: Duration = Duration::from_hours(24);

/// A message to take in.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The message: queued or scheduled; or sending, with its account set and its first part begun.
    pub message: OutboundMessage,
    /// Where it came from.
    pub origin: Origin,
    /// The caller's key against doubles.
    pub idempotency: Option<Idempotency>,
    /// What stands in for a key on ports whose callers have none.
    pub join: Option<Join>,
    /// Where it waits until it is begun.
    pub queue: Queue,
}

/// Where a message came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The listener, such as `v1` or `5022`.
    pub listener: String,
    /// The key that was shown.
    pub api_key: Option<ApiKeyId>,
    /// The caller's address.
    pub address: Option<IpAddr>,
}

impl Origin {
    /// Reads it from three columns, the first of which is this one.
    pub(crate) fn read(columns: &Columns<'_>, first: usize) -> Result<Self, StoreError> {
        Ok(Self {
            listener: columns.get(first)?,
            api_key: columns.maybe_api_key(first + 1)?,
            address: columns.maybe_parsed(first + 2)?,
        })
    }
}

/// A caller's key against doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotency {
    /// A hash of the key and of everything it is valid for.
    pub scope: [u8; 32],
    /// A hash of the request.
    pub fingerprint: [u8; 32],
    /// What makes a second request a repeat of the first.
    pub same_by: SameBy,
}

/// What makes a second request a repeat of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameBy {
    /// Its `Idempotency-Key`, for 24 hours.
    Key,
    /// Its body, within this time: for callers that send no key and want no doubles.
    Body {
        /// At most [`SameBy::LONGEST`].
        within: Duration,
    },
}

impl SameBy {
    /// The longest time that a body can count as the same: rows are kept no longer.
    pub const LONGEST: Duration = KEY_LIFE;

    /// How long a request stands for what it made.
    pub(crate) fn life(self) -> Duration {
        match self {
            Self::Key => KEY_LIFE,
            Self::Body { within } => within.min(KEY_LIFE),
        }
    }

    /// How a repeat is described in a history.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Key => "with the same Idempotency-Key",
            Self::Body { .. } => "with the same body",
        }
    }
}

/// The body of a request without a key; a repeat of it joins the message if its caller got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// A hash of port and body.
    pub fingerprint: [u8; 32],
    /// How long after its end a message can still be joined.
    pub repeats: Duration,
}

/// What became of a message that was to be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It was taken in.
    New,
    /// The key made this message before, with the same request.
    Repeated(MessageId),
    /// The key was used for another request.
    Conflict,
    /// The same request made this message before, and its caller is gone or was left in doubt.
    Joined(MessageId),
}

/// The message in the form of its columns, made by the caller's thread.
pub(super) struct AcceptWrite {
    accept: Accept,
    chat: String,
    content: String,
    parts: Vec<PartColumns>,
    address: Option<String>,
    queue: String,
    limits: ContactLimits,
}

impl AcceptWrite {
    pub(super) fn new(accept: Accept, limits: ContactLimits) -> Result<Self, StoreError> {
        let message = &accept.message;
        check(message)?;
        Ok(Self {
            chat: message.chat.to_string(),
            content: to_json(TABLE, &message.content)?,
            parts: message
                .parts
                .iter()
                // The text of a message in one part is not kept twice.
                .map(|part| PartColumns::new(part, part.text != message.content.text))
                .collect::<Result<_, _>>()?,
            address: accept.origin.address.map(|address| address.to_string()),
            queue: accept.queue.to_string(),
            limits,
            accept,
        })
    }

    /// Takes the key for this message where it is new; else says what it stands for.
    fn earlier(&self, transaction: &Transaction<'_>) -> Result<Option<Accepted>, StoreError> {
        let Some(idempotency) = &self.accept.idempotency else { return Ok(None) };
        let Idempotency { scope, fingerprint, .. } = idempotency;
        let message = &self.accept.message;
        let now = message.created_at;
        if transaction
            .change_row(sql::NEW_KEY, params![scope, fingerprint, key(&message.id), now.as_micros()])?
        {
            return Ok(None);
        }
        let earlier = stands_for(transaction, idempotency, now)?;
        if earlier.is_none() {
            self.save_key(transaction, &message.id)?;
        }
        Ok(earlier)
    }

    /// Makes the key stand for a message.
    fn save_key(&self, transaction: &Transaction<'_>, id: &MessageId) -> Result<(), StoreError> {
        if let Some(idempotency) = &self.accept.idempotency {
            let at = self.accept.message.created_at.as_micros();
            transaction
                .run(sql::SAVE_KEY, params![idempotency.scope, idempotency.fingerprint, key(id), at])?;
        }
        Ok(())
    }

    fn insert(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Accept { message, origin, join, .. } = &self.accept;
        let id = &message.id;
        transaction.run_row(
            sql::INSERT_MESSAGE,
            params![
                key(id),
                codes::of_message(message.state),
                self.chat,
                message.chat_id().map(ChatId::get),
                message.pin.as_ref().map(AccountName::as_str),
                message.account.as_ref().map(AccountName::as_str),
                codes::of_on_flood(message.on_flood),
                message.send_at.map(Timestamp::as_micros),
                message.created_at.as_micros(),
                message.updated_at.as_micros(),
                join.as_ref().map(|join| &join.fingerprint),
                origin.listener,
                origin.api_key.as_ref().map(|id| id.as_uuid().as_bytes()),
                self.address,
                self.content,
                self.queue,
                codes::of_sending(&message.chat, !message.content.media.is_empty()),
            ],
        )?;
        for (part, columns) in message.parts.iter().zip(&self.parts) {
            insert_part(transaction, id, part, columns)?;
        }
        for media in &message.content.media {
            if let MediaSource::File { key: file, .. } = &media.source {
                transaction.run_row(sql::INSERT_FILE, params![key(id), file.as_str()])?;
            }
        }
        events::accepted(transaction, message);
        let begun = message.parts.iter().find(|part| part.state == PartState::Begun);
        let begun = begun.map(|part| part.index).zip(message.account.as_ref());
        timeline::first(transaction, id, message.created_at, begun)
    }
}

/// The message that the same request made before, if its caller is gone or was left in doubt.
pub(super) fn same_body(
    transaction: &Transaction<'_>,
    join: &Join,
    now: Timestamp,
) -> Result<Option<MessageId>, StoreError> {
    if !transaction.has_open_joins(|| Ok(transaction.first(sql::OPEN_JOINS, (), |_| Ok(()))?.is_some()))? {
        return Ok(None);
    }
    let ended_after = now.minus(join.repeats);
    transaction.first(sql::FIND_JOIN, params![join.fingerprint, ended_after.as_micros()], |row| {
        Columns::new(row, "request_joins").message_id(0)
    })
}

/// What a key stands for at an instant.
pub(super) fn stands_for(
    transaction: &Transaction<'_>,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Option<Accepted>, StoreError> {
    let found = transaction.first(sql::FIND_KEY, [&idempotency.scope], |row| {
        let columns = Columns::new(row, "idempotency_keys");
        let state = columns.get::<Option<i64>>(3)?.and_then(codes::message);
        Ok((columns.get::<[u8; 32]>(0)?, columns.message_id(1)?, columns.time(2)?, state))
    })?;
    let Some((fingerprint, id, since, state)) = found else { return Ok(None) };
    let unsent = match state {
        None | Some(MessageState::Cancelled) => true,
        // Half of it may have left before it failed; asking again must not send that half again.
        Some(MessageState::Failed) => {
            transaction.first(sql::SENT_PART, [key(&id)], |_| Ok(()))?.is_none()
                && !was_held_back(transaction, &id)?
        }
        Some(_) => false,
    };
    let free = unsent || now.since(since) >= idempotency.same_by.life();
    Ok(match (free, idempotency.fingerprint == fingerprint) {
        (true, _) => None,
        (false, true) => Some(Accepted::Repeated(id)),
        (false, false) => Some(Accepted::Conflict),
    })
}

/// Whether a message failed because it waited when a backup was made: it may have been sent since.
fn was_held_back(transaction: &Transaction<'_>, id: &MessageId) -> Result<bool, StoreError> {
    let failure = transaction
        .first(sql::FAILURE_OF, [key(id)], |row| Columns::new(row, TABLE).maybe_json::<Failure>(0))?;
    Ok(matches!(failure, Some(Some(Failure::Restored { .. }))))
}

impl Write for AcceptWrite {
    type Answer = Accepted;
    const POINT: Option<Point> = Some(point::ACCEPT);
    const INTAKE: bool = true;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Accepted, StoreError> {
        if let Some(earlier) = self.earlier(transaction)? {
            return Ok(earlier);
        }
        if let Some(join) = &self.accept.join
            && let Some(id) = same_body(transaction, join, self.accept.message.created_at)?
        {
            // From here on the key stands for the message that was joined.
            self.save_key(transaction, &id)?;
            return Ok(Accepted::Joined(id));
        }
        if !transaction.intake_open() {
            return Err(StoreError::StorageFull);
        }
        let Accept { message, origin, .. } = &self.accept;
        let (purpose, now) = (Purpose::of(&origin.listener), message.created_at);
        let listed = do_not_contact::refuse(transaction, &message.chat, message.chat_id(), purpose, now)?;
        if let Some(entry) = listed {
            do_not_contact::audit_answer(transaction, &entry, message.id.to_string(), origin, now)?;
        }
        // What is not begun yet is counted when it is.
        if let (Some(account), Some(address)) = (&message.account, &message.address) {
            first_contacts::admit(transaction, (account, address), self.limits, now)?;
        }
        self.insert(transaction)?;
        if let Some(join) = &self.accept.join {
            let caller = WaitingCaller::new(join, *key(&self.accept.message.id));
            transaction.caller_changes(CallerChange::Waits(caller));
        }
        Ok(Accepted::New)
    }
}

/// What a part's columns have in a form of their own, made by the caller's thread.
pub(super) struct PartColumns {
    text: Option<String>,
    items: Option<String>,
    ids: Option<String>,
}

impl PartColumns {
    /// With its own text, or with that of the message as a whole.
    pub(super) fn new(part: &Part, has_own_text: bool) -> Result<Self, StoreError> {
        Ok(Self {
            text: has_own_text.then(|| to_json(PARTS, &part.text)).transpose()?,
            items: items::column(part)?,
            ids: items::ids_column(&items::ids_of(part))?,
        })
    }
}

pub(super) fn insert_part(
    transaction: &Transaction<'_>,
    id: &MessageId,
    part: &Part,
    columns: &PartColumns,
) -> Result<(), StoreError> {
    let first_id = items::first_column(&items::ids_of(part));
    transaction.run_row(
        sql::INSERT_PART,
        params![
            key(id),
            part.index,
            part.random_id(),
            codes::of_part(part.state),
            first_id,
            columns.text,
            columns.items,
            columns.ids
        ],
    )?;
    Ok(())
}

/// Whether a message is in a state that one can be taken in with.
fn check(message: &OutboundMessage) -> Result<(), StoreError> {
    let begun = message.parts.iter().any(|part| part.state != PartState::Waiting);
    let first_begun = message.account.is_some()
        && message.parts.first().is_some_and(|part| part.state == PartState::Begun)
        && message.parts.iter().skip(1).all(|part| part.state == PartState::Waiting);
    let right = match message.state {
        MessageState::Queued | MessageState::Scheduled | MessageState::AwaitingApproval => !begun,
        MessageState::Sending => first_begun,
        _ => false,
    };
    if right {
        return Ok(());
    }
    let what = format!("a new message cannot be {} with these parts", message.state.as_str());
    Err(StoreError::conflict(TABLE, what))
}

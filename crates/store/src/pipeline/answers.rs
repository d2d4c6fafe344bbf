//! What becomes of answers: who has one that arrived, and who waits on because theirs did not or is not approved.

use domain::event::MessageEvent;
use domain::message::Writer;
use domain::{AppealMove, Author, EventType, MessageId, MessageState, Timestamp, Words};

use super::rows::{ClientMessage, StoredAppeal};
use super::{appeals, rows, statements as sql};
use crate::column::Columns;
use crate::database::params;
use crate::do_not_contact::CAMPAIGNS;
use crate::outbox::{read_message, statements as outbox};
use crate::write::Transaction;
use crate::{StoreError, StoredEvent};

/// The number of the last messages that say whether a client has an answer.
const LAST_WORDS: u32 = 50;

/// Something of ours did not arrive, or it is not known, or it never leaves and its client has no other answer: a person looks at it.
pub(super) fn unsent(
    transaction: &Transaction<'_>,
    event: &StoredEvent,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some((id, mut appeal)) = appeal_of(transaction, event)? else { return Ok(false) };
    let is_cancelled = event.kind == EventType::MessageCancelled;
    if let Some(ours) = written(transaction, id)?
        && (ours.is_of_campaign || (is_cancelled && !is_missed(transaction, &appeal, &ours)?))
    {
        return Ok(false);
    }
    let why = match event.kind {
        EventType::MessageFailed => "not_sent",
        EventType::MessageCancelled => "cancelled",
        _ => "in_doubt",
    };
    // It was closed with an answer that its client does not have.
    if !appeal.state.is_open() {
        appeal = appeals::moved(transaction, appeal, AppealMove::Reopened, Some(why), now)?;
    }
    if appeal.waiting_since.is_none() {
        // What its client asked was answered: that it waits for this answer is all there is.
        appeal.waiting_since = Some(event.at);
        appeal.question_at = None;
    }
    appeal.snoozed_until = None;
    transaction.run(sql::NOTICE_AGAIN, params![appeal.id.as_uuid().as_bytes(), id.as_uuid().as_bytes()])?;
    appeals::hand_over(transaction, appeal, why, now)?;
    Ok(true)
}

/// Whether the client of an appeal has no answer without this one, which never leaves.
fn is_missed(
    transaction: &Transaction<'_>,
    appeal: &StoredAppeal,
    cancelled: &Ours,
) -> Result<bool, StoreError> {
    if appeal.waiting_since.is_some() {
        return Ok(is_owed(appeal, cancelled));
    }
    // What was closed without an answer needed none.
    if appeal.question_at.is_some() {
        return Ok(false);
    }
    for message in last_words(transaction, appeal)? {
        if message.author == Author::Client {
            return Ok(true);
        }
        let ours = match message.message.parse::<MessageId>() {
            Ok(id) => written(transaction, id)?,
            Err(_) => None,
        };
        if ours.is_none_or(|ours| ours.answers()) {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Whether the client of an appeal waited before this was written and still does: it awaited approval.
fn is_owed(appeal: &StoredAppeal, ours: &Ours) -> bool {
    appeal.question_at.is_some_and(|at| at <= ours.created_at)
}

/// The last messages of an appeal, the newest first.
fn last_words(
    transaction: &Transaction<'_>,
    appeal: &StoredAppeal,
) -> Result<Vec<ClientMessage>, StoreError> {
    let key = params![appeal.client.as_uuid().as_bytes(), i64::MAX, LAST_WORDS];
    let mut last = transaction.all(sql::OF_CLIENT, key, rows::message)?;
    last.retain(|message| message.appeal == Some(appeal.id));
    Ok(last)
}

/// An answer of ours arrived after all, or once it was approved: a client who waits for nothing else waits no longer.
pub(super) fn arrived(
    transaction: &Transaction<'_>,
    event: &StoredEvent,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some((id, appeal)) = appeal_of(transaction, event)? else { return Ok(false) };
    if !appeal.state.is_open() || appeal.waiting_since.is_none() {
        return Ok(false);
    }
    let Some(ours) = written(transaction, id)?.filter(|ours| !ours.is_of_campaign) else { return Ok(false) };
    if is_owed(&appeal, &ours) {
        let (id, appeal_id) = (id.to_string(), appeal.id);
        let since = last_words(transaction, &appeal)?.into_iter().take_while(|message| message.message != id);
        let added = since.filter(|message| message.author == Author::Client).last();
        ours.answer(transaction, appeal, now)?;
        if let Some(added) = added {
            appeals::waits_on(transaction, &appeal_id, added.at, now)?;
        }
        return Ok(true);
    }
    let key = [*id.as_uuid().as_bytes()];
    if appeal.question_at.is_some() || transaction.first(sql::WAS_UNSENT, key, |_| Ok(()))?.is_none() {
        return Ok(false);
    }
    ours.answer(transaction, appeal, now)?;
    Ok(true)
}

/// The message of ours that an event is about, with its appeal.
fn appeal_of(
    transaction: &Transaction<'_>,
    event: &StoredEvent,
) -> Result<Option<(MessageId, StoredAppeal)>, StoreError> {
    let Ok(data) = serde_json::from_str::<MessageEvent>(&event.data) else { return Ok(None) };
    let id = data.message_id;
    let found = transaction.first(sql::APPEAL_OF_MESSAGE, [id.to_string()], rows::only_appeal)?;
    let appeal = found.map(|appeal| appeals::get(transaction, &appeal)).transpose()?.flatten();
    Ok(appeal.map(|appeal| (id, appeal)))
}

/// A message of the outbox, as it is in a conversation.
pub(super) struct Ours {
    pub(super) text: Words,
    pub(super) author: Author,
    /// Whether no other account writes it.
    pub(super) is_pinned: bool,
    pub(super) is_of_campaign: bool,
    /// Whether it answers a turn.
    pub(super) is_of_turn: bool,
    state: MessageState,
    created_at: Timestamp,
}

impl Ours {
    /// Notes that its client has it.
    fn answer(
        &self,
        transaction: &Transaction<'_>,
        appeal: StoredAppeal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.is_of_turn {
            appeals::answered_in_words(transaction, appeal, (self.author, &self.text), now)
        } else {
            appeals::answered(transaction, appeal, self.author, now)
        }
    }

    /// Whether its client has it, or gets it by itself.
    const fn answers(&self) -> bool {
        use MessageState::{AwaitingApproval, Cancelled, Failed};
        !self.is_of_campaign && !matches!(self.state, AwaitingApproval | Cancelled | Failed)
    }
}

pub(super) fn written(transaction: &Transaction<'_>, id: MessageId) -> Result<Option<Ours>, StoreError> {
    let key = [*id.as_uuid().as_bytes()];
    let Some(message) = transaction.first(outbox::GET, key, read_message)? else { return Ok(None) };
    let listener =
        transaction.first(outbox::ORIGIN, key, |row| Columns::new(row, "outbox").get::<String>(0))?;
    let author = match (message.content.written_by, listener.as_deref()) {
        (Writer::Person, _) => Author::Agent,
        (Writer::Program, Some(super::BY_AI)) => Author::Ai,
        (Writer::Program, _) => Author::Program,
    };
    let is_of_campaign = listener.as_deref() == Some(CAMPAIGNS);
    let is_of_turn =
        listener.is_some_and(|listener| [super::BY_AI, super::BY_PROGRAM].contains(&listener.as_str()));
    Ok(Some(Ours {
        is_pinned: message.pin.is_some(),
        state: message.state,
        created_at: message.created_at,
        text: Words::from(message.content.text.text),
        author,
        is_of_campaign,
        is_of_turn,
    }))
}

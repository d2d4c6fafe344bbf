//! Appeals: opened by what a client writes, moved by answers and by people.

use std::time::Duration;

use ambient::Ids;
use domain::event::AppealEvent;
use domain::{
    AppealId, AppealMove, AppealState, Author, ClientId, Event, Responder, Timestamp, Words, spoken,
};

use super::rows::{ClientChat, StoredAppeal};
use super::{TABLE, rows, statements as sql, words};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::events::NewEvent;
use crate::write::Transaction;
use crate::{StoreError, codes};

/// Why a person is called who does not have to write.
pub(super) const APPROVAL: &str = "approval";
/// Why a person is called where the answer of a program promises one.
const PROMISED: &str = "promised";

/// What a person changes in an appeal; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppealChange {
    /// Who is to answer; `Some(None)`: as the settings say.
    pub responder: Option<Option<Responder>>,
    /// Whose it is; `Some(None)`: no one's.
    pub assignee: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
    /// Closes or reopens it.
    pub closed: Option<bool>,
    /// Sets it aside until then; `Some(None)`: no longer.
    pub snoozed_until: Option<Option<Timestamp>>,
}

pub(super) fn get(transaction: &Transaction<'_>, id: &AppealId) -> Result<Option<StoredAppeal>, StoreError> {
    transaction.first(sql::APPEAL, [*id.as_uuid().as_bytes()], rows::appeal)
}

/// The appeal that goes on: the last one whose client waits, else that is open, else the last one.
pub(super) fn last_of(
    transaction: &Transaction<'_>,
    client: &ClientId,
) -> Result<Option<StoredAppeal>, StoreError> {
    transaction.first(sql::LAST_APPEAL, [*client.as_uuid().as_bytes()], rows::appeal)
}

/// The other appeals of its client that are open.
pub(super) fn open_beside(
    transaction: &Transaction<'_>,
    appeal: &StoredAppeal,
) -> Result<Vec<StoredAppeal>, StoreError> {
    let key = params![appeal.client.as_uuid().as_bytes(), appeal.id.as_uuid().as_bytes()];
    transaction.all(sql::OPEN_BESIDE, key, rows::appeal)
}

/// Returns the appeal that what its client wrote belongs to: the last one, or a new one.
pub(super) fn client_wrote(
    transaction: &Transaction<'_>,
    client: &ClientId,
    chat: &ClientChat,
    reopen_within: Duration,
    ids: &Ids,
    now: Timestamp,
) -> Result<StoredAppeal, StoreError> {
    let last = last_of(transaction, client)?;
    let last = last.filter(|appeal| {
        appeal.state.is_open() || appeal.closed_at.is_some_and(|at| at.plus(reopen_within) >= now)
    });
    match last {
        Some(appeal) => goes_on(transaction, appeal, now),
        None => open(transaction, AppealId::from_uuid(ids.next()), client, chat, now),
    }
}

/// An appeal has what its client wrote.
pub(super) fn goes_on(
    transaction: &Transaction<'_>,
    mut appeal: StoredAppeal,
    now: Timestamp,
) -> Result<StoredAppeal, StoreError> {
    appeal.waiting_since = appeal.waiting_since.or(Some(now));
    appeal.snoozed_until = None;
    let was_closed = !appeal.state.is_open();
    // What was closed without an answer needed none.
    appeal.question_at = appeal.question_at.filter(|_| !was_closed).or(Some(now));
    let happens = if was_closed { AppealMove::Reopened } else { AppealMove::ClientWrote };
    moved(transaction, appeal, happens, None, now)
}

fn open(
    transaction: &Transaction<'_>,
    id: AppealId,
    client: &ClientId,
    chat: &ClientChat,
    now: Timestamp,
) -> Result<StoredAppeal, StoreError> {
    let ad = chat.ad.as_ref().map(|ad| to_json(TABLE, ad)).transpose()?;
    transaction.run(
        sql::ADD_APPEAL,
        params![
            id.as_uuid().as_bytes(),
            client.as_uuid().as_bytes(),
            chat.chat.channel.as_str(),
            chat.chat.account.as_str(),
            chat.chat.chat.as_str(),
            ad,
            now.as_micros()
        ],
    )?;
    let appeal = StoredAppeal {
        id,
        client: *client,
        state: AppealState::New,
        chat: chat.chat.clone(),
        responder: None,
        assignee: None,
        tags: Vec::new(),
        ad: chat.ad.clone(),
        opened_at: now,
        waiting_since: Some(now),
        first_answer_at: None,
        answered_at: None,
        closed_at: None,
        updated_at: now,
        unread: 0,
        snoozed_until: None,
        first_author: None,
        question_at: Some(now),
        first_wait: None,
        next_answers: 0,
        next_wait: Duration::ZERO,
    };
    tell(transaction, &appeal, None, now, Event::AppealOpened);
    Ok(appeal)
}

/// The appeal of a group in which a message needs no answer: the one that is open, or a new one in which no one waits.
pub(super) fn overheard(
    transaction: &Transaction<'_>,
    client: &ClientId,
    chat: &ClientChat,
    ids: &Ids,
    now: Timestamp,
) -> Result<StoredAppeal, StoreError> {
    if let Some(appeal) = last_of(transaction, client)?.filter(|appeal| appeal.state.is_open()) {
        let appeal = StoredAppeal { updated_at: now, ..appeal };
        save(transaction, &appeal)?;
        return Ok(appeal);
    }
    let appeal = open(transaction, AppealId::from_uuid(ids.next()), client, chat, now)?;
    let appeal = StoredAppeal { waiting_since: None, question_at: None, ..appeal };
    save(transaction, &appeal)?;
    Ok(appeal)
}

/// The appeal of a client that a person writes to first: the one that is open, or a new one in which no client waits.
pub(super) fn we_wrote(
    transaction: &Transaction<'_>,
    client: &ClientId,
    chat: &ClientChat,
    by: Option<&str>,
    ids: &Ids,
    now: Timestamp,
) -> Result<AppealId, StoreError> {
    let last = last_of(transaction, client)?.filter(|appeal| appeal.state.is_open());
    let mut appeal = if let Some(appeal) = last {
        appeal
    } else {
        let appeal = open(transaction, AppealId::from_uuid(ids.next()), client, chat, now)?;
        StoredAppeal { waiting_since: None, question_at: None, ..appeal }
    };
    appeal.responder = Some(Responder::Human);
    appeal.assignee = appeal.assignee.or_else(|| by.map(ToOwned::to_owned));
    save(transaction, &appeal)?;
    Ok(appeal.id)
}

/// Ours is the last word. Where a person said it, no program answers until a person gives the appeal back.
pub(super) fn answered(
    transaction: &Transaction<'_>,
    mut appeal: StoredAppeal,
    author: Author,
    now: Timestamp,
) -> Result<(), StoreError> {
    if matches!(author, Author::Agent | Author::Elsewhere) {
        appeal.responder = Some(Responder::Human);
        read(transaction, &appeal.client)?;
    }
    appeal.waiting_since = None;
    // What we write first, and what follows an answer, answers nothing.
    if let Some(question_at) = appeal.question_at.take() {
        let wait = now.since(question_at);
        if appeal.first_answer_at.is_none() {
            appeal.first_answer_at = Some(now);
            appeal.first_author = Some(author);
            appeal.first_wait = Some(wait);
        } else {
            appeal.next_answers += 1;
            appeal.next_wait = appeal.next_wait.saturating_add(wait);
        }
    }
    appeal.answered_at = Some(now);
    moved(transaction, appeal, AppealMove::Answered, Some(author.as_str()), now).map(drop)
}

/// A program answered. Where its words promise a person, the client waits for that person from now on.
pub(super) fn answered_in_words(
    transaction: &Transaction<'_>,
    appeal: StoredAppeal,
    (author, text): (Author, &Words),
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = appeal.id;
    answered(transaction, appeal, author, now)?;
    if !spoken::promises_a_person(text.as_str()) {
        return Ok(());
    }
    let Some(mut appeal) = get(transaction, &id)?.filter(|appeal| appeal.state.is_open()) else {
        return Ok(());
    };
    appeal.waiting_since = Some(now);
    hand_over(transaction, appeal, PROMISED, now)
}

/// Its client wrote after what was answered, and waits since then, for the person who approves.
pub(super) fn waits_on(
    transaction: &Transaction<'_>,
    id: &AppealId,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut appeal) = get(transaction, id)? else { return Ok(()) };
    (appeal.waiting_since, appeal.question_at) = (Some(since), Some(since));
    moved(transaction, appeal, AppealMove::HandedOver, Some(APPROVAL), now).map(drop)
}

/// A person has seen what a client wrote.
pub(super) fn read(transaction: &Transaction<'_>, client: &ClientId) -> Result<(), StoreError> {
    transaction.run(sql::MARK_READ, [*client.as_uuid().as_bytes()])
}

/// A person is to answer, and no program until that person gives it back.
pub(super) fn hand_over(
    transaction: &Transaction<'_>,
    mut appeal: StoredAppeal,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    appeal.responder = Some(Responder::Human);
    moved(transaction, appeal, AppealMove::HandedOver, Some(why), now).map(drop)
}

/// Writes an appeal as it is after a move, and the event of that.
pub(super) fn moved(
    transaction: &Transaction<'_>,
    mut appeal: StoredAppeal,
    happens: AppealMove,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<StoredAppeal, StoreError> {
    appeal.state = appeal.state.after(happens);
    appeal.updated_at = now;
    let event: fn(AppealEvent) -> Event = match happens {
        AppealMove::Closed => {
            appeal.closed_at = Some(now);
            appeal.waiting_since = None;
            appeal.snoozed_until = None;
            read(transaction, &appeal.client)?;
            Event::AppealClosed
        }
        AppealMove::Reopened => {
            appeal.closed_at = None;
            Event::AppealReopened
        }
        AppealMove::HandedOver => Event::AppealHandedOver,
        AppealMove::Answered => Event::AppealAnswered,
        AppealMove::Assigned => Event::AppealAssigned,
        AppealMove::ClientWrote => {
            save(transaction, &appeal)?;
            return Ok(appeal);
        }
    };
    save(transaction, &appeal)?;
    tell(transaction, &appeal, reason, now, event);
    Ok(appeal)
}

pub(super) fn save(transaction: &Transaction<'_>, appeal: &StoredAppeal) -> Result<(), StoreError> {
    let tags = if appeal.tags.is_empty() { None } else { Some(to_json(TABLE, &appeal.tags)?) };
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    let length = |wait: Duration| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    transaction.run(
        sql::CHANGE_APPEAL,
        params![
            codes::of_appeal(appeal.state),
            appeal.responder.map(Responder::as_str),
            appeal.assignee,
            tags,
            micros(appeal.waiting_since),
            micros(appeal.first_answer_at),
            micros(appeal.answered_at),
            micros(appeal.closed_at),
            appeal.updated_at.as_micros(),
            micros(appeal.snoozed_until),
            appeal.first_author.map(codes::of_author),
            micros(appeal.question_at),
            appeal.first_wait.map(length),
            i64::try_from(appeal.next_answers).unwrap_or(i64::MAX),
            length(appeal.next_wait),
            appeal.id.as_uuid().as_bytes()
        ],
    )
}

fn tell(
    transaction: &Transaction<'_>,
    appeal: &StoredAppeal,
    reason: Option<&str>,
    now: Timestamp,
    event: impl FnOnce(AppealEvent) -> Event,
) {
    let data = AppealEvent {
        appeal_id: appeal.id,
        client_id: appeal.client,
        state: appeal.state,
        reason: reason.map(ToOwned::to_owned),
    };
    transaction.tell(NewEvent {
        at: now,
        account: Some(appeal.chat.account.clone()),
        chat: Some(super::chat_in_events(&appeal.chat)),
        event: event(data),
    });
}

/// An appeal has a note.
pub(super) fn noted(transaction: &Transaction<'_>, appeal: &StoredAppeal, now: Timestamp) {
    tell(transaction, appeal, Some("note"), now, Event::AppealChanged);
}

/// The open appeals of a user who goes are no one's from now on.
pub(crate) fn release(transaction: &Transaction<'_>, user: &str, now: Timestamp) -> Result<(), StoreError> {
    let ids = transaction.all(sql::OPEN_OF_ASSIGNEE, [user], |row| {
        Ok(AppealId::from_uuid(uuid::Uuid::from_bytes(Columns::new(row, TABLE).get(0)?)))
    })?;
    let no_one = AppealChange { assignee: Some(None), ..AppealChange::default() };
    ids.iter().try_for_each(|id| change(transaction, id, &no_one, now).map(drop))
}

/// Changes an appeal as a person asks.
pub(super) fn change(
    transaction: &Transaction<'_>,
    id: &AppealId,
    change: &AppealChange,
    now: Timestamp,
) -> Result<StoredAppeal, StoreError> {
    let Some(mut appeal) = get(transaction, id)? else {
        return Err(StoreError::not_found("pipeline_appeals", format!("there is no appeal {id}")));
    };
    let mut changed = Vec::new();
    if let Some(tags) = &change.tags
        && appeal.tags != *tags
    {
        words::add(transaction, &appeal.client, tags.iter().map(String::as_str))?;
        appeal.tags.clone_from(tags);
        changed.push("tags");
    }
    if let Some(responder) = change.responder
        && appeal.responder != responder
    {
        appeal.responder = responder;
        changed.push("responder");
    }
    if let Some(until) = change.snoozed_until
        && appeal.snoozed_until != until
    {
        appeal.snoozed_until = until;
        changed.push("snoozed");
    }
    for what in changed {
        tell(transaction, &appeal, Some(what), now, Event::AppealChanged);
    }
    match (change.closed, appeal.state.is_open()) {
        (Some(true), true) => appeal = moved(transaction, appeal, AppealMove::Closed, None, now)?,
        (Some(false), false) => appeal = moved(transaction, appeal, AppealMove::Reopened, None, now)?,
        _ => {}
    }
    match &change.assignee {
        Some(assignee) if *assignee != appeal.assignee => {
            appeal.assignee.clone_from(assignee);
            moved(transaction, appeal, AppealMove::Assigned, assignee.as_deref(), now)
        }
        _ => {
            appeal.updated_at = now;
            save(transaction, &appeal)?;
            Ok(appeal)
        }
    }
}

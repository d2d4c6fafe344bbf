//! What a saga does: a step is about to be taken, a step was taken, the saga has ended.

use domain::outcome::{Failure, Refusal};
use domain::saga::{Begun, Left, Progress, Saga, SagaEntry, SagaEvent, SagaState, Step};
use domain::{AccountName, Address, ChatId, ContactLimits};

use super::accept::StoredKeep;
use super::statements as sql;
use super::{SagaChange, TABLE, events, history, key, no_such_saga};
use crate::accounts::save_hold;
use crate::chats::{self, Missed};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::failed_requests::{self, Direction, Failed};
use crate::outbox::Origin;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, callbacks, codes, do_not_contact, failovers, first_contacts};

/// A change in the form of its columns, made by the caller's thread.
pub(super) struct Prepared {
    change: SagaChange,
    progress: String,
    begun: Option<String>,
    failure: Option<String>,
}

/// What the row has now, as far as it matters here.
struct Stored {
    state: SagaState,
    columns: Changing,
    origin: Origin,
    keep: Option<StoredKeep>,
}

/// The columns that a change sets, to know the same change again.
#[derive(PartialEq, Eq)]
struct Changing {
    state: i64,
    account: Option<String>,
    chat_id: Option<i64>,
    progress: String,
    begun: Option<String>,
    failure: Option<String>,
    updated_at: i64,
}

impl Prepared {
    pub(super) fn new(mut change: SagaChange) -> Result<Self, StoreError> {
        let saga = &change.saga;
        // Only a saga that runs, or that no one knows more of, has a step without a result.
        let fits = match saga.state {
            SagaState::Running => true,
            SagaState::InDoubt => saga.begun.is_some(),
            SagaState::Queued | SagaState::Done | SagaState::Failed | SagaState::Cancelled => {
                saga.begun.is_none()
            }
        };
        if !fits {
            let state = saga.state.as_str();
            let what = if saga.begun.is_some() { "a step begun" } else { "no step begun" };
            return Err(StoreError::conflict(TABLE, format!("{} is not {state} with {what}", saga.id)));
        }
        change.entries = change.entries.into_iter().map(history::bounded).collect();
        let (at, what) = (change.saga.updated_at, end_event(change.saga.state));
        if let Some(what) = what
            && change.entries.iter().all(|entry| entry.what != what)
        {
            let detail = change.saga.failure.as_ref().map(Failure::code);
            change.entries.push(history::plain(at, what, detail));
        }
        Ok(Self {
            progress: to_json(TABLE, &change.saga.progress)?,
            begun: change.saga.begun.as_ref().map(|begun| to_json(TABLE, begun)).transpose()?,
            failure: change.saga.failure.as_ref().map(|failure| to_json(TABLE, failure)).transpose()?,
            change,
        })
    }

    fn columns(&self) -> Changing {
        let saga = &self.change.saga;
        Changing {
            state: codes::of_saga(saga.state),
            account: saga.account.as_ref().map(|account| account.as_str().to_owned()),
            chat_id: saga.chat_id.map(ChatId::get),
            progress: self.progress.clone(),
            begun: self.begun.clone(),
            failure: self.failure.clone(),
            updated_at: saga.updated_at.as_micros(),
        }
    }

    pub(super) fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let SagaChange { saga, entries, hold, registry, failover, callback } = &self.change;
        let stored = stored(transaction, self)?;
        if stored.columns == self.columns() && history::ends_with(transaction, &saga.id, entries)? {
            // The same write again, because the answer to the first came too late.
            return Ok(());
        }
        let at = saga.updated_at;
        let finished = saga.state.is_final() && saga.state != SagaState::InDoubt;
        let changed = transaction.execute(
            sql::CHANGE,
            params![
                codes::of_saga(saga.state),
                saga.account.as_ref().map(AccountName::as_str),
                saga.chat_id.map(ChatId::get),
                saga.patient_until.as_micros(),
                self.progress,
                self.begun,
                self.failure,
                at.as_micros(),
                finished.then_some(at.as_micros()),
                key(&saga.id),
            ],
        )?;
        if changed == 0 {
            let what = format!("{} is {} already", saga.id, stored.state.as_str());
            return Err(StoreError::conflict(TABLE, what));
        }
        entries.iter().try_for_each(|entry| history::add(transaction, &saga.id, entry))?;
        hold.iter().try_for_each(|hold| save_hold(transaction, hold))?;
        registry.iter().try_for_each(|change| chats::apply(transaction, change, Some(saga), at))?;
        failover.iter().try_for_each(|failover| failovers::happened(transaction, failover, &saga.id))?;
        callback.iter().try_for_each(|callback| callbacks::save(transaction, callback, &saga.id, at))?;
        if stored.columns.progress != self.progress {
            let before: Progress = serde_json::from_str(&stored.columns.progress)
                .map_err(|error| StoreError::corrupt(TABLE, "progress", saga.id.to_string(), error))?;
            events::members(transaction, saga, &before);
        }
        if stored.state != saga.state {
            events::ended(transaction, saga, saga.state, at);
        }
        if finished {
            self.ended(transaction, &stored)?;
        }
        Ok(())
    }

    /// What goes with an end.
    fn ended(&self, transaction: &Transaction<'_>, stored: &Stored) -> Result<(), StoreError> {
        let saga = &self.change.saga;
        let at = saga.updated_at;
        if saga.state == SagaState::Done {
            failed_requests::ended_well(transaction, key(&saga.id), at)?;
        } else if let Some(keep) = stored.keep.as_ref().filter(|_| !saga.failed_by_request()) {
            let error = saga.failed_because().unwrap_or_else(|| saga.state.as_str().to_owned());
            keep_request(transaction, &saga.id, keep, &error, at)?;
        }
        if let (Some(refusals), Some(chat)) = (self.missed(), saga.task.chat()) {
            let chat = chat.to_string();
            let missed = Missed { chat: &chat, origin: &stored.origin, refusals: &refusals, at };
            chats::count(transaction, &missed)?;
        }
        Ok(())
    }

    /// What each account said, if no one finds the chat.
    fn missed(&self) -> Option<Vec<Refusal>> {
        let SagaChange { saga, entries, .. } = &self.change;
        match &saga.failure {
            Some(Failure::ChatNotFound { asked } | Failure::NotInChat { asked }) => Some(asked.clone()),
            _ if saga.progress.left == Some(Left::Unresolvable) => {
                Some(entries.iter().filter_map(refusal).collect())
            }
            _ => None,
        }
    }
}

/// What an account said, by an entry of the history.
fn refusal(entry: &SagaEntry) -> Option<Refusal> {
    let account = entry.account.clone()?;
    let why = entry.detail.clone().or_else(|| Some(entry.outcome?.as_str().to_owned()))?;
    Some(Refusal { account, why })
}

/// An end in the history.
const fn end_event(state: SagaState) -> Option<SagaEvent> {
    match state {
        SagaState::Queued | SagaState::Running => None,
        SagaState::Done => Some(SagaEvent::Finished),
        SagaState::Failed => Some(SagaEvent::Failed),
        SagaState::Cancelled => Some(SagaEvent::Cancelled),
        SagaState::InDoubt => Some(SagaEvent::InDoubt),
    }
}

fn stored(transaction: &Transaction<'_>, prepared: &Prepared) -> Result<Stored, StoreError> {
    let id = &prepared.change.saga.id;
    let found = transaction.first(sql::STORED, [key(id)], |row| {
        let columns = Columns::new(row, TABLE);
        Ok(Stored {
            state: columns.coded(0, "state", codes::saga)?,
            columns: Changing {
                state: columns.get(0)?,
                account: columns.get(1)?,
                chat_id: columns.get(2)?,
                progress: columns.get(3)?,
                begun: columns.get(4)?,
                failure: columns.get(5)?,
                updated_at: columns.get(6)?,
            },
            origin: Origin::read(&columns, 7)?,
            keep: columns.maybe_json(10)?,
        })
    })?;
    found.ok_or_else(|| no_such_saga(id))
}

/// Keeps the request of a saga that ended badly.
pub(super) fn keep_request(
    transaction: &Transaction<'_>,
    id: &domain::OperationId,
    keep: &StoredKeep,
    error: &str,
    at: domain::Timestamp,
) -> Result<(), StoreError> {
    let failed = Failed {
        id: key(id),
        at,
        service: keep.service,
        direction: Direction::Inbound,
        endpoint: &keep.endpoint,
        payload: &keep.payload,
        error,
        operation: Some(id),
        callback: None,
    };
    failed_requests::keep(transaction, &failed)
}

pub(super) struct BeginWrite {
    change: Prepared,
    limits: ContactLimits,
}

impl BeginWrite {
    pub(super) fn new(change: SagaChange, limits: ContactLimits) -> Result<Self, StoreError> {
        if change.saga.state != SagaState::Running || change.saga.begun.is_none() {
            let what = format!("{} is to begin a step, but names none, or does not run", change.saga.id);
            return Err(StoreError::conflict(TABLE, what));
        }
        Prepared::new(change).map(|change| Self { change, limits })
    }
}

impl Write for BeginWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAGA_BEGIN);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Saga { begun, progress, account, .. } = &self.change.change.saga;
        if let Some(Begun { step: Step::Invite { users }, at }) = begun {
            let is_list_used = do_not_contact::is_there_any(transaction)?;
            for member in &progress.members {
                let Some(person) = member.person.as_ref().filter(|person| users.contains(&person.user_id))
                else {
                    continue;
                };
                if is_list_used {
                    do_not_contact::refuse_all(transaction, &member.who, Some(person.user_id.into()))?;
                }
                if let Some(account) = account.as_ref().filter(|_| member.is_customer()) {
                    let address = Address::Telegram(person.user_id.into());
                    first_contacts::admit(transaction, (account, &address), self.limits, *at)?;
                }
            }
        }
        self.change.apply(transaction)
    }
}

pub(super) struct SaveWrite(Prepared);

impl SaveWrite {
    pub(super) fn new(change: SagaChange) -> Result<Self, StoreError> {
        Prepared::new(change).map(Self)
    }
}

impl Write for SaveWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAGA_SAVE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        self.0.apply(transaction)
    }
}

//! The write that keeps what was reported to an account: messages, their events and its update state, or nothing of it.

use std::collections::HashSet;

use domain::event::ReceivedEvent;
use domain::{ChatId, Contact, Event, MessageOrigin, ReceivedMessage, TelegramMessageId, Timestamp};

use super::whose::{Whose, whose};
use super::{ReceivedChange, Taken, TakenUpdates, files, gaps, owner, row, statements as sql};
use crate::accounts::updates;
use crate::column::Columns;
use crate::database::params;
use crate::events::NewEvent;
use crate::point::{self, Point};
use crate::write::{Durability, Transaction, Write};
use crate::{StoreError, do_not_contact, outbox};

/// A message that is younger came at once.
const AT_ONCE_MICROS: u64 = 5_000_000;

pub(super) struct Take {
    pub(super) taken: TakenUpdates,
    pub(super) at: Timestamp,
}

impl Write for Take {
    type Answer = Taken;
    const POINT: Option<Point> = Some(point::TAKE_UPDATES);
    /// Without room it is refused, and the update state with it: the updates are asked for again.
    const INTAKE: bool = true;

    /// What a power cut takes back is asked for again, but others may have been notified of it by then.
    fn durability(&self) -> Durability {
        if self.taken.changes.iter().all(ReceivedChange::is_own) {
            Durability::Soon
        } else {
            Durability::Synced
        }
    }

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Taken, StoreError> {
        let TakenUpdates { account, changes, state, missed, page, .. } = &self.taken;
        if !transaction.intake_open() {
            return Err(StoreError::StorageFull);
        }
        // Before the messages are kept: what was kept so far says since when others are missing.
        for missed in missed {
            gaps::add(transaction, account, missed, self.at)?;
        }
        let settled = self.settle(transaction)?;
        let kept = self.keep(transaction)?;
        for change in changes {
            match change {
                ReceivedChange::New(_) | ReceivedChange::Edited(_) => {}
                ReceivedChange::Deleted { channel, message_ids } => {
                    self.delete(transaction, *channel, message_ids)?;
                }
                ReceivedChange::Reactions { chat_id, message_id, reactions } => {
                    let id = domain::ReceivedId::seen_by(*chat_id, *message_id, account);
                    let reactions = row::list(reactions)?;
                    transaction
                        .run(sql::REACT, params![reactions, owner(&id), message_id.get(), chat_id.get()])?;
                }
                ReceivedChange::Wish(person, wish) => {
                    do_not_contact::heard(transaction, Contact::ChatId(*person), Some(*wish), self.at)?;
                }
                ReceivedChange::ReadUpTo { chat_id, message_id } => {
                    outbox::read_up_to(transaction, account, *chat_id, *message_id, self.at)?;
                }
            }
        }
        if let Some(page) = page {
            gaps::read_page(transaction, account, page)?;
        }
        for change in state {
            updates::save(transaction, account, change, self.at)?;
        }
        Ok(Taken {
            new: kept.new + settled.new,
            unsettled: kept.unsettled + settled.unsettled,
            files: kept.files + settled.files,
        })
    }
}

impl Take {
    /// Keeps messages that were not known, and changes those that were.
    fn keep(&self, transaction: &Transaction<'_>) -> Result<Taken, StoreError> {
        let messages: Vec<(&ReceivedMessage, bool)> = self.taken.changes.iter().filter_map(shown).collect();
        if messages.is_empty() {
            return Ok(Taken::default());
        }
        let messages_at: Vec<_> = messages.iter().map(|(message, _)| (*message, self.at)).collect();
        let whose = whose(transaction, &messages_at)?;
        let last = transaction.first(sql::LAST, (), |row| row.get::<i64>(0))?.unwrap_or_default();
        let first = last.saturating_add(1).max(self.at.as_micros());
        let rows: Vec<(i64, &ReceivedMessage, bool, i64)> = (first..)
            .zip(messages)
            .zip(whose)
            .filter_map(|((seq, (message, is_edit)), whose)| {
                let origin = match whose {
                    Some(Whose::Program) => return None,
                    Some(Whose::Unclear) => row::UNSETTLED,
                    Some(Whose::Owner) => row::code(MessageOrigin::Owner),
                    None => row::code(message.origin),
                };
                Some((seq, message, is_edit, origin))
            })
            .collect();
        for (seq, message, _, origin) in &rows {
            insert(transaction, *seq, message, *origin)?;
        }
        let inserted = transaction.all(sql::SINCE, [first], |row| row.get::<i64>(0))?;
        let inserted: HashSet<i64> = inserted.into_iter().collect();
        let mut kept = Taken::default();
        for (seq, message, is_edit, origin) in rows {
            let settled = MessageOrigin::ALL.into_iter().find(|settled| row::code(*settled) == origin);
            match (settled, inserted.contains(&seq)) {
                (None, true) => kept.unsettled += 1,
                (Some(origin), true) => {
                    kept.new += 1;
                    kept.files += self.want(transaction, seq, message)?;
                    self.hear(transaction, message)?;
                    self.tell(transaction, message, origin, Event::MessageReceived);
                }
                (_, false) => {
                    let is_changed = is_edit && self.edit(transaction, message, &mut kept.files)?;
                    if let Some(origin) = settled.filter(|_| is_changed) {
                        self.hear(transaction, message)?;
                        self.tell(transaction, message, origin, Event::MessageEdited);
                    }
                }
            }
        }
        Ok(kept)
    }

    /// Does what a message says about further messages.
    fn hear(&self, transaction: &Transaction<'_>, message: &ReceivedMessage) -> Result<(), StoreError> {
        let Some((person, wish)) = message.contact_wish() else { return Ok(()) };
        do_not_contact::heard(transaction, Contact::ChatId(person), Some(wish), self.at)
    }

    /// Notes that the file of a message is to be fetched, where the rule says so. Says how many files that are.
    fn want(
        &self,
        transaction: &Transaction<'_>,
        seq: i64,
        message: &ReceivedMessage,
    ) -> Result<usize, StoreError> {
        if !message.media.as_ref().is_some_and(|media| self.taken.files.wants(media)) {
            return Ok(0);
        }
        transaction.execute(files::WANT, params![seq, message.account.as_str(), self.at.as_micros()])
    }

    /// Decides about messages that might have been this program's.
    fn settle(&self, transaction: &Transaction<'_>) -> Result<Taken, StoreError> {
        let unsettled = transaction.all(sql::UNSETTLED, [self.taken.account.as_str()], row::read)?;
        let messages_at: Vec<_> = unsettled.iter().map(|row| (&row.message, row.received_at())).collect();
        let whose = whose(transaction, &messages_at)?;
        let mut settled = Taken::default();
        for (row, whose) in unsettled.iter().zip(whose) {
            match whose {
                Some(Whose::Unclear) => settled.unsettled += 1,
                // What is gone by now was never shown.
                Some(Whose::Owner) | None if row.deleted_at.is_none() => {
                    settled.new += 1;
                    settled.files += self.want(transaction, row.seq, &row.message)?;
                    transaction.run(sql::SETTLE, [row.seq])?;
                    self.tell(transaction, &row.message, MessageOrigin::Owner, Event::MessageReceived);
                }
                Some(Whose::Program | Whose::Owner) | None => transaction.run(sql::REMOVE, [row.seq])?,
            }
        }
        Ok(settled)
    }

    /// Changes a message that is kept; says whether its writer changed it. Telegram says so of reactions, too.
    fn edit(
        &self,
        transaction: &Transaction<'_>,
        message: &ReceivedMessage,
        wanted: &mut usize,
    ) -> Result<bool, StoreError> {
        let (owner, number, chat_id) =
            (owner(&message.id()), message.message_id.get(), message.chat_id.get());
        transaction.run(sql::REACT, params![row::list(&message.reactions)?, owner, number, chat_id])?;
        let Some(edited_at) = message.edited_at else { return Ok(false) };
        let (entities, media) = (row::list(&message.entities)?, row::maybe(message.media.as_ref())?);
        transaction.run(files::DROP_CHANGED, params![owner, number, chat_id, media])?;
        if message.media.as_ref().is_some_and(|media| self.taken.files.wants(media)) {
            let at = self.at.as_micros();
            *wanted +=
                transaction.execute(files::WANT_CHANGED, params![at, owner, number, chat_id, media])?;
        }
        let params =
            params![message.text.as_str(), entities, media, edited_at.as_micros(), owner, number, chat_id];
        Ok(transaction.execute(sql::EDIT, params)? > 0)
    }

    fn delete(
        &self,
        transaction: &Transaction<'_>,
        channel: Option<ChatId>,
        message_ids: &[TelegramMessageId],
    ) -> Result<(), StoreError> {
        let owner = if channel.is_some() { "" } else { self.taken.account.as_str() };
        let ids: Vec<_> = message_ids.iter().map(ToString::to_string).collect();
        let ids = format!("[{}]", ids.join(","));
        let found = transaction.all(sql::NUMBERED, params![owner, ids, channel.map(ChatId::get)], |row| {
            let columns = Columns::new(row, super::TABLE);
            let is_unsettled = columns.get::<i64>(4)? == row::UNSETTLED;
            if is_unsettled {
                Ok((columns.get(0)?, None))
            } else {
                row::read(row).map(|row| (row.seq, Some(row)))
            }
        })?;
        for (seq, shown) in found {
            transaction.run(sql::DELETED, params![self.at.as_micros(), seq])?;
            if let Some(row) = shown {
                self.tell(transaction, &row.message, row.message.origin, Event::MessageDeleted);
            }
        }
        Ok(())
    }

    fn tell(
        &self,
        transaction: &Transaction<'_>,
        message: &ReceivedMessage,
        origin: MessageOrigin,
        event: impl FnOnce(ReceivedEvent) -> Event,
    ) {
        let data = ReceivedEvent {
            message_id: message.id().into(),
            telegram_id: Some(message.message_id),
            external_id: None,
            origin,
            from: message.sender.map(|sender| sender.to_string()),
            media: message.media.as_ref().map(|media| media.kind.clone()),
            album: message.album.map(|album| album.to_string()),
        };
        transaction.tell(NewEvent {
            at: self.at,
            account: Some(message.account.clone()),
            chat: Some(message.chat_id.to_string()),
            event: event(data),
        });
    }
}

/// The message that a change brings, and whether it is an edit.
fn shown(change: &ReceivedChange) -> Option<(&ReceivedMessage, bool)> {
    match change {
        ReceivedChange::New(message) => Some((message, false)),
        ReceivedChange::Edited(message) => Some((message, true)),
        ReceivedChange::Deleted { .. }
        | ReceivedChange::Reactions { .. }
        | ReceivedChange::Wish(..)
        | ReceivedChange::ReadUpTo { .. } => None,
    }
}

fn insert(
    transaction: &Transaction<'_>,
    seq: i64,
    message: &ReceivedMessage,
    origin: i64,
) -> Result<(), StoreError> {
    transaction.run_row(
        sql::INSERT,
        params![
            seq,
            owner(&message.id()),
            message.chat_id.get(),
            message.message_id.get(),
            message.account.as_str(),
            origin,
            message.sender.map(ChatId::get),
            message.sender_name,
            message.text.as_str(),
            row::list(&message.entities)?,
            row::maybe(message.media.as_ref())?,
            row::maybe(message.forward.as_ref())?,
            row::list(&message.reactions)?,
            message.service,
            message.reply_to.map(TelegramMessageId::get),
            message.album,
            message.sent_at.as_micros(),
            place(seq, message.sent_at),
            message.edited_at.map(Timestamp::as_micros),
        ],
    )
}

/// The place of a message in its conversation: beside what was sent, whose times are not whole seconds.
fn place(seq: i64, sent_at: Timestamp) -> i64 {
    let came_at_once = seq.saturating_sub(sent_at.as_micros()).unsigned_abs() < AT_ONCE_MICROS;
    if came_at_once { seq } else { sent_at.as_micros() }
}

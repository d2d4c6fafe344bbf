//! What was not answered, put on its way again: the messages of a turn wait once more, or a message that was never taken in is. Nothing
//! is received twice, and nothing that was answered is answered again.

use domain::{AnyReceivedId, ChannelChat, MessageOrigin, Timestamp, TurnId, TurnStage};

use super::rows::{PipelineRules, StoredTurn};
use super::{Pipeline, TABLE, appeals, intake, rows, statements as sql, turns};
use crate::column::Columns;
use crate::database::{Row, params};
use crate::paging::{Page, Paged};
use crate::write::Transaction;
use crate::{StoreError, point};

/// Why a turn ended that was put on its way again.
const AGAIN: &str = "put on its way again";

/// The result of starting a turn again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// It goes through all stages again.
    Waits,
    /// It was on its way, or more was written and is.
    OnItsWay,
    /// Its client was answered, or the appeal is closed.
    Answered,
    /// Its client wants no messages with it.
    OptedOut,
    /// It is not from a client, or what is written there is not taken in.
    NotTaken,
}

impl Pipeline<'_> {
    /// Turns that no program answered though one was to and whose client still waits, the last one first.
    pub async fn failed_turns(&self, page: &Page) -> Result<Paged<StoredTurn>, StoreError> {
        let page = page.clone();
        self.store
            .read(move |connection| {
                let before = match &page.cursor {
                    None => [0xff; 16],
                    Some(cursor) => {
                        *cursor.parse::<TurnId>().map_err(|_| StoreError::BadCursor)?.as_uuid().as_bytes()
                    }
                };
                let found = connection.all(sql::FAILED_TURNS, params![before, page.rows()], rows::turn)?;
                Ok(page.cut(found, |turn| turn.id.to_string()))
            })
            .await
    }

    /// Puts the messages of turns on their way again, all in one write: those of one chat are one batch. What came of each that there
    /// is.
    pub async fn retry_turns(
        &self,
        given: Vec<TurnId>,
        rules: &PipelineRules,
    ) -> Result<Vec<(TurnId, Replayed)>, StoreError> {
        let (rules, now) = (rules.clone(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            let mut came = Vec::with_capacity(given.len());
            for id in &given {
                if let Some(turn) = turns::get(transaction, id)? {
                    came.push((*id, again(transaction, &turn, &rules, now)?));
                }
            }
            Ok(came)
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Puts a message on its way again with the batch that it was in, or takes it in; none where it is not stored.
    pub async fn replay(
        &self,
        message: AnyReceivedId,
        rules: &PipelineRules,
    ) -> Result<Option<Replayed>, StoreError> {
        let (rules, now) = (rules.clone(), self.store.now());
        let change = move |transaction: &Transaction<'_>| one(transaction, &message, &rules, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }
}

/// A message of a client, as far as it is known here.
struct Written {
    chat: ChannelChat,
    turn: Option<TurnId>,
}

fn one(
    transaction: &Transaction<'_>,
    message: &AnyReceivedId,
    rules: &PipelineRules,
    now: Timestamp,
) -> Result<Option<Replayed>, StoreError> {
    let stored = intake::received_as(transaction, message)?;
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        Ok(Written { chat: rows::address(&columns, 0)?, turn: rows::maybe_turn_id(&columns, 3)? })
    };
    let known = transaction.first(sql::WRITTEN, params![message.to_string()], read)?;
    let Some(known) = known else {
        let Some(wrote) = stored else { return Ok(None) };
        return take_in(transaction, &wrote, rules, now).map(Some);
    };
    if stored.is_some_and(|wrote| wrote.opts_out()) {
        return Ok(Some(Replayed::OptedOut));
    }
    let Some(turn) = known.turn else {
        // It waits, or did when the store was restored.
        wait(transaction, &known.chat, now)?;
        return Ok(Some(Replayed::OnItsWay));
    };
    // What was taken over from an older program has no turn here.
    match turns::get(transaction, &turn)? {
        Some(turn) => again(transaction, &turn, rules, now).map(Some),
        None => Ok(Some(Replayed::NotTaken)),
    }
}

/// Takes a message in that was not when it came.
fn take_in(
    transaction: &Transaction<'_>,
    wrote: &intake::Wrote,
    rules: &PipelineRules,
    now: Timestamp,
) -> Result<Replayed, StoreError> {
    let is_on = rules.of(&wrote.chat.channel, &wrote.chat.account).is_some_and(|rule| rule.is_on);
    if !is_on || wrote.origin != MessageOrigin::Person {
        return Ok(Replayed::NotTaken);
    }
    if wrote.opts_out() {
        return Ok(Replayed::OptedOut);
    }
    let Some(number) = intake::free_number(transaction, now)? else { return Ok(Replayed::NotTaken) };
    let is_taken = intake::client_wrote(transaction, rules, number, wrote, now)?;
    Ok(if is_taken { Replayed::Waits } else { Replayed::NotTaken })
}

/// The messages of a turn wait once more, for a batch that is complete.
fn again(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    rules: &PipelineRules,
    now: Timestamp,
) -> Result<Replayed, StoreError> {
    if rules.of(&turn.chat.channel, &turn.chat.account).is_none_or(|rule| !rule.is_on) {
        return Ok(Replayed::NotTaken);
    }
    if turn.stage.is_open() {
        return Ok(Replayed::OnItsWay);
    }
    // With an answer in the outbox it is answered, whatever became of that: it is sent again from there.
    if turn.stage != TurnStage::HandedOver || turn.outbox_id.is_some() {
        return Ok(Replayed::Answered);
    }
    let chat = intake::chat(transaction, &turn.chat)?;
    if chat.is_none_or(|chat| chat.turn.is_some()) {
        return Ok(Replayed::OnItsWay);
    }
    let appeal = turn.appeal.map(|id| appeals::get(transaction, &id)).transpose()?.flatten();
    let Some(mut appeal) = appeal.filter(|appeal| appeal.state.is_open()) else {
        return Ok(Replayed::Answered);
    };
    if appeal.waiting_since.is_none() || appeal.answered_at.is_some_and(|at| at >= turn.created_at) {
        return Ok(Replayed::Answered);
    }
    turns::end(transaction, turn, TurnStage::Discarded, Some(AGAIN), now)?;
    transaction.run(sql::EMPTY_TURN, params![turn.id.as_uuid().as_bytes()])?;
    appeal.responder = None;
    appeals::save(transaction, &appeal)?;
    wait(transaction, &turn.chat, now)?;
    Ok(Replayed::Waits)
}

fn wait(transaction: &Transaction<'_>, chat: &ChannelChat, now: Timestamp) -> Result<(), StoreError> {
    let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
    transaction.run(sql::WAIT_NO_LONGER, params![now.as_micros(), channel, account, chat])
}

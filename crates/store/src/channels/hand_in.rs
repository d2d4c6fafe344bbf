//! The write that takes a message which another program hands in: each id of an account is one message. The same id with another chat or
//! text, or with other kinds of files, is a conflict, never a repeat.

use domain::{InboundChange, InboundEvent, InboundId, InboundMessage};

use super::{TakenFromChannel, row, statements as sql, take::Take};
use crate::StoreError;
use crate::database::params;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// What became of a message that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandInOutcome {
    /// It is new.
    New(InboundId),
    /// The same was handed in before.
    Repeated,
    /// Its id belongs to this message, of which a field differs.
    Conflict { first: InboundId, field: &'static str },
}

pub(super) struct HandIn {
    pub(super) messages: Vec<InboundMessage>,
    /// The account; without events.
    pub(super) to: TakenFromChannel,
    pub(super) at: domain::Timestamp,
}

impl Write for HandIn {
    type Answer = Vec<HandInOutcome>;
    const POINT: Option<Point> = Some(point::TAKE_FROM_CHANNEL);
    const INTAKE: bool = true;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Vec<HandInOutcome>, StoreError> {
        if !transaction.intake_open() {
            return Err(StoreError::StorageFull);
        }
        let take = Take { taken: self.to.clone(), at: self.at };
        self.messages.iter().map(|message| self.one(transaction, &take, message)).collect()
    }
}

impl HandIn {
    fn one(
        &self,
        transaction: &Transaction<'_>,
        take: &Take,
        message: &InboundMessage,
    ) -> Result<HandInOutcome, StoreError> {
        let key = params![self.to.channel.as_str(), self.to.account.as_str(), message.external_id];
        if let Some(first) = transaction.first(sql::BY_EXTERNAL_ID, key, row::read)? {
            let is_changed = first.edited_at.is_some();
            // The address of a file may be another one each time that a program asks for it.
            let kinds =
                |message: &InboundMessage| message.media.iter().map(|media| media.kind).collect::<Vec<_>>();
            let field = if first.address.chat != message.chat {
                Some("external_chat_id")
            } else if is_changed {
                None
            } else if first.message.text.as_str() != message.text.as_str() {
                Some("text")
            } else {
                (kinds(&first.message) != kinds(message)).then_some("media")
            };
            return Ok(match field {
                Some(field) => HandInOutcome::Conflict { first: first.id, field },
                None => HandInOutcome::Repeated,
            });
        }
        let event = InboundEvent {
            key: format!("handed in {}", message.external_id),
            change: InboundChange::Message(Box::new(message.clone())),
        };
        let new = take.one(transaction, &event)?.new.first().copied();
        Ok(new.map_or(HandInOutcome::Repeated, HandInOutcome::New))
    }
}

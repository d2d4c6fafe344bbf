//! The write that takes a message which another program hands in: each id of an account is one message. The same id with another chat,
//! user, text or file is a conflict, never a repeat.

use domain::{InboundChange, InboundEvent, InboundId, InboundMedia, InboundMessage};

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
            let users = first.message.user.as_ref().zip(message.user.as_ref());
            let field = if first.address.chat != message.chat {
                Some("external_chat_id")
            } else if users.is_some_and(|(first, other)| first != other) {
                Some("external_user_id")
            } else if is_changed {
                None
            } else if first.message.text.as_str() != message.text.as_str() {
                Some("text")
            } else {
                (!are_same(&first.message.media, &message.media)).then_some("media")
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

/// Whether two lists may be of the same files: of equal kinds, each with an equal id or address. What only one of them says proves nothing.
fn are_same(first: &[InboundMedia], other: &[InboundMedia]) -> bool {
    let is_same = |(first, other): (&InboundMedia, &InboundMedia)| {
        let ids = first.file_id.as_ref().zip(other.file_id.as_ref()).map(|(first, other)| first == other);
        let urls = first.url.as_deref().zip(other.url.as_deref());
        let urls = urls.map(|(first, other)| path_of(first) == path_of(other));
        let is_any = ids == Some(true) || urls == Some(true);
        first.kind == other.kind && (is_any || ids.or(urls).is_none())
    };
    first.len() == other.len() && first.iter().zip(other).all(is_same)
}

/// The path of an address. Its host and its query may be others each time that a program asks for a file; an address without a path is
/// what it is.
fn path_of(address: &str) -> &str {
    let address = address.split(['?', '#']).next().unwrap_or(address);
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    after_scheme.split_once('/').map_or(address, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use domain::InboundKind;

    use super::*;

    #[test]
    fn files_are_the_same_by_their_id_or_the_path_of_their_address() {
        let image = |url: &str, id: &str| {
            let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            InboundMedia { url: text(url), file_id: text(id), ..InboundMedia::new(InboundKind::Image) }
        };
        for (first, other, is_same) in [
            (image("https://a.example/1.jpg?sign=a", ""), image("https://b.example/1.jpg?sign=b", ""), true),
            (image("https://a.example/1.jpg", ""), image("https://a.example/2.jpg", ""), false),
            (image("https://a.example/?id=1", "f1"), image("https://a.example/?id=1", "f1"), true),
            (image("https://a.example/1.jpg", "f1"), image("https://a.example/2.jpg", "f1"), true),
            (image("", "f1"), image("", "f2"), false),
            (image("", "f1"), image("https://a.example/1.jpg", ""), true),
            (image("", ""), image("https://a.example/1.jpg", "f1"), true),
        ] {
            assert_eq!(are_same(from_ref(&first), from_ref(&other)), is_same, "{first:?} {other:?}");
        }
        assert!(are_same(&[], &[]) && !are_same(&[], &[image("", "")]));
        let video = InboundMedia::new(InboundKind::Video);
        assert!(!are_same(&[image("", "")], &[video]));
    }
}

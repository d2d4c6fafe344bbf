//! Whether this program sent what an account is said to have written, or its owner with another app.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{AccountName, ChatId, ChatKind, MessageOrigin, ReceivedMessage, TelegramMessageId, Timestamp};

use super::statements as sql;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::outbox::items;
use crate::write::Transaction;
use crate::{StoreError, codes};

/// How far Telegram's clock and ours may be apart.
const SKEW: Duration = Duration::from_hours(1);

/// Who wrote a message of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// This program: it is in the outbox.
    Program,
    /// Its owner, with another app.
    Owner,
    /// A send that may be this message is not over.
    Unclear,
}

/// A part that an account has sent into a chat, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OwnPart {
    accepted_at: Timestamp,
    /// Telegram's ids of it, once it is sent.
    sent: Option<Vec<TelegramMessageId>>,
}

/// `received_at` is when the message came in: what was accepted later is another one.
fn decide(message_id: TelegramMessageId, received_at: Timestamp, parts: &[OwnPart]) -> Whose {
    let is_it = |part: &OwnPart| part.sent.as_ref().is_some_and(|ids| ids.contains(&message_id));
    let may_be_it = |part: &OwnPart| part.sent.is_none() && part.accepted_at <= received_at;
    if parts.iter().any(is_it) {
        Whose::Program
    } else if parts.iter().any(may_be_it) {
        Whose::Unclear
    } else {
        Whose::Owner
    }
}

/// Who wrote these messages, each with when it came in; none for what no account of ours wrote. One question for each
/// account and chat.
pub(super) fn whose(
    transaction: &Transaction<'_>,
    messages: &[(&ReceivedMessage, Timestamp)],
) -> Result<Vec<Option<Whose>>, StoreError> {
    let users = if messages.iter().any(|(message, _)| user_in_supergroup(message).is_some()) {
        own_users(transaction)?
    } else {
        BTreeMap::new()
    };
    let writer = |message: &ReceivedMessage| {
        let receiver = (message.origin == MessageOrigin::Owner).then_some(&message.account);
        user_in_supergroup(message).and_then(|user| users.get(&user)).or(receiver).cloned()
    };
    let writers: Vec<Option<AccountName>> = messages.iter().map(|(message, _)| writer(message)).collect();
    let mut places: BTreeMap<(&AccountName, ChatId), Timestamp> = BTreeMap::new();
    for ((message, _), writer) in messages.iter().zip(&writers) {
        if let Some(writer) = writer {
            let since = places.entry((writer, message.chat_id)).or_insert(message.sent_at);
            *since = message.sent_at.min(*since);
        }
    }
    let mut parts = BTreeMap::new();
    for (place, since) in places {
        parts.insert(place, own_parts(transaction, place, since)?);
    }
    let answers = messages.iter().zip(&writers).map(|((message, received_at), writer)| {
        let parts = parts.get(&(writer.as_ref()?, message.chat_id))?;
        Some(decide(message.message_id, *received_at, parts))
    });
    Ok(answers.collect())
}

/// The user who wrote it: what another account of ours wrote has the same number in a supergroup, and there alone. The origin of
/// what is unsettled does not say which account wrote it.
fn user_in_supergroup(message: &ReceivedMessage) -> Option<i64> {
    let is_of_user = matches!(message.origin, MessageOrigin::Person | MessageOrigin::Owner)
        && message.chat_id.kind() == ChatKind::Channel;
    let user = message.sender?.user_id()?;
    is_of_user.then_some(user.get())
}

fn own_users(transaction: &Transaction<'_>) -> Result<BTreeMap<i64, AccountName>, StoreError> {
    let users = transaction.all(sql::OWN_USERS, (), |row| {
        let columns = Columns::new(row, "telegram_sessions");
        Ok((columns.get(0)?, columns.account(1)?))
    })?;
    Ok(users.into_iter().collect())
}

fn own_parts(
    transaction: &Transaction<'_>,
    (account, chat_id): (&AccountName, ChatId),
    since: Timestamp,
) -> Result<Vec<OwnPart>, StoreError> {
    let params = params![chat_id.get(), since.minus(SKEW).as_micros(), account.as_str()];
    let mut parts = transaction.all(sql::OWN_PARTS, params, own_part)?;
    for place in transaction.ended_lately(chat_id) {
        parts.extend(transaction.all(sql::OWN_PARTS_OF, params![place.id, account.as_str()], own_part)?);
    }
    Ok(parts)
}

fn own_part(row: &Row<'_>) -> Result<OwnPart, StoreError> {
    let columns = Columns::new(row, "outbox_parts");
    let is_sent = columns.coded(0, "state of a part", codes::part)? == domain::message::PartState::Sent;
    let sent = is_sent.then(|| items::read_ids(&columns, 2, 3)).transpose()?;
    let ids = sent.map(|ids| ids.iter().flatten().filter_map(domain::ProviderId::telegram).collect());
    Ok(OwnPart { accepted_at: columns.time(1)?, sent: ids })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: i32) -> TelegramMessageId {
        TelegramMessageId::new(number).expect("an id")
    }

    fn part() -> impl Strategy<Value = OwnPart> {
        let sent = proptest::option::of(proptest::collection::vec((1..9_i32).prop_map(id), 0..3));
        (0..9_i64, sent).prop_map(|(at, sent)| OwnPart { accepted_at: Timestamp::from_micros(at), sent })
    }

    proptest! {
        #[test]
        fn a_part_with_the_id_matches_and_a_pending_one_may(
            number in 1..9_i32, received in 0..9_i64, parts in proptest::collection::vec(part(), 0..5),
        ) {
            let whose = decide(id(number), Timestamp::from_micros(received), &parts);
            let known = parts.iter().flat_map(|part| part.sent.iter().flatten()).any(|sent| *sent == id(number));
            prop_assert_eq!(whose == Whose::Program, known);
            let under_way =
                parts.iter().any(|part| part.sent.is_none() && part.accepted_at.as_micros() <= received);
            prop_assert_eq!(whose == Whose::Unclear, !known && under_way);
        }
    }
}

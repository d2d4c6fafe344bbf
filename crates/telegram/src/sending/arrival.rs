//! Looking whether a part arrived: what was seen of it, then the chat's history.

use std::time::Duration;

use delivery::{Evidence, MessageLookup};
use domain::account::Operation;
use domain::outcome::SentIds;
use domain::{ChatKind, ProviderId, TelegramMessageId, Timestamp, UserId};
use grammers_tl_types::{enums, functions};
use store::{Filter, Page};

use crate::account::Account;
use crate::files;
use crate::peers::PeerRelation;
use crate::peers::lookup;
use crate::pool::Pool;
use crate::routing::router::Usable;
use crate::sending::Attempt;
use crate::sending::fingerprint::{Fingerprint, HistoryMessage, Match};

/// Messages read at once, and how often at most.
const PAGE: i32 = 50;
const PAGES: usize = 4;

/// How much further back messages are read: clocks may be set while a message is on its way.
const SKEW_SECONDS: i64 = 60;

/// By how much two clocks that agree may seem apart.
const ROUNDING: Duration = Duration::from_secs(1);

/// How many others are asked whether they see a message.
const WITNESSES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    /// The account that reads.
    Reader,
    User(UserId),
}

pub(crate) async fn find(account: &Account, attempt: Attempt<'_>, since: Timestamp) -> MessageLookup {
    if let Some(ids) = recorded_ids(account, &attempt) {
        return MessageLookup::Here(ids);
    }
    let Some(others) = others(account, &attempt).await else { return MessageLookup::CannotTell };
    let Some(time) = by_telegram(account, since).await else { return MessageLookup::CannotTell };
    let Some(own) = messages_of(account, Author::Reader, &attempt, time.earliest).await else {
        return MessageLookup::CannotTell;
    };
    // It may have come in while the history was read.
    if let Some(ids) = recorded_ids(account, &attempt) {
        return MessageLookup::Here(ids);
    }
    let found = decide(&own, &others, time.since);
    if let MessageLookup::Here(ids) = &found {
        for (item, id) in attempt.part.items.iter().zip(ids.iter()) {
            if let Some(id) = id.and_then(ProviderId::telegram) {
                account.recently_sent.note(item.random_id, id, Some(attempt.chat_id));
            }
        }
    }
    found
}

/// What was seen of the part: it arrives as a whole, so that one of its messages speaks for all.
fn recorded_ids(account: &Account, attempt: &Attempt<'_>) -> Option<SentIds> {
    let ids: Vec<_> =
        attempt.part.items.iter().map(|item| account.recently_sent.message(item.random_id)).collect();
    ids.iter().any(Option::is_some).then(|| SentIds::from_iter(ids))
}

/// Asks others that are in the chat whether they see the part. Only one that looks like it, by its author and sent since
/// it was begun, is evidence.
pub(crate) async fn peer_check(pool: &Pool, attempt: Attempt<'_>, since: Timestamp) -> Evidence {
    let chat_id = attempt.chat_id;
    let Some(author) = pool.get(attempt.account) else { return Evidence::None };
    let (Some(user), true) = (author.health.user_id(), chat_id.kind() != ChatKind::User) else {
        return Evidence::None;
    };
    // In a basic group each member counts messages by itself, so ids that the author knows say nothing here.
    let ids_are_shared = chat_id.kind() == ChatKind::Channel;
    let others =
        if ids_are_shared { others(&author, &attempt).await.unwrap_or_default() } else { Vec::new() };
    let able = |account: &&std::sync::Arc<Account>| {
        account.index != author.index
            && account.usable() == Usable::Now
            && account.peers.relation(chat_id) == PeerRelation::Dialog
    };
    for account in pool.all().iter().filter(able).take(WITNESSES) {
        let Some(time) = by_telegram(account, since).await else { continue };
        let seen = messages_of(account, Author::User(user), &attempt, time.earliest).await;
        let Some(seen) = seen else { continue };
        if let MessageLookup::Here(ids) = decide(&seen, &others, time.since) {
            return Evidence::Present(ids_are_shared.then_some(ids));
        }
    }
    Evidence::None
}

/// An instant of our clock as Telegram's showed it: messages bear Telegram's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Then {
    /// If our clock was then as far from Telegram's as it is now.
    since: Timestamp,
    /// If it was right then and lags behind only now: after a start without a battery, say. What may be that old is
    /// looked at as well, and proves nothing.
    earliest: Timestamp,
}

/// Nothing where no one knows: Telegram cannot be asked what time it is, or our clock was set back since.
async fn by_telegram(account: &Account, at: Timestamp) -> Option<Then> {
    let ahead = account.telegram_ahead().await.ok()?;
    then(at, account.now(), ahead)
}

fn then(at: Timestamp, now: Timestamp, ahead: i64) -> Option<Then> {
    if at.since(now) > ROUNDING {
        return None;
    }
    let distance = Duration::from_secs(ahead.unsigned_abs());
    Some(match ahead {
        _ if distance <= ROUNDING => Then { since: at, earliest: at },
        1.. => Then { since: at.plus(distance), earliest: at },
        _ => {
            let before = at.minus(distance.saturating_add(ROUNDING));
            Then { since: before, earliest: before }
        }
    })
}

/// Decides by what looks like the part and is not known to be another.
fn decide(own: &[Match], others: &[TelegramMessageId], since: Timestamp) -> MessageLookup {
    let mut left = own.iter().filter(|own| !own.ids.iter().any(|id| others.contains(id)));
    match (left.next(), left.next()) {
        (None, _) => MessageLookup::NotThere,
        (Some(only), None) if only.date >= since.as_seconds() => {
            MessageLookup::Here(only.ids.iter().copied().map(Some).collect())
        }
        // Two that look the same, or one that may be older than the message that is looked for.
        _ => MessageLookup::CannotTell,
    }
}

/// Messages that belong to other parts: those this run saw, and those the outbox knows.
async fn others(account: &Account, attempt: &Attempt<'_>) -> Option<Vec<TelegramMessageId>> {
    let random_ids: Vec<i64> = attempt.part.items.iter().map(|item| item.random_id).collect();
    let mut others = account.recently_sent.others(attempt.chat_id, &random_ids);
    let filter = Filter {
        account: Some(attempt.account.clone()),
        chats: Some(vec![attempt.chat_id]),
        ..Filter::default()
    };
    let page = Page { limit: 500, cursor: None };
    let listed = account.store.outbox().list(&filter, &page).await.ok()?;
    for part in listed.items.iter().flat_map(|message| &message.parts) {
        if part.random_id() != attempt.part.random_id() {
            others.extend(part.message_ids().filter_map(ProviderId::telegram));
        }
    }
    Some(others)
}

/// Those of the author's messages that look like the part, back to a moment before `since`; `None` when the chat could
/// not be read that far.
async fn messages_of(
    account: &Account,
    author: Author,
    attempt: &Attempt<'_>,
    since: Timestamp,
) -> Option<Vec<Match>> {
    let peer = lookup::input(account, attempt.chat_id).await?;
    let earliest = since.as_seconds() - SKEW_SECONDS;
    let mut own = Vec::new();
    let fingerprint = Fingerprint::of(attempt);
    let mut offset_id = 0;
    for _ in 0..PAGES {
        let request = functions::messages::GetHistory {
            peer: peer.clone(),
            offset_id,
            offset_date: 0,
            add_offset: 0,
            limit: PAGE,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        let page = match account.read(Operation::Read, &request).await.ok()? {
            enums::messages::Messages::Messages(all) => all.messages,
            enums::messages::Messages::Slice(slice) => slice.messages,
            enums::messages::Messages::ChannelMessages(slice) => slice.messages,
            enums::messages::Messages::NotModified(_) => return None,
        };
        let Some((last_id, last_date)) = page.iter().rev().find_map(id_and_date) else {
            return Some(fingerprint.among(own));
        };
        own.extend(page.iter().filter_map(|message| by(author, message, earliest)));
        if last_date < earliest || last_id == offset_id {
            return Some(fingerprint.among(own));
        }
        offset_id = last_id;
    }
    None
}

fn id_and_date(message: &enums::Message) -> Option<(i32, i64)> {
    match message {
        enums::Message::Empty(_) => None,
        enums::Message::Message(message) => Some((message.id, i64::from(message.date))),
        enums::Message::Service(message) => Some((message.id, i64::from(message.date))),
    }
}

fn by(author: Author, message: &enums::Message, earliest: i64) -> Option<HistoryMessage> {
    let enums::Message::Message(message) = message else { return None };
    let date = i64::from(message.date);
    let is_theirs = match (author, &message.from_id) {
        (Author::Reader, _) => message.out,
        (Author::User(user), Some(enums::Peer::User(from))) => from.user_id == user.get(),
        (Author::User(_), _) => false,
    };
    let id = TelegramMessageId::new(message.id)?;
    (is_theirs && date >= earliest).then(|| HistoryMessage {
        id,
        date,
        text: message.message.clone().into(),
        media: message.media.as_ref().and_then(files::shown),
        album: message.grouped_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_micros(1_000_500_000);

    fn id(number: i64) -> TelegramMessageId {
        TelegramMessageId::new(number).expect("an id")
    }

    fn own(number: i64, date: i64) -> Match {
        Match { ids: vec![id(number)], date }
    }

    #[test]
    fn a_clock_that_may_have_moved_proves_nothing() {
        let (then, hour) =
            (|ahead| then(SINCE, SINCE.plus(Duration::from_mins(1)), ahead), Duration::from_hours(1));
        let exactly = |at| Some(Then { since: at, earliest: at });
        assert_eq!([then(0), then(1), then(-1)], [exactly(SINCE); 3]);
        assert_eq!(then(3_600), Some(Then { since: SINCE.plus(hour), earliest: SINCE }));
        assert_eq!(then(-3_600), exactly(SINCE.minus(hour + ROUNDING)));
        // It is ahead: our clock was set back since, and no one knows by how much.
        assert_eq!(super::then(SINCE, SINCE.minus(Duration::from_mins(1)), 0), None);
        // What is as old as it would be by a clock that lags now is not it, and not denied either.
        let behind = then(3_600).expect("known");
        let messages = [own(5, behind.earliest.as_seconds() + 10)];
        assert_eq!(decide(&messages, &[], behind.since), MessageLookup::CannotTell);
    }

    #[test]
    fn one_message_with_the_text_is_the_match() {
        assert_eq!(decide(&[own(5, 1_000)], &[], SINCE), MessageLookup::Here(SentIds::one(Some(5_i64))));
        assert_eq!(decide(&[], &[], SINCE), MessageLookup::NotThere);
    }

    #[test]
    fn messages_of_other_parts_do_not_count() {
        let own = [own(6, 1_002), own(5, 1_001)];
        assert_eq!(decide(&own, &[id(5)], SINCE), MessageLookup::Here(SentIds::one(Some(6_i64))));
        assert_eq!(decide(&own, &[id(5), id(6)], SINCE), MessageLookup::NotThere);
    }

    #[test]
    fn two_matches_or_an_old_one_prove_nothing() {
        let two = [own(6, 1_002), own(5, 1_001)];
        assert_eq!(decide(&two, &[], SINCE), MessageLookup::CannotTell);
        assert_eq!(decide(&[own(5, 999)], &[], SINCE), MessageLookup::CannotTell);
    }
}

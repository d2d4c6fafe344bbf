//! Looking for messages by their text and time: newest first, with a limit of rows at once.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::{AccountName, ChatId, MessageId, MessageState, Timestamp};

use super::reading::{Filter, LONGEST_BATCH, Listed, message, with_parts};
use super::statements as sql;
use super::{TABLE, key};
use crate::chats::in_json;
use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::needle::Needle;
use crate::paging::Page;
use crate::{StoreError, codes};

/// The most rows that one look goes through: some tenths of a second on a slow disk. A page that ends there leads on.
pub(crate) const MOST_ROWS: u32 = 50_000;

/// How far ahead of the clock ids may be when it was set back.
const MOST_AHEAD: Duration = Duration::from_hours(24);

/// The smallest id that a message of this instant or a later one has: ids grow, also when the clock is set back, so they
/// may be ahead of it and never behind.
fn first_id_at(at: Timestamp) -> [u8; 16] {
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0).to_be_bytes();
    let mut id = [0; 16];
    id[..6].copy_from_slice(&millis[2..]);
    id
}

/// Messages that failed before an instant, the oldest first, after one of them: their ids alone. A text in the filter is
/// not looked at.
pub(super) fn failed(
    connection: &Connection,
    filter: &Filter,
    until: Timestamp,
    after: Option<MessageId>,
    limit: u32,
) -> Result<Vec<MessageId>, StoreError> {
    let after = after.map_or([0; 16], |id| *key(&id));
    let params = params![
        after,
        filter.account.as_ref().map(AccountName::as_str),
        filter.chats.as_deref().map(in_json),
        filter.since.map(Timestamp::as_micros),
        filter.until.map(Timestamp::as_micros),
        until.as_micros(),
        limit.clamp(1, LONGEST_BATCH),
    ];
    connection.all(sql::FAILED, params, |row| Columns::new(row, TABLE).message_id(0))
}

/// A page of the messages that a filter with a text or times finds. The page may have fewer messages than were asked for and
/// still lead on: the cursor says how far the look went.
pub(super) fn search(
    connection: &Connection,
    filter: &Filter,
    page: &Page,
    most_rows: u32,
) -> Result<Listed, StoreError> {
    // When a message did not arrive says nothing of when it was accepted.
    let accepted = |at: Option<Timestamp>| at.filter(|_| filter.undelivered.is_none());
    let newest = accepted(filter.until).map_or([0xff; 16], |until| first_id_at(until.plus(MOST_AHEAD)));
    let before: [u8; 16] = match &page.cursor {
        None => newest,
        Some(cursor) => newest.min(*key(&cursor.parse().map_err(|_| StoreError::BadCursor)?)),
    };
    let from = accepted(filter.since).map_or([0; 16], first_id_at);
    let state = filter.state.map(codes::of_message);
    let narrow = state.filter(|state| *state < codes::FIRST_SENT);
    let needle = filter.text.as_deref().map(Needle::new);
    let wanted = page.rows().saturating_sub(1) as usize;

    let (scan, state_bound) = match (filter.undelivered, narrow) {
        (Some(_), _) => (sql::SCAN_UNDELIVERED, None),
        (None, Some(state)) => (sql::SCAN_OPEN, Some(state)),
        (None, None) => (sql::SCAN, None),
    };
    let three = params![before, from, most_rows];
    let four = params![before, from, state_bound, most_rows];
    let mut found = Listed { items: Vec::new(), next_cursor: None };
    let (mut seen, mut last, mut folded_text) = (0, None, String::new());
    connection.each(scan, if state_bound.is_some() { four } else { three }, |row| {
        seen += 1;
        last = Some(Columns::new(row, TABLE).message_id(0)?);
        if !matches(row, filter, state)? {
            return Ok(ControlFlow::Continue(()));
        }
        let message = match &needle {
            None => Some(message(row)?),
            Some(needle) => {
                let is_to = is_for(row, filter, needle)?;
                if is_to || needle.may_be_in(row.text(11).unwrap_or_default(), &mut folded_text) {
                    Some(message(row)?).filter(|message| is_to || needle.fits(&message.content.text.text))
                } else {
                    None
                }
            }
        };
        if let Some(message) = message {
            found.items.push(with_parts(connection, message)?);
        }
        Ok(if found.items.len() == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    // A look that was broken off, by its page or by its bound, may have more behind it.
    if found.items.len() == wanted || seen == most_rows {
        found.next_cursor = last.map(|id| id.to_string());
    }
    Ok(found)
}

/// Whether it goes to one of these chats.
fn is_among(row: &Row<'_>, chats: &[ChatId]) -> Result<bool, StoreError> {
    Ok(row.get::<Option<i64>>(3)?.is_some_and(|id| chats.iter().any(|chat| chat.get() == id)))
}

/// Whether it is wanted for its chat, whatever its text.
fn is_for(row: &Row<'_>, filter: &Filter, needle: &Needle) -> Result<bool, StoreError> {
    let Some(chats) = &filter.or_to else { return Ok(false) };
    Ok(is_among(row, chats)? || needle.names(row.text(2).unwrap_or_default()))
}

/// What the columns say; the text is looked at last, since it is long.
fn matches(row: &Row<'_>, filter: &Filter, state: Option<i64>) -> Result<bool, StoreError> {
    if state.is_some() && row.get::<Option<i64>>(1)? != state {
        return Ok(false);
    }
    if let Some(chats) = &filter.chats
        && !is_among(row, chats)?
    {
        return Ok(false);
    }
    if let Some(account) = filter.account.as_ref().map(AccountName::as_str)
        && row.text(5) != Some(account)
    {
        return Ok(false);
    }
    let instant = |column| row.get::<Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    let accepted = instant(8)?.unwrap_or_default();
    let at = match filter.undelivered {
        None => accepted,
        Some(now) => {
            let state = row.get::<Option<i64>>(1)?.and_then(codes::message);
            let due = instant(7)?.unwrap_or_default().max(accepted);
            let Some(at) = undelivered_since(state, due, instant(9)?.unwrap_or_default(), now) else {
                return Ok(false);
            };
            at
        }
    };
    Ok(filter.since.is_none_or(|since| at >= since) && filter.until.is_none_or(|until| at < until))
}

/// How long after its time a message may be on its way before it counts as one that has not arrived.
const DELIVERY_TIME: Duration = Duration::from_mins(1);

/// Since when a message has not arrived: since it failed or came into doubt; while it waits for longer than it may, now.
/// None for one that arrived, is on its way, is not due yet or was cancelled.
fn undelivered_since(
    state: Option<MessageState>,
    due: Timestamp,
    changed: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    match state? {
        MessageState::Failed | MessageState::InDoubt => Some(changed),
        MessageState::Queued | MessageState::Scheduled | MessageState::Sending => {
            (now > due.plus(DELIVERY_TIME)).then_some(now)
        }
        MessageState::AwaitingApproval
        | MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read
        | MessageState::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::text::folded;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn a_message_that_waits_for_a_minute_is_undelivered() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let since = |state, due, changed, now| undelivered_since(Some(state), at(due), at(changed), at(now));
        assert_eq!(since(MessageState::Failed, 0, 7, 900), Some(at(7)));
        assert_eq!(since(MessageState::InDoubt, 0, 7, 900), Some(at(7)));
        for waiting in [MessageState::Queued, MessageState::Scheduled, MessageState::Sending] {
            assert_eq!(since(waiting, 0, 0, 60), None, "{waiting:?}: on its way");
            assert_eq!(since(waiting, 0, 0, 61), Some(at(61)), "{waiting:?}");
            assert_eq!(since(waiting, 900, 0, 61), None, "{waiting:?}: its time has not come");
        }
        for over in [MessageState::Sent, MessageState::Cancelled, MessageState::AwaitingApproval] {
            assert_eq!(since(over, 0, 0, 900), None, "{over:?}");
        }
    }

    fn outbox(rows: &[(i64, &str, Option<&str>)]) -> Connection {
        let connection = Connection::migrated();
        for (place, (state, text, account)) in rows.iter().enumerate() {
            let at = Timestamp::from_micros(i64::try_from(place).expect("small") * 1_000_000);
            let mut id = first_id_at(at);
            id[15] = 1;
            let content = serde_json::json!({
                "text": { "text": text, "entities": [] }, "parse_mode": "none", "silent": false, "preview": false,
            });
            connection
                .execute(
                    "INSERT INTO outbox (id, state, chat, chat_id, account, on_flood, created_at, updated_at, listener, content)
                     VALUES ($1, $2, '-1001', -1001, $3, 0, $4, $4, 'v1', $5)",
                    params![id, state, account, at.as_micros(), content.to_string()],
                )
                .unwrap();
        }
        connection
    }

    proptest! {
        #[test]
        fn pages_equal_a_full_scan(
            rows in proptest::collection::vec((
                select(vec![0_i64, 11, 20]),
                select(vec!["Hello there", "ЖДЁТ \"вас\"", "line\nbreak", ""]),
                select(vec![None, Some("main"), Some("backup_1")]),
            ), 0..30),
            text in select(vec![None, Some("hello"), Some("ждёт \"В"), Some("E\nB"), Some("t")]),
            state in select(vec![None, Some(MessageState::Failed), Some(MessageState::Sent)]),
            account in select(vec![None, Some("main")]),
            range in (0_i64..30, 0_i64..30),
            limit in 1_u32..5,
            most_rows in 1_u32..9,
        ) {
            let connection = outbox(&rows);
            let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
            let filter = Filter {
                undelivered: None,
                state,
                account: account.map(|name| name.parse().unwrap()),
                chats: None,
                text: text.map(str::to_owned),
                or_to: None,
                since: Some(at(range.0)),
                until: Some(at(range.1)),
            };
            let expected: Vec<i64> = rows.iter().enumerate().rev().filter(|(place, (code, body, of))| {
                let place = i64::try_from(*place).expect("small");
                place >= range.0 && place < range.1
                    && state.is_none_or(|state| codes::of_message(state) == *code)
                    && account.is_none_or(|account| *of == Some(account))
                    && text.is_none_or(|text| folded(body).contains(&folded(text)))
            }).map(|(place, _)| i64::try_from(place).expect("small")).collect();
            let mut page = Page { limit, cursor: None };
            let mut found = Vec::new();
            for _ in 0..100 {
                let listed = search(&connection, &filter, &page, most_rows).unwrap();
                prop_assert!(listed.items.len() <= limit as usize);
                found.extend(listed.items.iter().map(|message| message.created_at.as_micros() / 1_000_000));
                match listed.next_cursor {
                    Some(next) => page.cursor = Some(next),
                    None => break,
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn old_messages_that_failed_before_an_instant_are_found(
            rows in proptest::collection::vec((select(vec![0_i64, 10, 11, 12, 20]), 0_i64..30), 0..30),
            since in proptest::option::of(0_i64..30),
            until in 0_i64..30,
            limit in 1_u32..5,
        ) {
            let texts: Vec<_> = rows.iter().map(|(state, _)| (*state, "hello", None)).collect();
            let connection = outbox(&texts);
            let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
            let place = |place: usize| i64::try_from(place).expect("small");
            for (row, (_, changed)) in rows.iter().enumerate() {
                let changed_at = at(*changed).as_micros();
                let params = params![changed_at, at(place(row)).as_micros()];
                connection.execute("UPDATE outbox SET updated_at = $1 WHERE created_at = $2", params).unwrap();
            }
            let expected: Vec<_> = rows.iter().enumerate()
                .filter(|(row, (state, changed))| {
                    *state == 11 && *changed < until && since.is_none_or(|since| place(*row) >= since)
                })
                .map(|(row, _)| place(row))
                .collect();
            let filter = Filter { since: since.map(at), ..Filter::default() };
            let mut found: Vec<MessageId> = Vec::new();
            loop {
                let ids = failed(&connection, &filter, at(until), found.last().copied(), limit).unwrap();
                prop_assert!(ids.len() <= limit as usize);
                let is_last = ids.is_empty();
                found.extend(ids);
                if is_last { break }
            }
            let found: Vec<_> = found.iter().map(|id| {
                let millis = i64::try_from(id.as_uuid().as_u128() >> 80).expect("small");
                millis / 1_000
            }).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn ids_of_an_instant_are_not_before_its_first_one(micros in 0_i64..4_000_000_000_000_000) {
            let at = Timestamp::from_micros(micros);
            let id = uuid::Uuid::from_bytes(first_id_at(at));
            prop_assert!(id.as_u128() >> 80 == u128::try_from(micros / 1_000).unwrap_or(0));
        }
    }
}

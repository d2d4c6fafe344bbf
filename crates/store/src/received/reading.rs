//! The list of received messages, the latest received first, and never more rows at once than a page has.

use std::ops::ControlFlow;

use domain::{AccountName, ChatId, Timestamp};

use super::{StoredReceived, row};
use crate::StoreError;
use crate::database::{Connection, params};
use crate::needle::Needle;
use crate::paging::{Page, Paged};
use crate::statement::statements;

/// The most rows that one look goes through, as of those that were sent. A page that ends there leads on.
const MOST_ROWS: u32 = 50_000;

statements! {
    /// 4: not known yet to be anything but what was sent from here.
    SCAN = "
        SELECT seq, account, chat_id, message_id, origin, sender_id, sender_name, text, entities, media, forward,
            reactions, service, reply_to, album, sent_at, edited_at, deleted_at
        FROM received_messages
        WHERE seq < $1 AND seq >= $2 AND origin <> 4
        ORDER BY seq DESC LIMIT $3";
    COUNT = "SELECT count(*) FROM received_messages";
    NTH = "SELECT seq FROM received_messages ORDER BY seq LIMIT 1 OFFSET $1";
    /// The newest row stays: numbers go on from it.
    DROP_OLD = "
        DELETE FROM received_messages WHERE seq IN (
            SELECT seq FROM received_messages
            WHERE seq <= $1 AND seq < (SELECT max(seq) FROM received_messages) ORDER BY seq LIMIT $2)";
}

/// Which received messages to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceivedFilter {
    /// That this account received first.
    pub account: Option<AccountName>,
    /// In one of these chats.
    pub chats: Option<Vec<ChatId>>,
    /// With this in its text, whatever letters are large.
    pub text: Option<String>,
    /// Or, where a text is wanted too, in one of these chats, or from one whose name has it.
    pub or_from: Option<Vec<ChatId>>,
    /// Received at this instant or later.
    pub since: Option<Timestamp>,
    /// Received before this instant.
    pub until: Option<Timestamp>,
}

/// A page, which may have fewer messages than were asked for and still lead on: the cursor says how far the look went.
pub(super) fn list(
    connection: &Connection,
    filter: &ReceivedFilter,
    page: &Page,
) -> Result<Paged<StoredReceived>, StoreError> {
    look(connection, filter, page, MOST_ROWS)
}

fn look(
    connection: &Connection,
    filter: &ReceivedFilter,
    page: &Page,
    most_rows: u32,
) -> Result<Paged<StoredReceived>, StoreError> {
    let until = filter.until.map_or(i64::MAX, Timestamp::as_micros);
    let before = page.after::<i64>()?.unwrap_or(i64::MAX).min(until);
    let since = filter.since.map_or(i64::MIN, Timestamp::as_micros);
    let needle = filter.text.as_deref().map(Needle::new);
    let wanted = page.rows() as usize;
    let (mut found, mut seen, mut last) = (Vec::new(), 0, None);
    connection.each(SCAN, params![before, since, most_rows], |found_row| {
        let stored = row::read(found_row)?;
        seen += 1;
        last = Some(stored.seq);
        if matches(&stored, filter, needle.as_ref()) {
            found.push(stored);
        }
        Ok(if found.len() == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    let is_cut = found.len() == wanted;
    let mut paged = page.cut(found, |stored| stored.seq.to_string());
    if !is_cut && seen == most_rows {
        paged.next_cursor = last.map(|seq| seq.to_string());
    }
    Ok(paged)
}

fn matches(stored: &StoredReceived, filter: &ReceivedFilter, needle: Option<&Needle>) -> bool {
    let message = &stored.message;
    let is_among = |chats: &Vec<ChatId>| chats.contains(&message.chat_id);
    let is_from = |needle: &Needle| {
        let name = message.sender_name.as_deref().unwrap_or_default();
        filter.or_from.as_ref().is_some_and(|chats| is_among(chats) || needle.names(name))
    };
    filter.account.as_ref().is_none_or(|account| *account == message.account)
        && filter.chats.as_ref().is_none_or(is_among)
        && needle.is_none_or(|needle| needle.fits(message.text.as_str()) || is_from(needle))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const INSERT: &str = "
        INSERT INTO received_messages (seq, owner, chat_id, message_id, account, origin, sender_name, text, sent_at, place)
        VALUES ($1, '', $2, $1, $3, $4, 'Anna', $5, 0, 0)";

    proptest! {
        #[test]
        fn pages_equal_a_full_scan(
            rows in proptest::collection::vec((
                select(vec![0_i64, 2, 4]),
                select(vec!["Hello there", "ЖДЁТ \"вас\"", ""]),
                select(vec!["main", "backup_1"]),
                select(vec![-1_000_000_000_001_i64, 5]),
            ), 0..30),
            text in select(vec![None, Some("hello"), Some("ждёт \"В"), Some("anna")]),
            or_from in select(vec![None, Some(vec![]), ChatId::new(5).map(|chat| vec![chat])]),
            account in select(vec![None, Some("main")]),
            range in (0_i64..30, 0_i64..30),
            limit in 1_u32..5,
            most_rows in 1_u32..9,
        ) {
            let connection = Connection::migrated();
            for (seq, (origin, text, account, chat)) in (1_i64..).zip(&rows) {
                connection.execute(INSERT, params![seq, chat, account, origin, text]).unwrap();
            }
            let filter = ReceivedFilter {
                account: account.map(|name| name.parse().unwrap()),
                chats: None,
                text: text.map(str::to_owned),
                or_from: or_from.clone(),
                since: Some(Timestamp::from_micros(range.0)),
                until: Some(Timestamp::from_micros(range.1)),
            };
            let fits = |body: &str, chat: i64| {
                let small = body.to_lowercase();
                text.is_none_or(|text| {
                    let named = or_from.as_ref().is_some_and(|chats| text == "anna" || chats.iter().any(|one| one.get() == chat));
                    small.contains(&text.to_lowercase()) || named
                })
            };
            let mut expected: Vec<i64> = (1_i64..).zip(&rows).filter(|(seq, (origin, body, of, chat))| {
                *origin != 4 && *seq >= range.0 && *seq < range.1
                    && account.is_none_or(|account| account == *of) && fits(body, *chat)
            }).map(|(seq, _)| seq).collect();
            expected.reverse();
            let mut page = Page { limit, cursor: None };
            let mut found = Vec::new();
            for _ in 0..100 {
                let listed = look(&connection, &filter, &page, most_rows).unwrap();
                prop_assert!(listed.items.len() <= limit as usize);
                found.extend(listed.items.iter().map(|stored| stored.seq));
                match listed.next_cursor {
                    Some(next) => page.cursor = Some(next),
                    None => break,
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}

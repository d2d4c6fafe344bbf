//! Chats that no one found: how often each was asked for, by whom, and what every account said.

use std::net::IpAddr;

use domain::outcome::Refusal;
use domain::{ApiKeyId, Timestamp};
use uuid::Uuid;

use crate::column::{Columns, to_json};
use crate::database::{Connection, params};
use crate::outbox::Origin;
use crate::paging::{Moment, Page, Paged};
use crate::point::{self, Point};
use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

const TABLE: &str = "unresolved_chats";
const CALLERS: &str = "unresolved_callers";

/// Chats that are kept at most.
const MOST_CHATS: u32 = 5_000;
/// Callers of one chat that are kept at most.
const MOST_CALLERS: u32 = 20;
/// Rows over a bound that are removed with one count.
const TRIM: u32 = 100;
/// What one account said is cut to this many bytes.
const LONGEST: usize = 300;

statements! {
    COUNT = "
        INSERT INTO unresolved_chats (chat, count, first_at, last_at, accounts) VALUES ($1, 1, $2, $2, $3)
        ON CONFLICT (chat) DO UPDATE SET
            count = unresolved_chats.count + 1,
            last_at = CASE WHEN excluded.last_at > unresolved_chats.last_at
                THEN excluded.last_at ELSE unresolved_chats.last_at END,
            accounts = CASE WHEN excluded.accounts = '[]' THEN unresolved_chats.accounts
                ELSE excluded.accounts END
        RETURNING count";
    COUNT_CALLER = "
        INSERT INTO unresolved_callers (chat, listener, api_key, address, count, last_at)
        VALUES ($1, $2, $3, $4, 1, $5)
        ON CONFLICT (chat, listener, api_key, address) DO UPDATE SET
            count = unresolved_callers.count + 1, last_at = excluded.last_at";
    SURPLUS_CHATS = "
        SELECT chat FROM unresolved_chats ORDER BY last_at DESC, chat DESC LIMIT $1 OFFSET $2";
    SURPLUS_CALLERS = "
        SELECT listener, api_key, address FROM unresolved_callers WHERE chat = $1
        ORDER BY last_at DESC, count DESC LIMIT $2 OFFSET $3";
    DROP_CALLER = "
        DELETE FROM unresolved_callers WHERE chat = $1 AND listener = $2 AND api_key = $3 AND address = $4";
    DROP_CHAT = "DELETE FROM unresolved_chats WHERE chat = $1";
    DROP_CALLERS = "DELETE FROM unresolved_callers WHERE chat = $1";
    LIST = "
        SELECT chat, count, first_at, last_at, accounts FROM unresolved_chats
        WHERE (last_at, chat) < ($1, $2) ORDER BY last_at DESC, chat DESC LIMIT $3";
    CALLERS_OF = "
        SELECT listener, api_key, address, count, last_at FROM unresolved_callers WHERE chat = $1
        ORDER BY last_at DESC, count DESC";
    OLD = "SELECT chat FROM unresolved_chats WHERE last_at <= $1 ORDER BY last_at, chat LIMIT $2";
}

/// A chat that no account finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedChat {
    /// The chat as it was asked for: an id or `@name`.
    pub chat_id: String,
    /// How many pieces of work ended for this.
    pub count: u64,
    /// When it was first counted.
    pub first_at: Timestamp,
    /// When it was last counted.
    pub last_at: Timestamp,
    /// What each account said the last time.
    pub accounts: Vec<Refusal>,
    /// Who asked, the latest first, 20 at most.
    pub callers: Vec<UnresolvedCaller>,
}

/// Someone who asked for a chat that no account finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedCaller {
    /// Where they asked.
    pub listener: String,
    /// The key they showed.
    pub api_key: Option<ApiKeyId>,
    /// Their address.
    pub address: Option<IpAddr>,
    /// How many times.
    pub count: u64,
    /// When they did last.
    pub last_at: Timestamp,
}

/// The unresolved chats of a store. At most 5,000 are kept; the one that was asked for longest ago goes first.
#[derive(Clone, Copy)]
pub struct Unresolved<'a> {
    pub(crate) store: &'a Store,
}

impl Unresolved<'_> {
    /// The unresolved chats, the latest first, a page at a time.
    pub async fn list(&self, page: &Page) -> Result<Paged<UnresolvedChat>, StoreError> {
        let page = page.clone();
        self.store.read(move |connection| list(connection, &page)).await
    }

    /// Forgets a chat. False when it was not there.
    pub async fn forget(&self, chat: &str) -> Result<bool, StoreError> {
        let chat = chat.to_owned();
        self.store.change(point::FORGET_UNRESOLVED, move |transaction| drop_chat(transaction, &chat)).await
    }
}

/// Work that ended because no one found the chat.
pub(crate) struct Missed<'a> {
    /// The chat as it was asked for.
    pub(crate) chat: &'a str,
    pub(crate) origin: &'a Origin,
    /// What each account said.
    pub(crate) refusals: &'a [Refusal],
    pub(crate) at: Timestamp,
}

/// Counts it, as a part of the write that ends the work.
pub(crate) fn count(transaction: &Transaction<'_>, missed: &Missed<'_>) -> Result<(), StoreError> {
    let Missed { chat, origin, refusals, at } = missed;
    let accounts: Vec<Refusal> = refusals
        .iter()
        .map(|refusal| {
            let why = &refusal.why[..refusal.why.floor_char_boundary(LONGEST)];
            Refusal { account: refusal.account.clone(), why: why.to_owned() }
        })
        .collect();
    let accounts = to_json(TABLE, &accounts)?;
    let at = at.as_micros();
    let counted = transaction
        .first(COUNT, params![chat, at, accounts], |row| Columns::new(row, TABLE).get::<i64>(0))?;
    if counted == Some(1) {
        trim_chats(transaction)?;
    }
    let api_key = origin.api_key.map(|id| *id.as_uuid().as_bytes());
    let api_key: &[u8] = api_key.as_ref().map_or(&[], |bytes| bytes.as_slice());
    let address = origin.address.map_or_else(String::new, |address| address.to_string());
    transaction.run(COUNT_CALLER, params![chat, origin.listener, api_key, address, at])?;
    trim_callers(transaction, chat)
}

fn trim_chats(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let surplus = transaction
        .all(SURPLUS_CHATS, [TRIM, MOST_CHATS], |row| Columns::new(row, TABLE).get::<String>(0))?;
    for chat in surplus {
        drop_chat(transaction, &chat)?;
    }
    Ok(())
}

fn trim_callers(transaction: &Transaction<'_>, chat: &str) -> Result<(), StoreError> {
    let surplus = transaction.all(SURPLUS_CALLERS, params![chat, TRIM, MOST_CALLERS], |row| {
        let columns = Columns::new(row, CALLERS);
        Ok((columns.get::<String>(0)?, columns.get::<Vec<u8>>(1)?, columns.get::<String>(2)?))
    })?;
    for (listener, api_key, address) in surplus {
        transaction.run(DROP_CALLER, params![chat, listener, api_key, address])?;
    }
    Ok(())
}

fn drop_chat(transaction: &Transaction<'_>, chat: &str) -> Result<bool, StoreError> {
    transaction.run(DROP_CALLERS, [chat])?;
    Ok(transaction.execute(DROP_CHAT, [chat])? > 0)
}

fn list(connection: &Connection, page: &Page) -> Result<Paged<UnresolvedChat>, StoreError> {
    let before = page.after()?.unwrap_or(Moment { at: i64::MAX, then: String::new() });
    let params = params![before.at, before.then, page.rows()];
    let items = connection.all(LIST, params, |row| {
        let columns = Columns::new(row, TABLE);
        Ok(UnresolvedChat {
            chat_id: columns.get(0)?,
            count: columns.count(1)?,
            first_at: columns.time(2)?,
            last_at: columns.time(3)?,
            accounts: columns.json(4)?,
            callers: Vec::new(),
        })
    })?;
    let mut paged =
        page.cut(items, |chat| Moment { at: chat.last_at.as_micros(), then: chat.chat_id.clone() }.cursor());
    for chat in &mut paged.items {
        chat.callers = connection.all(CALLERS_OF, [&chat.chat_id], |row| {
            let columns = Columns::new(row, CALLERS);
            // Anything but the sixteen bytes of an id stands for none.
            let api_key = Uuid::from_slice(&columns.get::<Vec<u8>>(1)?).ok();
            let address: String = columns.get(2)?;
            Ok(UnresolvedCaller {
                listener: columns.get(0)?,
                api_key: api_key.map(ApiKeyId::from_uuid),
                address: address.parse().ok(),
                count: columns.count(3)?,
                last_at: columns.time(4)?,
            })
        })?;
    }
    Ok(paged)
}

/// Removes chats that no one asked for since, so many at once.
pub(crate) struct DropUnresolved {
    pub(crate) before: Timestamp,
    pub(crate) most: u32,
}

impl Write for DropUnresolved {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::DROP_UNRESOLVED);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let old = transaction.all(OLD, params![self.before.as_micros(), self.most], |row| {
            Columns::new(row, TABLE).get::<String>(0)
        })?;
        for chat in &old {
            drop_chat(transaction, chat)?;
        }
        Ok(old.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(connection: &Connection, table: &str) -> i64 {
        connection.first(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap().unwrap()
    }

    #[test]
    fn the_least_recently_requested_chat_is_removed_first() {
        let connection = Connection::migrated();
        let transaction = Transaction::new(&connection, true);
        let origin = Origin { listener: "5022".into(), api_key: None, address: None };
        let record_request = |number: u32, at: i64| {
            let chat = format!("-{number}");
            let at = Timestamp::from_micros(at);
            count(&transaction, &Missed { chat: &chat, origin: &origin, refusals: &[], at }).unwrap();
        };
        for number in 1..=MOST_CHATS {
            record_request(number, i64::from(number));
        }
        record_request(1, 1_000_000);
        record_request(MOST_CHATS + 1, 1_000_001);
        assert_eq!(rows(&connection, TABLE), i64::from(MOST_CHATS));
        assert_eq!(rows(&connection, CALLERS), i64::from(MOST_CHATS));
        let page = Page { limit: 2, cursor: None };
        let latest = list(&connection, &page).unwrap();
        let names: Vec<_> = latest.items.iter().map(|chat| (chat.chat_id.as_str(), chat.count)).collect();
        assert_eq!(names, [("-5001", 1), ("-1", 2)]);
        assert!(!drop_chat(&transaction, "-2").unwrap());
        assert!(drop_chat(&transaction, "-3").unwrap());
    }

    #[test]
    fn the_latest_twenty_callers_are_stored() {
        let connection = Connection::migrated();
        let transaction = Transaction::new(&connection, true);
        for number in 0..30_i64 {
            let origin = Origin { listener: format!("{}", 5000 + number), api_key: None, address: None };
            let at = Timestamp::from_micros(number);
            count(&transaction, &Missed { chat: "@demo", origin: &origin, refusals: &[], at }).unwrap();
        }
        let listed = list(&connection, &Page { limit: 5, cursor: None }).unwrap();
        let listeners: Vec<_> =
            listed.items[0].callers.iter().map(|caller| caller.listener.clone()).collect();
        let expected: Vec<_> = (10..30).rev().map(|number| (5000 + number).to_string()).collect();
        assert_eq!((listed.items[0].count, listeners), (30, expected));
    }
}

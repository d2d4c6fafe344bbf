//! Failovers: when work went to another account than the one that was its first choice.

use std::fmt::Display;

use domain::event::FailoverEvent;
use domain::saga::Failover;
use domain::{AccountName, ChatId, Event};

use crate::chats::in_json;
use crate::column::Columns;
use crate::database::{Connection, params};
use crate::events::NewEvent;
use crate::paging::{Moment, Page, Paged};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError};

const TABLE: &str = "failovers";

/// The subject of a failover that a person asked for.
pub(crate) const BY_HAND: &str = "by_hand";

/// Reasons are cut to this many bytes.
const LONGEST: usize = 1000;

statements! {
    SAVE = "
        INSERT INTO failovers (seq, at, chat_id, from_account, to_account, reason, subject)
        VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM failovers), $1, $2, $3, $4, $5, $6)";
    LIST = "
        SELECT seq, at, chat_id, from_account, to_account, reason, subject FROM failovers
        WHERE (at, seq) < ($1, $2) AND (CAST($3 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($3)))
          AND (CAST($4 AS TEXT) IS NULL OR from_account = $4 OR to_account = $4)
        ORDER BY at DESC, seq DESC LIMIT $5";
    DROP_OLD = "
        DELETE FROM failovers WHERE seq IN (
            SELECT seq FROM failovers WHERE at <= $1 ORDER BY at, seq LIMIT $2)";
}

/// A failover that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverRecord {
    /// What happened.
    pub failover: Failover,
    /// The piece of work: the text form of a message's or a saga's id; `by_hand` where a person moved the chat.
    pub subject: String,
}

/// Which failovers to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailoverFilter {
    /// On one of these chats.
    pub chats: Option<Vec<ChatId>>,
    /// From or to this account.
    pub account: Option<AccountName>,
}

/// The failovers' part of a store.
#[derive(Clone, Copy)]
pub struct Failovers<'a> {
    pub(crate) store: &'a Store,
}

impl Failovers<'_> {
    /// Failovers, the latest first, a page at a time.
    pub async fn list(
        &self,
        filter: &FailoverFilter,
        page: &Page,
    ) -> Result<Paged<FailoverRecord>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| list(connection, &filter, &page)).await
    }
}

/// Keeps a failover, as a part of whatever write it came with, and adds its event.
pub(crate) fn happened(
    transaction: &Transaction<'_>,
    failover: &Failover,
    subject: &impl Display,
) -> Result<(), StoreError> {
    save(transaction, failover, subject)?;
    let Failover { at, chat_id, from, to, reason } = failover.clone();
    let reason = reason[..reason.floor_char_boundary(LONGEST)].to_owned();
    let data = FailoverEvent { from, to: to.clone(), reason, subject: subject.to_string() };
    transaction.tell(NewEvent {
        at,
        account: Some(to),
        chat: chat_id.map(|chat_id| chat_id.to_string()),
        event: Event::Failover(data),
    });
    Ok(())
}

/// Keeps a failover that happened elsewhere or before.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    failover: &Failover,
    subject: &impl Display,
) -> Result<(), StoreError> {
    let Failover { at, chat_id, from, to, reason } = failover;
    let reason = &reason[..reason.floor_char_boundary(LONGEST)];
    transaction.run(
        SAVE,
        params![
            at.as_micros(),
            chat_id.map(ChatId::get),
            from.as_str(),
            to.as_str(),
            reason,
            subject.to_string(),
        ],
    )?;
    Ok(())
}

fn list(
    connection: &Connection,
    filter: &FailoverFilter,
    page: &Page,
) -> Result<Paged<FailoverRecord>, StoreError> {
    let before = page.after()?.unwrap_or(Moment { at: i64::MAX, then: i64::MAX });
    let params = params![
        before.at,
        before.then,
        filter.chats.as_deref().map(in_json),
        filter.account.as_ref().map(AccountName::as_str),
        page.rows(),
    ];
    let items = connection.all(LIST, params, |row| {
        let columns = Columns::new(row, TABLE);
        let failover = Failover {
            at: columns.time(1)?,
            chat_id: columns.maybe_chat_id(2)?,
            from: columns.account(3)?,
            to: columns.account(4)?,
            reason: columns.get(5)?,
        };
        Ok((columns.get::<i64>(0)?, FailoverRecord { failover, subject: columns.get(6)? }))
    })?;
    let Paged { items, next_cursor } =
        page.cut(items, |(seq, record)| Moment { at: record.failover.at.as_micros(), then: *seq }.cursor());
    Ok(Paged { items: items.into_iter().map(|(_, record)| record).collect(), next_cursor })
}

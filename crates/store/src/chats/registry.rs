//! The rows of the registry: what changes them, and how they are read together with what the accounts know.

use domain::event::ChatEvent;
use domain::saga::{Failover, RegistryChange, Saga};
use domain::{AccountName, ChatId, Event, Timestamp};

use super::{ChatFilter, ChatRecord, ChatState, in_json, names};
use crate::accounts::statements as accounts;
use crate::column::Columns;
use crate::database::{Connection, Parameters, Row, params};
use crate::events::NewEvent;
use crate::paging::{Page, Paged};
use crate::peers::PeerKind;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, failovers};

use statements as sql;

const TABLE: &str = "chats";

pub(crate) mod statements {
    //! The statements of the registry.

    use crate::statement::statements;

    statements! {
        CREATED = "
            INSERT INTO chats (chat_id, title, about, kind, operation, created_at)
            VALUES ($1, $2, $3, 'supergroup', $4, $5)
            ON CONFLICT (chat_id) DO UPDATE SET
                title = excluded.title, about = excluded.about, kind = excluded.kind,
                operation = coalesce(excluded.operation, chats.operation),
                created_at = coalesce(chats.created_at, excluded.created_at), left_at = NULL";
        LINKED = "
            INSERT INTO chats (chat_id, invite_link) VALUES ($1, $2)
            ON CONFLICT (chat_id) DO UPDATE SET invite_link = excluded.invite_link";
        MARK_LEFT = "
            INSERT INTO chats (chat_id, left_at) VALUES ($1, $2)
            ON CONFLICT (chat_id) DO UPDATE SET left_at = coalesce(chats.left_at, excluded.left_at)";
        NOT_LEFT = "UPDATE chats SET left_at = NULL WHERE chat_id = $1";
        EDITED = "
            INSERT INTO chats (chat_id, title, about) VALUES ($1, $2, $3)
            ON CONFLICT (chat_id) DO UPDATE SET
                title = coalesce(excluded.title, chats.title), about = coalesce(excluded.about, chats.about)";
        /// What the accounts know of a title is as old as their last look.
        RETITLED = "UPDATE telegram_peers SET title = $1 WHERE chat_id = $2 AND dialog = 1";
        MIGRATED_TO = "SELECT to_id FROM chat_migrations WHERE from_id = $1";
        SAVE_MIGRATION = "
            INSERT INTO chat_migrations (from_id, to_id) VALUES ($1, $2)
            ON CONFLICT (from_id) DO UPDATE SET to_id = excluded.to_id";
        MOVE_CHAT = "
            INSERT INTO chats (chat_id, title, about, kind, invite_link, operation, created_at, left_at)
            SELECT $1, title, about, 'supergroup', invite_link, operation, created_at, left_at
            FROM chats WHERE chat_id = $2
            ON CONFLICT (chat_id) DO UPDATE SET
                title = coalesce(chats.title, excluded.title), about = coalesce(chats.about, excluded.about),
                invite_link = coalesce(chats.invite_link, excluded.invite_link),
                operation = coalesce(chats.operation, excluded.operation),
                created_at = coalesce(chats.created_at, excluded.created_at)";
        DROP_CHAT = "DELETE FROM chats WHERE chat_id = $1";

        LEFT = "SELECT chat_id FROM chats WHERE left_at IS NOT NULL ORDER BY chat_id";
        TITLED = "
            SELECT chat_id FROM chats WHERE title = $1 AND created_at IS NOT NULL ORDER BY chat_id";
        /// Groups, supergroups and channels are those below zero.
        LIST = "
            SELECT i.chat_id, c.title, c.about, c.kind, c.invite_link, c.operation, c.created_at, c.left_at,
                b.account
            FROM (
                SELECT chat_id FROM chats WHERE chat_id > $1
                UNION
                SELECT chat_id FROM telegram_peers WHERE dialog = 1 AND chat_id > $1 AND chat_id < 0
            ) AS i
                LEFT JOIN chats AS c ON c.chat_id = i.chat_id
                LEFT JOIN chat_bindings AS b ON b.chat_id = i.chat_id
            WHERE NOT EXISTS (SELECT 1 FROM chat_migrations AS m WHERE m.from_id = i.chat_id)
              AND (CAST($2 AS BIGINT) IS NULL OR (c.left_at IS NOT NULL) = ($2 = 1))
              AND (CAST($3 AS TEXT) IS NULL OR b.account = $3 OR EXISTS (
                SELECT 1 FROM telegram_peers AS p
                WHERE p.chat_id = i.chat_id AND p.account = $3 AND p.dialog = 1))
              AND (CAST($4 AS TEXT) IS NULL OR $4 = coalesce(
                (SELECT min(p.kind) FROM telegram_peers AS p WHERE p.chat_id = i.chat_id AND p.dialog = 1),
                c.kind))
            ORDER BY i.chat_id LIMIT $5";
        /// The same among those that a text names, people too.
        LIST_FOUND = "
            SELECT i.value, c.title, c.about, c.kind, c.invite_link, c.operation, c.created_at, c.left_at,
                b.account
            FROM json_each($1) AS i
                LEFT JOIN chats AS c ON c.chat_id = i.value
                LEFT JOIN chat_bindings AS b ON b.chat_id = i.value
            WHERE i.value > $2
              AND NOT EXISTS (SELECT 1 FROM chat_migrations AS m WHERE m.from_id = i.value)
              AND (CAST($3 AS BIGINT) IS NULL OR (c.left_at IS NOT NULL) = ($3 = 1))
              AND (CAST($4 AS TEXT) IS NULL OR b.account = $4 OR EXISTS (
                SELECT 1 FROM telegram_peers AS p
                WHERE p.chat_id = i.value AND p.account = $4 AND p.dialog = 1))
              AND (CAST($5 AS TEXT) IS NULL OR $5 = coalesce(
                (SELECT min(p.kind) FROM telegram_peers AS p WHERE p.chat_id = i.value), c.kind))
            ORDER BY i.value LIMIT $6";
        GET = "
            SELECT i.chat_id, c.title, c.about, c.kind, c.invite_link, c.operation, c.created_at, c.left_at,
                b.account
            FROM (SELECT CAST($1 AS BIGINT) AS chat_id) AS i
                LEFT JOIN chats AS c ON c.chat_id = i.chat_id
                LEFT JOIN chat_bindings AS b ON b.chat_id = i.chat_id
            WHERE c.chat_id IS NOT NULL OR b.account IS NOT NULL OR EXISTS (
                SELECT 1 FROM telegram_peers AS p WHERE p.chat_id = $1 AND p.dialog = 1)";
        WHO_IS_IN = "
            SELECT account, title, kind FROM telegram_peers WHERE chat_id = $1 AND dialog = 1
            ORDER BY account";
    }
}

/// Changes the registry, as a part of whatever write it came with.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    change: &RegistryChange,
    saga: Option<&Saga>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tell(transaction, change, saga, at);
    let at = at.as_micros();
    match change {
        RegistryChange::Created { chat_id, title, about, account } => {
            let chat_id = now(transaction, *chat_id)?;
            let operation = saga.map(|saga| saga.id.as_uuid().as_bytes());
            transaction.run(sql::CREATED, params![chat_id, title, about, operation, at])?;
            transaction.run(accounts::REBIND, params![chat_id, account.as_str(), at])?;
        }
        RegistryChange::Linked { chat_id, link } => {
            transaction.run(sql::LINKED, params![now(transaction, *chat_id)?, link])?;
        }
        RegistryChange::Left { chat_id } => {
            let chat_id = now(transaction, *chat_id)?;
            transaction.run(sql::MARK_LEFT, params![chat_id, at])?;
            transaction.run(accounts::UNBIND, [chat_id])?;
        }
        RegistryChange::Bound { chat_id, account } => {
            let chat_id = now(transaction, *chat_id)?;
            transaction.run(accounts::REBIND, params![chat_id, account.as_str(), at])?;
            transaction.run(sql::NOT_LEFT, [chat_id])?;
        }
        RegistryChange::Edited { chat_id, title, about } => {
            let chat_id = now(transaction, *chat_id)?;
            transaction.run(sql::EDITED, params![chat_id, title, about])?;
            if let Some(title) = title {
                transaction.run(sql::RETITLED, params![title, chat_id])?;
            }
        }
    }
    Ok(())
}

fn tell(transaction: &Transaction<'_>, change: &RegistryChange, saga: Option<&Saga>, at: Timestamp) {
    let (chat_id, title) = match change {
        RegistryChange::Created { chat_id, title, .. } => (*chat_id, Some(title.clone())),
        RegistryChange::Edited { chat_id, title, .. } => (*chat_id, title.clone()),
        RegistryChange::Left { chat_id } => (*chat_id, None),
        RegistryChange::Linked { .. } | RegistryChange::Bound { .. } => return,
    };
    let data = ChatEvent { chat_id, title, operation_id: saga.map(|saga| saga.id) };
    let (account, event) = match change {
        RegistryChange::Created { account, .. } => (Some(account), Event::ChatCreated(data)),
        RegistryChange::Left { .. } => (saga.and_then(|saga| saga.account.as_ref()), Event::ChatLeft(data)),
        _ => (saga.and_then(|saga| saga.account.as_ref()), Event::ChatEdited(data)),
    };
    transaction.tell(NewEvent { at, account: account.cloned(), chat: Some(chat_id.to_string()), event });
}

/// The id that a chat has now: that of the supergroup, where a basic group became one.
fn now(transaction: &Transaction<'_>, chat_id: ChatId) -> Result<i64, StoreError> {
    let moved = transaction
        .first(sql::MIGRATED_TO, [chat_id.get()], |row| Columns::new(row, "chat_migrations").get::<i64>(0))?;
    Ok(moved.unwrap_or(chat_id.get()))
}

/// Keeps that a basic group became a supergroup, and moves what belongs to it.
pub(crate) fn migrate(transaction: &Transaction<'_>, from: ChatId, to: ChatId) -> Result<(), StoreError> {
    let (from, to) = (from.get(), to.get());
    transaction.run(sql::SAVE_MIGRATION, [from, to])?;
    transaction.run(accounts::MOVE_BINDING, [to, from])?;
    transaction.run(accounts::UNBIND, [from])?;
    transaction.run(sql::MOVE_CHAT, [to, from])?;
    transaction.run(sql::DROP_CHAT, [from])?;
    Ok(())
}

pub(super) struct Change {
    pub(super) changes: Vec<RegistryChange>,
    pub(super) at: Timestamp,
}

impl Write for Change {
    type Answer = ();
    const POINT: Option<Point> = Some(point::CHANGE_CHAT);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        self.changes.iter().try_for_each(|change| apply(transaction, change, None, self.at))
    }
}

/// Chats that a person gives to other accounts.
pub(super) struct MoveByHand {
    pub(super) moves: Vec<Failover>,
}

impl Write for MoveByHand {
    type Answer = ();
    const POINT: Option<Point> = Some(point::CHANGE_CHAT);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        for failover in &self.moves {
            let Failover { at, chat_id: Some(chat_id), to, .. } = failover else { continue };
            let bound = RegistryChange::Bound { chat_id: *chat_id, account: to.clone() };
            apply(transaction, &bound, None, *at)?;
            failovers::happened(transaction, failover, &failovers::BY_HAND)?;
        }
        Ok(())
    }
}

pub(super) fn list(
    connection: &Connection,
    filter: &ChatFilter,
    page: &Page,
) -> Result<Paged<ChatRecord>, StoreError> {
    let after = page.after::<ChatId>()?.map_or(i64::MIN, ChatId::get);
    let left = filter.state.map(|state| state == ChatState::Left);
    let account = filter.account.as_ref().map(AccountName::as_str);
    let kind = filter.kind.map(PeerKind::as_str);
    let items = match &filter.q {
        None => {
            let params = params![after, left, account, kind, page.rows()];
            connection.all(sql::LIST, params, record)?
        }
        Some(text) => {
            let found = in_json(&names::find(connection, text)?);
            let params = params![found, after, left, account, kind, page.rows()];
            connection.all(sql::LIST_FOUND, params, record)?
        }
    };
    let Paged { items, next_cursor } = page.cut(items, |chat| chat.chat_id.to_string());
    let items =
        items.into_iter().map(|chat| with_accounts(connection, chat)).collect::<Result<Vec<_>, _>>()?;
    Ok(Paged { items, next_cursor })
}

pub(super) fn get(connection: &Connection, chat_id: ChatId) -> Result<Option<ChatRecord>, StoreError> {
    let found = connection.first(sql::GET, [chat_id.get()], record)?;
    found.map(|chat| with_accounts(connection, chat)).transpose()
}

pub(super) fn ids(
    connection: &Connection,
    statement: &str,
    params: impl Parameters,
) -> Result<Vec<ChatId>, StoreError> {
    connection.all(statement, params, |row| Columns::new(row, TABLE).chat_id(0))
}

/// A chat as the registry has it, without what the accounts know.
fn record(row: &Row<'_>) -> Result<ChatRecord, StoreError> {
    let columns = Columns::new(row, TABLE);
    let left_at = columns.maybe_time(7)?;
    let kind = columns.get::<Option<String>>(3)?;
    let kind = kind
        .map(|word| PeerKind::from_word(&word).ok_or_else(|| columns.strange(3, "kind of chat", word)))
        .transpose()?;
    Ok(ChatRecord {
        chat_id: columns.chat_id(0)?,
        title: columns.get(1)?,
        about: columns.get(2)?,
        kind,
        state: if left_at.is_some() { ChatState::Left } else { ChatState::Active },
        account: columns.maybe_account(8)?,
        accounts: Vec::new(),
        invite_link: columns.get(4)?,
        operation: columns.maybe_operation_id(5)?,
        created_at: columns.maybe_time(6)?,
        left_at,
    })
}

/// Adds who is in it. What they see of title and kind goes before what was written when it was made.
fn with_accounts(connection: &Connection, mut chat: ChatRecord) -> Result<ChatRecord, StoreError> {
    let known = connection.all(sql::WHO_IS_IN, [chat.chat_id.get()], |row| {
        let columns = Columns::new(row, "telegram_peers");
        let kind = columns.word(2, "kind of peer", PeerKind::from_word)?;
        Ok((columns.account(0)?, columns.get::<String>(1)?, kind))
    })?;
    let bound = known.iter().find(|(account, ..)| Some(account) == chat.account.as_ref());
    if let Some((_, title, kind)) = bound.or_else(|| known.first()) {
        chat.title = Some(title.clone());
        chat.kind = Some(*kind);
    }
    chat.accounts = known.into_iter().map(|(account, ..)| account).collect();
    Ok(chat)
}

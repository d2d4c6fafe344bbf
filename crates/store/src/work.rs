//! The log of all work: messages and sagas together, newest first.

use domain::message::OutboundMessage;
use domain::saga::{Saga, TaskKind};
use domain::{AccountName, ChatId, MessageId, OperationId};

use crate::chats::in_json;
use crate::database::{Connection, params};
use crate::outbox::{logged as messages, statements as outbox};
use crate::paging::{Page, Paged};
use crate::sagas::{logged as sagas, statements as operations};
use crate::{Store, StoreError};

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A message.
    Message(Box<OutboundMessage>),
    /// A saga.
    Saga(Box<Saga>),
}

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkKind {
    /// Messages.
    SendText,
    /// Sagas of every kind.
    Sagas,
    /// Sagas of one kind.
    Saga(TaskKind),
}

/// Which work to list; all of it without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkFilter {
    /// Of this kind.
    pub kind: Option<WorkKind>,
    /// Of this account.
    pub account: Option<AccountName>,
    /// On one of these chats.
    pub chats: Option<Vec<ChatId>>,
    /// Not ended yet, those in doubt included; or ended.
    pub open: Option<bool>,
    /// Only what is in doubt.
    pub in_doubt: bool,
}

impl Store {
    /// Messages and sagas together, newest first, a page at a time.
    pub async fn work(&self, filter: &WorkFilter, page: &Page) -> Result<Paged<Work>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.read(move |connection| list(connection, &filter, &page)).await
    }
}

impl Work {
    /// The sixteen bytes that all work is ordered by.
    fn sort_key(&self) -> [u8; 16] {
        match self {
            Self::Message(message) => *message.id.as_uuid().as_bytes(),
            Self::Saga(saga) => *saga.id.as_uuid().as_bytes(),
        }
    }

    /// The text form of its id.
    fn id(&self) -> String {
        match self {
            Self::Message(message) => message.id.to_string(),
            Self::Saga(saga) => saga.id.to_string(),
        }
    }
}

/// Where a page begins: a cursor is the id of a piece of work.
fn id_in(cursor: &str) -> Result<[u8; 16], StoreError> {
    if let Ok(id) = cursor.parse::<MessageId>() {
        return Ok(*id.as_uuid().as_bytes());
    }
    let id: OperationId = cursor.parse().map_err(|_| StoreError::BadCursor)?;
    Ok(*id.as_uuid().as_bytes())
}

fn list(connection: &Connection, filter: &WorkFilter, page: &Page) -> Result<Paged<Work>, StoreError> {
    let before = page.cursor.as_deref().map_or(Ok([0xff; 16]), id_in)?;
    let WorkFilter { kind, account, chats, open, in_doubt } = filter;
    let open = if *in_doubt { &Some(true) } else { open };
    let account = account.as_ref().map(AccountName::as_str);
    let chats = chats.as_deref().map(in_json);
    let mut items = Vec::new();
    if !matches!(kind, Some(WorkKind::Sagas | WorkKind::Saga(_))) {
        let statement = if *open == Some(true) { outbox::LOG_OPEN } else { outbox::LOG };
        let found =
            messages(connection, statement, params![before, account, chats, open, in_doubt, page.rows()])?;
        items.extend(found.into_iter().map(|message| Work::Message(Box::new(message))));
    }
    if *kind != Some(WorkKind::SendText) {
        let word = match kind {
            Some(WorkKind::Saga(kind)) => Some(kind.as_str()),
            Some(WorkKind::SendText | WorkKind::Sagas) | None => None,
        };
        let statement = if *open == Some(true) { operations::LOG_OPEN } else { operations::LOG };
        let params = params![before, account, chats, open, word, in_doubt, page.rows()];
        let found = sagas(connection, statement, params)?;
        items.extend(found.into_iter().map(|saga| Work::Saga(Box::new(saga))));
    }
    items.sort_unstable_by_key(|work| std::cmp::Reverse(work.sort_key()));
    Ok(page.cut(items, Work::id))
}

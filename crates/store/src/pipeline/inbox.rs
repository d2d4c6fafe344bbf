//! What an inbox is made of: conversations listed and searched, what is unread, templates, figures, and clients erased.

use std::collections::HashSet;
use std::time::Duration;

use domain::{AppealId, Author, ChannelName, ClientId, Event, Timestamp};
use uuid::Uuid;

use super::rows::{ReplyTemplate, StoredAppeal};
use super::{MOST_ROWS, Pipeline, appeals, clients, rows, scan, statements as sql, words};
use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::paging::{Page, Paged};
use crate::write::Transaction;
use crate::{StoreError, point};

/// So few clients are looked at one by one; of more, appeals are gone through until a page is full.
const FEW: usize = 300;
/// Appeals that figures are made of at most.
const MOST_FIGURES: u32 = 500_000;

/// The order of appeals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AppealOrder {
    /// The one that changed last first.
    #[default]
    Changed,
    /// Those whose client waits, the longest first.
    Waiting,
}

/// Which appeals to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppealFilter {
    /// Those that are not closed.
    pub open: bool,
    /// In this state.
    pub state: Option<domain::AppealState>,
    /// That began in this channel, or whose client has a chat there.
    pub channel: Option<ChannelName>,
    /// Of this assignee; `Some(None)`: of no one.
    pub assignee: Option<Option<String>>,
    /// Of this client.
    pub client: Option<ClientId>,
    /// That are set aside, or that are not.
    pub snoozed: Option<bool>,
    /// With messages that no person has seen.
    pub unread: bool,
    /// Of clients that these words lead to.
    pub search: Option<String>,
    pub order: AppealOrder,
}

impl AppealFilter {
    fn fits(&self, appeal: &StoredAppeal, on_channel: &HashSet<ClientId>, now: Timestamp) -> bool {
        let is_on =
            |channel: &ChannelName| *channel == appeal.chat.channel || on_channel.contains(&appeal.client);
        let is_snoozed = appeal.state.is_open() && appeal.snoozed_until.is_some_and(|until| until > now);
        (!self.open || appeal.state.is_open())
            && self.state.is_none_or(|state| state == appeal.state)
            && self.channel.as_ref().is_none_or(is_on)
            && self.assignee.as_ref().is_none_or(|assignee| *assignee == appeal.assignee)
            && self.client.is_none_or(|client| client == appeal.client)
            && self.snoozed.is_none_or(|snoozed| snoozed == is_snoozed)
            && (!self.unread || appeal.unread > 0)
            && (self.order == AppealOrder::Changed || appeal.waiting_since.is_some())
    }

    /// Where an appeal is in the order.
    fn sort_key(&self, appeal: &StoredAppeal) -> (i64, [u8; 16]) {
        let at = match self.order {
            AppealOrder::Changed => appeal.updated_at,
            AppealOrder::Waiting => appeal.waiting_since.unwrap_or(appeal.updated_at),
        };
        (at.as_micros(), *appeal.id.as_uuid().as_bytes())
    }

    /// Where a page begins.
    fn begin(&self, page: &Page) -> Result<(i64, [u8; 16]), StoreError> {
        let Some(cursor) = &page.cursor else {
            return Ok(match self.order {
                AppealOrder::Changed => (i64::MAX, [0xff; 16]),
                AppealOrder::Waiting => (i64::MIN, [0; 16]),
            });
        };
        let (micros, appeal) = cursor.split_once('.').ok_or(StoreError::BadCursor)?;
        let at = micros.parse().map_err(|_| StoreError::BadCursor)?;
        let id = appeal.parse::<AppealId>().map_err(|_| StoreError::BadCursor)?;
        Ok((at, *id.as_uuid().as_bytes()))
    }
}

fn cursor((at, id): (i64, [u8; 16])) -> String {
    format!("{at}.{}", AppealId::from_uuid(Uuid::from_bytes(id)))
}

/// Conversations that no person has seen to their end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// All of them.
    pub conversations: u64,
    /// Those of no one.
    pub unassigned: u64,
}

/// What figures are made of: an appeal as it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedAppeal {
    pub channel: ChannelName,
    pub opened_at: Timestamp,
    pub first_answer_at: Option<Timestamp>,
    pub first_author: Option<Author>,
    /// How long the client waited for the first answer; none where we wrote first.
    pub first_wait: Option<Duration>,
    /// How many answers came after the first, and how long the client waited for all of them.
    pub next_answers: u64,
    pub next_wait: Duration,
}

impl Pipeline<'_> {
    /// Appeals in their order. A page may have fewer than were asked for and still lead on.
    pub async fn appeals(
        &self,
        filter: &AppealFilter,
        page: &Page,
    ) -> Result<Paged<StoredAppeal>, StoreError> {
        let (filter, page, now) = (filter.clone(), page.clone(), self.store.now());
        self.store.read(move |connection| list(connection, &filter, &page, now)).await
    }

    /// Clients that these words lead to and that have no appeal, up to this number.
    pub async fn without_appeal(&self, search: &str, most: usize) -> Result<Vec<ClientId>, StoreError> {
        let search = search.to_owned();
        self.store
            .read(move |connection| {
                let found = words::find(connection, &search)?;
                let mut without = Vec::new();
                for client in found.into_iter().take(FEW) {
                    let key = client.as_uuid().as_bytes();
                    let appeal = connection.first(sql::LAST_APPEAL, params![key], rows::appeal)?;
                    let known = connection.first(sql::CLIENT, params![key], rows::client)?;
                    if appeal.is_none() && known.is_some_and(|client| client.merged_into.is_none()) {
                        without.push(client);
                    }
                    if without.len() == most {
                        break;
                    }
                }
                without.sort_unstable();
                Ok(without)
            })
            .await
    }

    /// A person has seen what a client wrote.
    pub async fn mark_read(&self, client: ClientId) -> Result<(), StoreError> {
        let change = move |transaction: &Transaction<'_>| appeals::read(transaction, &client);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// The client in whose conversation a message is.
    pub async fn client_of(&self, message: &str) -> Result<Option<ClientId>, StoreError> {
        self.store.first(sql::CLIENT_OF_MESSAGE, [message.to_owned()], rows::only_client).await
    }

    /// How many conversations no person has seen to their end.
    pub async fn unread(&self) -> Result<Unread, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "pipeline_appeals");
            Ok(Unread { conversations: columns.count(0)?, unassigned: columns.count(1)? })
        };
        Ok(self.store.first(sql::UNREAD, (), read).await?.unwrap_or_default())
    }

    /// The appeals that were opened in a time, the first one first.
    pub async fn opened(&self, from: Timestamp, until: Timestamp) -> Result<Vec<OpenedAppeal>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "pipeline_appeals");
            Ok(OpenedAppeal {
                channel: columns.parsed(0)?,
                opened_at: columns.time(1)?,
                first_answer_at: columns.maybe_time(2)?,
                first_author: rows::maybe_author(&columns, 3)?,
                first_wait: rows::maybe_wait(&columns, 4)?,
                next_answers: columns.count(5)?,
                next_wait: rows::maybe_wait(&columns, 6)?.unwrap_or_default(),
            })
        };
        let params = (from.as_micros(), until.as_micros(), MOST_FIGURES);
        self.store.all(sql::OPENED, params, read).await
    }

    /// Saves a template of answers; the one of its name is replaced.
    pub async fn save_template(&self, name: &str, text: &str, by: &str) -> Result<ReplyTemplate, StoreError> {
        let template = ReplyTemplate {
            name: name.to_owned(),
            text: text.to_owned(),
            updated_by: by.to_owned(),
            updated_at: self.store.now(),
        };
        let saved = template.clone();
        let change = move |transaction: &Transaction<'_>| {
            let ReplyTemplate { name, text, updated_by, updated_at } = &saved;
            transaction.run(sql::SAVE_TEMPLATE, params![name, text, updated_by, updated_at.as_micros()])
        };
        self.store.change(point::PIPELINE_CHANGE, change).await.map(|()| template)
    }

    /// The templates of answers, by name.
    pub async fn templates(&self) -> Result<Vec<ReplyTemplate>, StoreError> {
        self.store.all(sql::TEMPLATES, (), rows::template).await
    }

    /// A template of answers.
    pub async fn template(&self, name: &str) -> Result<Option<ReplyTemplate>, StoreError> {
        self.store.first(sql::TEMPLATE, [name.to_owned()], rows::template).await
    }

    /// Removes a template of answers; false where there is none of this name.
    pub async fn drop_template(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        let change = move |transaction: &Transaction<'_>| {
            transaction.execute(sql::DROP_TEMPLATE, params![name]).map(|rows| rows > 0)
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Removes a client with all that was written in its conversation; false where there is no such client. An entry of the
    /// do-not-contact list stays.
    pub async fn erase(&self, client: ClientId) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| {
            let is_erased = erase(transaction, &client)?;
            if is_erased {
                clients::tell_of(transaction, client, None, now, Event::ClientErased);
            }
            Ok(is_erased)
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }
}

fn list(
    connection: &Connection,
    filter: &AppealFilter,
    page: &Page,
    now: Timestamp,
) -> Result<Paged<StoredAppeal>, StoreError> {
    let begin = filter.begin(page)?;
    let found = filter.search.as_deref().map(|text| words::find(connection, text)).transpose()?;
    let on_channel: HashSet<ClientId> = match &filter.channel {
        Some(channel) => {
            let params = params![channel.as_str(), words::MOST_CLIENTS];
            connection.all(sql::ON_CHANNEL, params, rows::only_client)?.into_iter().collect()
        }
        None => HashSet::new(),
    };
    let fits = |appeal: &StoredAppeal| filter.fits(appeal, &on_channel, now);
    let found = match found {
        Some(found) if found.len() <= FEW => {
            return one_by_one(connection, filter, page, (found, begin), fits);
        }
        found => found,
    };
    let (at, id) = begin;
    let fits = |appeal: &StoredAppeal| {
        fits(appeal) && found.as_ref().is_none_or(|found| found.contains(&appeal.client))
    };
    let key_of = |appeal: &StoredAppeal| cursor(filter.sort_key(appeal));
    match (&filter.assignee, filter.order) {
        (_, AppealOrder::Waiting) => {
            let query = (sql::LONGEST_WAITING, params![at, id, MOST_ROWS]);
            scan(connection, query, rows::appeal, page, fits, key_of)
        }
        (Some(Some(assignee)), _) if filter.open => {
            let query = (sql::OF_ASSIGNEE, params![assignee, at, id, MOST_ROWS]);
            scan(connection, query, rows::appeal, page, fits, key_of)
        }
        _ => {
            let statement = if filter.open { sql::OPEN_APPEALS } else { sql::APPEALS };
            scan(connection, (statement, params![at, id, MOST_ROWS]), rows::appeal, page, fits, key_of)
        }
    }
}

/// The last appeals of a few clients.
fn one_by_one(
    connection: &Connection,
    filter: &AppealFilter,
    page: &Page,
    (clients, begin): (HashSet<ClientId>, (i64, [u8; 16])),
    fits: impl Fn(&StoredAppeal) -> bool,
) -> Result<Paged<StoredAppeal>, StoreError> {
    let mut found = Vec::new();
    for client in clients {
        let key = *client.as_uuid().as_bytes();
        found.extend(connection.first(sql::LAST_APPEAL, [key], rows::appeal)?);
    }
    let is_after = |key| match filter.order {
        AppealOrder::Changed => key < begin,
        AppealOrder::Waiting => key > begin,
    };
    found.retain(|appeal| fits(appeal) && is_after(filter.sort_key(appeal)));
    found.sort_unstable_by_key(|appeal| filter.sort_key(appeal));
    if filter.order == AppealOrder::Changed {
        found.reverse();
    }
    Ok(page.cut(found, |appeal| cursor(filter.sort_key(appeal))))
}

fn erase(transaction: &Transaction<'_>, client: &ClientId) -> Result<bool, StoreError> {
    if clients::get(transaction, client)?.is_none() {
        return Ok(false);
    }
    // Who was merged into one goes first, so that each is found by the one it was merged into.
    let mut rest = vec![*client];
    while let Some(one) = rest.last().copied() {
        let mut merged = transaction.all(sql::MERGED_INTO, [*one.as_uuid().as_bytes()], rows::only_client)?;
        merged.retain(|merged| !rest.contains(merged));
        if !merged.is_empty() {
            rest.extend(merged);
            continue;
        }
        rest.pop();
        for statement in [
            sql::ERASE_NOTES,
            sql::ERASE_TURNS,
            sql::ERASE_UNRESOLVED,
            sql::ERASE_MESSAGES,
            sql::ERASE_APPEALS,
            sql::ERASE_CHATS,
            sql::ERASE_IDENTITIES,
            sql::ERASE_SUGGESTIONS,
            sql::ERASE_MERGES,
            sql::ERASE_WORDS,
            sql::ERASE_CLIENT,
        ] {
            transaction.run(statement, [*one.as_uuid().as_bytes()])?;
        }
    }
    Ok(true)
}

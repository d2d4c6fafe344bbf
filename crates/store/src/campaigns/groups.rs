//! Campaigns with their senders, recipients and messages.

use std::collections::{BTreeMap, HashSet};
use std::iter::repeat_n;
use std::ops::AddAssign;

use domain::media::{FileKey, Media, MediaSource};
use domain::text::{ParseMode, folded_line};
use domain::{CampaignSender, ChatRef, SenderState, Timestamp};

use super::statements as sql;
use super::{
    CampaignMessage, CampaignRow, CampaignSenderRow, CampaignTask, Campaigns, SenderStop, profiles, rows,
};
use crate::column::{Columns, to_json};
use crate::database::{ToValue, params};
use crate::paging::{Page, Paged};
use crate::write::Transaction;
use crate::{StoreError, codes, point};

/// Recipients that are written at once, so that a long list does not hold other writes up.
const CHUNK: usize = 512;

/// Recipients that are looked for at once: as many as [`sql::STORED_TASKS`] takes.
const LOOKED_FOR: usize = 32;

/// A recipient to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaignTask {
    pub chat: ChatRef,
    pub variables: BTreeMap<String, String>,
}

/// What came of adding recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TasksAdded {
    pub added: usize,
    /// They were there; their variables are the new ones.
    pub known: usize,
}

impl AddAssign for TasksAdded {
    fn add_assign(&mut self, more: Self) {
        self.added += more.added;
        self.known += more.known;
    }
}

/// What of a campaign is unblocked: what is named, or all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unblocking {
    pub chat: Option<ChatRef>,
    pub sender: Option<CampaignSender>,
}

/// A message to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaignMessage {
    pub text: String,
    pub parse_mode: ParseMode,
    pub weight: u32,
    pub is_active: bool,
    /// What it carries beside its text.
    pub media: Vec<Media>,
}

impl Campaigns<'_> {
    /// Makes a campaign. False when there is one of the name or the title.
    pub async fn add(&self, row: CampaignRow) -> Result<bool, StoreError> {
        let folded = folded_line(&row.title);
        let params = (row.name, row.settings, row.created_at.as_micros(), row.title, folded);
        self.store.execute(point::SAVE_CAMPAIGN, sql::ADD, params).await.map(|added| added > 0)
    }

    /// Changes the settings of a campaign. False when there is none of the name.
    pub async fn change(&self, name: &str, settings: String) -> Result<bool, StoreError> {
        let params = (settings, name.to_owned());
        self.store.execute(point::SAVE_CAMPAIGN, sql::CHANGE, params).await.map(|changed| changed > 0)
    }

    /// Removes a campaign that has no open run. Its runs and attempts stay: they are what was sent.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while a run of it is open.
    pub async fn remove(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        let change = move |transaction: &Transaction<'_>| {
            refuse_open(transaction, &name)?;
            for statement in [sql::REMOVE_SENDERS, sql::REMOVE_TASKS, sql::REMOVE_MESSAGES] {
                transaction.run(statement, params![name])?;
            }
            Ok(transaction.execute(sql::REMOVE, params![name])? > 0)
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Removes the recipients and messages of a campaign that has no open run. What was sent stays.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] while a run of it is open.
    pub async fn clear(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        let change = move |transaction: &Transaction<'_>| {
            refuse_open(transaction, &name)?;
            transaction.run(sql::REMOVE_TASKS, params![name])?;
            transaction.run(sql::REMOVE_MESSAGES, params![name])
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// A campaign.
    pub async fn get(&self, name: &str) -> Result<Option<CampaignRow>, StoreError> {
        self.store.first(sql::GET, [name.to_owned()], rows::campaign).await
    }

    /// The campaign of a name or, where there is none, of a title.
    pub async fn find(&self, name: &str) -> Result<Option<CampaignRow>, StoreError> {
        match self.get(name).await? {
            Some(row) => Ok(Some(row)),
            None => self.store.first(sql::TITLED, [folded_line(name)], rows::campaign).await,
        }
    }

    /// All campaigns, by name.
    pub async fn list(&self) -> Result<Vec<CampaignRow>, StoreError> {
        self.store.all(sql::LIST, (), rows::campaign).await
    }

    /// Adds senders; those that are there stay as they are. One that its provider stopped in another campaign is added as it is there.
    pub async fn add_senders(
        &self,
        name: &str,
        senders: Vec<CampaignSender>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        let change = move |transaction: &Transaction<'_>| {
            for sender in &senders {
                let (state, why) = profiles::known_stop(transaction, sender)?;
                let (sender, state) = (sender.to_string(), codes::of_campaign_sender(state));
                transaction.run(sql::ADD_SENDER, params![name, sender, state, why, now.as_micros()])?;
            }
            Ok(())
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Removes a sender from a campaign; what it sent stays.
    pub async fn remove_sender(&self, name: &str, sender: &CampaignSender) -> Result<(), StoreError> {
        let row = (name.to_owned(), sender.to_string());
        self.store.execute(point::SAVE_CAMPAIGN, sql::REMOVE_SENDER, row).await.map(drop)
    }

    /// The senders of a campaign.
    pub async fn senders(&self, name: &str) -> Result<Vec<CampaignSenderRow>, StoreError> {
        self.store.all(sql::SENDERS, [name.to_owned()], rows::sender).await
    }

    /// Lets a sender send nothing more, in any campaign.
    pub async fn stop_sender(
        &self,
        sender: CampaignSender,
        state: SenderState,
        why: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.stop_senders(sender, SenderStop { state, why, others: Vec::new() }, now).await
    }

    /// The same with the other senders of the person, in one write.
    pub async fn stop_senders(
        &self,
        sender: CampaignSender,
        stop: SenderStop,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change =
            move |transaction: &Transaction<'_>| profiles::stop_all(transaction, &sender, &stop, now);
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Takes the blocks from what is named of a campaign; how many there were.
    pub async fn unblock(&self, name: &str, only: Unblocking, now: Timestamp) -> Result<usize, StoreError> {
        let name = name.to_owned();
        let (chat, sender) =
            (only.chat.map(|chat| chat.to_string()), only.sender.map(|sender| sender.to_string()));
        let is_all = chat.is_none() && sender.is_none();
        let change = move |transaction: &Transaction<'_>| {
            let mut lifted = 0;
            if is_all || chat.is_some() {
                lifted += transaction.execute(sql::UNBLOCK_TASKS, params![name, chat])?;
                transaction.run(sql::COUNT_PENDING_AGAIN, params![name])?;
            }
            if is_all || sender.is_some() {
                transaction.run(profiles::UNBLOCK_OF_CAMPAIGN, params![name, sender])?;
                lifted +=
                    transaction.execute(sql::UNBLOCK_SENDERS, params![now.as_micros(), name, sender])?;
            }
            Ok(lifted)
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Adds recipients in their order; those that are there keep their place and history.
    pub async fn add_tasks(&self, name: &str, tasks: Vec<NewCampaignTask>) -> Result<TasksAdded, StoreError> {
        let mut all = TasksAdded::default();
        for chunk in tasks.chunks(CHUNK) {
            let (name, chunk) = (name.to_owned(), chunk.to_vec());
            let change = move |transaction: &Transaction<'_>| add_tasks(transaction, &name, &chunk);
            all += self.store.change(point::ADD_CAMPAIGN_TASKS, change).await?;
        }
        Ok(all)
    }

    /// The recipients of a campaign, in their order, a page at a time.
    pub async fn tasks(&self, name: &str, page: &Page) -> Result<Paged<CampaignTask>, StoreError> {
        let after = page.after::<i64>()?.unwrap_or(0);
        let found = self.store.all(sql::TASKS, (name.to_owned(), after, page.rows()), rows::task).await?;
        Ok(page.cut(found, |task| task.place.to_string()))
    }

    /// Those of them that are blocked.
    pub async fn blocked_tasks(&self, name: &str, page: &Page) -> Result<Paged<CampaignTask>, StoreError> {
        let after = page.after::<i64>()?.unwrap_or(0);
        let params = (name.to_owned(), after, page.rows());
        let found = self.store.all(sql::BLOCKED_TASKS, params, rows::task).await?;
        Ok(page.cut(found, |task| task.place.to_string()))
    }

    /// One recipient.
    pub async fn task(&self, name: &str, chat: &ChatRef) -> Result<Option<CampaignTask>, StoreError> {
        self.store.first(sql::TASK, (name.to_owned(), chat.to_string()), rows::task).await
    }

    /// Adds messages; one whose text is there is changed. With `alone`, no other one is in use any more. How many are new.
    pub async fn add_messages(
        &self,
        name: &str,
        messages: Vec<NewCampaignMessage>,
        alone: bool,
    ) -> Result<usize, StoreError> {
        let name = name.to_owned();
        let change = move |transaction: &Transaction<'_>| {
            let number = |sql, params: &[&dyn ToValue]| {
                let read =
                    |row: &crate::database::Row<'_>| Columns::new(row, "campaign_messages").get::<i64>(0);
                transaction.first(sql, params, read)
            };
            if alone {
                transaction.run(sql::REST_MESSAGES, params![name])?;
            }
            let (mut last, mut added) = (number(sql::LAST_NUMBER, params![name])?.unwrap_or(0), 0);
            for NewCampaignMessage { text, parse_mode, weight, is_active, media } in &messages {
                let mode = parse_mode.as_str();
                let media = (!media.is_empty()).then(|| to_json("campaign_messages", media)).transpose()?;
                if let Some(known) = number(sql::HAS_MESSAGE, params![name, text])? {
                    transaction
                        .run(sql::CHANGE_MESSAGE, params![mode, weight, is_active, media, name, known])?;
                } else {
                    last += 1;
                    added += 1;
                    let params = params![name, last, text, mode, weight, is_active, media];
                    transaction.run(sql::ADD_MESSAGE, params)?;
                }
            }
            Ok(added)
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// The files of messages of all campaigns: they are stored with the outgoing files, and each attempt links one of its own to them.
    pub async fn message_files(&self) -> Result<Vec<FileKey>, StoreError> {
        let read = |row: &crate::database::Row<'_>| Columns::new(row, "campaign_messages").json(0);
        let found: Vec<Vec<Media>> = self.store.all(sql::MESSAGES_MEDIA, (), read).await?;
        let files = found.into_iter().flatten().filter_map(|media| match media.source {
            MediaSource::File { key, .. } => Some(key),
            MediaSource::Post { .. } | MediaSource::FileId { .. } => None,
        });
        Ok(files.collect())
    }

    /// The messages of a campaign.
    pub async fn messages(&self, name: &str) -> Result<Vec<CampaignMessage>, StoreError> {
        self.store.all(sql::MESSAGES, [name.to_owned()], rows::message).await
    }
}

fn refuse_open(transaction: &Transaction<'_>, name: &str) -> Result<(), StoreError> {
    match transaction.first(sql::OPEN_RUN, params![name], rows::run)? {
        Some(_) => Err(StoreError::conflict("campaigns", format!("campaign {name} has an open run"))),
        None => Ok(()),
    }
}

fn add_tasks(
    transaction: &Transaction<'_>,
    name: &str,
    tasks: &[NewCampaignTask],
) -> Result<TasksAdded, StoreError> {
    let read = |row: &crate::database::Row<'_>| Columns::new(row, "campaign_tasks").get::<i64>(0);
    let mut place = transaction.first(sql::LAST_PLACE, params![name], read)?.unwrap_or(0);
    let chats: Vec<_> = tasks.iter().map(|task| task.chat.to_string()).collect();
    let mut listed = listed_chats(transaction, name, &chats)?;
    let mut all = TasksAdded::default();
    for (chat, NewCampaignTask { variables, .. }) in chats.iter().zip(tasks) {
        let variables = to_json("campaign_tasks", variables)?;
        if listed.contains(chat) {
            transaction.run(sql::CHANGE_TASK, params![variables, name, chat])?;
            all.known += 1;
        } else {
            place += 1;
            transaction.run_row(sql::ADD_TASK, params![name, chat, place, variables])?;
            listed.insert(chat.clone());
            all.added += 1;
        }
    }
    let added = i64::try_from(all.added).unwrap_or(i64::MAX);
    transaction.run(sql::ADD_PENDING, params![added, name])?;
    Ok(all)
}

/// Which of these chats a campaign has.
fn listed_chats(
    transaction: &Transaction<'_>,
    name: &str,
    chats: &[String],
) -> Result<HashSet<String>, StoreError> {
    let read = |row: &crate::database::Row<'_>| Columns::new(row, "campaign_tasks").get::<Option<String>>(0);
    let mut listed = HashSet::new();
    for some in chats.chunks(LOOKED_FOR) {
        let missing = LOOKED_FOR - some.len();
        let filled = some.iter().chain(some.first().into_iter().flat_map(|chat| repeat_n(chat, missing)));
        let mut params: Vec<_> = filled.map(|chat| chat as &dyn ToValue).collect();
        params.push(&name);
        listed.extend(transaction.all(sql::STORED_TASKS, &*params, read)?.into_iter().flatten());
    }
    Ok(listed)
}

//! The pipeline: what clients write is batched by chat, its client and appeal are found, and it is answered.
//!
//! All of it is made of events that were written with the messages themselves: [`Pipeline::take_in`] reads them once each, in
//! their order. A batch is complete at a time that is a column of its chat; from then on it is a turn, whose stage is a column too.
//! So a program that is killed goes on where it was, and each step changes nothing when it is done again.

mod answered;
mod answers;
mod appeals;
mod clients;
mod disclosure;
mod first;
mod identities;
pub(crate) mod import_statements;
mod imports;
mod inbox;
mod intake;
mod outside;
mod replay;
mod reply_target;
mod rows;
mod set_back;
mod sifting;
pub(crate) mod statements;
mod taken_back;
mod turns;
mod undoing;
mod waiting;
mod words;

use ambient::Ids;
use domain::{
    AccountName, AppealId, ChannelChat, ClientId, EventId, GroupAnswers, ImportId, MergeId, MessageId,
    Timestamp, TurnId, TurnStage, Words,
};

use crate::column::Columns;
use crate::database::{Row, params};
use crate::events::statements as events;
use crate::needle::Needle;
use crate::paging::{Page, Paged};
use crate::write::Transaction;
use crate::{AuditEntry, AuditResult, Store, StoreError, access, codes, point};
use intake::TakeIn;
use statements as sql;

pub use appeals::AppealChange;
pub(crate) use appeals::release as release_appeals;
pub use disclosure::{Disclosure, WriterIdentity};
pub use first::FirstContact;
pub use imports::{ImportTaken, PastAppeal, PastClient, PastMerge, PastMessage, PastPage, StoredImport};
pub use inbox::{AppealFilter, AppealOrder, OpenedAppeal, Unread};
pub use outside::{ChatActivity, FoundAppeal, FoundClient, WaitingBatch, WaitingMessage};
pub use replay::Replayed;
pub use reply_target::ReplyTarget;
pub use rows::{
    AppealNote, ClientChat, ClientMessage, OutsideStages, PipelineRule, PipelineRules, ReplyTemplate,
    StoredAppeal, StoredClient, StoredIdentity, StoredMerge, StoredTurn,
};
pub(crate) use turns::HoldTurns;
pub use turns::{Advanced, ClientFields, TurnAnswer};
pub use undoing::ImportUndone;
pub use waiting::WaitingClient;
pub(crate) use words::DropMessages;

pub(crate) const TABLE: &str = "pipeline_messages";
/// The name of user accounts of Telegram among the channels.
pub const TELEGRAM_ACCOUNT: &str = "telegram_account";
/// Who asks the outbox for what a model wrote.
pub const BY_AI: &str = "pipeline.ai";
/// Who asks the outbox for what another program answered.
pub const BY_PROGRAM: &str = "pipeline";
/// The fact that names the last event that was taken.
const CURSOR: &str = "pipeline took up to";
/// Turns that one write holds at most.
const AT_ONCE: u32 = 200;
/// Rows that one look for a text goes through at most.
const MOST_ROWS: u32 = 50_000;

/// What was taken out of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// Everything up to this event was looked at.
    pub up_to: EventId,
    /// The number of them that were about conversations with clients.
    pub took: usize,
}

/// How much there is at each stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineCounts {
    /// Chats whose messages wait for silence, and since when the oldest of them waits.
    pub waiting: (u64, Option<Timestamp>),
    /// Turns at each stage that has any, and since when the oldest of them is there.
    pub stages: Vec<(TurnStage, u64, Timestamp)>,
    /// Events that are not looked at yet, by the time between the last one that was and the newest one.
    pub behind: std::time::Duration,
}

/// What models cost on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Such as `2026-01-31`.
    pub day: String,
    pub tokens: u64,
    /// Millionths of what prices are in.
    pub money: u64,
}

/// The pipeline's part of a store.
#[derive(Clone, Copy)]
pub struct Pipeline<'a> {
    pub(crate) store: &'a Store,
}

impl Pipeline<'_> {
    /// Takes what was said in conversations out of the next events: 1 to 1000 of them. The first call ever, and the first one after
    /// [`Pipeline::switched_off`], begins at the newest event.
    pub async fn take_in(&self, rules: &PipelineRules, most: u32) -> Result<Took, StoreError> {
        let most = most.clamp(1, 1000);
        let Some(sifted) = self.store.read(move |connection| sifting::next(connection, most)).await? else {
            // Before it was switched on nothing waited for an answer.
            let up_to = self.store.change(point::PIPELINE_TAKE_IN, intake::skip).await?;
            return Ok(Took { up_to, took: 0 });
        };
        if sifted.up_to == sifted.from {
            return Ok(Took { up_to: sifted.up_to, took: 0 });
        }
        self.store.write(TakeIn { rules: rules.clone(), sifted, now: self.store.now() }).await
    }

    /// Nothing is taken in any more: what is written from now on waits for no answer, and what waits is for a person.
    pub async fn switched_off(&self) -> Result<(), StoreError> {
        let cursor = self.store.read(|connection| intake::cursor(&Transaction::new(connection, false)));
        if cursor.await?.is_none() {
            return Ok(());
        }
        let now = self.store.now();
        let hold = move |transaction: &Transaction<'_>| turns::switch_off(transaction, AT_ONCE, now);
        while self.store.change(point::PIPELINE_CHANGE, hold).await? > 0 {}
        self.store.execute(point::PIPELINE_CHANGE, sql::DROP_CURSOR, [CURSOR]).await.map(drop)
    }

    /// Takes the batches that are due and brings turns through the stages of the store: up to `most` of each.
    pub async fn advance(&self, rules: &PipelineRules, ids: &Ids, most: u32) -> Result<Advanced, StoreError> {
        let (rules, ids, now) = (rules.clone(), ids.clone(), self.store.now());
        // A look first: most of the time there is nothing to write.
        let next = if rules.outside.batch { None } else { self.next_due().await? };
        let has_turns = self.store.first(sql::HAS_MOVABLE, (), |_| Ok(())).await?.is_some();
        if !has_turns && next.is_none_or(|next| next > now) {
            return Ok(Advanced::default());
        }
        let change =
            move |transaction: &Transaction<'_>| turns::advance(transaction, &rules, (&ids, most), now);
        self.store.change(point::PIPELINE_ADVANCE, change).await
    }

    /// When the next batch is complete.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let read = |row: &Row<'_>| Columns::new(row, "pipeline_chats").maybe_time(0);
        Ok(self.store.first(sql::NEXT_DUE, (), read).await?.flatten())
    }

    /// When the next turn is due that is not due yet.
    pub async fn next_try(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let read = |row: &Row<'_>| Columns::new(row, "pipeline_turns").maybe_time(0);
        Ok(self.store.first(sql::NEXT_TRY, [now.as_micros()], read).await?.flatten())
    }

    /// Turns at a stage that are due, the oldest first.
    pub async fn at_stage(&self, stage: TurnStage, most: u32) -> Result<Vec<StoredTurn>, StoreError> {
        let params = (codes::of_turn(stage), self.store.now().as_micros(), i64::from(most));
        self.store.all(sql::AT_STAGE, params, rows::turn).await
    }

    /// A turn.
    pub async fn turn(&self, id: TurnId) -> Result<Option<StoredTurn>, StoreError> {
        self.store.first(sql::TURN, [*id.as_uuid().as_bytes()], rows::turn).await
    }

    /// The last turns of an appeal, the newest first.
    pub async fn turns_of(&self, appeal: AppealId, most: u32) -> Result<Vec<StoredTurn>, StoreError> {
        let params = (*appeal.as_uuid().as_bytes(), i64::from(most));
        self.store.all(sql::TURNS_OF, params, rows::turn).await
    }

    /// What the client wrote that a turn answers, in order.
    pub async fn batch(&self, turn: TurnId) -> Result<Vec<ClientMessage>, StoreError> {
        self.store.all(sql::OF_TURN, [*turn.as_uuid().as_bytes()], rows::message).await
    }

    /// Notes what a responder says, and what it found out about the client; false where the turn is not in its hands any more.
    pub async fn answer(
        &self,
        turn: TurnId,
        answer: TurnAnswer,
        fields: ClientFields,
    ) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change =
            move |transaction: &Transaction<'_>| turns::answer(transaction, &turn, &answer, &fields, now);
        self.store.change(point::PIPELINE_ANSWER, change).await
    }

    /// The same of a model, with tags for the appeal, and what it did as entries of the audit log; where the turn is in other
    /// hands, nothing was done.
    pub async fn answer_of_model(
        &self,
        turn: TurnId,
        answer: TurnAnswer,
        fields: ClientFields,
        tags: Vec<String>,
        uses: Vec<AuditEntry>,
    ) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| {
            let is_taken = turns::answer(transaction, &turn, &answer, &fields, now)?;
            if is_taken && !tags.is_empty() {
                turns::tag(transaction, &turn, &tags, now)?;
            }
            for entry in &uses {
                let code = entry.code.clone().or_else(|| (!is_taken).then(|| "turn_over".to_owned()));
                let result = if is_taken { entry.result } else { AuditResult::Refused };
                access::audit(transaction, AuditEntry { result, code, ..entry.clone() })?;
            }
            Ok(is_taken)
        };
        self.store.change(point::PIPELINE_ANSWER, change).await
    }

    /// A person is to answer this turn; false where it is over.
    pub async fn hand_over(&self, turn: TurnId, why: &str) -> Result<bool, StoreError> {
        let (why, now) = (why.to_owned(), self.store.now());
        let change =
            move |transaction: &Transaction<'_>| turns::give_to_a_person(transaction, &turn, &why, now);
        self.store.change(point::PIPELINE_ANSWER, change).await
    }

    /// A person answers a client now: no program does any more. False where an answer is leaving at this moment.
    pub async fn take_over(&self, client: ClientId) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| turns::take_over(transaction, &client, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// The outbox has the answer of a turn; false where that was known.
    pub async fn submitted(&self, turn: TurnId, message: MessageId) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| turns::submitted(transaction, &turn, message, now);
        self.store.change(point::PIPELINE_SUBMITTED, change).await
    }

    /// A turn is looked at again then; nothing changes where it has left this stage.
    pub async fn put_off(&self, turn: TurnId, stage: TurnStage, until: Timestamp) -> Result<(), StoreError> {
        let params = (until.as_micros(), *turn.as_uuid().as_bytes(), codes::of_turn(stage));
        self.store.execute(point::PIPELINE_ANSWER, sql::PUT_OFF, params).await.map(drop)
    }

    /// Messages with a voice whose text is waited for, and until when: those that are waited for shortest first.
    pub async fn voices(&self, most: u32) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, TABLE);
            Ok((columns.get(0)?, columns.time(1)?))
        };
        self.store.all(sql::VOICES, [i64::from(most)], read).await
    }

    /// Notes what is said in the voice of a message, or that it is not known; false where it is not waited for.
    pub async fn heard(
        &self,
        rules: &PipelineRules,
        message: &str,
        transcript: Option<Words>,
    ) -> Result<bool, StoreError> {
        let (rules, message, now) = (rules.clone(), message.to_owned(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            intake::transcribed(transaction, &rules, &message, transcript.as_ref(), now)
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Whether a user is proved to write in a private chat: the provider gave the two together before, or a program that may vouch did.
    /// Without a user, whether anyone is.
    pub async fn is_user_of(&self, chat: ChannelChat, user: Option<String>) -> Result<bool, StoreError> {
        let known =
            self.store.read(move |connection| intake::chat(&Transaction::new(connection, false), &chat));
        let known = known.await?.filter(|known| known.sender_proof.is_proved());
        Ok(known.is_some_and(|known| user.is_none() || known.user == user))
    }

    /// Adds to what models cost on a day.
    pub async fn spend(&self, spent: Spent) -> Result<(), StoreError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX / 4);
        let params = (spent.day, number(spent.tokens), number(spent.money));
        self.store.execute(point::PIPELINE_CHANGE, sql::SPEND, params).await.map(drop)
    }

    /// What models cost on the last day on which they cost anything, up to this one, such as `2026-01-31`.
    pub async fn last_spent(&self, up_to: &str) -> Result<Option<Spent>, StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, "pipeline_spent");
            Ok(Spent { day: columns.get(0)?, tokens: columns.count(1)?, money: columns.count(2)? })
        };
        self.store.first(sql::LAST_SPENT, [up_to.to_owned()], read).await
    }

    /// How much there is at each stage.
    pub async fn counts(&self) -> Result<PipelineCounts, StoreError> {
        self.store
            .read(|connection| {
                let waiting = connection.first(sql::WAITING, (), |row| {
                    let columns = Columns::new(row, "pipeline_chats");
                    Ok((columns.count(0)?, columns.maybe_time(1)?))
                })?;
                let stages = connection.all(sql::STAGES, (), |row| {
                    let columns = Columns::new(row, "pipeline_turns");
                    let stage = columns.coded(0, "stage of a turn", codes::turn)?;
                    Ok((stage, columns.count(1)?, columns.time(2)?))
                })?;
                let transaction = Transaction::new(connection, false);
                let newest = transaction.first(events::LAST, (), |row| row.get::<i64>(0))?;
                let behind = match (intake::cursor(&transaction)?, newest) {
                    (Some(cursor), Some(newest)) => {
                        Timestamp::from_micros(newest).since(Timestamp::from_micros(cursor.get()))
                    }
                    _ => std::time::Duration::ZERO,
                };
                Ok(PipelineCounts { waiting: waiting.unwrap_or_default(), stages, behind })
            })
            .await
    }

    /// An appeal.
    pub async fn appeal(&self, id: AppealId) -> Result<Option<StoredAppeal>, StoreError> {
        self.store.first(sql::APPEAL, [*id.as_uuid().as_bytes()], rows::appeal).await
    }

    /// The appeals of a client, the last one first.
    pub async fn appeals_of(&self, client: ClientId, most: u32) -> Result<Vec<StoredAppeal>, StoreError> {
        let params = (*client.as_uuid().as_bytes(), i64::from(most));
        self.store.all(sql::APPEALS_OF_CLIENT, params, rows::appeal).await
    }

    /// Changes an appeal as a person asks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn change_appeal(
        &self,
        id: AppealId,
        change: AppealChange,
    ) -> Result<StoredAppeal, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| appeals::change(transaction, &id, &change, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Adds a note to an appeal.
    pub async fn add_note(&self, appeal: AppealId, by: &str, text: String) -> Result<AppealNote, StoreError> {
        let note = AppealNote { at: self.store.now(), written_by: by.to_owned(), text };
        let added = note.clone();
        let change = move |transaction: &Transaction<'_>| {
            let AppealNote { at, written_by, text } = &added;
            if let Some(appeal) = appeals::get(transaction, &appeal)? {
                words::add(transaction, &appeal.client, [text.as_str()])?;
                appeals::noted(transaction, &appeal, *at);
            }
            let key = appeal.as_uuid().as_bytes();
            transaction.run(sql::ADD_NOTE, params![key, at.as_micros(), written_by, text])
        };
        self.store.change(point::PIPELINE_CHANGE, change).await.map(|()| note)
    }

    /// The notes about an appeal, the first one first.
    pub async fn notes(&self, appeal: AppealId) -> Result<Vec<AppealNote>, StoreError> {
        self.store.all(sql::NOTES, [*appeal.as_uuid().as_bytes()], rows::note).await
    }

    /// The client that is there in the place of one, which may have been merged, and that one again.
    pub async fn living_client(&self, id: ClientId) -> Result<Option<StoredClient>, StoreError> {
        self.store.read(move |connection| clients::living(&Transaction::new(connection, false), &id)).await
    }

    /// A client, also one that was merged into another.
    pub async fn client(&self, id: ClientId) -> Result<Option<StoredClient>, StoreError> {
        self.store.first(sql::CLIENT, [*id.as_uuid().as_bytes()], rows::client).await
    }

    /// Clients with this in their name, number or address, the newest first. A page may have fewer than were asked for and still
    /// lead on.
    pub async fn clients(&self, text: Option<&str>, page: &Page) -> Result<Paged<StoredClient>, StoreError> {
        let (text, page) = (text.map(ToOwned::to_owned), page.clone());
        self.store.read(move |connection| list_clients(connection, text.as_deref(), &page)).await
    }

    /// The client that has this id in an older program.
    pub async fn client_by_old_id(&self, id: &str) -> Result<Option<StoredClient>, StoreError> {
        self.store.first(sql::CLIENT_BY_OLD_ID, [id.to_owned()], rows::client).await
    }

    /// The appeal that has this id in an older program.
    pub async fn appeal_by_old_id(&self, id: &str) -> Result<Option<StoredAppeal>, StoreError> {
        self.store.first(sql::APPEAL_BY_OLD_ID, [id.to_owned()], rows::appeal).await
    }

    /// Begins a run that takes over what an older program has.
    pub async fn begin_import(&self, id: ImportId, source: &str) -> Result<StoredImport, StoreError> {
        let (source, now) = (source.to_owned(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            let row = params![id.as_uuid().as_bytes(), source, now.as_micros()];
            transaction.run(import_statements::ADD_IMPORT, row)?;
            imports::present(transaction, &id)
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Takes a page over: all or nothing. Give it some hundreds of rows at a time: other writes wait meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] of a run that was undone.
    pub async fn take_past(
        &self,
        id: ImportId,
        page: PastPage,
        ids: &Ids,
    ) -> Result<ImportTaken, StoreError> {
        let ids = ids.clone();
        let change = move |transaction: &Transaction<'_>| imports::take(transaction, &id, &page, &ids);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Undoes at most this number of rows of a run: call it until it is finished.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn undo_import(&self, id: ImportId, most: u32) -> Result<ImportUndone, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| undoing::undo(transaction, &id, most, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// The runs that took something over, the last one first; 1000 at most.
    pub async fn imports(&self) -> Result<Vec<StoredImport>, StoreError> {
        self.store.all(import_statements::IMPORTS, (), imports::import).await
    }

    /// The chats of a client.
    pub async fn chats_of(&self, client: ClientId) -> Result<Vec<ClientChat>, StoreError> {
        self.store.all(sql::CHATS_OF, [*client.as_uuid().as_bytes()], rows::chat).await
    }

    /// The ids and contacts of a client, each with its proof.
    pub async fn identities(&self, client: ClientId) -> Result<Vec<StoredIdentity>, StoreError> {
        self.store.all(sql::IDENTITIES, [*client.as_uuid().as_bytes()], rows::identity).await
    }

    /// Says when programs answer in a group.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] of a person.
    pub async fn set_group_answers(
        &self,
        id: ClientId,
        answers: GroupAnswers,
    ) -> Result<StoredClient, StoreError> {
        let now = self.store.now();
        let change =
            move |transaction: &Transaction<'_>| clients::set_group_answers(transaction, &id, answers, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Changes what is known of a client; what is `None` stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] of one that was merged into another.
    pub async fn change_client(
        &self,
        id: ClientId,
        fields: ClientFields,
    ) -> Result<StoredClient, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| clients::change(transaction, &id, &fields, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Makes one client of two.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] of one that was merged before, or with itself.
    pub async fn merge(
        &self,
        merge: MergeId,
        master: ClientId,
        merged: ClientId,
        by: &str,
    ) -> Result<StoredMerge, StoreError> {
        let (by, now) = (by.to_owned(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            clients::merge(transaction, merge, (master, merged), &by, now)
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// Makes two clients of one that were merged.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where that was done before.
    pub async fn split(&self, merge: MergeId) -> Result<StoredMerge, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| clients::split(transaction, &merge, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// What was merged into a client, the last one first.
    pub async fn merges_of(&self, client: ClientId) -> Result<Vec<StoredMerge>, StoreError> {
        self.store.all(sql::MERGES_OF, [*client.as_uuid().as_bytes()], rows::merge).await
    }

    /// Clients that may be the same person as this one, and why.
    pub async fn suggestions(&self, client: ClientId) -> Result<Vec<(ClientId, String)>, StoreError> {
        let key = *client.as_uuid().as_bytes();
        let found = self.store.all(sql::SUGGESTIONS_OF, [key], rows::suggestion).await?;
        let other = |(one, other, why)| (if one == client { other } else { one }, why);
        Ok(found.into_iter().map(other).collect())
    }

    /// Two clients are not suggested for merging any more.
    pub async fn dismiss(&self, one: ClientId, other: ClientId) -> Result<(), StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| clients::dismiss(transaction, one, other, now);
        self.store.change(point::PIPELINE_CHANGE, change).await
    }

    /// The conversation with a client, the last message first.
    pub async fn conversation(
        &self,
        client: ClientId,
        page: &Page,
    ) -> Result<Paged<ClientMessage>, StoreError> {
        let page = page.clone();
        self.store
            .read(move |connection| {
                let before = page.after::<i64>()?.unwrap_or(i64::MAX);
                let params = params![client.as_uuid().as_bytes(), before, page.rows()];
                let found = connection.all(sql::OF_CLIENT, params, rows::message)?;
                Ok(page.cut(found, |message| message.seq.to_string()))
            })
            .await
    }

    /// The account of a channel or of Telegram that a chat is with, and the chat, as they are sent to.
    pub fn is_telegram_account(chat: &ChannelChat) -> Option<(&AccountName, &str)> {
        (chat.channel.as_str() == TELEGRAM_ACCOUNT).then_some((&chat.account, chat.chat.as_str()))
    }
}

/// The chat as events name it: an account's chat by its id alone.
fn chat_in_events(chat: &ChannelChat) -> String {
    Pipeline::is_telegram_account(chat).map_or_else(|| chat.to_string(), |(_, chat)| chat.to_owned())
}

fn list_clients(
    connection: &crate::database::Connection,
    text: Option<&str>,
    page: &Page,
) -> Result<Paged<StoredClient>, StoreError> {
    let before = match &page.cursor {
        None => [0xff; 16],
        Some(cursor) => *cursor.parse::<ClientId>().map_err(|_| StoreError::BadCursor)?.as_uuid().as_bytes(),
    };
    let needle = text.map(Needle::new);
    let fits = |client: &StoredClient| {
        needle.as_ref().is_none_or(|needle| {
            [&client.name, &client.phone, &client.email].into_iter().flatten().any(|text| needle.fits(text))
        })
    };
    scan(connection, (sql::CLIENTS, params![before, MOST_ROWS]), rows::client, page, fits, |client| {
        client.id.to_string()
    })
}

/// A page of the rows that fit, of those that one look goes through.
fn scan<T>(
    connection: &crate::database::Connection,
    (statement, params): (&str, impl crate::database::Parameters),
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    page: &Page,
    fits: impl Fn(&T) -> bool,
    cursor: impl Fn(&T) -> String,
) -> Result<Paged<T>, StoreError> {
    let wanted = page.rows() as usize;
    let (mut found, mut seen, mut last) = (Vec::new(), 0_u32, None);
    connection.each(statement, params, |row| {
        let item = read(row)?;
        seen += 1;
        last = Some(cursor(&item));
        if fits(&item) {
            found.push(item);
        }
        let is_full = found.len() == wanted;
        Ok(if is_full { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) })
    })?;
    let is_cut = found.len() == wanted;
    let mut paged = page.cut(found, cursor);
    if !is_cut && seen == MOST_ROWS {
        paged.next_cursor = last;
    }
    Ok(paged)
}

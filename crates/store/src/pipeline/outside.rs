//! What programs elsewhere have to know of the pipeline, and the results of stages that they do: each counts once, in the write that
//! finds its turn at that stage.

use ambient::Ids;
use domain::phone::e164;
use domain::{
    AppealId, Author, ChannelChat, ChatType, ClientId, ContactProof, InboundMedia, ProvedContact, Responder,
    Timestamp, TurnId, TurnStage,
};

use super::rows::{ClientChat, PipelineRules, StoredAppeal, StoredTurn};
use super::turns::ClientFields;
use super::{Pipeline, TABLE, appeals, clients, intake, rows, statements as sql, turns};
use crate::column::Columns;
use crate::database::params;
use crate::write::Transaction;
use crate::{StoreError, point};

/// The messages of a chat that wait until its client has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingBatch {
    pub chat: ChannelChat,
    /// When the first one came.
    pub first_at: Timestamp,
    /// Whether it waits for the turn before it, too.
    pub is_held: bool,
    pub chat_type: ChatType,
    pub user: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub messages: Vec<WaitingMessage>,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingMessage {
    /// Its id here.
    pub message: String,
    /// Its id at the provider.
    pub external_id: Option<String>,
    pub text: domain::Words,
    pub media: Vec<InboundMedia>,
    pub at: Timestamp,
}

/// A chat, and when its client wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatActivity {
    /// The number of the message.
    pub seq: i64,
    pub chat: ChannelChat,
    pub at: Timestamp,
}

/// Who another program says that a client is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundClient {
    /// The client, where it is one that is known here.
    pub client: Option<ClientId>,
    /// What is known of it beside that.
    pub fields: ClientFields,
}

impl FoundClient {
    /// A chat with what was found out. A contact that only the program states proves nothing: it may come from the message itself.
    pub(super) fn of(&self, chat: ClientChat) -> ClientChat {
        if chat.chat_type != ChatType::Private {
            return chat;
        }
        let ClientFields { name, phone, email } = self.fields.known();
        let phone = phone.map(|typed| e164(&typed).unwrap_or(typed));
        let stated = |stated: Option<String>, known: Option<ProvedContact>| match (stated, known) {
            (Some(stated), Some(known)) if stated == known.value => Some(known),
            (Some(stated), _) => Some(ProvedContact::new(stated, ContactProof::Program)),
            (None, known) => known,
        };
        ClientChat {
            name: name.or(chat.name),
            phone: stated(phone, chat.phone),
            email: stated(email, chat.email),
            ..chat
        }
    }
}

/// What another program says of the appeal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundAppeal {
    /// The appeal; none: as the store finds it.
    pub appeal: Option<StoredAppeal>,
    /// Who answers, where it says so.
    pub responder: Option<Responder>,
}

impl Pipeline<'_> {
    /// The batches that wait, the oldest first, with at most this number of messages.
    pub async fn waiting(&self, most: u32) -> Result<Vec<WaitingBatch>, StoreError> {
        let read = |row: &crate::database::Row<'_>| {
            let columns = Columns::new(row, TABLE);
            let message = WaitingMessage {
                text: domain::Words::from(columns.get::<String>(5)?),
                message: columns.get(6)?,
                external_id: columns.get(7)?,
                media: columns.maybe_json(9)?.unwrap_or_default(),
                at: columns.time(8)?,
            };
            let (of_chat, of_message) =
                (columns.parsed::<ContactProof>(14)?, columns.parsed::<ContactProof>(15)?);
            // The writer of a message without a proof may be another person than the chat's.
            let is_doubted = of_chat.is_proved() && !of_message.is_proved();
            let shown =
                |index: usize| if is_doubted { Ok(None) } else { columns.get::<Option<String>>(index) };
            Ok(WaitingBatch {
                chat: rows::address(&columns, 0)?,
                first_at: columns.time(3)?,
                is_held: columns.get::<i64>(4)? != 0,
                user: shown(10)?,
                name: shown(11)?,
                phone: shown(12)?,
                email: shown(13)?,
                chat_type: columns.parsed(16)?,
                messages: vec![message],
            })
        };
        let mut found: Vec<WaitingBatch> = Vec::new();
        for one in self.store.all(sql::WAITING_MESSAGES, [i64::from(most)], read).await? {
            let same = found.iter_mut().rev().take_while(|batch| batch.first_at == one.first_at);
            match same.into_iter().find(|batch| batch.chat == one.chat) {
                Some(batch) => batch.messages.extend(one.messages),
                None => found.push(one),
            }
        }
        Ok(found)
    }

    /// The next messages of clients after the one of this number, in order.
    pub async fn written_after(&self, seq: i64, most: u32) -> Result<Vec<ChatActivity>, StoreError> {
        let read = |row: &crate::database::Row<'_>| {
            let columns = Columns::new(row, TABLE);
            Ok(ChatActivity { seq: columns.get(0)?, chat: rows::address(&columns, 1)?, at: columns.time(4)? })
        };
        self.store.all(sql::WRITTEN_AFTER, (seq, i64::from(most)), read).await
    }

    /// Turns that are not over.
    pub async fn open_turns(&self, most: u32) -> Result<Vec<StoredTurn>, StoreError> {
        self.store.all(sql::OPEN_TURNS, [i64::from(most)], rows::turn).await
    }

    /// Another program says that a batch is complete, by its chat and its first message; false where it is not there any more.
    pub async fn end_batch(
        &self,
        chat: ChannelChat,
        first_at: Timestamp,
        turn: TurnId,
    ) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| {
            let key = params![
                chat.channel.as_str(),
                chat.account.as_str(),
                chat.chat.as_str(),
                first_at.as_micros()
            ];
            let Some(due) = transaction.first(sql::BATCH_OF, key, rows::chat)? else { return Ok(false) };
            turns::begin(transaction, &due, turn, now)?;
            Ok(true)
        };
        self.store.change(point::PIPELINE_ADVANCE, change).await
    }

    /// Another program says who the client of a turn is; false where the turn has left that stage.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] of a client that is not known.
    pub async fn resolved(&self, turn: TurnId, found: FoundClient, ids: &Ids) -> Result<bool, StoreError> {
        let (ids, now) = (ids.clone(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            let Some(turn) = at(transaction, &turn, TurnStage::Resolve)? else { return Ok(false) };
            let mut found = found.clone();
            if let Some(id) = found.client {
                let Some(client) = clients::living(transaction, &id)? else {
                    return Err(StoreError::not_found(
                        "pipeline_clients",
                        format!("there is no client {id}"),
                    ));
                };
                found.client = Some(client.id);
            }
            turns::resolve(transaction, &turn, &found, &ids, now)?;
            Ok(true)
        };
        self.store.change(point::PIPELINE_ADVANCE, change).await
    }

    /// Another program says which appeal a turn belongs to, and who answers; false where the turn has left that stage.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] of an appeal that is not one of the client's.
    pub async fn appeal_found(
        &self,
        turn: TurnId,
        (appeal, responder): (Option<AppealId>, Option<Responder>),
        rules: &PipelineRules,
        ids: &Ids,
    ) -> Result<bool, StoreError> {
        let (rules, ids, now) = (rules.clone(), ids.clone(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            let Some(turn) = at(transaction, &turn, TurnStage::Appeal)? else { return Ok(false) };
            let mut found = FoundAppeal { appeal: None, responder };
            if let Some(id) = appeal {
                let known = appeals::get(transaction, &id)?.filter(|known| Some(known.client) == turn.client);
                let Some(known) = known else {
                    let why = format!("the client has no appeal {id}");
                    return Err(StoreError::not_found("pipeline_appeals", why));
                };
                found.appeal = Some(known);
            }
            turns::find_appeal(transaction, &turn, &found, &rules, &ids, now)?;
            Ok(true)
        };
        self.store.change(point::PIPELINE_ADVANCE, change).await
    }

    /// Another program has sent the answer of a turn, under this id of the provider; false where the turn has left that stage.
    pub async fn sent_elsewhere(
        &self,
        turn: TurnId,
        external_id: Option<String>,
    ) -> Result<bool, StoreError> {
        let now = self.store.now();
        let change = move |transaction: &Transaction<'_>| {
            let Some(turn) = at(transaction, &turn, TurnStage::Send)? else { return Ok(false) };
            turns::end(transaction, &turn, TurnStage::Answered, None, now)?;
            turns::free(transaction, &turn, 0)?;
            let Some(chat) = intake::chat(transaction, &turn.chat)? else { return Ok(true) };
            let author = if turn.responder == Some(Responder::Ai) { Author::Ai } else { Author::Program };
            let text = turn.answer.clone().unwrap_or_else(|| domain::Words::from(""));
            let (message, external_id) = (turn.id.to_string(), external_id.as_deref());
            let entry = intake::NewEntry { external_id, ..intake::NewEntry::ours(&message, &text, author) };
            if let Some(number) = intake::free_number(transaction, now)? {
                intake::add(transaction, &turn.chat, number, &entry, Some(&chat), now)?;
            }
            if let Some(appeal) = turn.appeal.map(|id| appeals::get(transaction, &id)).transpose()?.flatten()
            {
                appeals::answered_in_words(transaction, appeal, (author, &text), now)?;
            }
            Ok(true)
        };
        self.store.change(point::PIPELINE_SUBMITTED, change).await
    }
}

fn at(
    transaction: &Transaction<'_>,
    turn: &TurnId,
    stage: TurnStage,
) -> Result<Option<StoredTurn>, StoreError> {
    Ok(turns::get(transaction, turn)?.filter(|turn| turn.stage == stage))
}

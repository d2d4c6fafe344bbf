//! What the pipeline keeps, as rows.

use std::time::Duration;

use domain::text::FormattedText;
use domain::{
    AccountName, AdSource, AppealId, AppealState, Author, ChannelChat, ChannelName, ChatType, ClientId,
    ClientIdentity, ContactProof, CustomerRule, ExternalChat, GroupAnswers, InboundMedia, MergeId, MessageId,
    ProvedContact, Responder, SpokenText, Timestamp, TurnId, TurnStage, Unspoken, Words,
};
use uuid::Uuid;

use crate::column::Columns;
use crate::database::Row;
use crate::{StoreError, codes};

/// How messages of a channel are batched and answered. The first rule that fits counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRule {
    /// Of this channel only.
    pub channel: Option<ChannelName>,
    /// Of this account only.
    pub account: Option<AccountName>,
    /// Whether its messages are taken in.
    pub is_on: bool,
    /// A batch is complete once nothing was written for so long.
    pub silence: Duration,
    /// It is complete in any case after so long.
    pub longest: Duration,
    /// Who answers.
    pub responder: Responder,
}

/// All rules, and what holds for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRules {
    /// In their order.
    pub rules: Vec<PipelineRule>,
    /// A closed appeal goes on where its client writes within this.
    pub reopen_within: Duration,
    /// How long a batch waits for the text of a voice; none where no one writes voices down.
    pub hears_within: Option<Duration>,
    /// What the store leaves alone.
    pub outside: OutsideStages,
    /// Which people who write to accounts of Telegram are customers.
    pub customers: CustomerRule,
}

/// Stages of the store that another program does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutsideStages {
    pub batch: bool,
    pub resolve: bool,
    pub appeal: bool,
}

impl PipelineRules {
    /// The rule of an account of a channel.
    pub fn of(&self, channel: &ChannelName, account: &AccountName) -> Option<&PipelineRule> {
        self.rules.iter().find(|rule| {
            rule.channel.as_ref().is_none_or(|name| name == channel)
                && rule.account.as_ref().is_none_or(|name| name == account)
        })
    }
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredClient {
    pub id: ClientId,
    pub name: Option<String>,
    /// In E.164, where it is known.
    pub phone: Option<String>,
    pub email: Option<String>,
    /// A person, or the conversation of a group.
    pub chat_type: ChatType,
    /// When programs answer, if it is a group.
    pub group_answers: GroupAnswers,
    /// The client that this one was merged into.
    pub merged_into: Option<ClientId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An id or a contact of a client, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredIdentity {
    pub identity: ClientIdentity,
    pub proof: ContactProof,
    /// Since when it is known with this proof.
    pub at: Timestamp,
}

/// Two clients that were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMerge {
    pub id: MergeId,
    /// The client that is there.
    pub master: ClientId,
    /// The client that is gone.
    pub merged: ClientId,
    pub(super) moved: super::clients::Moved,
    pub merged_by: String,
    pub at: Timestamp,
    pub undone_at: Option<Timestamp>,
}

/// An appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAppeal {
    pub id: AppealId,
    pub client: ClientId,
    pub state: AppealState,
    /// Where it began.
    pub chat: ChannelChat,
    /// Who answers it, where that is not as the settings say.
    pub responder: Option<Responder>,
    pub assignee: Option<String>,
    pub tags: Vec<String>,
    /// The advertisement that the client came by.
    pub ad: Option<AdSource>,
    pub opened_at: Timestamp,
    /// Since when the client waits for an answer.
    pub waiting_since: Option<Timestamp>,
    pub first_answer_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// How many messages of the client no person has seen.
    pub unread: u64,
    /// It is set aside until then, or until the client writes.
    pub snoozed_until: Option<Timestamp>,
    /// Who answered first.
    pub first_author: Option<Author>,
    /// Since when what the client wrote has no answer, whether the appeal is closed or not.
    pub question_at: Option<Timestamp>,
    /// How long the client waited for the first answer; none where we wrote first.
    pub first_wait: Option<Duration>,
    /// How many answers came after the first.
    pub next_answers: u64,
    /// How long the client waited for all of them.
    pub next_wait: Duration,
}

/// A note of a person about an appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppealNote {
    pub at: Timestamp,
    pub written_by: String,
    pub text: String,
}

/// An answer that is written once and used often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTemplate {
    pub name: String,
    /// With variables such as `{{client.name}}`.
    pub text: String,
    pub updated_by: String,
    pub updated_at: Timestamp,
}

/// A batch of a client's messages on its way to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTurn {
    pub id: TurnId,
    pub chat: ChannelChat,
    pub stage: TurnStage,
    pub client: Option<ClientId>,
    pub appeal: Option<AppealId>,
    pub responder: Option<Responder>,
    /// How many turns before it were discarded because more was written.
    pub discards: u32,
    pub created_at: Timestamp,
    /// When it came to its stage.
    pub stage_at: Timestamp,
    /// Not before this.
    pub due_at: Timestamp,
    pub tries: u32,
    /// The words alone, for people to read.
    pub answer: Option<Words>,
    /// The same with what is bold, a link and so on; none where nothing is.
    pub formatted: Option<FormattedText>,
    /// Whether a person approves the answer first.
    pub needs_approval: bool,
    /// Why it ended so, or what the answer rests on.
    pub why: Option<String>,
    /// The answer in the outbox.
    pub outbox_id: Option<MessageId>,
}

impl StoredTurn {
    /// The answer as it may be sent: what the store has passes the gate for the words of models once more.
    ///
    /// # Errors
    /// It does not pass.
    pub fn spoken(&self) -> Option<Result<SpokenText, Unspoken>> {
        let answer = self.answer.as_ref()?;
        let text = self.formatted.clone().unwrap_or_else(|| FormattedText::plain(answer));
        Some(SpokenText::checked(text))
    }
}

/// A message of a conversation with a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMessage {
    /// Its place: the number of the event that reported it.
    pub seq: i64,
    pub chat: ChannelChat,
    pub author: Author,
    pub client: Option<ClientId>,
    pub appeal: Option<AppealId>,
    pub turn: Option<TurnId>,
    /// Its id here: one that begins with `rcv_` or `msg_`.
    pub message: String,
    /// Its id at the provider.
    pub external_id: Option<String>,
    pub text: Words,
    pub media: Vec<InboundMedia>,
    pub at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// What its writer is called, where several people write.
    pub sender: Option<String>,
    /// How it was proved who wrote it.
    pub sender_proof: ContactProof,
    /// Whether it mentions the account.
    pub mentions_us: bool,
}

/// A chat of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientChat {
    pub chat: ChannelChat,
    /// The client's id in the channel.
    pub user: Option<String>,
    /// How it was proved that the client has this id.
    pub sender_proof: ContactProof,
    pub chat_type: ChatType,
    /// The whole group, where the chat is one topic of it.
    pub group: Option<ExternalChat>,
    pub name: Option<String>,
    pub phone: Option<ProvedContact>,
    pub email: Option<ProvedContact>,
    pub ad: Option<AdSource>,
    pub client: Option<ClientId>,
    /// The turn that is not over.
    pub turn: Option<TurnId>,
    pub(super) discards: u32,
    pub(super) stage: Option<TurnStage>,
    /// The person who wrote after what waits here; in the provider's app that was the last word.
    pub(super) answered_by: Option<Author>,
}

macro_rules! ids {
    ($($name:ident: $id:ident;)*) => {$(
        pub(super) fn $name(columns: &Columns<'_>, index: usize) -> Result<$id, StoreError> {
            columns.get(index).map(|bytes| $id::from_uuid(Uuid::from_bytes(bytes)))
        }
    )*};
}

macro_rules! ids_or_none {
    ($($name:ident: $id:ident;)*) => {$(
        pub(super) fn $name(columns: &Columns<'_>, index: usize) -> Result<Option<$id>, StoreError> {
            let bytes = columns.get::<Option<[u8; 16]>>(index)?;
            Ok(bytes.map(|bytes| $id::from_uuid(Uuid::from_bytes(bytes))))
        }
    )*};
}

ids! {
    client_id: ClientId;
    appeal_id: AppealId;
    turn_id: TurnId;
    merge_id: MergeId;
}

ids_or_none! {
    maybe_client_id: ClientId;
    maybe_appeal_id: AppealId;
    maybe_turn_id: TurnId;
    maybe_message_id: MessageId;
}

/// Reads the columns `channel, account, chat` from one on.
pub(super) fn address(columns: &Columns<'_>, first: usize) -> Result<ChannelChat, StoreError> {
    let (channel, account) = (columns.parsed(first)?, columns.account(first + 1)?);
    Ok(ChannelChat { channel, account, chat: external_chat(columns, first + 2)? })
}

fn external_chat(columns: &Columns<'_>, index: usize) -> Result<ExternalChat, StoreError> {
    let text: String = columns.get(index)?;
    ExternalChat::new(&text).ok_or_else(|| columns.strange(index, "chat of a channel", &text))
}

pub(super) fn client(row: &Row<'_>) -> Result<StoredClient, StoreError> {
    let columns = Columns::new(row, "pipeline_clients");
    Ok(StoredClient {
        id: client_id(&columns, 0)?,
        name: columns.get(1)?,
        phone: columns.get(2)?,
        email: columns.get(3)?,
        merged_into: maybe_client_id(&columns, 4)?,
        created_at: columns.time(5)?,
        updated_at: columns.time(6)?,
        chat_type: columns.parsed(7)?,
        group_answers: columns.maybe_parsed(8)?.unwrap_or_default(),
    })
}

pub(super) fn identity(row: &Row<'_>) -> Result<StoredIdentity, StoreError> {
    let columns = Columns::new(row, "pipeline_identities");
    let identity = ClientIdentity { kind: columns.get(0)?, value: columns.get(1)? };
    Ok(StoredIdentity { identity, proof: columns.parsed(2)?, at: columns.time(3)? })
}

pub(super) fn merge(row: &Row<'_>) -> Result<StoredMerge, StoreError> {
    let columns = Columns::new(row, "pipeline_merges");
    Ok(StoredMerge {
        id: merge_id(&columns, 0)?,
        master: client_id(&columns, 1)?,
        merged: client_id(&columns, 2)?,
        moved: columns.json(3)?,
        merged_by: columns.get(4)?,
        at: columns.time(5)?,
        undone_at: columns.maybe_time(6)?,
    })
}

/// The one column of a client's id.
pub(super) fn only_client(row: &Row<'_>) -> Result<ClientId, StoreError> {
    client_id(&Columns::new(row, "pipeline_identities"), 0)
}

/// The one column of an appeal's id.
pub(super) fn only_appeal(row: &Row<'_>) -> Result<AppealId, StoreError> {
    appeal_id(&Columns::new(row, "pipeline_appeals"), 0)
}

pub(super) fn suggestion(row: &Row<'_>) -> Result<(ClientId, ClientId, String), StoreError> {
    let columns = Columns::new(row, "pipeline_suggestions");
    Ok((client_id(&columns, 0)?, client_id(&columns, 1)?, columns.get(2)?))
}

pub(super) fn appeal(row: &Row<'_>) -> Result<StoredAppeal, StoreError> {
    let columns = Columns::new(row, "pipeline_appeals");
    Ok(StoredAppeal {
        id: appeal_id(&columns, 0)?,
        client: client_id(&columns, 1)?,
        state: columns.coded(2, "state of an appeal", codes::appeal)?,
        chat: address(&columns, 3)?,
        responder: responder(&columns, 6)?,
        assignee: columns.get(7)?,
        tags: columns.maybe_json(8)?.unwrap_or_default(),
        ad: columns.maybe_json(9)?,
        opened_at: columns.time(10)?,
        waiting_since: columns.maybe_time(11)?,
        first_answer_at: columns.maybe_time(12)?,
        answered_at: columns.maybe_time(13)?,
        closed_at: columns.maybe_time(14)?,
        updated_at: columns.time(15)?,
        unread: columns.count(16)?,
        snoozed_until: columns.maybe_time(17)?,
        first_author: maybe_author(&columns, 18)?,
        question_at: columns.maybe_time(19)?,
        first_wait: maybe_wait(&columns, 20)?,
        next_answers: columns.count(21)?,
        next_wait: maybe_wait(&columns, 22)?.unwrap_or_default(),
    })
}

/// A length of time, in microseconds.
pub(super) fn maybe_wait(columns: &Columns<'_>, index: usize) -> Result<Option<Duration>, StoreError> {
    let micros = columns.get::<Option<i64>>(index)?;
    Ok(micros.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or_default())))
}

pub(super) fn maybe_author(columns: &Columns<'_>, index: usize) -> Result<Option<Author>, StoreError> {
    let code = columns.get::<Option<i64>>(index)?;
    code.map(|_| columns.coded(index, "author of a message", codes::author)).transpose()
}

fn responder(columns: &Columns<'_>, index: usize) -> Result<Option<Responder>, StoreError> {
    let word = columns.get::<Option<String>>(index)?;
    word.map(|_| columns.word(index, "responder", Responder::from_word)).transpose()
}

pub(super) fn note(row: &Row<'_>) -> Result<AppealNote, StoreError> {
    let columns = Columns::new(row, "pipeline_notes");
    Ok(AppealNote { at: columns.time(0)?, written_by: columns.get(1)?, text: columns.get(2)? })
}

pub(super) fn template(row: &Row<'_>) -> Result<ReplyTemplate, StoreError> {
    let columns = Columns::new(row, "pipeline_templates");
    Ok(ReplyTemplate {
        name: columns.get(0)?,
        text: columns.get(1)?,
        updated_by: columns.get(2)?,
        updated_at: columns.time(3)?,
    })
}

pub(super) fn turn(row: &Row<'_>) -> Result<StoredTurn, StoreError> {
    let columns = Columns::new(row, "pipeline_turns");
    Ok(StoredTurn {
        id: turn_id(&columns, 0)?,
        chat: address(&columns, 1)?,
        stage: columns.coded(4, "stage of a turn", codes::turn)?,
        client: maybe_client_id(&columns, 5)?,
        appeal: maybe_appeal_id(&columns, 6)?,
        responder: responder(&columns, 7)?,
        discards: columns.get(8)?,
        created_at: columns.time(9)?,
        stage_at: columns.time(10)?,
        due_at: columns.time(11)?,
        tries: columns.get(12)?,
        answer: columns.get::<Option<String>>(13)?.map(Words::from),
        needs_approval: columns.get::<i64>(14)? != 0,
        why: columns.get(15)?,
        outbox_id: maybe_message_id(&columns, 16)?,
        formatted: columns.maybe_json(17)?,
    })
}

pub(super) fn message(row: &Row<'_>) -> Result<ClientMessage, StoreError> {
    let columns = Columns::new(row, "pipeline_messages");
    Ok(ClientMessage {
        seq: columns.get(0)?,
        chat: address(&columns, 1)?,
        author: columns.coded(4, "author of a message", codes::author)?,
        client: maybe_client_id(&columns, 5)?,
        appeal: maybe_appeal_id(&columns, 6)?,
        turn: maybe_turn_id(&columns, 7)?,
        message: columns.get(8)?,
        external_id: columns.get(9)?,
        text: Words::from(columns.get::<String>(10)?),
        media: columns.maybe_json(11)?.unwrap_or_default(),
        at: columns.time(12)?,
        edited_at: columns.maybe_time(13)?,
        deleted_at: columns.maybe_time(14)?,
        sender: columns.get(15)?,
        sender_proof: columns.parsed(16)?,
        mentions_us: columns.get::<i64>(17)? == 1,
    })
}

pub(super) fn chat(row: &Row<'_>) -> Result<ClientChat, StoreError> {
    let columns = Columns::new(row, "pipeline_chats");
    let stage = columns.get::<Option<i64>>(12)?;
    Ok(ClientChat {
        chat: address(&columns, 0)?,
        user: columns.get(3)?,
        sender_proof: columns.parsed(15)?,
        chat_type: columns.parsed(16)?,
        group: (!columns.is_null(17)).then(|| external_chat(&columns, 17)).transpose()?,
        name: columns.get(4)?,
        phone: columns.maybe_contact(5, 6)?,
        email: columns.maybe_contact(7, 14)?,
        ad: columns.maybe_json(8)?,
        client: maybe_client_id(&columns, 9)?,
        turn: maybe_turn_id(&columns, 10)?,
        discards: columns.get(11)?,
        stage: stage.map(|_| columns.coded(12, "stage of a turn", codes::turn)).transpose()?,
        answered_by: maybe_author(&columns, 13)?,
    })
}

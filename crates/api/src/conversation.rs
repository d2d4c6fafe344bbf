//! Clients, their appeals and conversations, and the pipeline that carries them.

use std::collections::BTreeMap;

use domain::media::{Media, MediaSource};
use domain::message::OutboundMessage;
use domain::{
    AdSource, AppealId, AppealState, Author, ChatType, ClientId, ContactProof, GroupAnswers, InboundKind,
    InboundMedia, MergeId, MessageState, Responder, Timestamp, TurnId, TurnStage,
};
use serde::{Deserialize, Serialize};
use store::{
    AppealNote, ClientChat as StoredChat, ClientMessage, PipelineCounts, StoredAppeal, StoredClient,
    StoredIdentity, StoredMerge, StoredTurn,
};
use utoipa::ToSchema;

/// A client: a person who writes, over however many channels.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Client {
    #[schema(value_type = String, example = "client_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: ClientId,
    #[schema(example = "Anna")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub name: Option<String>,
    #[schema(example = "+70000000001")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub phone: Option<String>,
    #[schema(example = "anna@example.com")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub email: Option<String>,
    /// `private`: a person. `group`: the conversation of a group.
    #[serde(default = "private")]
    #[schema(value_type = String, example = "private")]
    pub chat_type: ChatType,
    /// When programs answer in a group: `never`, `when_mentioned` or `always`. Left out of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "when_mentioned")]
    pub group_answers: Option<GroupAnswers>,
    /// The client that this one was merged into: all that it had is there.
    #[schema(value_type = Option<String>)]
    pub merged_into: Option<ClientId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<StoredClient> for Client {
    fn from(client: StoredClient) -> Self {
        let is_group = client.chat_type == ChatType::Group;
        Self {
            id: client.id,
            name: client.name,
            phone: client.phone,
            email: client.email,
            chat_type: client.chat_type,
            group_answers: is_group.then_some(client.group_answers),
            merged_into: client.merged_into,
            created_at: client.created_at,
            updated_at: client.updated_at,
        }
    }
}

const fn private() -> ChatType {
    ChatType::Private
}

/// A phone number or an email address of a client, with its proof.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClientContact {
    /// `phone` or `email`.
    #[schema(example = "phone")]
    pub kind: String,
    #[schema(example = "+70000000001")]
    pub value: String,
    /// How it was proved: `channel_id` (it is the id in the channel), `provider` (the provider vouches for it), `mail` (the receiving
    /// mail server authenticated the sender), `operator` (an operator entered it), `program` (another program stated it) or `typed`.
    #[schema(value_type = String, example = "channel_id")]
    pub proof: ContactProof,
    /// Whether it decides whose a message is. Others only suggest clients.
    pub is_proved: bool,
    /// Since when it is known with this proof.
    pub at: Timestamp,
}

impl ClientContact {
    /// Returns the contacts among what identifies a client.
    pub fn among(known: Vec<StoredIdentity>) -> Vec<Self> {
        let kinds = [domain::ClientIdentity::PHONE, domain::ClientIdentity::EMAIL];
        let contacts = known.into_iter().filter(|one| kinds.contains(&one.identity.kind.as_str()));
        contacts
            .map(|StoredIdentity { identity, proof, at }| Self {
                kind: identity.kind,
                value: identity.value,
                proof,
                is_proved: proof.is_proved(),
                at,
            })
            .collect()
    }
}

/// A client with all that belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClientCard {
    #[serde(flatten)]
    pub client: Client,
    /// Its phone numbers and email addresses.
    #[serde(default)]
    pub contacts: Vec<ClientContact>,
    /// The chats of the client.
    pub chats: Vec<ClientChat>,
    /// The appeals: those whose client waits, others that are open, and what is over, each the last one first; 100 at most.
    pub appeals: Vec<Appeal>,
    /// Clients that may be the same person.
    pub perhaps: Vec<Perhaps>,
    /// What was merged into it, the last one first.
    pub merges: Vec<Merge>,
    /// Numbers in its last 100 messages that are not noted, in E.164.
    #[schema(extensions(("x-words" = json!(true))))]
    pub written_phones: Vec<String>,
    /// Addresses of email in its last 100 messages that are not noted.
    #[schema(extensions(("x-words" = json!(true))))]
    pub written_emails: Vec<String>,
}

/// A chat of a client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClientChat {
    /// As `POST /v1/messages` takes it.
    #[schema(example = "avito:shop/u2i-1")]
    pub chat: String,
    /// The client's id in the channel.
    #[schema(extensions(("x-words" = json!(true))))]
    pub user: Option<String>,
    /// What the client is called there.
    #[schema(extensions(("x-words" = json!(true))))]
    pub name: Option<String>,
    /// `private` or `group`.
    #[serde(default = "private")]
    #[schema(value_type = String, example = "private")]
    pub chat_type: ChatType,
    /// Whether the provider, or the mail server, proves that the client has this id.
    #[serde(default)]
    pub is_proved: bool,
}

impl From<StoredChat> for ClientChat {
    fn from(chat: StoredChat) -> Self {
        Self {
            chat: chat.chat.to_string(),
            user: chat.user,
            name: chat.name,
            chat_type: chat.chat_type,
            is_proved: chat.sender_proof.is_proved(),
        }
    }
}

/// A client that may be the same person as another one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Perhaps {
    #[schema(value_type = String)]
    pub client_id: ClientId,
    #[schema(example = "the same number or address")]
    pub why: String,
}

/// Two clients that were merged into one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Merge {
    #[schema(value_type = String, example = "merge_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: MergeId,
    /// The client that is there.
    #[schema(value_type = String)]
    pub client_id: ClientId,
    /// The client that is gone.
    #[schema(value_type = String)]
    pub merged: ClientId,
    /// Who did it.
    #[schema(example = "olga")]
    pub by: String,
    pub at: Timestamp,
    /// When it was undone.
    pub undone_at: Option<Timestamp>,
}

impl From<StoredMerge> for Merge {
    fn from(merge: StoredMerge) -> Self {
        Self {
            id: merge.id,
            client_id: merge.master,
            merged: merge.merged,
            by: merge.merged_by,
            at: merge.at,
            undone_at: merge.undone_at,
        }
    }
}

/// A matter that a client writes about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Appeal {
    #[schema(value_type = String, example = "appeal_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: AppealId,
    #[schema(value_type = String)]
    pub client_id: ClientId,
    /// `new`, `open`, `waiting_client`, `waiting_us` or `closed`.
    #[schema(value_type = String, example = "waiting_us")]
    pub state: AppealState,
    /// The chat where it began.
    #[schema(example = "avito:shop/u2i-1")]
    pub chat: String,
    /// Who answers it, where that is not as the settings say: `ai`, `webhook`, `redis`, `human` or `off`.
    #[schema(value_type = Option<String>, example = "human")]
    pub responder: Option<Responder>,
    /// Whose it is.
    #[schema(example = "olga")]
    pub assignee: Option<String>,
    #[schema(extensions(("x-words" = json!(true))))]
    pub tags: Vec<String>,
    /// The advertisement that the client came by.
    #[schema(value_type = Option<Object>)]
    pub ad: Option<AdSource>,
    pub opened_at: Timestamp,
    /// Since when the client waits for an answer.
    pub waiting_since: Option<Timestamp>,
    /// When what the client wrote was answered first.
    pub first_answer_at: Option<Timestamp>,
    /// How many answers came after the first.
    #[serde(default)]
    #[schema(example = 2)]
    pub next_answers: u64,
    /// How long the client waited for all of them, in milliseconds.
    #[serde(default)]
    #[schema(example = 90_000)]
    pub next_answers_ms: u64,
    pub answered_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// How many messages of the client no person has seen.
    #[serde(default)]
    #[schema(example = 2)]
    pub unread: u64,
    /// It is set aside until then, or until the client writes.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
}

impl From<StoredAppeal> for Appeal {
    fn from(appeal: StoredAppeal) -> Self {
        Self {
            id: appeal.id,
            client_id: appeal.client,
            state: appeal.state,
            chat: appeal.chat.to_string(),
            responder: appeal.responder,
            assignee: appeal.assignee,
            tags: appeal.tags,
            ad: appeal.ad,
            opened_at: appeal.opened_at,
            waiting_since: appeal.waiting_since,
            first_answer_at: appeal.first_answer_at,
            next_answers: appeal.next_answers,
            next_answers_ms: u64::try_from(appeal.next_wait.as_millis()).unwrap_or(u64::MAX),
            answered_at: appeal.answered_at,
            closed_at: appeal.closed_at,
            updated_at: appeal.updated_at,
            unread: appeal.unread,
            snoozed_until: appeal.snoozed_until,
        }
    }
}

/// The conversation with a client: its last appeal and its last message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    pub client: Client,
    pub appeal: Option<Appeal>,
    pub last_message: Option<ConversationMessage>,
}

/// An account of ours, as a conversation is begun through it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InboxChannel {
    #[schema(example = "whatsapp")]
    pub channel: String,
    #[schema(example = "phone")]
    pub account: String,
    /// Whether it can write to someone who has not written.
    pub writes_first: bool,
}

/// A conversation that a person began.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BegunConversation {
    #[schema(value_type = String)]
    pub client_id: ClientId,
    #[schema(value_type = String)]
    pub appeal_id: AppealId,
    /// The first message, on its way, as `GET /v1/messages/{id}` takes it.
    #[schema(value_type = String)]
    pub message_id: domain::MessageId,
}

/// A message of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ConversationMessage {
    /// The message, as `GET /v1/messages/{id}` takes it.
    #[schema(example = "rcv_20000e83pn1yx0")]
    pub id: String,
    /// Who wrote it: `client`, `ai`, `agent`, `program` or `elsewhere`.
    #[schema(value_type = String, example = "client")]
    pub author: Author,
    /// The chat that it is in.
    #[schema(example = "avito:shop/u2i-1")]
    pub chat: String,
    #[schema(value_type = Option<String>)]
    pub appeal_id: Option<AppealId>,
    /// What its writer is called, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Anna")]
    pub sender: Option<String>,
    /// Whether it is proved who wrote it. The sender of a mail may be forged, and a form has what a visitor typed.
    #[serde(default)]
    pub is_sender_proved: bool,
    #[schema(example = "Is it still there?")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub text: String,
    /// All of its text, where `text` is without what a mail quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub whole_text: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub media: Vec<InboundMedia>,
    pub at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// How far a message of ours is, as long as it is kept.
    #[schema(value_type = Option<String>, example = "delivered")]
    pub state: Option<MessageState>,
    /// Why a message of ours was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the provider refused it")]
    pub failure: Option<String>,
}

impl ConversationMessage {
    /// A message, and what became of it where it is ours.
    pub fn of(message: ClientMessage, sent: Option<&OutboundMessage>) -> Self {
        let state = sent.map(|sent| sent.state);
        let failure = sent.and_then(|sent| sent.failure.as_ref()).map(domain::outcome::Failure::describe);
        // What we sent has its files in the outbox.
        let media = match sent {
            Some(sent) if message.media.is_empty() => sent.content.media.iter().map(sent_file).collect(),
            _ => message.media,
        };
        Self {
            id: message.message,
            author: message.author,
            chat: message.chat.to_string(),
            appeal_id: message.appeal,
            sender: message.sender,
            is_sender_proved: message.sender_proof.is_proved(),
            text: message.text.as_str().to_owned(),
            whole_text: None,
            media,
            at: message.at,
            edited_at: message.edited_at,
            deleted_at: message.deleted_at,
            state,
            failure,
        }
    }
}

/// A file of ours as those of clients are shown.
fn sent_file(media: &Media) -> InboundMedia {
    let kind = match media.mime.split('/').next() {
        Some("image") => InboundKind::Image,
        Some("audio") => InboundKind::Audio,
        Some("video") => InboundKind::Video,
        _ => InboundKind::Document,
    };
    let size = match &media.source {
        MediaSource::File { size, .. } => Some(*size),
        _ => None,
    };
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    InboundMedia { name: known(&media.name), mime: known(&media.mime), size, ..InboundMedia::new(kind) }
}

/// A note of a person about an appeal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Note {
    pub at: Timestamp,
    #[schema(example = "olga")]
    pub by: String,
    #[schema(example = "Wants it on Friday")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub text: String,
}

impl From<AppealNote> for Note {
    fn from(note: AppealNote) -> Self {
        Self { at: note.at, by: note.written_by, text: note.text }
    }
}

/// A batch of a client's messages, and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Turn {
    #[schema(value_type = String, example = "turn_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: TurnId,
    /// `resolve`, `appeal`, `respond`, `send`, `answered`, `handed_over` or `discarded`.
    #[schema(value_type = String, example = "answered")]
    pub stage: TurnStage,
    /// Who answered, or was to.
    #[schema(value_type = Option<String>, example = "ai")]
    pub responder: Option<Responder>,
    /// The answer, or what was proposed.
    #[schema(extensions(("x-words" = json!(true))))]
    pub answer: Option<String>,
    /// Why it ended so, or what the answer rests on.
    #[schema(extensions(("x-words" = json!(true))))]
    pub why: Option<String>,
    pub created_at: Timestamp,
    /// Since when it is at its stage.
    pub stage_at: Timestamp,
}

impl From<StoredTurn> for Turn {
    fn from(turn: StoredTurn) -> Self {
        Self {
            id: turn.id,
            stage: turn.stage,
            responder: turn.responder,
            answer: turn.answer.map(|answer| answer.as_str().to_owned()),
            why: turn.why,
            created_at: turn.created_at,
            stage_at: turn.stage_at,
        }
    }
}

/// A batch that no program answered though one was to, and whose client still waits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FailedTurn {
    #[serde(flatten)]
    pub turn: Turn,
    #[schema(value_type = Option<String>)]
    pub client_id: Option<ClientId>,
    #[schema(example = "Anna")]
    pub client_name: Option<String>,
    #[schema(example = "avito:shop/u2i-1")]
    pub chat: String,
}

impl FailedTurn {
    pub fn of(turn: StoredTurn, client: Option<StoredClient>) -> Self {
        let client_name = client.and_then(|client| client.name.or(client.phone).or(client.email));
        Self { client_id: turn.client, client_name, chat: turn.chat.to_string(), turn: turn.into() }
    }
}

/// What was put on its way again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PutAgain {
    /// So many go their way again.
    #[schema(example = 3)]
    pub again: u64,
    /// So many do not: they were answered meanwhile, are on their way, or are not there.
    #[schema(example = 0)]
    pub left: u64,
}

/// A message that was put on its way again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReplayedMessage {
    #[schema(example = "rcv_20000e83pn1yx0")]
    pub id: String,
    /// It was on its way already.
    pub on_its_way: bool,
}

/// An item of a list in Redis that could not be taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    #[schema(example = "0f343b0931126a20f133d67c2b018a3b")]
    pub id: String,
    #[schema(example = "queue:incoming")]
    pub list: String,
    /// Why it could not be taken.
    #[schema(example = "external_message_id is missing")]
    pub reason: String,
    /// What its program wrote.
    pub item: String,
    pub at: Option<Timestamp>,
    /// Whether all of the item is there, so that it can be put on its list again.
    pub retryable: bool,
}

/// How much there is at each stage of the pipeline.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PipelineState {
    /// Whether the settings switch it on.
    pub enabled: bool,
    /// Chats whose messages wait for silence.
    #[schema(example = 3)]
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Timestamp>,
    pub stages: Vec<StageCount>,
    /// How far what was written is ahead of what was taken in, in milliseconds.
    #[schema(example = 2)]
    pub behind_ms: u64,
    /// The lists that other programs share; none where the settings name no Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queues>,
}

/// The lists in Redis that other programs share.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Queues {
    /// Why Redis cannot be used; none where it answers.
    #[schema(example = "Redis does not answer within 5 seconds")]
    pub broken: Option<String>,
    /// Since when.
    pub broken_since: Option<Timestamp>,
    /// Another program that took from a list of this one.
    pub other_consumer: Option<OtherConsumer>,
    /// The last item since the start that could not be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_dead_letter: Option<LastDeadLetter>,
}

/// An item of a list that could not be taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LastDeadLetter {
    #[schema(example = "queue:incoming")]
    pub list: String,
    #[schema(example = "external_chat_id is missing; name the chat that it is for")]
    pub reason: String,
    pub at: Timestamp,
}

/// Another program that took from a list of this one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OtherConsumer {
    #[schema(example = "queue:incoming")]
    pub list: String,
    /// Its connection, where that is still there.
    #[schema(example = "n8n at 127.0.0.1:40000 (lpop)")]
    pub who: Option<String>,
    /// When it was noticed.
    pub at: Timestamp,
}

/// How many turns are at a stage.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StageCount {
    #[schema(value_type = String, example = "respond")]
    pub stage: TurnStage,
    #[schema(example = 2)]
    pub turns: u64,
    /// Since when the oldest of them is there.
    pub since: Timestamp,
}

impl PipelineState {
    pub fn of(enabled: bool, counts: PipelineCounts) -> Self {
        let stages = counts.stages.into_iter();
        Self {
            enabled,
            waiting: counts.waiting.0,
            waiting_since: counts.waiting.1,
            stages: stages.map(|(stage, turns, since)| StageCount { stage, turns, since }).collect(),
            behind_ms: u64::try_from(counts.behind.as_millis()).unwrap_or(u64::MAX),
            queue: None,
        }
    }
}

/// An answer that is written once and used often.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReplyTemplate {
    #[schema(example = "greeting")]
    pub name: String,
    /// With the variables `{{client.name}}`, `{{client.phone}}`, `{{client.email}}` and `{{agent}}`.
    #[schema(example = "Hello, {{client.name}}!")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub text: String,
    /// Who wrote it.
    #[schema(example = "olga")]
    pub updated_by: String,
    pub updated_at: Timestamp,
}

impl From<store::ReplyTemplate> for ReplyTemplate {
    fn from(template: store::ReplyTemplate) -> Self {
        let store::ReplyTemplate { name, text, updated_by, updated_at } = template;
        Self { name, text, updated_by, updated_at }
    }
}

/// Who else writes an answer at this moment.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Writing {
    #[schema(example = json!(["olga"]))]
    pub writing: Vec<String>,
}

/// Conversations in figures, day by day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxFigures {
    /// The first day first; days without any are there too.
    pub days: Vec<InboxDay>,
    pub total: InboxDay,
}

/// The appeals that were opened on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxDay {
    /// Such as `2026-01-31`; empty for all days.
    #[schema(example = "2026-01-31")]
    pub day: String,
    /// How many in each channel.
    pub opened: BTreeMap<String, u64>,
    /// Those of them that were answered.
    pub answered: u64,
    /// Those that a model answered first.
    pub by_ai: u64,
    /// Half of the first answers came within so many seconds of what the client wrote.
    pub half_within: Option<u64>,
    /// Nine of ten did.
    pub most_within: Option<u64>,
    /// How many answers came after the first ones.
    #[serde(default)]
    pub next_answers: u64,
    /// How many seconds the clients waited for each of those, on average.
    #[serde(default)]
    pub next_within: Option<u64>,
}

/// All that is stored of a client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClientExport {
    #[serde(flatten)]
    pub card: ClientCard,
    /// What identifies the client.
    pub identities: Vec<ClientIdentity>,
    /// What was written, the first message first.
    pub messages: Vec<ConversationMessage>,
    pub notes: Vec<Note>,
}

/// Something that identifies a client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClientIdentity {
    /// A channel, `phone` or `email`.
    #[schema(example = "phone")]
    pub kind: String,
    #[schema(example = "+70000000001")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub value: String,
    /// How it was proved that it is the client's.
    #[schema(value_type = String, example = "channel_id")]
    pub proof: ContactProof,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_lag_is_given_in_milliseconds() {
        let counts = PipelineCounts { behind: Duration::from_secs(15), ..PipelineCounts::default() };
        assert_eq!(PipelineState::of(true, counts).behind_ms, 15_000);
    }
}

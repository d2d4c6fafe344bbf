//! What other programs hear of: the types of events, and what each of them says.
//!
//! An event names what it is about and how that is now, in ids and words. It never has the text of a message, and no secret.

mod filter;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::saga::TaskKind;
use crate::{
    AccountName, AccountState, AlertId, AnyReceivedId, AppealId, AppealState, AttemptState, CampaignRunId,
    CampaignRunState, ChatId, ChatRef, ClientId, FlowRunId, FlowRunState, MessageId, MessageOrigin,
    MessageState, OperationId, ProviderId, TelegramMessageId,
};

pub use filter::{EventFilter, EventPattern, InvalidEventPattern};

/// The place of an event in the order of all of them: the microsecond of its commit, or one more than the event before where
/// that is later. Its text form is `evt_` with the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(i64);

/// Text that is no id of an event.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no id of an event; it is \"evt_\" and a number")]
pub struct InvalidEventId(String);

impl EventId {
    /// Before every event.
    pub const ZERO: Self = Self(0);

    /// The event of this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", self.0)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    /// Reads the number alone too: callers count with it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("evt_").unwrap_or(text);
        let number = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| InvalidEventId(text.chars().take(64).collect()))
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Declares the types of events: the word, what it says, and what it means.
macro_rules! events {
    ($($(#[doc = $meaning:literal])+ $name:ident($data:ident) = $word:literal, $example:literal;)*) => {
        /// The type of an event.
        #[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
        #[strum(const_into_str)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $($(#[doc = $meaning])+ #[strum(serialize = $word)] $name,)*
        }

        enum_words!(EventType);

        impl EventType {
            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+),)* }
            }

            /// What one says, for the reference.
            pub const fn example(self) -> &'static str {
                match self { $(Self::$name => $example,)* }
            }
        }

        /// An event: what happened to what. Its JSON is what it says, without its type.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[doc = $meaning])+ $name($data),)*
        }

        impl Event {
            /// Its type.
            pub const fn kind(&self) -> EventType {
                match self { $(Self::$name(_) => EventType::$name,)* }
            }

            #[cfg(test)]
            fn read(kind: EventType, data: &str) -> serde_json::Result<Self> {
                match kind { $(EventType::$name => serde_json::from_str(data).map(Self::$name),)* }
            }
        }
    };
}

events! {
    /// A message was taken in.
    MessageAccepted(MessageEvent) = "message.accepted",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"queued"}"#;
    /// A message waits again: it was approved or tried again, or a doubt about it ended.
    MessageQueued(MessageEvent) = "message.queued",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"queued"}"#;
    /// The provider has all of a message.
    MessageSent(MessageEvent) = "message.sent",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"sent","message_ids":[1042]}"#;
    /// All of a message arrived; reported by channels whose provider says so.
    MessageDelivered(MessageEvent) = "message.delivered",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"delivered"}"#;
    /// All of a message was read, in a group by one member; reported by Telegram accounts and by channels whose provider says so.
    MessageRead(MessageEvent) = "message.read",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"read"}"#;
    /// A message ended unsent.
    MessageFailed(MessageEvent) = "message.failed",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"failed","code":"chat_not_found"}"#;
    /// A message was cancelled, or a person refused it.
    MessageCancelled(MessageEvent) = "message.cancelled",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"cancelled"}"#;
    /// A message may have been sent or not; it is looked for, or a person decides.
    MessageInDoubt(MessageEvent) = "message.in_doubt",
        r#"{"message_id":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"in_doubt"}"#;
    /// A message came in that is kept. Reported once a message, whichever of its changes is heard of first.
    MessageReceived(ReceivedEvent) = "message.received",
        r#"{"message_id":"rcv_10000009a0qs02000003ptrb9dr","telegram_id":7,"origin":"person","from":"5000000001"}"#;
    /// A message that is kept was changed by its writer.
    MessageEdited(ReceivedEvent) = "message.edited",
        r#"{"message_id":"rcv_10000009a0qs02000003ptrb9dr","telegram_id":7,"origin":"person","from":"5000000001"}"#;
    /// A message that is kept was deleted in Telegram.
    MessageDeleted(ReceivedEvent) = "message.deleted",
        r#"{"message_id":"rcv_10000009a0qs02000003ptrb9dr","telegram_id":7,"origin":"person","from":"5000000001"}"#;
    /// A chat was made here.
    ChatCreated(ChatEvent) = "chat.created",
        r#"{"chat_id":"-1001234567890","title":"Order 1042","operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// The title or description of a chat was changed here.
    ChatEdited(ChatEvent) = "chat.edited",
        r#"{"chat_id":"-1001234567890","title":"Order 1042, paid","operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// A chat was left.
    ChatLeft(ChatEvent) = "chat.left",
        r#"{"chat_id":"-1001234567890","operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// Someone was added to a chat by an operation.
    ChatMemberAdded(MemberEvent) = "chat.member_added",
        r#"{"who":"@demo_customer","operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// Someone was removed from a chat by an operation.
    ChatMemberRemoved(MemberEvent) = "chat.member_removed",
        r#"{"who":"@demo_customer","operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// The state shown for an account is another one.
    AccountState(AccountEvent) = "account.state",
        r#"{"state":"flood_wait","was":"ready"}"#;
    /// Work went to another account than its first choice.
    Failover(FailoverEvent) = "failover",
        r#"{"from":"main","to":"backup_1","reason":"flood_wait","subject":"msg_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// An operation was taken in.
    OperationAccepted(OperationEvent) = "operation.accepted",
        r#"{"operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr","kind":"create_chat"}"#;
    /// An operation goes on or begins again by a person's word.
    OperationResumed(OperationEvent) = "operation.resumed",
        r#"{"operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr","kind":"create_chat"}"#;
    /// An operation ended well; single steps may have been refused.
    OperationDone(OperationEvent) = "operation.done",
        r#"{"operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr","kind":"create_chat"}"#;
    /// An operation failed.
    OperationFailed(OperationEvent) = "operation.failed",
        r#"{"operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr","kind":"create_chat","code":"no_account"}"#;
    /// An operation was cancelled before anything was begun.
    OperationCancelled(OperationEvent) = "operation.cancelled",
        r#"{"operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr","kind":"create_chat"}"#;
    /// An operation may have been done or not; a person decides.
    OperationInDoubt(OperationEvent) = "operation.in_doubt",
        r#"{"operation_id":"op_01k2v7m3w0e9tq4b8s6n5x1zyr","kind":"create_chat"}"#;
    /// Something stayed broken for long enough that people hear of it.
    AlertRaised(AlertEvent) = "alert.raised",
        r#"{"alert_id":"alert_01k2v7m3w0e9tq4b8s6n5x1zyr","card":"account:main","name":"main","reason":"session_revoked"}"#;
    /// What an alert was about is over, or another alert speaks for it.
    AlertCleared(AlertEvent) = "alert.cleared",
        r#"{"alert_id":"alert_01k2v7m3w0e9tq4b8s6n5x1zyr","card":"account:main","name":"main","reason":"session_revoked"}"#;
    /// A message came in that begins a run of a flow.
    FlowBegan(FlowRunEvent) = "flow.began",
        r#"{"run_id":"run_01k2v7m3w0e9tq4b8s6n5x1zyr","flow":"trip"}"#;
    /// A flow pressed a button.
    FlowPressed(FlowRunEvent) = "flow.pressed",
        r#"{"run_id":"run_01k2v7m3w0e9tq4b8s6n5x1zyr","flow":"trip","step":1}"#;
    /// A run of a flow ended.
    FlowEnded(FlowRunEvent) = "flow.ended",
        r#"{"run_id":"run_01k2v7m3w0e9tq4b8s6n5x1zyr","flow":"trip","state":"done"}"#;
    /// A flow begins no runs on an account until someone starts it.
    FlowStopped(FlowEvent) = "flow.stopped",
        r#"{"flow":"trip","reason":"stop_after"}"#;
    /// A run of a campaign began or goes on.
    CampaignBegan(CampaignEvent) = "campaign.began",
        r#"{"run_id":"camp_01k2v7m3w0e9tq4b8s6n5x1zyr","campaign":"spring","state":"running"}"#;
    /// A run of a campaign is paused, by a person or because none of its senders may go on.
    CampaignPaused(CampaignEvent) = "campaign.paused",
        r#"{"run_id":"camp_01k2v7m3w0e9tq4b8s6n5x1zyr","campaign":"spring","state":"paused","reason":"no_sender"}"#;
    /// A run of a campaign ended.
    CampaignEnded(CampaignEvent) = "campaign.ended",
        r#"{"run_id":"camp_01k2v7m3w0e9tq4b8s6n5x1zyr","campaign":"spring","state":"done"}"#;
    /// An attempt of a campaign to write to a recipient ended.
    CampaignAttempted(CampaignAttemptEvent) = "campaign.attempted",
        r#"{"run_id":"camp_01k2v7m3w0e9tq4b8s6n5x1zyr","campaign":"spring","to":"@client_1","state":"sent"}"#;
    /// Someone wrote who was not known.
    ClientCreated(ClientEvent) = "client.created",
        r#"{"client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// Two clients are one from now on: the other one is gone.
    ClientMerged(ClientEvent) = "client.merged",
        r#"{"client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","other":"client_01k2v7m3w0e9tq4b8s6n5x1zys"}"#;
    /// Two clients that were merged are two again.
    ClientSplit(ClientEvent) = "client.split",
        r#"{"client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","other":"client_01k2v7m3w0e9tq4b8s6n5x1zys"}"#;
    /// What is known of a client was changed by a person.
    ClientChanged(ClientEvent) = "client.changed",
        r#"{"client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// A client was erased with all that was written in its conversation.
    ClientErased(ClientEvent) = "client.erased",
        r#"{"client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr"}"#;
    /// A client writes about something new.
    AppealOpened(AppealEvent) = "appeal.opened",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"new"}"#;
    /// An appeal that was closed goes on.
    AppealReopened(AppealEvent) = "appeal.reopened",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"open"}"#;
    /// A person is to answer an appeal.
    AppealHandedOver(AppealEvent) = "appeal.handed_over",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"waiting_us","reason":"timeout"}"#;
    /// An answer to an appeal was given.
    AppealAnswered(AppealEvent) = "appeal.answered",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"waiting_client","reason":"ai"}"#;
    /// An appeal has another assignee, or none.
    AppealAssigned(AppealEvent) = "appeal.assigned",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"open","reason":"olga"}"#;
    /// An appeal has a note, other tags or another responder, or is set aside: `note`, `tags`, `responder` or `snoozed`.
    AppealChanged(AppealEvent) = "appeal.changed",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"open","reason":"note"}"#;
    /// An appeal is over.
    AppealClosed(AppealEvent) = "appeal.closed",
        r#"{"appeal_id":"appeal_01k2v7m3w0e9tq4b8s6n5x1zyr","client_id":"client_01k2v7m3w0e9tq4b8s6n5x1zyr","state":"closed"}"#;
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an event about a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEvent {
    /// The message.
    pub message_id: MessageId,
    /// How far it is.
    pub state: MessageState,
    /// With `message.sent`: the provider's ids, in order, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub message_ids: Vec<ProviderId>,
    /// With `message.failed`: why, the same word as in a problem's `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl MessageEvent {
    /// A message in this state.
    pub const fn new(message_id: MessageId, state: MessageState) -> Self {
        Self { message_id, state, message_ids: Vec::new(), code: None }
    }
}

/// What an event about a message that came in says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedEvent {
    /// The message.
    pub message_id: AnyReceivedId,
    /// Telegram's id of it; none in a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram_id: Option<TelegramMessageId>,
    /// The provider's id of it, in a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Who wrote it.
    pub origin: MessageOrigin,
    /// The user who wrote it, or the group or channel that writes as itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is attached, such as `photo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// The messages of one album have the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
}

/// What an event about a chat says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatEvent {
    /// The chat.
    pub chat_id: ChatId,
    /// Its title, where it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The operation that did it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<OperationId>,
}

/// What an event about someone in a chat says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberEvent {
    /// Who, as the caller wrote it.
    pub who: ChatRef,
    /// The operation that did it.
    pub operation_id: OperationId,
}

/// What an event about an account says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEvent {
    /// How it is now.
    pub state: AccountState,
    /// How it was when that was reported last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<AccountState>,
}

/// What an event about a failover says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverEvent {
    /// From whom.
    pub from: AccountName,
    /// To whom; also the account of the event.
    pub to: AccountName,
    /// Why, in words.
    pub reason: String,
    /// The message or operation; `by_hand` where a person moved the chat.
    pub subject: String,
}

/// What an event about an operation says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEvent {
    /// The operation.
    pub operation_id: OperationId,
    /// What was asked for, such as `create_chat`.
    pub kind: TaskKind,
    /// With `operation.failed`: why, the same word as in a problem's `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What an event about a run of a flow says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRunEvent {
    /// The run.
    pub run_id: FlowRunId,
    /// The name of the flow.
    pub flow: String,
    /// With `flow.pressed`: the step that pressed, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u16>,
    /// With `flow.ended`: how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FlowRunState>,
    /// With `flow.ended`: why, where it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What an event about a flow says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowEvent {
    /// The name of the flow.
    pub flow: String,
    /// Why: a word.
    pub reason: String,
}

/// What an event about a run of a campaign says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignEvent {
    /// The run.
    pub run_id: CampaignRunId,
    /// The name of the campaign.
    pub campaign: String,
    /// How it is now.
    pub state: CampaignRunState,
    /// Why, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an event about an attempt of a campaign says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignAttemptEvent {
    /// The run.
    pub run_id: CampaignRunId,
    /// The name of the campaign.
    pub campaign: String,
    /// The recipient, as the campaign has it.
    pub to: String,
    /// How it ended.
    pub state: AttemptState,
    /// Why it was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What an event about a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEvent {
    /// The client.
    pub client_id: ClientId,
    /// The client that was merged into it, or is one of its own again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<ClientId>,
}

/// What an event about an appeal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealEvent {
    /// The appeal.
    pub appeal_id: AppealId,
    /// Whose it is.
    pub client_id: ClientId,
    /// How far it is now.
    pub state: AppealState,
    /// With `appeal.handed_over` why, with `appeal.answered` by whom, with `appeal.assigned` to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an event about an alert says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// The alert.
    pub alert_id: AlertId,
    /// The card of the overview, such as `account:main`.
    pub card: String,
    /// What people call it.
    pub name: String,
    /// Why: a word.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_read_back_with_and_without_prefix(number in 0..i64::MAX) {
            let id = EventId::new(number);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(number.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn every_example_is_what_such_an_event_says() {
        for kind in EventType::ALL {
            let event = Event::read(kind, kind.example()).unwrap();
            assert_eq!(event.kind(), kind);
            assert_eq!(serde_json::to_string(&event).unwrap(), kind.example());
        }
    }

    #[test]
    fn malformed_ids_are_refused() {
        for wrong in ["", "evt_", "-1", "evt_-1", "+5", "99999999999999999999", "msg_5"] {
            assert!(wrong.parse::<EventId>().is_err(), "{wrong}");
        }
    }
}

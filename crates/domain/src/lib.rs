//! The words of Switchboard: messages, accounts, chats, outcomes. Pure: no I/O, no async, no ambient time or chance.
//!
//! Everything here can be decided and tested without a network, a disk or a clock. The crates above give
//! these words a store, a wire and a voice.

#[macro_use]
mod enum_words;

pub mod access_hash;
pub mod account;
pub mod address;
pub mod appeal;
pub mod campaign;
pub mod chat;
pub mod chat_type;
pub mod client;
pub mod contact_limits;
pub mod contact_list;
pub mod contact_proof;
pub mod content;
pub mod customers;
pub mod do_not_contact;
pub mod early_changes;
pub mod email;
pub mod event;
pub mod flow;
pub mod id;
pub mod inbound;
pub mod inbound_id;
pub mod key_limits;
pub mod keyboard;
pub mod lenient;
pub mod measure;
pub mod media;
pub mod message;
pub mod message_ref;
pub mod missing;
pub mod named_chat;
pub mod opt_out;
pub mod outcome;
pub mod person;
pub mod phone;
pub mod provider_id;
pub mod reactions;
pub mod received;
pub mod received_file;
pub mod received_message;
pub mod request_rate;
pub mod saga;
pub mod secret;
pub mod service;
pub mod slug;
pub mod spoken;
pub mod suppression;
pub mod telegram_message_id;
pub mod text;
pub mod time;
pub mod timeline;
pub mod user_id;

pub use access_hash::AccessHash;
pub use account::{AccountName, AccountState, Purpose};
pub use address::{Address, ChannelChat, ChannelName, ExternalChat, UnreadNumber};
pub use appeal::{AppealMove, AppealState, Author, Responder, TurnStage};
pub use campaign::{
    AttemptState, CampaignLog, CampaignRunState, CampaignSender, InvalidProfileName, InvalidSender,
    ProfileName, ProxyHealth, SenderCaps, SenderState,
};
pub use chat::{ChatId, ChatKind, ChatRef, Username};
pub use chat_type::{ChatType, GroupAnswers};
pub use client::{ClientIdentity, KnownClients, Resolved, resolve};
pub use contact_limits::ContactLimits;
pub use contact_proof::{ContactProof, ProvedContact};
pub use content::Content;
pub use customers::{CustomerRule, Customers};
pub use do_not_contact::{Contact, ContactKind, ContactSource, NoContact};
pub use early_changes::EarlyChanges;
pub use event::{Event, EventFilter, EventId, EventPattern, EventType};
pub use flow::{FlowMoment, FlowRunState, FlowStage};
pub use id::{
    AlertId, AlertNoticeId, ApiKeyId, AppealId, CallbackId, CampaignAttemptId, CampaignRunId, ClientId,
    DoNotContactId, FailedRequestId, FlowRunId, ImportId, MaintenanceId, MergeId, MessageId, OperationId,
    SessionId, TurnId, UploadId, WebhookId,
};
pub use inbound::{
    AdSource, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage, InboundReceipt, Unread,
    VOICE_MARK,
};
pub use inbound_id::{AnyReceivedId, InboundId};
pub use key_limits::{KeyLimits, Outside};
pub use keyboard::{Button, ButtonDeed, Keyboard, PersonalDeed};
pub use message::MessageState;
pub use message_ref::MessageRef;
pub use named_chat::{NamedChat, NamedChatError};
pub use opt_out::{ContactWish, contact_wish, is_opt_out, wants_answer, wish_of_subject};
pub use outcome::Outcome;
pub use person::{InvalidUserName, Role, UserName};
pub use phone::{Country, Phone, UnreadPhone};
pub use provider_id::ProviderId;
pub use reactions::{GivenReactions, Reactions};
pub use received::ReceivedId;
pub use received_file::{FileKind, FileRule};
pub use received_message::{Keep, KeepRule, MessageOrigin, ReceivedMessage};
pub use request_rate::{InvalidRate, RequestRate};
pub use secret::{ExposeSecret, Secret, SecretText, Words};
pub use service::Service;
pub use slug::slug;
pub use spoken::{SpokenText, Unspoken};
pub use suppression::Suppression;
pub use telegram_message_id::TelegramMessageId;
pub use time::Timestamp;
pub use user_id::UserId;

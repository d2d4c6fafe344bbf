//! What `/v1` answers: the view of each thing, made of the types beneath and read back by the dashboard, the command line and tests.

mod account;
mod alert;
mod alert_target;
mod audit;
mod backup;
mod campaign;
mod campaign_profile;
mod channel;
mod channel_change;
mod channel_login;
mod chat;
mod conversation;
mod do_not_contact;
mod doctor;
mod event;
mod failed_message;
mod failed_request;
mod failover;
mod flood_clearing;
mod flow;
mod history;
mod import;
mod key;
mod log;
mod login;
mod maintenance;
mod master_key;
mod media;
mod message;
mod names;
pub mod operation;
mod operation_history;
mod operation_result;
mod overview;
mod page;
mod received_gap;
mod received_message;
mod reload;
#[cfg(test)]
mod sagas;
pub mod schemas;
mod task_failure;
mod unresolved;
mod user;
mod webhook;
mod why;
mod word;

pub use account::{
    Account, AccountLimits, AccountsPage, Flood, KeepMessages, Line, OwnerlessSession, Updates, UpdatesGap,
};
pub use alert::{Alert, Mute};
pub use alert_target::{AlertTarget, TargetTest};
pub use audit::{AuditActor, AuditEntry};
pub use backup::{Backup, BackupCopies, BackupCopy, BackupCopyFailing, BackupDrill, BackupDrills, Backups};
pub use campaign::{
    Campaign, CampaignAttempt, CampaignCycle, CampaignCycles, CampaignForecast, CampaignHour, CampaignHours,
    CampaignImport, CampaignLeftOut, CampaignLimits, CampaignMedia, CampaignMessage, CampaignPreview,
    CampaignRun, CampaignSender, CampaignTask,
};
pub use campaign_profile::{CampaignLogIn, CampaignProfile, CampaignProxy};
pub use channel::{
    Channel, ChannelAbilities, ChannelErrors, ChannelFile, ChannelFiles, ChannelIdentity, ChannelImage,
    ChannelMedia, ChannelMessage, ChannelMeta, ChannelWebhook, ChannelWebhookState, StoredFacts,
    without_path,
};
pub use channel_change::{AddedChannel, RemovedChannel};
pub use channel_login::ChannelLogIn;
pub use chat::Chat;
pub use conversation::{
    Appeal, BegunConversation, Client, ClientCard, ClientChat, ClientContact, ClientExport, ClientIdentity,
    Conversation, ConversationMessage, DeadLetter, FailedTurn, InboxChannel, InboxDay, InboxFigures,
    LastDeadLetter, Merge, Note, OtherConsumer, Perhaps, PipelineState, PutAgain, Queues, ReplayedMessage,
    ReplyTemplate, StageCount, Turn, Writing,
};
pub use do_not_contact::{DoNotContact, DoNotContactAdded, WrongLine};
pub use doctor::{DoctorFact, DoctorFinding, DoctorFix, DoctorReport, DoctorSection, DoctorServer};
pub use event::{Event, ServerSentEvent};
pub use failed_message::{BegunRetryOfFailed, FailedMessages, RetryOfFailed};
pub use failed_request::FailedRequest;
pub use failover::Failover;
pub use flood_clearing::FloodClearing;
pub use flow::{
    Flow, FlowCheck, FlowDefinition, FlowFile, FlowOnAccount, FlowProblem, FlowRun, FlowRunMoment,
    FlowSimulated, FlowSimulation, FlowStageTimes, FlowStats,
};
pub use history::{HistoryFile, HistoryMessage};
pub use import::{ImportAnswer, ImportUnderWay, ImportedRegistry, ImportedSession, NameUnknown};
pub use key::{ApiKey, MadeApiKey};
pub use log::{LogBucket, LogHistogram, LogLine, LogLineInPlace};
pub use login::{Login, LoginStep, SignedIn};
pub use maintenance::MaintenanceWindow;
pub use master_key::MasterKeyRotation;
pub use media::{Media, Whereabouts, message_id};
pub use message::{Attempt, Failure, Message};
pub use names::ChatNames;
pub use operation::{Operation, OperationStep};
pub use operation_result::{
    ChatEditSteps, ChatEdited, ChatLeft, ChatMade, ChatSteps, MemberResult, MembersChanged, NotRemoved,
    OperationResult,
};
pub use overview::{
    Card, CardWithStrip, FactsView, HealthMinute, KindCount, Overview, PausedAccount, ProcessView, StuckWork,
    UnableAccounts,
};
pub use page::Page;
pub use received_gap::ReceivedGap;
pub use received_message::{AnyMessage, Forward, MessageDirection, Reaction, ReceivedMessage, TextEntity};
pub use reload::{NotApplied, ReloadedSettings};
pub use store::{FailedState, Scope, Switch};
pub use task_failure::{describe_refused_task, describe_task_failure, each};
pub use telegram::AccountSource;
pub use unresolved::{AccountSaid, UnresolvedCaller, UnresolvedChat};
pub use user::{User, UserSession};
pub use webhook::{MadeWebhook, Webhook, WebhookAttempt, WebhookRetry, WebhookTest};
pub use why::{MessageCandidate, Origin, Step, Why};

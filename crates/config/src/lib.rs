//! Settings: `switchboard.toml`, the environment, and the secrets that both refer to.
//!
//! [`Settings::load`] reads a file and a set of environment variables and gives either settings that can be
//! used as they are, or one [`SettingsError`] that names all that is wrong: where, what, and what to do.
//! Each key is written once, in the struct of its section (the macro `settings!`): reading, checking, the environment's
//! names and [`settings_reference`] come from there.

mod active_hours;
mod alerts;
mod backup;
mod campaigns;
mod changes;
mod channels;
mod control_bots;
mod crosscheck;
mod data_dir;
mod doctor;
mod document;
mod duration;
mod edit;
mod environment;
mod error;
mod flow_checks;
mod flow_files;
mod flow_regex;
mod flows;
mod key_table;
mod keys;
mod legacy;
mod load;
mod media_folder;
mod pipeline;
mod proxy;
mod queue;
mod recovered_alerts;
mod reference;
mod references;
mod repeats;
mod secret;
mod settings;
mod size;
mod source;
mod store;
mod telegram;
mod tls;
mod value_kind;
mod write;

#[cfg(test)]
mod tests;

pub use active_hours::{ActiveHours, InvalidHours};
pub use alerts::{
    AlertSettings, AlertTarget, AlertTargetFields, AlertTargetKind, InvalidSmtp, SmtpAddress, SmtpSecurity,
    WebhookSecret, WrongField,
};
pub use backup::{BackupCopySettings, BackupSettings};
pub use campaigns::{CampaignBrowserSettings, CampaignsSettings};
pub use changes::{Change, Changes};
pub use channels::{ChannelFields, ChannelKind, ForwardFormat, MediaRule, ReceiveBy, SmsGateway};
pub use control_bots::{ControlBotFields, ControlBotKind, ControlLanguage};
pub use data_dir::default_data_dir;
pub use doctor::{DoctorSettings, WebhookFields, WebhookProvider};
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use edit::{
    ChannelKey, ChannelKeyForm, ChannelValue, EditError, channels_in, named_channels, with_channel,
    without_channel,
};
pub use environment::NOT_SETTINGS;
pub use error::{Problem, SettingsError};
pub use flow_checks::FlowFault;
pub use flow_files::{FlowFile, check_flows, flow_files, read_flows};
pub use flow_regex::{FlowRegex, InvalidFlowRegex};
pub use flows::{
    ExpectSettings, FlowLimits, FlowSender, FlowSettings, FlowStep, OnFail, PressSettings, TriggerSettings,
    WaitSettings, filled, placeholders,
};
pub use keys::Applies;
pub use legacy::{ChannelPort, InviteCallback, LegacyPort, LegacySettings};
pub use media_folder::MediaFolderError;
pub use pipeline::{
    PipelineAiSettings, PipelineNotifySettings, PipelineRuleSettings, PipelineSettings,
    PipelineStageSettings, PipelineTranscriptionSettings, PipelineWebhookSettings,
};
pub use proxy::{InvalidProxy, ProxyAddress};
pub use queue::{QueueSettings, StageBy};
pub use recovered_alerts::RecoveredAlerts;
pub use reference::settings_reference;
pub use references::References;
pub use repeats::{InvalidRepeats, parse_repeats};
pub use secret::SecretOrigin;
pub use settings::{
    EventsSettings, GREATEST_FILE, LimitsSettings, LogFormat, LogLevel, LogSettings, McpSettings,
    MediaSettings, RetentionSettings, Settings,
};
pub use size::{InvalidSize, format_size, parse_size};
pub use source::SettingSource;
pub use store::{InvalidStoreUrl, StoreSettings, StoreUrl};
pub use telegram::{
    AccountSettings, DataCentre, PrivateDialogs, SessionSettings, SessionSource, TelegramSettings,
};
pub use tls::TlsSettings;

//! Settings: `switchboard.toml`, the environment, and the secrets that both refer to.
//!
//! [`Settings::load`] reads a file and a set of environment variables and gives either settings that can be
//! used as they are, or one [`SettingsError`] that names all that is wrong: where, what, and what to do.
//! All keys are listed once, in the table behind [`settings_reference`]; reading, checking, the environment's
//! names and the reference come from it.

mod alerts;
mod crosscheck;
mod data_dir;
mod doctor;
mod document;
mod duration;
mod environment;
mod error;
mod keys;
mod legacy;
mod load;
mod media_folder;
mod place;
mod proxy;
mod reference;
mod repeats;
mod salvage;
mod secret;
mod settings;
mod shape;
mod size;
mod store;
mod telegram;
mod text;
mod write;

#[cfg(test)]
mod tests;

pub use alerts::{
    AlertSettings, AlertTarget, AlertTargetFields, AlertTargetKind, InvalidSmtp, SmtpAddress, SmtpSecurity,
    WebhookSecret, WrongField,
};
pub use data_dir::default_data_dir;
pub use doctor::{DoctorSettings, SecretOrigin, WebhookCredentials, WebhookFields, WebhookProvider};
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use environment::NOT_SETTINGS;
pub use error::{Problem, SettingsError};
pub use keys::GREATEST_FILE;
pub use legacy::{InviteCallback, LegacyPort, LegacyService, LegacySettings};
pub use media_folder::MediaFolderError;
pub use place::Place;
pub use proxy::{InvalidProxy, ProxyAddress};
pub use reference::settings_reference;
pub use repeats::{InvalidRepeats, parse_repeats};
pub use salvage::Salvaged;
pub use settings::{
    BackupSettings, EventsSettings, LimitsSettings, LogFormat, LogLevel, LogSettings, MediaSettings, Settings,
};
pub use size::{InvalidSize, format_size, parse_size};
pub use store::{InvalidStoreUrl, StoreSettings, StoreUrl};
pub use telegram::{
    AccountSettings, DataCentre, PrivateDialogs, SessionSettings, SessionSource, TelegramSettings,
};

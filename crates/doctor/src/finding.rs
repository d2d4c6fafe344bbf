//! A finding: what is wrong, how bad that is, what shows it, and what mends it.

use serde::{Deserialize, Serialize};

/// How bad a finding is. Sorts from bad to harmless.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// It works, and will not for long or not after the next restart.
    Warning,
    /// Worth knowing; nothing is wrong.
    Note,
}

domain::enum_words!(Severity);

impl Severity {
    /// Whether it counts as something wrong.
    pub const fn is_wrong(self) -> bool {
        matches!(self, Self::Error | Self::Warning)
    }
}

/// Something that the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing it is: a stable word.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: `port 5022`, `account main`, a path.
    pub subject: String,
    /// What is wrong, in a sentence.
    pub summary: String,
    /// What shows it, a line each. Never holds a secret.
    pub evidence: Vec<String>,
    pub fix: Fix,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fix {
    Command {
        /// The command, to be typed in a shell as it is.
        command: String,
        /// What there is to know before or after it; empty when nothing.
        advice: String,
    },
    /// A change of the settings file.
    Setting {
        /// The key, such as `legacy.ports`.
        key: String,
        /// What to make of it.
        advice: String,
    },
    /// Something that no command does.
    Advice { advice: String },
    /// Nothing has to be done.
    Nothing,
}

impl Fix {
    /// A command that needs no more words.
    pub fn command(command: impl Into<String>) -> Self {
        Self::Command { command: command.into(), advice: String::new() }
    }

    /// A command, and what there is to know about it.
    pub fn command_and(command: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Command { command: command.into(), advice: advice.into() }
    }

    /// A change of the settings.
    pub fn setting(key: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), advice: advice.into() }
    }

    /// Something to do by hand.
    pub fn advice(advice: impl Into<String>) -> Self {
        Self::Advice { advice: advice.into() }
    }
}

macro_rules! codes {
    ($($(#[doc = $words:literal])+ $name:ident = $word:literal,)+) => {
        /// What kind of thing a finding is. The words are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $words])+ #[serde(rename = $word)] $name,)+
            /// A word that a newer program has.
            #[serde(rename = "other", other)]
            Other,
        }

        impl Code {
            /// Every kind that this program knows.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                    Self::Other => "other",
                }
            }
        }
    };
}

codes! {
    /// No server runs on the data directory.
    ServerAbsent = "server_absent",
    /// A process holds the data directory and does not answer on the control socket.
    ServerDeaf = "server_deaf",
    /// The server runs another version than this program is.
    VersionDiffers = "version_differs",
    /// The settings cannot be read.
    SettingsWrong = "settings_wrong",
    /// Files of flows are wrong, and none of theirs comes into use.
    FlowsWrong = "flows_wrong",
    /// The server runs with settings that differ from the current ones.
    SettingsDiffer = "settings_differ",
    /// Requests come through a proxy that the settings do not trust.
    ProxyUntrusted = "proxy_untrusted",
    /// A port is pinned to an account that there is none of.
    PortWithoutAccount = "port_without_account",
    /// The store cannot be used.
    StoreUnusable = "store_unusable",
    /// The store was written by a newer program.
    StoreNewer = "store_newer",
    /// The store is brought up to date at the next start.
    StoreBehind = "store_behind",
    /// The store does not answer.
    StoreSilent = "store_silent",
    /// There is no backup.
    BackupNone = "backup_none",
    /// The newest backup is old.
    BackupOld = "backup_old",
    /// The last attempt to make a backup failed.
    BackupFailing = "backup_failing",
    /// The newest backup cannot be restored.
    BackupBroken = "backup_broken",
    /// It was not tried for long whether a backup can be put back.
    BackupUntried = "backup_untried",
    /// The newest backup was not copied to where copies go.
    BackupNotCopied = "backup_not_copied",
    /// The last restore drill failed.
    BackupDrillFailed = "backup_drill_failed",
    /// Messages wait for longer than they should.
    QueueStuck = "queue_stuck",
    /// Messages or operations whose end is not known.
    InDoubt = "in_doubt",
    /// Requests that came to nothing and are kept.
    FailedRequests = "failed_requests",
    /// Chats that no account could find.
    UnresolvedChats = "unresolved_chats",
    /// A service was stopped by hand.
    ServiceStopped = "service_stopped",
    /// A port of the settings is held by another process.
    PortTaken = "port_taken",
    /// The system refuses an address of the settings.
    PortRefused = "port_refused",
    /// A listener takes connections and does not answer.
    ListenerSilent = "listener_silent",
    /// A process that is not ours on a port nearby.
    ForeignNeighbour = "foreign_neighbour",
    /// An account cannot be used.
    AccountDown = "account_down",
    /// An account can do only a part of its work.
    AccountLimited = "account_limited",
    /// Two accounts are the same person.
    SamePerson = "same_person",
    /// There is no account.
    NoAccount = "no_account",
    /// An account of a channel cannot be used.
    ChannelDown = "channel_down",
    /// Another program asks for what customers write with the token of an account of a channel.
    ChannelShared = "channel_shared",
    /// An account of a channel lacks a right.
    ChannelLacks = "channel_lacks",
    /// An account of a channel is paused.
    ChannelPaused = "channel_paused",
    /// Providers cannot post to the address of the settings.
    PublicUrlUnfit = "public_url_unfit",
    /// The settings name a session that is not there.
    SessionMissing = "session_missing",
    /// The settings name a session that cannot be read.
    SessionUnreadable = "session_unreadable",
    /// A session is stored there and is named nowhere.
    SessionUnnamed = "session_unnamed",
    /// One session in two files.
    SessionTwice = "session_twice",
    /// A session that another process has open.
    SessionShared = "session_shared",
    /// Sessions that belong to no account.
    SessionsOwnerless = "sessions_ownerless",
    /// A process of the old scripts that no one looks after any more.
    Orphan = "orphan",
    /// A process of the old scripts that runs.
    OldScriptRuns = "old_script_runs",
    /// A unit that is started again and again.
    CrashLoop = "crash_loop",
    /// A unit that is not started again after a crash.
    UnitNotRestarted = "unit_not_restarted",
    /// A unit that runs as root without need.
    UnitAsRoot = "unit_as_root",
    /// A unit without the working directory that its script needs.
    UnitWithoutFolder = "unit_without_folder",
    /// A unit of the old scripts that comes back at the next boot.
    OldUnitEnabled = "old_unit_enabled",
    /// A file that others can read.
    FileOpenToOthers = "file_open_to_others",
    /// A file that belongs to another user than the data directory.
    FileOfAnother = "file_of_another",
    /// The disk is full, or nearly.
    DiskLow = "disk_low",
    /// The clock is wrong.
    ClockWrong = "clock_wrong",
    /// A name cannot be resolved.
    NameUnknown = "name_unknown",
    /// Telegram cannot be reached.
    TelegramUnreachable = "telegram_unreachable",
    /// Another address of the settings cannot be reached.
    AddressUnreachable = "address_unreachable",
    /// The memory is nearly used up.
    MemoryHigh = "memory_high",
    /// The system ended processes for want of memory.
    MemoryKilled = "memory_killed",
    /// Invite callbacks that the receiver does not take.
    CallbacksWait = "callbacks_wait",
    /// A provider sends what customers write to another place than it should.
    WebhookElsewhere = "webhook_elsewhere",
    /// A provider sends what customers write to the right place and to another one.
    WebhookAlsoElsewhere = "webhook_also_elsewhere",
    /// A provider sends what customers write nowhere.
    WebhookMissing = "webhook_missing",
    /// What customers write does not arrive where the provider sends it.
    WebhookFailing = "webhook_failing",
    /// A provider sends what customers write so that others can read it on the way.
    WebhookPlain = "webhook_plain",
    /// Anyone who knows the address of a webhook can post there as the provider.
    WebhookWithoutSecret = "webhook_without_secret",
    /// A provider refuses what it is asked with.
    WebhookRefused = "webhook_refused",
    /// A provider did not say where it sends.
    WebhookUnknown = "webhook_unknown",
    /// The old scripts serve a port that the settings do not have.
    PortNotTaken = "port_not_taken",
    /// The settings and the old scripts differ about a port.
    PortDiffers = "port_differs",
    /// A session of the old scripts that is not here.
    SessionNotTaken = "session_not_taken",
    /// A session that the old scripts name and that is nowhere.
    LegacySessionMissing = "legacy_session_missing",
    /// The old scripts sign in as an application that no account has.
    ApiIdUnknown = "api_id_unknown",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_stable_and_its_own() {
        let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
    }
}

//! Telegram user accounts and their sessions.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use domain::{
    ChatId, FileKind, FileRule, Keep, KeepRule, Username,
    account::{AccountName, PRIORITIES, Purpose, SendingLimits, USUAL_PRIORITY},
};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{Row, Section, settings},
    proxy::ProxyAddress,
    secret,
    settings::GREATEST_FILE,
    value_kind::{
        NAME, NETWORKS, ValueKind, choices, file, integer, one_word, phone, reads, rsa_public_key, secret,
        word, words,
    },
};

/// Chats.
const CHATS: ValueKind = words("the id of a chat, such as \"-1001234567890\"", reads::<ChatId>);

/// How many messages an account may send.
const LIMIT: ValueKind = integer(*SendingLimits::RANGE.start() as i64, *SendingLimits::RANGE.end() as i64);

settings! {
    /// The section `[telegram]`.
    pub section TelegramSettings at "telegram." {
        /// After how long without an answered call an account makes one, to know that it is alive.
        #[serde(with = "crate::duration")]
        probe_every: Duration = "20s", duration("1s", "10m");
        /// How often an account reads its dialogs again.
        #[serde(with = "crate::duration")]
        refresh_dialogs_every: Duration = "30m", duration("1m", "7d");
        /// Who is invited to the chats that backup accounts create.
        #[serde(skip_serializing_if = "Option::is_none")]
        observer: Option<String>, optional(word("a username", reads::<Username>)), "\"@demo_observer\"";
        /// What becomes of a private dialog whose account cannot go on: it stays, it moves to another account when its own is
        /// banned, deactivated or signed out by Telegram, or it also moves when its own must wait, is paused, stopped or
        /// frozen for longer than legacy.hold.
        private_dialogs: PrivateDialogs = PrivateDialogs::default(), choice(PrivateDialogs::NAMES) => live;
        /// Private networks that a proxy may be in which is named over the API, on a page or by a command; those that this
        /// file names need none.
        allow_private_proxies: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"127.0.0.0/8\"]" => live;
        /// Other addresses of Telegram's data centres; none means Telegram's own.
        data_centres: Vec<DataCentre>;
        /// Further keys that a data centre may show at a sign-in; Telegram's own is known.
        server_keys: Vec<String> = Vec::new(),
            words("an RSA public key that begins with BEGIN RSA PUBLIC KEY", rsa_public_key),
            "[\"-----BEGIN RSA PUBLIC KEY-----…\"]";
        /// The accounts.
        accounts: Vec<AccountSettings> => live;
    }
}

/// What becomes of a private dialog whose account cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PrivateDialogs {
    /// It stays with the account until a person moves it.
    Stay,
    /// It moves when the account is lost: banned, deactivated or signed out by Telegram.
    #[default]
    MoveWhenLost,
    /// It also moves when the account must wait, is paused, stopped or frozen for longer than a caller is held.
    Move,
}

impl PrivateDialogs {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

settings! {
    /// Where a data centre is.
    #[derive(Copy, PartialEq, Eq)]
    pub item DataCentre at "telegram.data_centres[]." {
        /// The number of a data centre. Without any, Telegram's own addresses are used.
        id: u8, integer(1, 5), "2";
        /// Where that data centre is.
        address: SocketAddr, word("an address and a port", reads::<SocketAddr>), "\"127.0.0.1:5097\"";
    }
}

settings! {
    /// One account.
    pub item AccountSettings at "telegram.accounts[]." {
        /// Your name for the account.
        name: AccountName, like(NAME), "\"main\"";
        /// Accounts with lower numbers are used first.
        #[serde(default = "AccountSettings::default_priority")]
        priority: u16 = AccountSettings::default_priority(),
            integer(*PRIORITIES.start() as i64, *PRIORITIES.end() as i64), "1";
        /// Whether calls that name no account may use it.
        #[serde(default = "AccountSettings::default_pool")]
        pool: bool = AccountSettings::default_pool(), boolean();
        /// How many messages it may send within any hour. Further ones wait, or go through another account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        messages_per_hour: Option<NonZeroU32>, optional(LIMIT), "30";
        /// The same within any 24 hours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        messages_per_day: Option<NonZeroU32>, optional(LIMIT), "300";
        /// Which messages that come in are kept and reported as events: those of private chats, those of private chats and of the
        /// chats that were made here or sent to (registered), all, or none.
        #[serde(default)]
        keep_messages: Keep = Keep::default(), choice(<Keep as strum::VariantNames>::VARIANTS);
        /// Chats whose messages are kept whatever `keep_messages` says.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keep_messages_of: Vec<ChatId> = Vec::new(), like(CHATS), "[\"-1001234567890\"]";
        /// Chats whose messages are never kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skip_messages_of: Vec<ChatId> = Vec::new(), like(CHATS), "[\"5000000001\"]";
        /// Which files of the messages that are kept are fetched as they come in; others are fetched when they are asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keep_files: Vec<FileKind> = Vec::new(), choices(<FileKind as strum::VariantNames>::VARIANTS), "[\"photo\", \"voice\"]";
        /// The largest file that is fetched so.
        #[serde(default = "AccountSettings::default_file_size", with = "crate::size")]
        keep_files_up_to: u64 = "10MB", size("1KB", GREATEST_FILE);
        /// The application's number, from my.telegram.org.
        api_id: i32, integer(1, i32::MAX as i64), "1000001";
        /// The application's secret, from my.telegram.org.
        #[serde(serialize_with = "secret::redacted")]
        api_hash: SecretString, secret("one word", one_word), "{ env = \"MAIN_API_HASH\" }";
        /// The phone number, for signing in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
            optional(word("a phone number with + and country code", phone)), "\"+70000000001\"";
        /// The proxy to connect through.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "secret::optional_proxy")]
        proxy: Option<ProxyAddress>,
            optional(secret(
                "socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT (other proxies are not spoken)",
                reads::<ProxyAddress>
            )),
            "\"socks5://127.0.0.1:1080\"";
        /// Its sessions; no two serve the same purpose.
        #[serde(default)]
        sessions: Vec<SessionSettings>;
    }
}

impl AccountSettings {
    fn default_priority() -> u16 {
        USUAL_PRIORITY
    }

    fn default_pool() -> bool {
        true
    }

    fn default_file_size() -> u64 {
        FileRule::USUAL_SIZE
    }

    /// Which messages that come in are kept.
    pub fn keeps(&self) -> KeepRule {
        KeepRule {
            rule: self.keep_messages,
            always: self.keep_messages_of.clone(),
            never: self.skip_messages_of.clone(),
            files: FileRule { kinds: self.keep_files.clone(), max_size: self.keep_files_up_to },
        }
    }

    /// Gives the session that names no purposes all that no other session names.
    pub(crate) fn share_purposes(&mut self) {
        let named: Vec<Purpose> =
            self.sessions.iter().flat_map(|session| session.purposes.iter().copied()).collect();
        for session in &mut self.sessions {
            if session.purposes.is_empty() {
                session.purposes =
                    Purpose::ALL.into_iter().filter(|purpose| !named.contains(purpose)).collect();
            }
        }
    }
}

/// One session of an account: a key that Telegram knows, and what it is used for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "WrittenSession", into = "WrittenSession")]
pub struct SessionSettings {
    /// Where the key is.
    pub source: SessionSource,
    /// What it is used for: never empty in settings that were loaded.
    pub purposes: Vec<Purpose>,
}

/// Where a session's key is.
#[derive(Debug, Clone)]
pub enum SessionSource {
    /// A session file of Telethon, Pyrogram, Kurigram or grammers, by its absolute path.
    File(PathBuf),
    /// A session string of Telethon, Pyrogram or Kurigram.
    Text(SecretString),
}

settings! {
    /// A session as the file has it.
    pub(crate) item WrittenSession at "telegram.accounts[].sessions[]." {
        /// A session file of Telethon, Pyrogram, Kurigram or grammers; which one it is, is seen in it. A session has either
        /// `file` or `string`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<PathBuf>, optional(file()), "\"sessions/main.session\"";
        /// A session string of Telethon, Pyrogram or Kurigram.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        string: Option<SecretString>,
            optional(secret("a session string", one_word)), "{ file = \"main.session.txt\" }";
        /// What the session is used for; left out: all that no other session of the account names.
        #[serde(default, rename = "for", skip_serializing_if = "Vec::is_empty")]
        purposes as "for": Vec<Purpose>, optional(choices(<Purpose as strum::VariantNames>::VARIANTS)), "[\"create_chat\"]";
    }
}

impl Section for SessionSettings {
    const ROWS: &'static [Row] = WrittenSession::ROWS;
}

impl TryFrom<WrittenSession> for SessionSettings {
    type Error = &'static str;

    fn try_from(written: WrittenSession) -> Result<Self, Self::Error> {
        let source = match (written.file, written.string) {
            (Some(file), None) => SessionSource::File(file),
            (None, Some(text)) => SessionSource::Text(text),
            _ => return Err("a session has either a file or a string"),
        };
        Ok(Self { source, purposes: written.purposes })
    }
}

impl From<SessionSettings> for WrittenSession {
    fn from(session: SessionSettings) -> Self {
        let (file, string) = match session.source {
            SessionSource::File(file) => (Some(file), None),
            SessionSource::Text(text) => (None, Some(text)),
        };
        Self { file, string, purposes: session.purposes }
    }
}

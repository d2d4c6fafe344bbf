//! All settings, and the sections that are small.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use domain::account::AccountName;
use domain::phone::Country;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    alerts::AlertSettings,
    backup::BackupSettings,
    campaigns::CampaignsSettings,
    channels::ChannelFields,
    control_bots::ControlBotFields,
    doctor::{API_WANTED, DoctorSettings, WebhookFields, api_address},
    flows::FlowSettings,
    keys::settings,
    legacy::LegacySettings,
    pipeline::PipelineSettings,
    queue::QueueSettings,
    store::StoreSettings,
    telegram::TelegramSettings,
    tls::TlsSettings,
    value_kind::{NETWORKS, host_name, integer, not_blank, reads, word},
};

/// The greatest file that Telegram takes from an account: 4,000 parts of 512 KiB.
pub const GREATEST_FILE: &str = "2000MiB";

settings! {
    /// Everything that the file and the environment can say. Printing it shows no secrets.
    pub section Settings at "" {
        /// Where the dashboard and the API listen.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 5099)),
            word("an address and a port", reads::<SocketAddr>);
        /// The proxies whose word about a client's address is taken.
        trusted_proxies: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"172.17.0.0/16\"]" => live;
        /// The country whose phone numbers people write without its code, by its two letters: `8 900 …` is `+7 900 …` in RU.
        home_country: Country = Country::default(), word("the two letters of a country, such as RU or KZ", reads::<Country>);
        /// TLS on the main port.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls: Option<TlsSettings> => live;
        /// Where the store is.
        store: StoreSettings;
        /// Backups of the data directory.
        backup: BackupSettings;
        /// Files to send.
        media: MediaSettings;
        /// Telegram user accounts.
        telegram: TelegramSettings;
        /// The old gateway's ports.
        legacy: LegacySettings;
        /// Events sent to other programs.
        events: EventsSettings;
        /// How long rows are kept.
        retention: RetentionSettings => live;
        /// Who is notified when something stays broken.
        alerts: AlertSettings;
        /// Flows, which press the buttons of bots; those of the folder `flows` beside the file join them.
        flows: Vec<FlowSettings> => live;
        /// Telegram bots, or accounts, through which a few people see flows and switch them.
        control_bots: Vec<ControlBotFields> => live;
        /// Campaigns.
        campaigns: CampaignsSettings;
        /// The address of this program on the internet, below which providers reach it.
        #[serde(skip_serializing_if = "Option::is_none")]
        public_url: Option<String>, optional(word(API_WANTED, api_address)), "\"https://switchboard.example.com\"";
        /// Accounts at providers through which customers write.
        channels: Vec<ChannelFields>;
        /// How what clients write is batched and answered.
        pipeline: PipelineSettings;
        /// The queues that other programs share with this one.
        queue: QueueSettings;
        /// The Model Context Protocol, by which assistants use the API.
        mcp: McpSettings => live;
        /// What the doctor looks after beyond this machine.
        doctor: DoctorSettings;
        /// What callers may ask for at most.
        limits: LimitsSettings;
        /// What is logged, and how.
        log: LogSettings;
    }
}

impl Settings {
    /// Ports pinned to accounts that these settings do not name. That is no error: such a port says that it has no
    /// account, and the others serve.
    pub fn ports_without_account(&self) -> impl Iterator<Item = (u16, &AccountName)> {
        let named = |name: &AccountName| self.telegram.accounts.iter().any(|account| account.name == *name);
        self.legacy
            .ports
            .iter()
            .filter_map(|port| Some((port.port, port.account.as_ref()?)))
            .filter(move |(_, account)| !named(account))
    }

    /// Where providers should post to that is another program's, each with the key that says so.
    pub fn webhooks_elsewhere(&self) -> impl Iterator<Item = (WebhookFields, &'static str)> {
        let alone = self.doctor.webhooks.iter().cloned().map(|webhook| (webhook, "doctor.webhooks"));
        alone.chain(self.channels.iter().filter_map(WebhookFields::of).map(|webhook| (webhook, "channels")))
    }
}

settings! {
    /// The section `[media]`.
    pub section MediaSettings at "media." {
        /// Server paths are read only inside this folder; a relative one is relative to the data directory.
        folder: PathBuf = PathBuf::from("media"), word("the path of a folder", not_blank);
        /// Private networks that addresses of files may point to, of callers and of providers.
        allow_private: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"10.0.0.0/8\"]" => live;
        /// The greatest file; Telegram takes none of more than 2000MiB.
        #[serde(with = "crate::size")]
        max_size: u64 = "2GB", size("1KB", GREATEST_FILE);
        /// How long the server of a media address may take to begin its answer.
        #[serde(with = "crate::duration")]
        answer_within: Duration = "20s", duration("1s", "5m");
        /// How long a file on its way in may bring nothing before it is given up.
        #[serde(with = "crate::duration")]
        silence: Duration = "30s", duration("1s", "10m");
        /// How long one file may take on its way in.
        #[serde(with = "crate::duration")]
        file_within: Duration = "30m", duration("1s", "1d");
        /// How long a call of `POST /v1/messages` is kept for the files that it names by address; larger ones are sent
        /// ahead with `POST /v1/uploads`.
        #[serde(with = "crate::duration")]
        addresses_within: Duration = "100s", duration("1s", "1h") => live;
        /// How long an upload is kept for messages to name it.
        #[serde(with = "crate::duration")]
        uploads_keep: Duration = "24h", duration("1m", "30d");
        /// The most that all uploads kept may have together.
        #[serde(with = "crate::size")]
        uploads_max_size: u64 = "4GB", size("1KB", "1TB");
    }
}

settings! {
    /// The section `[mcp]`.
    pub section McpSettings at "mcp." {
        /// Whether `/mcp` is served. It takes the API keys and gives no right that they lack.
        enabled: bool = true, boolean();
        /// Names by which clients reach `/mcp` beside this machine's own and that of `public_url`, such as one of a private network.
        hosts: Vec<String> = Vec::new(), words("the name of a host such as \"switchboard.internal\", without scheme and port", host_name), "[\"switchboard.internal\"]";
    }
}

settings! {
    /// The section `[events]`.
    pub section EventsSettings at "events." {
        /// Private networks that webhooks may point to.
        allow_private: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"10.0.0.0/8\"]" => live;
        /// How long events are kept for those who read them later.
        #[serde(with = "crate::duration")]
        keep: Duration = "14d", duration("1h", "365d") => live;
        /// How many events are kept at most; a million take about 250 MB.
        keep_at_most: u32 = 1_000_000, integer(1000, 1_000_000_000) => live;
    }
}

settings! {
    /// The section `[retention]`.
    pub section RetentionSettings at "retention." {
        /// How long messages are kept after their end, with their parts and steps; those in doubt until a person decides.
        #[serde(with = "crate::duration")]
        messages: Duration = "90d", duration("1d", "3650d");
        /// How many messages are kept at most: of more the oldest go that ended a day ago. A million take about 520 MB.
        messages_at_most: u32 = 1_000_000, integer(10_000, 1_000_000_000);
        /// How long messages that came in are kept.
        #[serde(with = "crate::duration")]
        received: Duration = "90d", duration("1d", "3650d");
        /// How many messages that came in are kept at most, those of accounts and those of channels each: of more the oldest
        /// go. A million take about 280 MB.
        received_at_most: u32 = 250_000, integer(10_000, 1_000_000_000);
        /// How long conversations with clients are kept.
        #[serde(with = "crate::duration")]
        conversations: Duration = "1095d", duration("1d", "36500d");
        /// How long attempts of campaigns are kept after the end of their run; what a run came to stays.
        #[serde(with = "crate::duration")]
        campaigns: Duration = "180d", duration("1d", "3650d");
        /// How long operations and runs of flows are kept after their end, with their steps, and chats that no account found.
        #[serde(with = "crate::duration")]
        operations: Duration = "30d", duration("1d", "3650d");
        /// How long failed requests are kept.
        #[serde(with = "crate::duration")]
        failed_requests: Duration = "30d", duration("1d", "3650d");
        /// How long attempts at webhooks are kept, those that were given up included.
        #[serde(with = "crate::duration")]
        webhook_attempts: Duration = "30d", duration("1d", "3650d");
        /// How long alerts are kept after their end.
        #[serde(with = "crate::duration")]
        alerts: Duration = "30d", duration("1d", "3650d");
        /// How long entries of the audit log are kept. Of each kind of actor 100,000 of what was done at most.
        #[serde(with = "crate::duration")]
        audit: Duration = "365d", duration("90d", "3650d");
    }
}

settings! {
    /// The section `[limits]`.
    pub section LimitsSettings at "limits." {
        /// The greatest request body; uploads have `media.max_size`.
        #[serde(with = "crate::size")]
        body: u64 = "1MiB", size("1KiB", "64MiB") => live;
        /// How many requests one API key may make in a minute; no limit when left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        requests_per_minute_per_key: Option<NonZeroU32>, optional(integer(1, 1_000_000)), "600" => live;
        /// How many requests one client address may make in a minute; no limit when left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        requests_per_minute_per_address: Option<NonZeroU32>, optional(integer(1, 1_000_000)), "600" => live;
        /// How many connections one port takes at a time; further ones wait until one ends. One address has a quarter of
        /// them at most.
        connections: usize = 2048, integer(16, 65_536);
        /// How many messages may wait for one account, those with a time to come included; over it `queue_full`. Messages that
        /// any account may carry count as those of one.
        waiting_per_account: u32 = 100_000, integer(100, 100_000_000) => live;
        /// How many messages of one API key may wait, or without a key of one port; over it `queue_full`.
        waiting_per_key: u32 = 100_000, integer(100, 100_000_000) => live;
        /// How long a message is tried that its provider answers with errors of its own, or with nothing that says whether
        /// it arrived. Then a look at the chat decides: it was sent, it failed (`provider_error`), or it is in doubt; and the
        /// messages behind it go on.
        #[serde(with = "crate::duration")]
        give_up_after: Duration = "10m", duration("1m", "1d") => live;
        /// To how many new people one account of Telegram writes, or whom it invites, within any 24 hours, through any door. People who
        /// wrote to it or with whom it has a dialog do not count. Further messages wait, go through another account, or end with
        /// `limit_reached`; further people are not invited.
        first_contacts_per_day: u32 = 100, integer(1, 500) => live;
        /// The same for one account of a channel, such as SMS or email.
        channel_first_contacts_per_day: u32 = 1_000, integer(1, 10_000) => live;
        /// How many messages of all campaigns one person gets within any 24 hours.
        advertising_per_day: u32 = 3, integer(1, 10) => live;
        /// The least time between two messages of campaigns to one person.
        #[serde(with = "crate::duration")]
        advertising_gap: Duration = "1h", duration("5m", "7d") => live;
    }
}

settings! {
    /// The section `[log]`.
    pub section LogSettings at "log." {
        /// The least important log lines that are written.
        level: LogLevel = LogLevel::default(), choice(LogLevel::NAMES) => live;
        /// Log lines on the standard error for people or for programs; `switchboard logs` reads those that are kept.
        format: LogFormat = LogFormat::default(), choice(LogFormat::NAMES), "\"json\"";
        /// The most disk that the kept log lines take, packed; the oldest go first.
        #[serde(with = "crate::size")]
        budget: u64 = "200MB", size("1MB", "1TB");
        /// How long log lines are kept, if the budget lets them.
        #[serde(with = "crate::duration")]
        keep: Duration = "30d", duration("1h", "3650d");
    }
}

/// How important a log line is, the most important first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(
    strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray, strum::VariantNames,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something may need a look.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// How it happens.
    Debug,
    /// Everything.
    Trace,
}

domain::enum_words!(LogLevel);

impl LogLevel {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl LogFormat {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

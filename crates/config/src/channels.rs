//! Channels: accounts at providers through which customers write.

use domain::ChatId;
use domain::account::AccountName;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    ProxyAddress,
    alerts::WrongField,
    doctor::{API_WANTED, WebhookFields, api_address},
    keys::settings,
    pipeline::PEOPLE,
    secret,
    settings::GREATEST_FILE,
    value_kind::{ACCOUNT, choice, file, http_url, integer, not_blank, one_word, reads, secret, word},
};

/// A provider of messaging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ChannelKind {
    /// A Telegram bot.
    Telegram,
    /// Avito's messenger.
    Avito,
    /// WhatsApp, through Wappi.
    Whatsapp,
    /// A community of VK.
    Vk,
    /// A bot of MAX.
    Max,
    /// A professional account of Instagram.
    Instagram,
    /// Forms on pages of one's own.
    Form,
    /// Short messages, through a gateway.
    Sms,
    /// A mailbox.
    Email,
}

domain::enum_words!(ChannelKind);

impl ChannelKind {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
    /// Those that had a server with a port.
    pub(crate) const OLD_SERVERS: &[&str] = &["avito", "whatsapp", "vk", "max", "instagram", "form"];

    /// What people call it, in English and in Russian.
    pub const fn title(self) -> [&'static str; 2] {
        match self {
            Self::Telegram => ["Telegram bot", "Бот Telegram"],
            Self::Avito => ["Avito", "Авито"],
            Self::Whatsapp => ["WhatsApp", "WhatsApp"],
            Self::Vk => ["VK", "ВКонтакте"],
            Self::Max => ["MAX", "MAX"],
            Self::Instagram => ["Instagram", "Instagram"],
            Self::Form => ["Forms", "Формы на сайте"],
            Self::Sms => ["SMS", "SMS"],
            Self::Email => ["Email", "Почта"],
        }
    }

    /// Where its API is, unless the settings say otherwise; empty where there is none.
    pub const fn api(self) -> &'static str {
        match self {
            Self::Telegram => "https://api.telegram.org",
            Self::Avito => "https://api.avito.ru",
            Self::Whatsapp => "https://wappi.pro",
            Self::Vk => "https://api.vk.ru/method",
            Self::Max => "https://platform-api2.max.ru",
            Self::Instagram => "https://graph.instagram.com",
            Self::Form | Self::Sms | Self::Email => "",
        }
    }

    /// The keys without which it does not work.
    pub const fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Telegram | Self::Max => &["token"],
            Self::Avito => &["client_id", "client_secret"],
            Self::Whatsapp => &["token", "profile_id"],
            Self::Vk => &["token", "group_id"],
            Self::Instagram => &["app_secret"],
            Self::Form => &[],
            Self::Sms => &["gateway"],
            Self::Email => &["address", "smtp", "imap"],
        }
    }

    /// The keys that it takes beside those that all take.
    pub const fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Telegram => &["business_accounts", "direct_message_channels"],
            Self::Max | Self::Avito | Self::Whatsapp | Self::Vk => &[],
            Self::Instagram => &["token", "verify_token", "client_id"],
            Self::Form => &["origins", "token"],
            Self::Sms => {
                &["token", "login", "client_secret", "sender", "smpp", "request", "success", "message_id"]
            }
            Self::Email => &["reply_to", "folder", "authserv_id"],
        }
    }

    /// What is wrong with an account for which these keys are given, and these not; keys that all take are never wrong.
    pub fn check_keys(self, keys: impl IntoIterator<Item = (&'static str, bool)>) -> Vec<WrongField> {
        let mut wrong = Vec::new();
        for (field, is_given) in keys {
            let (is_needed, channel) = (self.needs().contains(&field), self.as_str());
            if is_needed && !is_given {
                wrong
                    .push(WrongField { field, message: format!("is missing: a channel {channel} needs it") });
            } else if is_given && !is_needed && !self.takes().contains(&field) {
                let owners: Vec<_> = Self::owners(field).map(Self::as_str).collect();
                if !owners.is_empty() {
                    let owners = owners.join(", ");
                    let message = format!("belongs to channels {owners}; this one is {channel}, take it out");
                    wrong.push(WrongField { field, message });
                }
            }
        }
        wrong
    }

    /// The channels that a key is for; none where all take it.
    pub(crate) fn owners(key: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |kind| kind.needs().contains(&key) || kind.takes().contains(&key))
    }
}

/// How a channel hears of what customers write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReceiveBy {
    /// The provider posts it, where that is registered; else it is asked.
    #[default]
    Auto,
    /// The provider posts it.
    Webhook,
    /// The provider is asked.
    Poll,
    /// Not at all.
    Off,
}

impl ReceiveBy {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

/// The form of what is posted on to another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ForwardFormat {
    /// The one format of all channels.
    #[default]
    Message,
    /// What the provider posted, byte for byte.
    Raw,
    /// As the old server of the channel posted it on.
    Legacy,
}

impl ForwardFormat {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

/// What becomes of the files that customers send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MediaRule {
    /// They are fetched and stored as they come in.
    #[default]
    Store,
    /// Each is fetched from the provider when it is asked for, as long as it is there.
    OnDemand,
}

impl MediaRule {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

/// A gateway for short messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SmsGateway {
    /// smsc.ru.
    Smsc,
    /// sms.ru.
    SmsRu,
    /// Twilio.
    Twilio,
    /// A short message service centre, over SMPP.
    Smpp,
    /// Any other gateway over HTTP, at `api`.
    Http,
}

impl SmsGateway {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;

    /// Where its API is.
    pub const fn api(self) -> &'static str {
        match self {
            Self::Smsc => "https://smsc.ru",
            Self::SmsRu => "https://sms.ru",
            Self::Twilio => "https://api.twilio.com",
            Self::Smpp | Self::Http => "",
        }
    }
}

fn is_channel(text: &str) -> bool {
    text.parse::<ChatId>().is_ok_and(|chat| chat.user_id().is_none())
}

settings! {
    /// An account of a channel.
    pub item ChannelFields at "channels[]." {
        /// Your name for the account; no account of any channel or of Telegram has the same.
        name: AccountName, like(ACCOUNT), "\"shop\"";
        /// The provider; the other keys depend on it.
        channel: ChannelKind, choice(ChannelKind::NAMES), "\"avito\"";
        /// `telegram`, `max`: the token of the bot; `vk`: the access key of the community; `whatsapp`: the token of the cabinet;
        /// `instagram`: the access token, unless its owner logs in; `sms`: the API key, or Twilio's auth token; `form`: the key of the port for other programs.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        token: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"SHOP_TOKEN\" }";
        /// `avito`: the name of the application; `instagram`: the id of the app, with which its owner logs in.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        client_id: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"AVITO_CLIENT_ID\" }";
        /// `avito`: the secret of the application; `sms`: the secret that a gateway signs its posts with.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        client_secret: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"AVITO_CLIENT_SECRET\" }";
        /// `instagram`: the secret of the app, with which posts are signed; several stand with a comma between.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        app_secret: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"INSTAGRAM_APP_SECRET\" }";
        /// `instagram`: the word that its dashboard asks for; left out: shown by `channel connect`.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        verify_token: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"INSTAGRAM_VERIFY\" }";
        /// `vk`: the number of the community.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group_id: Option<u32>, optional(integer(1, i32::MAX as i64)), "100";
        /// `whatsapp`: the id of the profile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile_id: Option<String>, optional(word("one word", one_word)), "\"1a2b3c4d-5e6f\"";
        /// `sms`: the gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gateway: Option<SmsGateway>, optional(choice(SmsGateway::NAMES)), "\"smsc\"";
        /// `sms`: the login at the gateway; of Twilio the account's SID.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        login: Option<String>, optional(word("one word", one_word)), "\"demo\"";
        /// `sms`: what messages come from, a registered name or a number of yours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sender: Option<String>, optional(word("a name or a number", not_blank)), "\"+70000000001\"";
        /// `sms`: the address of a message centre, with its system id and password.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        smpp: Option<SecretString>, optional(secret("an address such as smpp://HOST:PORT", one_word)), "{ env = \"SMPP_ADDRESS\" }";
        /// `sms`, gateway `http`: what is posted to `api`, JSON or a form, with `{to}` (or `{digits}`), `{text}`, `{sender}`, `{login}` and `{token}`;
        /// a token that it does not name goes into the header `Authorization`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>, optional(word("a form or JSON with {to} and {text}", not_blank)), "\"to={to}&text={text}&from={sender}\"";
        /// `sms`, gateway `http`: a place in the answer's JSON and what stands there once a message was taken; left out: any answer of 2xx.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        success: Option<String>, optional(word("a place and a value such as /status=ok", not_blank)), "\"/status=ok\"";
        /// `sms`, gateway `http`: the place of the message's id in the answer's JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>, optional(word("a place such as /id", one_word)), "\"/result/id\"";
        /// `email`: the address that messages come from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>, optional(word("an address for email", one_word)), "\"shop@example.com\"";
        /// `email`: where answers go, if not to `address`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>, optional(word("an address for email", one_word)), "\"help@example.com\"";
        /// `email`: the server that takes mail, such as `smtps://USER:PASSWORD@HOST:465`, or `smtp://` with STARTTLS.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        smtp: Option<SecretString>, optional(secret("an address such as smtps://HOST:PORT", one_word)), "{ env = \"SMTP_ADDRESS\" }";
        /// `email`: the server of the mailbox, such as `imaps://USER:PASSWORD@HOST:993`.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        imap: Option<SecretString>, optional(secret("an address such as imaps://HOST:PORT", one_word)), "{ env = \"IMAP_ADDRESS\" }";
        /// `email`: the folder of the mailbox.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<String>, optional(word("the name of a folder", not_blank)), "\"INBOX\"";
        /// `email`: the name of the receiving server in `Authentication-Results`, whose results prove senders; left out: no sender is proved.
        /// The server must remove results in its name from the mails that it takes, and must quote the values that senders choose, as RFC
        /// 8601 demands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authserv_id: Option<String>, optional(word("one word", one_word)), "\"mx.example.com\"";
        /// `form`: the pages that may send forms; left out: any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        origins: Vec<String> = Vec::new(), words("an address such as \"https://example.com\"", http_url), "[\"https://example.com\"]";
        /// `telegram`: the people whose personal accounts the bot answers for, by Telegram Business. Switchboard ignores the connections of
        /// others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        business_accounts: Vec<ChatId> = Vec::new(), like(PEOPLE), "[\"5000000001\"]";
        /// `telegram`: the chats of direct messages to your channels. Switchboard ignores direct messages to other channels.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        direct_message_channels: Vec<ChatId> = Vec::new(), words("the id of a chat, such as \"-1001234567890\"", is_channel), "[\"-1001234567890\"]";
        /// How it hears of what customers write.
        #[serde(default)]
        receive: ReceiveBy = ReceiveBy::Auto, choice(ReceiveBy::NAMES);
        /// Where the provider posts to for now, with `receive = "off"`: another program's address. `switchboard doctor` asks the provider
        /// whether it is still so.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        expect: Option<SecretString>, optional(secret("an http or https address", http_url)), "{ env = \"SHOP_OLD_HOOK\" }";
        /// The last part of the address that is registered at the provider; left out: made once and kept.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        hook_secret: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"SHOP_HOOK_SECRET\" }";
        /// Whether the address of the old server is taken too, which has no secret: until it is registered again.
        #[serde(default)]
        old_hook: bool = false, boolean();
        /// Where each message that comes in is posted on to, such as a webhook of n8n.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forward_to: Option<String>, optional(word("an http or https address", http_url)), "\"http://127.0.0.1:5678/webhook/in\"";
        /// In which form.
        #[serde(default)]
        forward_format: ForwardFormat = ForwardFormat::Message, choice(ForwardFormat::NAMES);
        /// Whether files that customers send are stored as they come in, or fetched when they are asked for.
        #[serde(default)]
        media: MediaRule = MediaRule::Store, choice(MediaRule::NAMES);
        /// The largest file of a customer that is fetched.
        #[serde(default = "ChannelFields::default_largest_media", with = "crate::size")]
        media_up_to: u64 = "64MiB", size("1KB", GREATEST_FILE);
        /// Where the provider's API is; left out: at its own address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<String>, optional(word(API_WANTED, api_address)), "\"https://api.avito.ru\"";
        /// A SOCKS5 proxy that calls go through.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "secret::optional_proxy")]
        proxy: Option<ProxyAddress>, optional(secret("socks5://HOST:PORT", reads::<ProxyAddress>)), "{ env = \"SHOP_PROXY\" }";
        /// Certificates of the authority that signs the provider's, as PEM, beside those of the system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<std::path::PathBuf>, optional(file()), "\"russian-trusted-root.pem\"";
        /// Whether a call named the addresses of this account, which writes the key. Switchboard then calls none that is inside a private
        /// network. Take the key out to vouch for the addresses.
        #[serde(default)]
        named_by_caller: bool = false, boolean();
    }
}

impl ChannelFields {
    const fn default_largest_media() -> u64 {
        64 * 1024 * 1024
    }

    /// Where the provider's API is, without a slash at its end.
    pub fn api(&self) -> &str {
        let own = self.gateway.map_or(self.channel.api(), SmsGateway::api);
        self.api.as_deref().unwrap_or(own).trim_end_matches('/')
    }

    /// Whether the keys go with the channel.
    ///
    /// # Errors
    /// All that is missing or too much.
    pub fn check(&self) -> Result<(), Vec<WrongField>> {
        let mut wrong = self.channel.check_keys(self.given());
        if self.expect.is_some() && self.receive != ReceiveBy::Off {
            let message =
                "is for an account that is posted to elsewhere; give it receive = \"off\", or take this out";
            wrong.push(WrongField { field: "expect", message: message.to_owned() });
        } else if self.expect.is_some() && WebhookFields::of(self).is_none() {
            let message = format!(
                "is for telegram, avito, max, vk and whatsapp, which can be asked; this one is {}, take it out",
                self.channel.as_str()
            );
            wrong.push(WrongField { field: "expect", message });
        } else if self.expect.is_some() && self.named_by_caller {
            let message = "has the doctor call an address that a call named; take named_by_caller out to vouch for the address";
            wrong.push(WrongField { field: "expect", message: message.to_owned() });
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The keys of single channels, and whether each is given.
    fn given(&self) -> [(&'static str, bool); 23] {
        [
            ("token", self.token.is_some()),
            ("client_id", self.client_id.is_some()),
            ("client_secret", self.client_secret.is_some()),
            ("app_secret", self.app_secret.is_some()),
            ("verify_token", self.verify_token.is_some()),
            ("group_id", self.group_id.is_some()),
            ("profile_id", self.profile_id.is_some()),
            ("gateway", self.gateway.is_some()),
            ("login", self.login.is_some()),
            ("sender", self.sender.is_some()),
            ("smpp", self.smpp.is_some()),
            ("request", self.request.is_some()),
            ("success", self.success.is_some()),
            ("message_id", self.message_id.is_some()),
            ("address", self.address.is_some()),
            ("reply_to", self.reply_to.is_some()),
            ("smtp", self.smtp.is_some()),
            ("imap", self.imap.is_some()),
            ("folder", self.folder.is_some()),
            ("authserv_id", self.authserv_id.is_some()),
            ("origins", !self.origins.is_empty()),
            ("business_accounts", !self.business_accounts.is_empty()),
            ("direct_message_channels", !self.direct_message_channels.is_empty()),
        ]
    }

    /// Its secrets by their keys, for a file that only its owner can read.
    pub(crate) fn secrets(&self) -> [(&'static str, &Option<SecretString>); 10] {
        [
            ("token", &self.token),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("app_secret", &self.app_secret),
            ("verify_token", &self.verify_token),
            ("smpp", &self.smpp),
            ("smtp", &self.smtp),
            ("imap", &self.imap),
            ("expect", &self.expect),
            ("hook_secret", &self.hook_secret),
        ]
    }

    /// Whether an entry says the same, its secrets too.
    pub fn is_as(&self, other: &Self) -> bool {
        let text = |fields: &Self| {
            let secrets =
                fields.secrets().map(|(_, secret)| secret.as_ref().map(|it| it.expose_secret().to_owned()));
            let proxy = fields.proxy.as_ref().map(|proxy| proxy.expose().to_owned());
            (secrets, proxy, toml::to_string(fields).ok())
        };
        text(self) == text(other)
    }
}

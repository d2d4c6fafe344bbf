//! What the doctor looks after: webhooks that providers should have registered, and what each provider is asked with.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    alerts::{WrongField, target_name},
    channels::{ChannelFields, ChannelKind, ReceiveBy},
    keys::settings,
    secret::{self, SecretOrigin},
    value_kind::{NAME, http_url, integer, one_word, reads, secret, word},
};

settings! {
    /// The section `[doctor]`.
    pub section DoctorSettings at "doctor." {
        /// Where providers should send what customers write.
        webhooks: Vec<WebhookFields> => live;
    }
}

/// Who sends what customers write to a webhook; by the names of channels, or those of an older program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum WebhookProvider {
    /// Telegram, to a bot.
    #[serde(rename = "telegram", alias = "telegram_bot")]
    #[strum(to_string = "telegram", serialize = "telegram_bot")]
    Telegram,
    /// Avito's messenger.
    Avito,
    /// MAX, to a bot.
    Max,
    /// VK, to a community.
    Vk,
    /// WhatsApp through Wappi, for the account of a phone.
    #[serde(rename = "whatsapp", alias = "wappi")]
    #[strum(to_string = "whatsapp", serialize = "wappi")]
    Whatsapp,
}

domain::enum_words!(WebhookProvider);

impl WebhookProvider {
    /// The provider of a channel that can be asked where it posts.
    fn of(channel: ChannelKind) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.channel() == channel)
    }

    /// Its channel.
    pub const fn channel(self) -> ChannelKind {
        match self {
            Self::Telegram => ChannelKind::Telegram,
            Self::Avito => ChannelKind::Avito,
            Self::Max => ChannelKind::Max,
            Self::Vk => ChannelKind::Vk,
            Self::Whatsapp => ChannelKind::Whatsapp,
        }
    }

    /// Where its API is, unless the settings say otherwise.
    pub const fn api(self) -> &'static str {
        self.channel().api()
    }

    /// The keys that it is asked with, each needed.
    pub const fn needs(self) -> &'static [&'static str] {
        self.channel().needs()
    }
}

settings! {
    /// A webhook as it is written down: a name, a provider, where it should be, and what that provider is asked with.
    pub item WebhookFields at "doctor.webhooks[]." {
        /// Your name for a webhook; `switchboard doctor` asks the provider whether it is registered where it should be.
        name: String, like(NAME), "\"shop_bot\"";
        /// Who is to send there; the other keys depend on it.
        provider: WebhookProvider,
            word("one of telegram, avito, max, vk, whatsapp", reads::<WebhookProvider>), "\"telegram\"";
        /// Where the provider should send what customers write.
        #[serde(serialize_with = "secret::redacted")]
        expect: SecretString, secret("an http or https address", http_url), "{ env = \"SHOP_BOT_HOOK\" }";
        /// `telegram`, `max`: the token of the bot; `vk`: an access key of the community with the right `manage`; `whatsapp`:
        /// the token of the cabinet.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        token: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"SHOP_BOT_TOKEN\" }";
        /// `avito`: the name of the application.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        client_id: Option<SecretString>,
            optional(secret("one word", one_word)), "{ env = \"AVITO_CLIENT_ID\" }";
        /// `avito`: the secret of the application.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        client_secret: Option<SecretString>,
            optional(secret("one word", one_word)), "{ env = \"AVITO_CLIENT_SECRET\" }";
        /// `vk`: the number of the community.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group_id: Option<u32>, optional(integer(1, i32::MAX as i64)), "100";
        /// `whatsapp`: the id of the profile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile_id: Option<String>, optional(word("one word", one_word)), "\"1a2b3c4d-5e6f\"";
        /// Where the provider's API is; left out: at its own address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<String>, optional(word(API_WANTED, api_address)), "\"https://api.telegram.org\"";
        /// Where `expect` was taken from.
        #[serde(skip)]
        expect_origin: SecretOrigin;
        /// Where `token` was taken from.
        #[serde(skip)]
        token_origin: SecretOrigin;
    }
}

impl WebhookFields {
    /// Whether every field that its provider is asked with is there and right.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn check(&self) -> Result<(), Vec<WrongField>> {
        let mut wrong = Vec::new();
        let mut refuse = |field, message: String| wrong.push(WrongField { field, message });
        if !target_name(&self.name) {
            refuse("name", "is wrong: write 1 to 64 of the letters a-z, digits, _ and -".to_owned());
        }
        if !http_url(self.expect.expose_secret()) {
            refuse("expect", "is no address: write one like https://example.com/hook".to_owned());
        }
        if self.api.as_ref().is_some_and(|api| !api_address(api)) {
            refuse("api", format!("must be {API_WANTED}"));
        }
        for (field, is_given) in self.given() {
            let (provider, is_needed) = (self.provider.as_str(), self.provider.needs().contains(&field));
            if is_needed && !is_given {
                refuse(field, format!("is missing: webhooks of {provider} need {}", meaning(field)));
            } else if is_given && !is_needed {
                let owners = WebhookProvider::ALL.into_iter().filter(|other| other.needs().contains(&field));
                let owners: Vec<_> = owners.map(WebhookProvider::as_str).collect();
                let message = format!(
                    "belongs to webhooks of {}; this one is of {provider}, take it out",
                    owners.join(", ")
                );
                refuse(field, message);
            }
        }
        let secrets =
            [("token", &self.token), ("client_id", &self.client_id), ("client_secret", &self.client_secret)];
        for (field, secret) in secrets {
            let is_needed = self.provider.needs().contains(&field);
            if is_needed && secret.as_ref().is_some_and(|secret| !self.is_token(secret.expose_secret())) {
                refuse(field, format!("is of another form than {}", meaning(field)));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Where the provider's API is, without a slash at its end.
    pub fn api(&self) -> &str {
        self.api.as_deref().unwrap_or(self.provider.api()).trim_end_matches('/')
    }

    /// The field in which it asks after the same as another one; nothing if they ask after different things.
    pub(crate) fn asks_like(&self, other: &Self) -> Option<&'static str> {
        let is = |one: &Option<SecretString>, other: &Option<SecretString>| {
            one.as_ref().map(ExposeSecret::expose_secret) == other.as_ref().map(ExposeSecret::expose_secret)
        };
        if self.provider != other.provider || self.api() != other.api() {
            return None;
        }
        match self.provider {
            WebhookProvider::Telegram | WebhookProvider::Max => {
                is(&self.token, &other.token).then_some("token")
            }
            WebhookProvider::Avito => is(&self.client_id, &other.client_id).then_some("client_id"),
            WebhookProvider::Vk => (self.group_id == other.group_id).then_some("group_id"),
            WebhookProvider::Whatsapp => (self.profile_id == other.profile_id).then_some("profile_id"),
        }
    }

    /// That of an account of a channel which is posted to elsewhere for now.
    pub(crate) fn of(account: &ChannelFields) -> Option<Self> {
        Some(Self {
            name: account.name.to_string(),
            provider: WebhookProvider::of(account.channel)?,
            expect: account.expect.clone()?,
            token: account.token.clone(),
            client_id: account.client_id.clone(),
            client_secret: account.client_secret.clone(),
            group_id: account.group_id,
            profile_id: account.profile_id.clone(),
            api: account.api.clone(),
            expect_origin: SecretOrigin::Written,
            token_origin: SecretOrigin::Written,
        })
    }

    /// Whether it asks after an account of a channel that the doctor looks after anyway.
    pub(crate) fn is_of(&self, account: &ChannelFields) -> bool {
        let is = |one: &Option<SecretString>, other: &Option<SecretString>| {
            one.as_ref().map(ExposeSecret::expose_secret) == other.as_ref().map(ExposeSecret::expose_secret)
        };
        let is_same = match self.provider {
            WebhookProvider::Telegram | WebhookProvider::Max => is(&self.token, &account.token),
            WebhookProvider::Avito => is(&self.client_id, &account.client_id),
            WebhookProvider::Vk => self.group_id == account.group_id,
            WebhookProvider::Whatsapp => self.profile_id == account.profile_id,
        };
        let is_asked = account.receive != ReceiveBy::Off || account.expect.is_some();
        WebhookProvider::of(account.channel) == Some(self.provider) && is_same && is_asked
    }

    /// The keys of providers, and whether each is given.
    fn given(&self) -> [(&'static str, bool); 5] {
        [
            ("token", self.token.is_some()),
            ("client_id", self.client_id.is_some()),
            ("client_secret", self.client_secret.is_some()),
            ("group_id", self.group_id.is_some()),
            ("profile_id", self.profile_id.is_some()),
        ]
    }

    /// Whether a text can be what this provider is asked with. It goes into headers, a form or, for Telegram, a path.
    fn is_token(&self, text: &str) -> bool {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        plain && (self.provider != WebhookProvider::Telegram || bot_token(text))
    }
}

/// What a key is, in words that follow "need" and "than".
fn meaning(field: &str) -> &'static str {
    match field {
        "token" => {
            "the token or access key that the provider gives out, one word (of a Telegram bot: 123456:AA…)"
        }
        "client_id" => "the client_id of an application of Avito, one word",
        "client_secret" => "the client_secret of an application of Avito, one word",
        "group_id" => "the number of the community",
        _ => "the id of the profile",
    }
}

/// What the base address of an API is, in words.
pub(crate) const API_WANTED: &str = "an https address without a name, a password or a query; plain http only to this machine, a private network or a name without dots";

/// Whether a text is the base address of an API. Tokens go there, so plain http is for near places.
pub(crate) fn api_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    if !http_url(text) || !text.chars().all(plain) {
        return false;
    }
    text.starts_with("https://") || text.strip_prefix("http://").is_some_and(|rest| is_near(host(rest)))
}

/// The host of what follows `://`.
fn host(rest: &str) -> &str {
    let place = rest.split('/').next().unwrap_or_default();
    match place.strip_prefix('[') {
        Some(place) => place.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host is this machine, in a private network, or named without dots as containers are.
fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => !host.is_empty() && !host.contains('.'),
    }
}

/// Whether a text has the form of a bot's token.
fn bot_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(number, word)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && !word.is_empty()
            && word.chars().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(provider: WebhookProvider) -> WebhookFields {
        WebhookFields {
            name: "shop".into(),
            provider,
            expect: "https://example.com/planted-in-expect".into(),
            token: None,
            client_id: None,
            client_secret: None,
            group_id: None,
            profile_id: None,
            api: None,
            expect_origin: SecretOrigin::Written,
            token_origin: SecretOrigin::Written,
        }
    }

    /// All that any provider could be asked with.
    fn all(provider: WebhookProvider) -> WebhookFields {
        WebhookFields {
            token: Some("1:planted-in-token".into()),
            client_id: Some("planted-in-id".into()),
            client_secret: Some("planted-in-secret".into()),
            group_id: Some(7),
            profile_id: Some("p-1".into()),
            ..fields(provider)
        }
    }

    fn whole(provider: WebhookProvider) -> WebhookFields {
        let all = all(provider);
        let needs = |field| provider.needs().contains(&field);
        WebhookFields {
            token: all.token.filter(|_| needs("token")),
            client_id: all.client_id.filter(|_| needs("client_id")),
            client_secret: all.client_secret.filter(|_| needs("client_secret")),
            group_id: all.group_id.filter(|_| needs("group_id")),
            profile_id: all.profile_id.filter(|_| needs("profile_id")),
            ..fields(provider)
        }
    }

    fn wrong(fields: &WebhookFields) -> Vec<&'static str> {
        fields.check().expect_err("wrong").into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn each_provider_needs_its_own_keys_and_no_others() {
        for provider in WebhookProvider::ALL {
            let name = provider.as_str();
            assert!(whole(provider).check().is_ok(), "{name}");
            assert_eq!(wrong(&fields(provider)), provider.needs(), "{name}");
            let strangers: Vec<_> = ["token", "client_id", "client_secret", "group_id", "profile_id"]
                .into_iter()
                .filter(|field| !provider.needs().contains(field))
                .collect();
            assert_eq!(wrong(&all(provider)), strangers, "{name}");
            assert!(api_address(provider.api()), "{name}");
        }
        let stranger = WebhookFields { group_id: Some(7), ..whole(WebhookProvider::Max) };
        let message = stranger.check().expect_err("wrong").remove(0).message;
        assert_eq!(message, "belongs to webhooks of vk; this one is of max, take it out");
    }

    #[test]
    fn an_unsafe_token_is_refused_and_not_printed() {
        for token in ["planted", "1:a/../getMe", "1:a?b", "1:", ":a", "1:ä", "1a:b", ""] {
            let webhook = WebhookFields { token: Some(token.into()), ..whole(WebhookProvider::Telegram) };
            assert_eq!(wrong(&webhook), ["token"], "{token}");
            assert!(!format!("{:?}", webhook.check()).contains("planted"));
        }
        let header = WebhookFields { token: Some("ключ".into()), ..whole(WebhookProvider::Max) };
        assert_eq!(wrong(&header), ["token"]);
    }

    #[test]
    fn tokens_go_over_tls_or_to_a_near_address() {
        for good in [
            "https://api.example.com",
            "https://api.example.com:8443/base/",
            "http://127.0.0.1:5098/providers/max",
            "http://[::1]:80",
            "http://10.0.0.7:8081",
            "http://telegram-bot-api:8081",
            "http://localhost:8081",
        ] {
            assert!(api_address(good), "{good}");
        }
        for bad in [
            "",
            "api.example.com",
            "http://api.example.com",
            "http://203.0.113.7",
            "https://demo:word@api.example.com",
            "https://api.example.com?x=1",
            "https://api.example.com/#x",
            "https://$(id).example.com",
            "http://",
            "ftp://127.0.0.1",
        ] {
            assert!(!api_address(bad), "{bad}");
        }
    }

    #[test]
    fn printing_a_webhook_shows_no_secret() {
        for provider in WebhookProvider::ALL {
            let webhook = whole(provider);
            let printed = format!("{webhook:?} {}", toml::to_string(&webhook).unwrap());
            assert!(!printed.contains("planted"), "{printed}");
        }
    }
}

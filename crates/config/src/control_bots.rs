//! Control bots: a Telegram bot, or one of the accounts, through which a few people see flows and switch them.

use domain::account::AccountName;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    alerts::WrongField,
    doctor::{API_WANTED, WebhookProvider, api_address},
    keys::settings,
    secret,
    value_kind::{ACCOUNT, NAME, choice, one_word, secret, word},
};

/// A language of control bots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ControlLanguage {
    En,
    Ru,
}

impl ControlLanguage {
    pub(crate) const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

settings! {
    /// A control bot: a second one is a second entry.
    pub item ControlBotFields at "control_bots[]." {
        /// Your name for a bot through which flows are seen and switched.
        name: String, like(NAME), "\"owner\"";
        /// The token of a bot, as `@BotFather` gave it; no other program may use it.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        token: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"CONTROL_BOT_TOKEN\" }";
        /// In the place of a bot, the account of yours that its people write to; it answers them with texts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountName>, optional(ACCOUNT), "\"main\"";
        /// Whom it serves, by their ids on Telegram; it does not answer anyone else.
        people: Vec<i64>, integers(1, i64::MAX), "[2001, 2002]";
        /// The language that it speaks; left out: that of the person's Telegram, and with an account that of their command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<ControlLanguage>, optional(choice(ControlLanguage::NAMES)), "\"ru\"";
        /// The public address of this program, to which Telegram posts what the bot is written; left out: the program asks for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook: Option<String>, optional(word(API_WANTED, api_address)), "\"https://switchboard.example.com\"";
        /// Where the Bot API is; left out: Telegram's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<String>, optional(word(API_WANTED, api_address)), "\"https://api.telegram.org\"";
    }
}

/// What a control bot is on Telegram.
#[derive(Debug, Clone, Copy)]
pub enum ControlBotKind<'a> {
    Bot { token: &'a SecretString },
    Account(&'a AccountName),
}

impl ControlBotFields {
    /// Where the Bot API is.
    pub fn api(&self) -> &str {
        self.api.as_deref().unwrap_or(WebhookProvider::Telegram.api())
    }

    /// What it is on Telegram.
    ///
    /// # Errors
    /// Its fields do not go together; settings that were loaded have none such.
    pub fn kind(&self) -> Result<ControlBotKind<'_>, WrongField> {
        let wrong = |field, message: &str| Err(WrongField { field, message: message.to_owned() });
        match (&self.token, &self.account) {
            (Some(token), None) => Ok(ControlBotKind::Bot { token }),
            (None, Some(_)) if self.webhook.is_some() => {
                wrong("webhook", "stands beside `account`, which is not posted to; take it out")
            }
            (None, Some(_)) if self.api.is_some() => {
                wrong("api", "stands beside `account`, which needs no Bot API; take it out")
            }
            (None, Some(account)) => Ok(ControlBotKind::Account(account)),
            (Some(_), Some(_)) => wrong("account", "stands beside `token`; keep one of the two"),
            (None, None) => wrong(
                "name",
                "has neither a token nor an account; give one of the two, such as account = \"main\"",
            ),
        }
    }

    /// Whether an entry says the same, its token too.
    pub fn is_as(&self, other: &Self) -> bool {
        let Self { name, token, account, people, language, webhook, api } = self;
        let text = |token: Option<&SecretString>| token.map(|token| token.expose_secret().to_owned());
        (name, text(token.as_ref()), account, people, language, webhook, api)
            == (
                &other.name,
                text(other.token.as_ref()),
                &other.account,
                &other.people,
                &other.language,
                &other.webhook,
                &other.api,
            )
    }
}

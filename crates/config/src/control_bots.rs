//! Control bots: Telegram bots through which a few people see flows and switch them.

use secrecy::SecretString;

use crate::{
    doctor::{API_WANTED, WebhookProvider, api_address},
    keys::settings,
    secret,
    value_kind::{NAME, one_word, word},
};

settings! {
    /// A control bot: a second one is a second entry.
    pub item ControlBotFields at "control_bots[]." {
        /// Your name for a bot through which flows are seen and switched.
        name: String, like(NAME), "\"owner\"";
        /// Its token, as `@BotFather` gave it; no other program may use it.
        #[serde(serialize_with = "secret::redacted")]
        token: SecretString, secret("one word", one_word), "{ env = \"CONTROL_BOT_TOKEN\" }";
        /// Whom it serves, by their ids on Telegram; it does not answer anyone else.
        people: Vec<i64>, integers(1, i64::MAX), "[2001, 2002]";
        /// The public address of this program, to which Telegram posts what the bot is written; left out: the program asks for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook: Option<String>, optional(word(API_WANTED, api_address)), "\"https://switchboard.example.com\"";
        /// Where the Bot API is; left out: Telegram's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<String>, optional(word(API_WANTED, api_address)), "\"https://api.telegram.org\"";
    }
}

impl ControlBotFields {
    /// Where the Bot API is.
    pub fn api(&self) -> &str {
        self.api.as_deref().unwrap_or(WebhookProvider::TelegramBot.api())
    }
}

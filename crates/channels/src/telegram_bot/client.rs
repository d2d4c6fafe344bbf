//! Calls of the Bot API.

use std::time::Duration;

use ambient::Clock;
use domain::SecretText;
use domain::secret::ExposeSecret;
use outbound::{NamedBy, SendError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::{BotError, Refusal, refused};
use super::keyboard::Keyboard;
use super::update::Update;
use super::webhook::HookSecret;

/// The longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// What the answer of a poll may take beyond the wait that was asked for.
const BEYOND: Duration = Duration::from_secs(10);
/// The longest poll that is asked for.
const LONGEST_POLL: Duration = Duration::from_secs(50);
/// The greatest answer: a hundred messages of the longest text, and room.
const LARGEST: usize = 8 * 1024 * 1024;

/// A bot, as it is called on. It has no limits of its own and repeats nothing: both are the caller's, who knows what may be
/// sent twice.
#[derive(Debug, Clone)]
pub struct Bot {
    http: outbound::Client,
    api: String,
    token: SecretText,
}

/// Who a bot is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Me {
    pub id: i64,
    /// Without the `@`.
    pub username: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    ok: bool,
    result: Option<T>,
}

#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

impl Bot {
    /// A bot at the API of this address, without a slash at its end.
    ///
    /// # Errors
    /// No client can be made.
    pub fn new(api: &str, token: SecretText) -> Result<Self, BotError> {
        let builder = outbound::Client::builder(NamedBy::Settings(api.to_owned()));
        let http = builder.connect_timeout(CONNECT).build().map_err(|_| BotError::NoClient)?;
        Ok(Self { http, api: api.to_owned(), token })
    }

    /// Who the bot is: whether the token is good.
    ///
    /// # Errors
    /// As all calls.
    pub async fn get_me(&self, clock: &Clock) -> Result<Me, BotError> {
        self.call(clock, "getMe", &json!({}), ANSWER).await
    }

    /// Updates from this id on, waiting up to `wait` for the first; those before it are confirmed and never come again.
    /// Only messages and presses are asked for.
    ///
    /// # Errors
    /// As all calls; [`BotError::Conflict`] where another program polls, or a webhook is set.
    pub async fn get_updates(
        &self,
        clock: &Clock,
        offset: i64,
        wait: Duration,
    ) -> Result<Vec<Update>, BotError> {
        let wait = wait.min(LONGEST_POLL);
        let body = json!({
            "offset": offset,
            "limit": 100,
            "timeout": wait.as_secs(),
            "allowed_updates": ["message", "callback_query"],
        });
        let found: Vec<Value> = self.call(clock, "getUpdates", &body, wait + BEYOND).await?;
        Ok(found.iter().filter_map(Update::read).collect())
    }

    /// Sends a text and returns its id.
    ///
    /// # Errors
    /// As all calls.
    pub async fn send_message(
        &self,
        clock: &Clock,
        chat: i64,
        text: &str,
        keyboard: Option<&Keyboard>,
    ) -> Result<i64, BotError> {
        let mut body =
            json!({ "chat_id": chat, "text": text, "link_preview_options": { "is_disabled": true } });
        if let Some(keyboard) = keyboard {
            body["reply_markup"] = json!(keyboard);
        }
        let sent: Sent = self.call(clock, "sendMessage", &body, ANSWER).await?;
        Ok(sent.message_id)
    }

    /// Changes a text and its buttons; without a keyboard they go.
    ///
    /// # Errors
    /// As all calls. That the message is as it was is no error.
    pub async fn edit_message_text(
        &self,
        clock: &Clock,
        (chat, message): (i64, i64),
        text: &str,
        keyboard: Option<&Keyboard>,
    ) -> Result<(), BotError> {
        let mut body = json!({ "chat_id": chat, "message_id": message, "text": text });
        if let Some(keyboard) = keyboard {
            body["reply_markup"] = json!(keyboard);
        }
        match self.call::<Value>(clock, "editMessageText", &body, ANSWER).await {
            Ok(_) | Err(BotError::NotModified) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Answers a press: the presser's client stops waiting, and shows the text if there is one.
    ///
    /// # Errors
    /// As all calls; [`BotError::TooOld`] where it was answered before.
    pub async fn answer_callback_query(
        &self,
        clock: &Clock,
        query: &str,
        text: Option<&str>,
    ) -> Result<(), BotError> {
        let body = json!({ "callback_query_id": query, "text": text.unwrap_or_default() });
        self.call::<bool>(clock, "answerCallbackQuery", &body, ANSWER).await.map(|_| ())
    }

    /// Has updates posted to an address from now on; those that wait are dropped where they are of no use any more.
    ///
    /// # Errors
    /// As all calls.
    pub async fn set_webhook(
        &self,
        clock: &Clock,
        url: &str,
        secret: &HookSecret,
        drop_waiting: bool,
    ) -> Result<(), BotError> {
        let body = json!({
            "url": url,
            "secret_token": secret.expose(),
            "allowed_updates": ["message", "callback_query"],
            // In order, one after the other.
            "max_connections": 1,
            "drop_pending_updates": drop_waiting,
        });
        self.call::<bool>(clock, "setWebhook", &body, ANSWER).await.map(|_| ())
    }

    /// Has updates kept for polls from now on.
    ///
    /// # Errors
    /// As all calls.
    pub async fn delete_webhook(&self, clock: &Clock) -> Result<(), BotError> {
        self.call::<bool>(clock, "deleteWebhook", &json!({}), ANSWER).await.map(|_| ())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        clock: &Clock,
        method: &str,
        body: &Value,
        limit: Duration,
    ) -> Result<T, BotError> {
        let url = format!("{}/bot{}/{method}", self.api, self.token.expose_secret());
        let asking = async {
            let sent = self.http.send(self.http.post(&url).json(body)).await;
            let mut answer = sent.map_err(|error| failed(&error, limit))?;
            let status = answer.status().as_u16();
            let mut read = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(|error| failed(&error.into(), limit))? {
                if read.len() + piece.len() > LARGEST {
                    return Err(BotError::Unclear(status));
                }
                read.extend_from_slice(&piece);
            }
            Ok((status, read))
        };
        let (status, read) = clock.timeout(limit, asking).await.map_err(|_| BotError::NoAnswer(limit))??;
        if let Ok(Answer { ok: true, result: Some(result) }) = serde_json::from_slice(&read) {
            return Ok(result);
        }
        match serde_json::from_slice::<Refusal>(&read) {
            Ok(refusal) if status != 200 => Err(refused(status, refusal)),
            _ => Err(BotError::Unclear(status)),
        }
    }
}

/// Why a call has no answer. No text has the address, which has the token in it.
fn failed(error: &SendError, limit: Duration) -> BotError {
    if error.is_timeout() {
        return BotError::NoAnswer(limit);
    }
    let cause = error.to_string();
    if error.is_unsent() { BotError::Unreached(cause) } else { BotError::Broken(cause) }
}

//! What a bot's program gets: messages, users and chats as the Bot API writes them, and presses that wait for its answer.

use grammers_tl_types::{enums, types};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::QUERIES_BOUND;
use crate::telegram::message::Stored;
use crate::telegram::peer::Peer;
use crate::telegram::state::State;

/// What a bot answers to a press.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BotAnswer {
    pub(crate) text: Option<String>,
    pub(crate) alert: bool,
    pub(crate) url: Option<String>,
}

impl From<BotAnswer> for types::messages::BotCallbackAnswer {
    fn from(answer: BotAnswer) -> Self {
        Self {
            alert: answer.alert,
            has_url: answer.url.is_some(),
            native_ui: false,
            message: answer.text,
            url: answer.url,
            cache_time: 0,
        }
    }
}

impl State {
    /// A user as the Bot API writes it.
    pub(super) fn api_user(&self, id: i64) -> Value {
        let Some(person) = self.people.get(&id) else { return json!({ "id": id }) };
        let mut user = json!({ "id": id, "is_bot": person.bot, "first_name": person.first_name });
        if let Value::Object(fields) = &mut user {
            for (name, value) in [("last_name", &person.last_name), ("username", &person.username)] {
                if let Some(value) = value {
                    fields.insert(name.to_owned(), json!(value));
                }
            }
        }
        user
    }

    /// A message of a private chat as the Bot API writes it.
    pub(super) fn api_message(&self, user: i64, stored: &Stored) -> Value {
        let mut chat = self.api_user(user);
        if let Value::Object(fields) = &mut chat {
            fields.remove("is_bot");
            fields.insert("type".to_owned(), json!("private"));
        }
        let text = &stored.body.text;
        let mut message = json!({
            "message_id": stored.id,
            "from": self.api_user(stored.from),
            "chat": chat,
            "date": stored.date,
            "text": &**text,
        });
        if let Value::Object(fields) = &mut message {
            if let Some(edited) = stored.edit_date {
                fields.insert("edit_date".to_owned(), json!(edited));
            }
            if let Some(markup) = stored.body.markup.as_deref().and_then(api_markup) {
                fields.insert("reply_markup".to_owned(), markup);
            }
            if text.starts_with('/') {
                let command = text.split_whitespace().next().unwrap_or_default();
                let length = command.encode_utf16().count();
                let entity = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
                fields.insert("entities".to_owned(), entity);
            }
        }
        message
    }

    /// A user has written to a bot with a token.
    pub(in crate::telegram::bots) fn tell_bot(&mut self, from: i64, bot: i64, origin: u64) {
        if !self.bots.api.contains_key(&bot) {
            return;
        }
        let peer = Peer::User(from);
        let Some(id) = self.copy_of(bot, peer, origin) else { return };
        let Some(message) = self.stored(bot, peer, id).map(|stored| self.api_message(from, stored)) else {
            return;
        };
        self.put_update(bot, json!({ "message": message }));
    }

    fn put_update(&mut self, bot: i64, update: Value) {
        if let Some(api) = self.bots.api.get_mut(&bot) {
            api.put(update);
            self.bots.update_arrived.notify_waiters();
            self.bots.posted.notify_one();
        }
    }

    /// A user presses a button of a bot with a token; the message is in the bot's numbering. None if it has no token.
    pub(in crate::telegram::bots) fn ask_bot(
        &mut self,
        user: i64,
        bot: i64,
        id: i32,
        data: &[u8],
    ) -> Option<oneshot::Receiver<BotAnswer>> {
        let stored = self.stored(bot, Peer::User(user), id)?;
        let (message, from) = (self.api_message(user, stored), self.api_user(user));
        let api = self.bots.api.get_mut(&bot)?;
        api.last_query += 1;
        let query = format!("{bot}{:06}", api.last_query);
        let (answer, answered) = oneshot::channel();
        api.queries.retain(|(_, waiting)| !waiting.is_closed());
        if api.queries.len() == QUERIES_BOUND {
            api.queries.pop_front();
        }
        api.queries.push_back((query.clone(), answer));
        let update = json!({ "callback_query": {
            "id": query,
            "from": from,
            "message": message,
            "chat_instance": user.to_string(),
            "data": String::from_utf8_lossy(data),
        } });
        self.put_update(bot, update);
        Some(answered)
    }
}

/// An inline keyboard as the Bot API writes it.
fn api_markup(markup: &enums::ReplyMarkup) -> Option<Value> {
    let enums::ReplyMarkup::ReplyInlineMarkup(markup) = markup else { return None };
    let button =
        |enums::KeyboardInlineButton::Button(button): &enums::KeyboardInlineButton| match &button.r#type {
            enums::InlineButtonType::Callback(callback) => {
                json!({ "text": button.text, "callback_data": String::from_utf8_lossy(&callback.data) })
            }
            enums::InlineButtonType::Url(url) => json!({ "text": button.text, "url": url.url }),
            _ => json!({ "text": button.text }),
        };
    let row = |enums::KeyboardInlineButtonRow::Row(row): &enums::KeyboardInlineButtonRow| {
        row.buttons.iter().map(button).collect::<Vec<_>>()
    };
    Some(json!({ "inline_keyboard": markup.rows.iter().map(row).collect::<Vec<_>>() }))
}

//! The methods of the Bot API that are served: texts and inline keyboards, updates, webhooks. Others are refused as unknown.

use std::sync::Arc;

use grammers_tl_types::enums;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Hook;
use super::refusals::Refusal;
use super::updates::BotAnswer;
use crate::telegram::bots::keyboard;
use crate::telegram::message::Body;
use crate::telegram::orders::Button;
use crate::telegram::peer::Peer;
use crate::telegram::posting::Draft;
use crate::telegram::state::{Moment, State};

/// The parameters of a call, from JSON, a form or the query alike.
pub(crate) type Parameters = Map<String, Value>;

type Result<T> = std::result::Result<T, Refusal>;

/// Text of a parameter, which a form has for numbers too.
fn text<'a>(given: &'a Parameters, name: &str) -> Option<&'a str> {
    given.get(name).and_then(Value::as_str)
}

pub(super) fn number(given: &Parameters, name: &str) -> Option<i64> {
    given.get(name).and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
}

fn flag(given: &Parameters, name: &str) -> bool {
    given.get(name).is_some_and(|value| value.as_bool().unwrap_or(value.as_str() == Some("true")))
}

/// A value that is an object in JSON and a text in a form.
fn object<T: for<'a> Deserialize<'a>>(given: &Parameters, name: &str) -> Option<std::result::Result<T, ()>> {
    let value = given.get(name)?;
    let read = match value {
        Value::String(text) => serde_json::from_str(text),
        other => serde_json::from_value(other.clone()),
    };
    Some(read.map_err(|_| ()))
}

#[derive(Deserialize)]
struct Markup {
    inline_keyboard: Vec<Vec<InlineButton>>,
}

#[derive(Deserialize)]
struct InlineButton {
    text: String,
    callback_data: Option<String>,
    url: Option<String>,
}

fn markup(given: &Parameters) -> Result<Option<Arc<enums::ReplyMarkup>>> {
    let Some(read) = object::<Markup>(given, "reply_markup") else { return Ok(None) };
    let read = read.map_err(|()| Refusal::bad("object expected as reply markup"))?;
    let mut rows = Vec::new();
    for row in read.inline_keyboard {
        let mut buttons = Vec::new();
        for InlineButton { text, callback_data, url } in row {
            if callback_data.as_deref().is_some_and(|data| !(1..=64).contains(&data.len())) {
                return Err(Refusal::bad("BUTTON_DATA_INVALID"));
            }
            if callback_data.is_some() == url.is_some() {
                return Err(Refusal::bad(
                    "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
                ));
            }
            buttons.push(Button { text, data: callback_data, url, ..Button::default() });
        }
        rows.push(buttons);
    }
    keyboard(&rows).map_err(|_| Refusal::bad("BUTTON_DATA_INVALID"))
}

/// The words of a message.
fn words(given: &Parameters) -> Result<&str> {
    let words = text(given, "text").unwrap_or_default().trim();
    if words.is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    if words.encode_utf16().count() > 4_096 {
        return Err(Refusal::bad("message is too long"));
    }
    match text(given, "parse_mode") {
        None | Some("") => Ok(words),
        Some(_) => Err(Refusal::bad("unsupported parse_mode")),
    }
}

impl State {
    /// Runs a method other than `getUpdates`.
    pub(super) fn api_call(
        &mut self,
        bot: i64,
        method: &str,
        given: &Parameters,
        at: Moment,
    ) -> Result<Value> {
        match method {
            "getme" => {
                let mut me = self.api_user(bot);
                if let Value::Object(fields) = &mut me {
                    fields.insert("can_join_groups".to_owned(), json!(true));
                    fields.insert("can_read_all_group_messages".to_owned(), json!(false));
                    fields.insert("supports_inline_queries".to_owned(), json!(false));
                }
                Ok(me)
            }
            "sendmessage" => self.api_send(bot, given, at),
            "editmessagetext" => self.api_edit(bot, given, at),
            "answercallbackquery" => self.api_answer(bot, given),
            "setwebhook" => self.api_set_webhook(bot, given),
            "deletewebhook" => Ok(self.api_delete_webhook(bot, given)),
            "getwebhookinfo" => self.api_webhook_info(bot),
            _ => Err(Refusal::new(404, "Not Found")),
        }
    }

    /// The user of a private chat that a bot names.
    fn api_chat(&self, bot: i64, given: &Parameters) -> Result<i64> {
        let user = number(given, "chat_id").ok_or(Refusal::bad("chat not found"))?;
        let person = self.people.get(&user).ok_or(Refusal::bad("chat not found"))?;
        if person.bot {
            return Err(Refusal::new(403, "Forbidden: bot can't send messages to bots"));
        }
        let met = self.mailboxes.get(&bot).and_then(|mailbox| mailbox.dialog(Peer::User(user)));
        if met.is_none() {
            return Err(Refusal::new(403, "Forbidden: bot can't initiate conversation with a user"));
        }
        if person.blocked.contains(&bot) {
            return Err(Refusal::new(403, "Forbidden: bot was blocked by the user"));
        }
        Ok(user)
    }

    fn api_send(&mut self, bot: i64, given: &Parameters, at: Moment) -> Result<Value> {
        let user = self.api_chat(bot, given)?;
        let body = Body { text: words(given)?.into(), markup: markup(given)?, ..Body::default() };
        if let Some(Err(seconds)) = self.bots.api.get_mut(&bot).map(|api| api.take_room(user, at.0)) {
            return Err(Refusal::flood(seconds));
        }
        let silent = flag(given, "disable_notification");
        let posted = self.post(bot, Peer::User(user), &Draft { body, reply_to: None, silent }, at, None);
        let stored = posted.own.and_then(|sent| self.stored(bot, Peer::User(user), sent.id));
        Ok(stored.map(|stored| self.api_message(user, stored)).unwrap_or_default())
    }

    fn api_edit(&mut self, bot: i64, given: &Parameters, at: Moment) -> Result<Value> {
        let peer = Peer::User(self.api_chat(bot, given)?);
        let id = number(given, "message_id").and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
        let found = self.stored(bot, peer, id).ok_or(Refusal::bad("message to edit not found"))?;
        if found.from != bot {
            return Err(Refusal::bad("message can't be edited"));
        }
        let old = found.body.clone();
        let (text, markup) = (words(given)?, markup(given)?);
        if *old.text == *text && old.markup == markup {
            return Err(Refusal::bad(
                "message is not modified: specified new message content and reply markup are exactly the same \
                 as a current content and reply markup of the message",
            ));
        }
        let body = Body { text: text.into(), entities: None, markup, ..old };
        self.edit(bot, peer, id, &body, at, None);
        let Peer::User(user) = peer else { return Ok(Value::Bool(true)) };
        Ok(self.stored(bot, peer, id).map(|stored| self.api_message(user, stored)).unwrap_or_default())
    }

    fn api_answer(&mut self, bot: i64, given: &Parameters) -> Result<Value> {
        let words = text(given, "text").filter(|words| !words.is_empty());
        if words.is_some_and(|words| words.encode_utf16().count() > 200) {
            return Err(Refusal::bad("MESSAGE_TOO_LONG"));
        }
        let wanted = text(given, "callback_query_id").unwrap_or_default();
        let queries = self.bots.api.get_mut(&bot).map(|api| &mut api.queries);
        let place = queries.as_ref().and_then(|all| all.iter().position(|(query, _)| query == wanted));
        let found = queries.zip(place).and_then(|(all, place)| all.remove(place));
        let answer = BotAnswer {
            text: words.map(str::to_owned),
            alert: flag(given, "show_alert"),
            url: text(given, "url").map(str::to_owned),
        };
        match found.map(|(_, waiting)| waiting.send(answer)) {
            Some(Ok(())) => Ok(Value::Bool(true)),
            None | Some(Err(_)) => {
                Err(Refusal::bad("query is too old and response timeout expired or query ID is invalid"))
            }
        }
    }

    fn api_set_webhook(&mut self, bot: i64, given: &Parameters) -> Result<Value> {
        let url = text(given, "url").unwrap_or_default();
        if url.is_empty() {
            return Ok(self.api_delete_webhook(bot, given));
        }
        super::webhook::checked(url).map_err(|what| Refusal::bad(&format!("bad webhook: {what}")))?;
        let secret = text(given, "secret_token").filter(|secret| !secret.is_empty());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if secret.is_some_and(|secret| secret.len() > 256 || !secret.bytes().all(plain)) {
            return Err(Refusal::bad("secret token contains unallowed characters"));
        }
        let hook = Hook { url: url.to_owned(), secret: secret.map(str::to_owned), ..Hook::default() };
        if let Some(api) = self.bots.api.get_mut(&bot) {
            if flag(given, "drop_pending_updates") {
                api.updates.clear();
            }
            api.hook = Some(hook);
        }
        self.bots.update_arrived.notify_waiters();
        self.bots.posted.notify_one();
        Ok(Value::Bool(true))
    }

    fn api_delete_webhook(&mut self, bot: i64, given: &Parameters) -> Value {
        if let Some(api) = self.bots.api.get_mut(&bot) {
            if flag(given, "drop_pending_updates") {
                api.updates.clear();
            }
            api.hook = None;
        }
        Value::Bool(true)
    }

    fn api_webhook_info(&self, bot: i64) -> Result<Value> {
        let Some(api) = self.bots.api.get(&bot) else { return Err(Refusal::new(401, "Unauthorized")) };
        let hook = api.hook.clone().unwrap_or_default();
        let mut info = json!({
            "url": hook.url, "has_custom_certificate": false, "pending_update_count": api.updates.len(),
        });
        if let (Value::Object(fields), Some((at, error))) = (&mut info, hook.last_error) {
            fields.insert("last_error_date".to_owned(), json!(at));
            fields.insert("last_error_message".to_owned(), json!(error));
        }
        Ok(info)
    }
}

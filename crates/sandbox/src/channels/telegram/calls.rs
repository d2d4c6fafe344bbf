//! Calls that send nothing: updates, webhooks, files, presses.

use std::time::Duration;

use serde_json::{Value, json};

use super::given::Given;
use super::{BUSINESS, FOREIGN_BUSINESS, Hook, ID, ONLY_NAMED, OWNER, Refusal, STRANGER, TelegramFake};
use crate::channels::fake::Outside;

/// The longest that `getUpdates` waits.
const LONGEST_POLL: i64 = 50;
/// The largest file that is given out.
const LARGEST_DOWNLOAD: u64 = 20 * 1024 * 1024;
/// A path is good for so long.
const PATH_LIFETIME: Duration = Duration::from_hours(1);
/// A press is answered within this.
const PRESS_LIFETIME: Duration = Duration::from_mins(1);

/// What a call comes to, and how long it may wait for something better.
pub(super) type CallResult = Result<(Value, Option<Duration>), Refusal>;

/// Whose a connection to a personal account is.
fn connection(id: Option<&str>, outside: &Outside) -> Result<Value, Refusal> {
    let person = match id {
        Some(BUSINESS) => OWNER,
        Some(FOREIGN_BUSINESS) => STRANGER,
        _ => return Err(Refusal::bad("business connection not found")),
    };
    Ok(json!({
        "id": id, "user": { "id": person, "is_bot": false, "first_name": format!("Person {person}") },
        "user_chat_id": person, "date": outside.seconds(), "rights": { "can_reply": true }, "is_enabled": true,
    }))
}

impl TelegramFake {
    pub(super) fn call(
        &mut self,
        method: &str,
        given: &Given,
        number: u64,
        outside: &mut Outside,
    ) -> CallResult {
        let result = match method {
            "getme" => json!({
                "id": ID, "is_bot": true, "first_name": "Demo shop", "username": "demo_shop_bot",
                "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
            }),
            "getupdates" => return self.updates(given, number),
            "setwebhook" => self.set_webhook(given, outside)?,
            "deletewebhook" => {
                self.hook = None;
                self.drop_updates(given)
            }
            "getwebhookinfo" => self.webhook_info(),
            "getfile" => self.get_file(given, outside)?,
            "getbusinessconnection" => connection(given.text("business_connection_id"), outside)?,
            "answercallbackquery" => self.answer_press(given, outside)?,
            _ => return self.change(method, given, outside).map(|result| (result, None)),
        };
        Ok((result, None))
    }

    fn updates(&mut self, given: &Given, number: u64) -> CallResult {
        if self.hook.is_some() {
            let why = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return Err(Refusal::new(409, why));
        }
        if number < self.poll {
            let why = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
            return Err(Refusal::new(409, why));
        }
        self.poll = number;
        if let Some(offset) = given.number("offset") {
            self.updates.retain(|update| update.id >= offset);
        }
        let limit = usize::try_from(given.number("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
        let allowed = given.nested("allowed_updates");
        let is_allowed = |update: &Value| match allowed.as_array().filter(|kinds| !kinds.is_empty()) {
            Some(kinds) => kinds.iter().filter_map(Value::as_str).any(|kind| update.get(kind).is_some()),
            None => ONLY_NAMED.iter().all(|kind| update.get(kind).is_none()),
        };
        let found: Vec<Value> = self
            .updates
            .iter()
            .map(|update| &update.body)
            .filter(|body| is_allowed(body))
            .take(limit)
            .cloned()
            .collect();
        let wait = u64::try_from(given.number("timeout").unwrap_or(0).clamp(0, LONGEST_POLL)).unwrap_or(0);
        let waits = (found.is_empty() && wait > 0).then(|| Duration::from_secs(wait));
        Ok((Value::from(found), waits))
    }

    fn set_webhook(&mut self, given: &Given, outside: &mut Outside) -> Result<Value, Refusal> {
        let url = given.text("url").unwrap_or_default();
        if url.is_empty() {
            self.hook = None;
            return Ok(self.drop_updates(given));
        }
        check_webhook(url).map_err(|what| Refusal::bad(format!("bad webhook: {what}")))?;
        let secret = given.text("secret_token").unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if secret.len() > 256 || !secret.bytes().all(is_plain) {
            return Err(Refusal::bad("secret token contains unallowed characters"));
        }
        let kinds = given.nested("allowed_updates");
        let kinds = kinds
            .as_array()
            .map(|kinds| kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<String>>());
        self.drop_updates(given);
        let hook = Hook {
            url: url.to_owned(),
            secret: secret.to_owned(),
            max_connections: given.number("max_connections").unwrap_or(40).clamp(1, 100),
            allowed: kinds.filter(|kinds| !kinds.is_empty()),
            last_error: None,
        };
        for update in &self.updates {
            outside.post(hook.post(update, false));
        }
        self.hook = Some(hook);
        Ok(json!(true))
    }

    fn drop_updates(&mut self, given: &Given) -> Value {
        if given.flag("drop_pending_updates") {
            self.updates.clear();
        }
        json!(true)
    }

    fn webhook_info(&self) -> Value {
        let mut info = json!({
            "url": "", "has_custom_certificate": false, "pending_update_count": self.updates.len(),
        });
        if let Some(hook) = &self.hook {
            info["url"] = hook.url.as_str().into();
            info["max_connections"] = hook.max_connections.into();
            if let Some(allowed) = &hook.allowed {
                info["allowed_updates"] = json!(allowed);
            }
            if let Some((at, why)) = &hook.last_error {
                info["last_error_date"] = (*at).into();
                info["last_error_message"] = why.as_str().into();
            }
        }
        info
    }

    fn get_file(&mut self, given: &Given, outside: &Outside) -> Result<Value, Refusal> {
        let id = given.text("file_id").unwrap_or_default();
        let wrong = || Refusal::bad("wrong file_id or the file is temporarily unavailable");
        let file = self.files.get_mut(id).ok_or_else(wrong)?;
        if file.size > LARGEST_DOWNLOAD {
            return Err(Refusal::bad("file is too big"));
        }
        let path = format!("files/file_{}", file.url.rsplit('/').next().unwrap_or_default());
        file.path = Some((path.clone(), outside.now.plus(PATH_LIFETIME)));
        Ok(json!({ "file_id": id, "file_unique_id": &id[2..], "file_size": file.size, "file_path": path }))
    }

    fn answer_press(&mut self, given: &Given, outside: &Outside) -> Result<Value, Refusal> {
        if given.text("text").is_some_and(|text| text.encode_utf16().count() > 200) {
            return Err(Refusal::bad("MESSAGE_TOO_LONG"));
        }
        self.presses.retain(|(_, since)| outside.now < since.plus(PRESS_LIFETIME));
        let wanted = given.text("callback_query_id").unwrap_or_default();
        let place = self.presses.iter().position(|(id, _)| id == wanted);
        let too_old = || Refusal::bad("query is too old and response timeout expired or query ID is invalid");
        self.presses.remove(place.ok_or_else(too_old)?);
        Ok(json!(true))
    }
}

/// Addresses of this machine are taken without TLS and with any port, as a Bot API server of one's own takes them; all others
/// have the rules of Telegram's.
fn check_webhook(url: &str) -> Result<(), &'static str> {
    let read: axum::http::Uri = url.parse().map_err(|_| "invalid webhook URL specified")?;
    match (read.scheme_str(), read.host()) {
        (Some("http"), Some("127.0.0.1" | "localhost")) => Ok(()),
        (Some("https"), Some(_)) if matches!(read.port_u16(), None | Some(80 | 88 | 443 | 8_443)) => Ok(()),
        (Some("https"), Some(_)) => Err("Webhook can be set up only on ports 80, 88, 443 or 8443"),
        _ => Err("An HTTPS URL must be provided for webhook"),
    }
}

//! The pretend smsc.ru: errors with 200, ids as numbers or words, and posts in windows-1251 unless the address says otherwise.

use std::time::Duration;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::super::fake::{ChannelEffect, CustomerDeed, Outside, Post};
use super::super::request::{Reply, Request};
use super::{CHANNEL, Gateway, NAME, Sent, Sms, digits};

/// The same message to the same phone is refused for so long.
const REPEATS: Duration = Duration::from_mins(1);
/// The letters of a part, beyond the Latin alphabet.
const PART: usize = 67;
const OURS: Gateway = Gateway::Smsc;

fn error(code: u32, message: &str) -> Reply {
    Reply::json(200, &json!({"error": message, "error_code": code}))
}

impl Sms {
    pub(super) fn smsc(&mut self, call: &str, request: &Request, outside: &mut Outside) -> Reply {
        if request.method != "POST" {
            return error(1, "parameters error");
        }
        let form = request.form();
        let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let is_known = (value("login"), value("psw")) == ("demo", "planted-password")
            || value("apikey") == "planted-password";
        if !is_known || self.have_credentials_ended {
            return error(2, "authorise error");
        }
        if value("fmt") != "3" || value("charset") != "utf-8" {
            return Reply::text(200, "ERROR = 1 (parameters error)");
        }
        match call {
            "balance.php" => Reply::json(200, &json!({"balance": "100.50"})),
            "status.php" => {
                let phone = digits(value("phone")).unwrap_or_default();
                let is_it =
                    |sent: &Sent| sent.gateway == OURS && sent.id == value("id") && sent.phone == phone;
                let status = if self.sent.iter().any(is_it) { 0 } else { -3 };
                Reply::json(200, &json!({"status": status, "last_timestamp": outside.seconds()}))
            }
            "send.php" => self.smsc_send(&value, outside),
            _ => Reply::text(404, "no such call"),
        }
    }

    fn smsc_send<'a>(&mut self, value: &impl Fn(&str) -> &'a str, outside: &mut Outside) -> Reply {
        let (text, own_id) = (value("mes").to_owned(), value("id"));
        let Some(phone) = digits(value("phones")) else { return error(7, "invalid number") };
        if text.is_empty() {
            return error(1, "parameters error");
        }
        if !value("sender").is_empty() && value("sender") != NAME {
            return error(6, "message is denied");
        }
        if self.is_closed(OURS, &phone) {
            return error(8, "message to this number can not be delivered");
        }
        let is_repeat = |sent: &Sent| {
            let is_new = outside.now.since(sent.at) < REPEATS;
            sent.gateway == OURS && is_new && sent.phone == phone && sent.text == text
        };
        if self.sent.iter().any(is_repeat) {
            return error(9, "duplicate request, wait a minute");
        }
        let made = self.number();
        let id = if own_id.is_empty() { (1_000 + made).to_string() } else { own_id.to_owned() };
        let Ok(number) = id.parse::<i32>() else { return error(1, "parameters error") };
        let parts = text.encode_utf16().count().div_ceil(PART);
        let shown = if made.is_multiple_of(2) { json!(id) } else { json!(number) };
        let effect = ChannelEffect {
            method: "send.php".to_owned(),
            external_id: Some(format!("{id}-{phone}")),
            ..ChannelEffect::default()
        };
        self.take(Sent { gateway: OURS, id, phone, text, at: outside.now, callback: None }, effect, outside);
        Reply::json(200, &json!({"id": shown, "cnt": parts, "cost": "2.5", "balance": "100.50"}))
    }

    pub(super) fn smsc_incoming(
        &mut self,
        phone: &str,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) -> String {
        let id = self.number().to_string();
        let text = deed.text.as_deref().unwrap_or_default();
        let fields = [("phone", phone), ("mes", text), ("to", "70000000009"), ("sms_id", id.as_str())];
        self.smsc_post(&fields, &["phone", "mes", "to"], deed, outside);
        format!("in-{id}")
    }

    pub(super) fn smsc_status(
        &self,
        sent: &Sent,
        is_delivered: bool,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) {
        let status = deed.extra["status"].as_i64().unwrap_or(if is_delivered { 1 } else { 20 }).to_string();
        let error = if is_delivered { "0" } else { "1" };
        let fields = [
            ("id", sent.id.as_str()),
            ("phone", sent.phone.as_str()),
            ("status", status.as_str()),
            ("err", error),
        ];
        self.smsc_post(&fields, &["id", "phone", "status"], deed, outside);
    }

    fn smsc_post(
        &self,
        fields: &[(&str, &str)],
        signed: &[&str],
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) {
        let Some(url) = self.hooks.get(&OURS) else { return };
        let is_utf8 = url.contains("charset=utf-8");
        let bytes = |text: &str| if is_utf8 { text.as_bytes().to_vec() } else { windows_1251(text) };
        let seconds = outside.seconds().to_string();
        let mut pairs: Vec<(&str, Vec<u8>)> =
            fields.iter().map(|(name, value)| (*name, bytes(value))).collect();
        pairs.push(("ts", seconds.into_bytes()));
        if url.contains("sha1") {
            let mut digest = Sha1::new();
            for name in signed {
                let value = pairs.iter().find(|(known, _)| known == name);
                digest.update(value.map(|(_, value)| value.as_slice()).unwrap_or_default());
                digest.update(b":");
            }
            digest.update(if deed.forged { "another-secret" } else { "planted-signing" });
            pairs.push(("sha1", hex::encode(digest.finalize()).into_bytes()));
        }
        let form: Vec<String> = pairs
            .iter()
            .map(|(name, value)| {
                format!("{name}={}", form_urlencoded::byte_serialize(value).collect::<String>())
            })
            .collect();
        outside.post(Post {
            content_type: "application/x-www-form-urlencoded",
            body: form.join("&").into_bytes(),
            ..Post::json(CHANNEL, OURS.account(), url, &Value::Null)
        });
    }
}

fn windows_1251(text: &str) -> Vec<u8> {
    let byte = |character: char| match character {
        'А'..='я' => u8::try_from(u32::from(character) - u32::from('А') + 0xC0).unwrap_or(b'?'),
        'Ё' => 0xA8,
        'ё' => 0xB8,
        '№' => 0xB9,
        character => u8::try_from(character).ok().filter(u8::is_ascii).unwrap_or(b'?'),
    };
    text.chars().map(byte).collect()
}

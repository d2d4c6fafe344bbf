//! The pretend SMS.ru: errors inside of an OK, posts in batches that want the answer `100`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::fake::{ChannelEffect, CustomerDeed, Outside, Post};
use super::super::request::{Reply, Request};
use super::{CHANNEL, Gateway, NAME, Sent, Sms, digits};

const KEY: &str = "planted-api-id";
const OURS: Gateway = Gateway::SmsRu;

fn error(code: u32) -> Value {
    json!({"status": "ERROR", "status_code": code, "status_text": "refused"})
}

impl Sms {
    pub(super) fn sms_ru(&mut self, request: &Request, outside: &mut Outside) -> Reply {
        let form = request.form();
        let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if value("json") != "1" {
            return Reply::text(200, "200");
        }
        if request.method != "POST" || value("api_id") != KEY || self.have_credentials_ended {
            return Reply::json(200, &error(200));
        }
        match request.path.as_str() {
            "/auth/check" => return Reply::json(200, &json!({"status": "OK", "status_code": 100})),
            "/my/balance" => {
                return Reply::json(200, &json!({"status": "OK", "status_code": 100, "balance": 10.5}));
            }
            _ => {}
        }
        let text = value("msg").to_owned();
        if text.is_empty() {
            return Reply::json(200, &error(203));
        }
        let Some(phone) = digits(value("to")) else { return Reply::json(200, &error(202)) };
        let reply_with = |one: Value| {
            Reply::json(
                200,
                &json!({"status": "OK", "status_code": 100, "sms": {(value("to")): one}, "balance": 10.5}),
            )
        };
        if !value("from").is_empty() && value("from") != NAME {
            return reply_with(error(204));
        }
        if self.is_closed(OURS, &phone) {
            return reply_with(error(215));
        }
        let id = format!("000000-{}", 10_000_000 + self.number());
        let effect = ChannelEffect {
            method: "sms/send".to_owned(),
            external_id: Some(id.clone()),
            ..ChannelEffect::default()
        };
        let sent = Sent { gateway: OURS, id: id.clone(), phone, text, at: outside.now, callback: None };
        self.take(sent, effect, outside);
        reply_with(json!({"status": "OK", "status_code": 100, "sms_id": id}))
    }

    pub(super) fn sms_ru_status(
        &self,
        sent: &Sent,
        is_delivered: bool,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) {
        let Some(url) = self.hooks.get(&OURS) else { return };
        let status = deed.extra["status"].as_i64().unwrap_or(if is_delivered { 103 } else { 105 });
        // A batch: what was known before comes with it.
        let entries =
            [102, status].map(|status| format!("sms_status\n{}\n{status}\n{}", sent.id, outside.seconds()));
        let mut digest = Sha256::new();
        digest.update(if deed.forged { "another-key" } else { KEY });
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (place, entry) in entries.iter().enumerate() {
            digest.update(entry);
            form.append_pair(&format!("data[{place}]"), entry);
        }
        let body = form.append_pair("hash", &hex::encode(digest.finalize())).finish();
        outside.post(Post {
            content_type: "application/x-www-form-urlencoded",
            body: body.into_bytes(),
            wants_body: Some("100"),
            ..Post::json(CHANNEL, OURS.account(), url, &Value::Null)
        });
    }
}

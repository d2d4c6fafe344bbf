//! The pretend Twilio: errors with their own status, files by their address, posts signed over the address that they go to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::super::fake::{ChannelEffect, CustomerDeed, Outside, Post, ProviderFile};
use super::super::request::{Reply, Request};
use super::{CHANNEL, Gateway, NUMBER, Sent, Sms, digits};

const SID: &str = "ACplanted";
const TOKEN: &str = "planted-auth-token";
const OURS: Gateway = Gateway::Twilio;

fn error(status: u16, code: u32, message: &str) -> Reply {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    Reply::json(status, &json!({"code": code, "message": message, "more_info": more, "status": status}))
}

impl Sms {
    pub(super) fn twilio(&mut self, rest: &str, request: &Request, outside: &mut Outside) -> Reply {
        let basic = format!("Basic {}", STANDARD.encode(format!("{SID}:{TOKEN}")));
        if request.header("authorization") != Some(&basic) || self.have_credentials_ended {
            return error(401, 20_003, "Authenticate");
        }
        let Some(call) = rest.strip_prefix(SID) else {
            return error(404, 20_404, "The resource was not found");
        };
        match (request.method.as_str(), call) {
            ("GET", ".json") => {
                Reply::json(200, &json!({"sid": SID, "friendly_name": "Demo", "status": "active"}))
            }
            ("POST", "/Messages.json") => self.twilio_send(request, outside),
            ("GET", call) => match call.rsplit_once("/Media/") {
                // The file itself is elsewhere, where no token is wanted.
                Some((_, id)) => Reply {
                    status: 307,
                    headers: vec![("location", format!("{}/files/{id}", outside.base))],
                    ..Reply::default()
                },
                None => error(404, 20_404, "The resource was not found"),
            },
            _ => error(405, 20_004, "Method not allowed"),
        }
    }

    fn twilio_send(&mut self, request: &Request, outside: &mut Outside) -> Reply {
        let form = request.form();
        let value = |name: &str| form.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let Some(to) = value("To") else { return error(400, 21_604, "A 'To' phone number is required.") };
        let Some(phone) = digits(to).filter(|_| to.starts_with('+')) else {
            return error(400, 21_211, "The 'To' number is not a valid phone number.");
        };
        if value("From").or_else(|| value("MessagingServiceSid")) != Some(NUMBER) {
            return error(400, 21_606, "The 'From' number is not one of yours.");
        }
        if value("Body").is_none() && value("MediaUrl").is_none() {
            return error(400, 21_602, "Message body is required.");
        }
        if value("MediaUrl").is_some() && request.fetched.is_none() {
            return error(400, 21_620, "Invalid media URL(s)");
        }
        if self.is_closed(OURS, &phone) {
            return error(400, 21_610, "Attempt to send to unsubscribed recipient");
        }
        let id = format!("SM{:032x}", self.number());
        let file = request.fetched.as_ref();
        let effect = ChannelEffect {
            method: "Messages".to_owned(),
            external_id: Some(id.clone()),
            media: file.map(|file| file.mime.split('/').next().unwrap_or_default().to_owned()),
            md5: file.map(|file| hex::encode(Md5::digest(&file.content))),
            ..ChannelEffect::default()
        };
        let text = value("Body").unwrap_or_default().to_owned();
        let callback = value("StatusCallback").map(str::to_owned);
        let sent = Sent { gateway: OURS, id: id.clone(), phone, text, at: outside.now, callback };
        self.take(sent, effect, outside);
        Reply::json(201, &json!({"sid": id, "status": "queued", "error_code": null, "error_message": null}))
    }

    pub(super) fn twilio_incoming(
        &mut self,
        phone: &str,
        deed: &CustomerDeed,
        outside: &mut Outside,
    ) -> String {
        let id = format!("SM{:032x}", self.number());
        let text = deed.text.clone().unwrap_or_default();
        let mut form = vec![
            ("MessageSid".to_owned(), id.clone()),
            ("AccountSid".to_owned(), SID.to_owned()),
            ("SmsStatus".to_owned(), "received".to_owned()),
            ("From".to_owned(), format!("+{phone}")),
            ("To".to_owned(), NUMBER.to_owned()),
            ("NumMedia".to_owned(), deed.media.len().to_string()),
        ];
        if matches!(text.as_str(), "STOP" | "START") {
            form.push(("OptOutType".to_owned(), text.clone()));
        }
        form.push(("Body".to_owned(), text));
        for (place, media) in deed.media.iter().enumerate() {
            let mime = media.mime.clone().unwrap_or_else(|| match media.kind.as_str() {
                "image" => "image/jpeg".to_owned(),
                "video" => "video/mp4".to_owned(),
                "voice" | "audio" => "audio/mpeg".to_owned(),
                _ => "application/pdf".to_owned(),
            });
            let url = outside.keep(ProviderFile {
                mime: mime.clone(),
                content: media.bytes(),
                ..ProviderFile::default()
            });
            let kept = url.rsplit('/').next().unwrap_or_default();
            let url = format!("{}/2010-04-01/Accounts/{SID}/Messages/{id}/Media/{kept}", outside.base);
            form.extend([(format!("MediaUrl{place}"), url), (format!("MediaContentType{place}"), mime)]);
        }
        if let Some(url) = self.hooks.get(&OURS) {
            post(url, form, deed, outside);
        }
        id
    }

    pub(super) fn twilio_status(sent: &Sent, is_delivered: bool, deed: &CustomerDeed, outside: &mut Outside) {
        let status = if is_delivered { "delivered" } else { "undelivered" };
        let status = deed.extra["status"].as_str().unwrap_or(status);
        let mut form = vec![
            ("MessageSid".to_owned(), sent.id.clone()),
            ("AccountSid".to_owned(), SID.to_owned()),
            ("MessageStatus".to_owned(), status.to_owned()),
            ("From".to_owned(), NUMBER.to_owned()),
            ("To".to_owned(), format!("+{}", sent.phone)),
        ];
        if !is_delivered {
            form.push(("ErrorCode".to_owned(), "30003".to_owned()));
        }
        if let Some(url) = &sent.callback {
            post(url, form, deed, outside);
        }
    }
}

fn post(url: &str, mut form: Vec<(String, String)>, deed: &CustomerDeed, outside: &mut Outside) {
    form.sort();
    let token = if deed.forged { "another-token" } else { TOKEN };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else { return };
    mac.update(url.as_bytes());
    for (name, value) in &form {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let post = Post {
        content_type: "application/x-www-form-urlencoded",
        body: body.into_bytes(),
        ..Post::json(CHANNEL, OURS.account(), url, &Value::Null)
    };
    outside.post(post.header("X-Twilio-Signature", signature));
}

//! What providers report that becomes no message: it is answered as the provider wants it, counted, and kept where it may have been a
//! customer's.

use domain::secret::ExposeSecret;
use domain::{InboundEvent, Unread, Words};
use serde_json::Value;

use crate::accounts::Account;
use crate::charset;
use crate::nature::Nature;
use crate::provider::{HookAnswer, HookPost, HookRefusal};
use crate::reception::{HookError, Reception};

/// What stands in the place of a secret.
const REDACTED: &str = "[REDACTED]";
/// What the name of a field has in it whose value is a secret.
const SECRET_PARTS: [&str; 9] =
    ["secret", "token", "passw", "apikey", "api_key", "authoriz", "signature", "cookie", "credential"];
/// The names of other such fields.
const SECRET_NAMES: [&str; 7] = ["key", "psw", "pwd", "sign", "sig", "hash", "sha1"];

impl Reception {
    /// Answers a post that cannot be read, or is for an account that is not here, as its provider wants it. It is counted, and kept
    /// unless it is another account's.
    pub(crate) fn answer_unread(
        &self,
        account: &Account,
        post: &HookPost,
        error: HookError,
    ) -> Result<HookAnswer, HookError> {
        let is_unreadable = matches!(error, HookError::Refused(HookRefusal::Unreadable(_)));
        let is_unread = is_unreadable || matches!(error, HookError::Refused(HookRefusal::OtherAccount(_)));
        let answer = Nature::named(account.channel.as_str()).unread_answer;
        match answer.filter(|_| is_unread && post.method == "POST") {
            Some(answer) => {
                let raw = is_unreadable.then(|| said(post));
                let unread = Unread::new(&format!("a post: {error}"), true);
                self.note_unread(account, &Unread { raw, ..unread });
                Ok(if answer.is_empty() { HookAnswer::default() } else { HookAnswer::text(answer) })
            }
            None => Err(error),
        }
    }

    /// Counts something that becomes no message. What a customer may have written is an error of the account.
    pub(crate) fn note_unread(&self, account: &Account, unread: &Unread) {
        let now = self.channels().clock().now();
        let Unread { what, is_lost, raw } = unread;
        if *is_lost {
            tracing::warn!(account = %account.name(), channel = %account.channel, what, "a provider reported what cannot be read");
        } else {
            tracing::debug!(account = %account.name(), channel = %account.channel, what, "a provider reported what is no message");
        }
        let own = [Some(account.hook_secret()), account.fields.token.as_ref()];
        let own: Vec<&str> = own.into_iter().flatten().map(ExposeSecret::expose_secret).collect();
        let raw = raw.as_deref().map(|raw| Words::from(without_secrets(raw, &own)));
        let unread = Unread { raw, ..unread.clone() };
        account.change(|status| {
            status.health.note_unread(&unread, now);
            if *is_lost {
                status.health.note(&format!("cannot be read: {what}"), now);
            }
        });
    }
}

/// The events of a post. One that says nothing is counted all the same, and what cannot be read has the body with it.
pub(crate) fn all_of_post(events: Vec<InboundEvent>, post: &HookPost) -> Vec<InboundEvent> {
    if events.is_empty() && post.method == "POST" {
        return vec![InboundEvent::notice("a post that says nothing new")];
    }
    events.into_iter().map(|event| event.with_raw(|| said(post).into_string())).collect()
}

/// The body of a post as text.
fn said(post: &HookPost) -> Words {
    charset::text(&post.body).into()
}

/// A body without secrets: neither fields of such names nor these words.
fn without_secrets(body: &str, own: &[&str]) -> String {
    let mut shown = match serde_json::from_str::<Value>(body) {
        Ok(mut body @ (Value::Object(_) | Value::Array(_))) => {
            redact(&mut body);
            body.to_string()
        }
        _ if is_form(body) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in charset::fields(body.as_bytes()) {
                let value = charset::text(&value);
                form.append_pair(&name, if is_secret(&name) { REDACTED } else { &value });
            }
            form.finish()
        }
        // JSON that is cut off, say.
        _ => {
            let mut pieces: Vec<&str> = body.split('"').collect();
            for place in 0..pieces.len().saturating_sub(2) {
                if is_secret(pieces[place]) && pieces[place + 1].trim_start().starts_with(':') {
                    pieces[place + 2] = REDACTED;
                }
            }
            pieces.join("\"")
        }
    };
    for secret in own.iter().filter(|secret| !secret.is_empty()) {
        shown = shown.replace(secret, REDACTED);
    }
    shown
}

fn is_form(body: &str) -> bool {
    body.contains('=') && !body.contains(['<', '{', '"', '\n'])
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_PARTS.iter().any(|part| name.contains(part))
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) {
                    *value = REDACTED.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_no_secrets() {
        for (body, wanted) in [
            (
                r#"{"type":"odd","secret":"s-1","object":[{"access_token":"t-1","text":"Hello own-1","HASH":{"a":1}}]}"#,
                r#"{"type":"odd","secret":"[REDACTED]","object":[{"access_token":"[REDACTED]","text":"Hello [REDACTED]","HASH":"[REDACTED]"}]}"#,
            ),
            ("phone=7&mes=%CF%F0%E8&sha1=abc", "phone=7&mes=%D0%9F%D1%80%D0%B8&sha1=%5BREDACTED%5D"),
            (r#"{"secret": "s-1", "text": "own-1"#, r#"{"secret": "[REDACTED]", "text": "[REDACTED]"#),
            ("<xml a='b'>own-1", "<xml a='b'>[REDACTED]"),
            ("", ""),
            ("[1", "[1"),
            ("\"text\"", "\"text\""),
        ] {
            let (shown, wanted) = (without_secrets(body, &["own-1", ""]), wanted.to_owned());
            // The order of the fields is of no matter.
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
            assert_eq!(read(&shown), read(&wanted));
        }
    }

    #[test]
    fn a_post_that_says_nothing_is_counted() {
        let post = |method: &str| HookPost {
            method: method.to_owned(),
            url: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: b"{\"odd\":1}".to_vec(),
        };
        assert_eq!(all_of_post(Vec::new(), &post("GET")), []);
        let counted = all_of_post(Vec::new(), &post("POST"));
        assert_eq!(counted, [InboundEvent::notice("a post that says nothing new")]);
        let lost = all_of_post(vec![InboundEvent::lost("x")], &post("POST")).remove(0);
        assert_eq!(lost, InboundEvent::lost("x").with_raw(|| "{\"odd\":1}".to_owned()));
        let notice = InboundEvent::notice("x");
        assert_eq!(all_of_post(vec![notice.clone()], &post("POST")), [notice]);
    }
}

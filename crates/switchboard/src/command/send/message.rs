//! A message that the server has: watched until it is over, and what is said of its end.

use std::time::Duration;

use anyhow::{Context, bail};
use hyper::Method;
use indicatif::ProgressBar;
use serde_json::Value;

use super::Interrupt;
use crate::bars::Bars;
use crate::control::Control;
use crate::table;

/// The longest wait for an answer about it.
const ANSWER: Duration = Duration::from_secs(30);

/// How often the message is read.
const EVERY: Duration = Duration::from_millis(200);

/// The wait ends when nothing changes for this long.
const TIMEOUT: Duration = Duration::from_secs(100);

/// A message on its way.
pub(super) struct Watch<'a> {
    server: &'a Control,
    bars: &'a Bars,
    id: String,
    message: Value,
}

impl<'a> Watch<'a> {
    /// Of what the server answered when it accepted it.
    pub(super) fn new(server: &'a Control, bars: &'a Bars, message: Value) -> anyhow::Result<Self> {
        let id = message["id"].as_str().context("the server's answer names no message")?.to_owned();
        Ok(Self { server, bars, id, message })
    }

    /// Looks until it is over, with a bar for what goes up to Telegram.
    pub(super) async fn until_over(mut self, interrupt: &mut Interrupt) -> anyhow::Result<Value> {
        let size = sum(&self.message, "size");
        let bar = (size > 0).then(|| self.bars.bytes("to Telegram", size));
        let watched = tokio::select! {
            biased;
            watched = self.look_until_over(bar.as_ref()) => watched,
            () = interrupt.came() => Err(anyhow::anyhow!("interrupted")),
        };
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        let goes_on = || {
            let id = &self.id;
            format!("the server has the message and goes on by itself; look at it with GET /v1/messages/{id}")
        };
        watched.with_context(goes_on)?;
        Ok(self.message)
    }

    async fn look_until_over(&mut self, bar: Option<&ProgressBar>) -> anyhow::Result<()> {
        let path = format!("/v1/messages/{}", self.id);
        let mut quiet = Duration::ZERO;
        while !is_over(&self.message) {
            if let Some(bar) = bar {
                bar.set_position(sum(&self.message, "uploaded"));
            }
            if quiet >= TIMEOUT {
                bail!("nothing changed for {} s; it is {}", TIMEOUT.as_secs(), state(&self.message));
            }
            tokio::time::sleep(EVERY).await;
            let message = self.server.call_within(ANSWER, Method::GET, &path, None).await?;
            quiet = if message == self.message { quiet.saturating_add(EVERY) } else { Duration::ZERO };
            self.message = message;
        }
        Ok(())
    }
}

fn state(message: &Value) -> &str {
    message["state"].as_str().unwrap_or_default()
}

/// Whether nothing more happens to it.
fn is_over(message: &Value) -> bool {
    let state = domain::MessageState::from_word(state(message));
    state.is_none_or(domain::MessageState::is_final)
}

/// A number that each file of the message may have, in all.
fn sum(message: &Value, field: &str) -> u64 {
    let media = message["media"].as_array().into_iter().flatten();
    media.filter_map(|one| one[field].as_u64()).fold(0, u64::saturating_add)
}

/// What is said of a message that is over. Pure.
///
/// # Errors
/// It was not sent, or that is not known.
pub(super) fn outcome(message: &Value) -> anyhow::Result<String> {
    let id = table::cell(message, "id");
    match state(message) {
        "sent" | "delivered" | "read" => {
            let account = table::cell(message, "account");
            let ids = table::cell(message, "message_ids");
            let chat = message["chat_id"].as_str().or_else(|| message["chat"].as_str()).unwrap_or_default();
            Ok(format!("Sent by {account} to {chat} as {ids} ({id})."))
        }
        "in_doubt" => bail!(
            "it is in doubt whether {id} was sent: look in the chat, and say so with `switchboard message resolve {id} --as \
             sent` or `--as resend`"
        ),
        "cancelled" => bail!("{id} was cancelled before it left; nothing was sent"),
        "failed" => {
            let failure = &message["failure"];
            let (code, detail) = (table::cell(failure, "code"), table::cell(failure, "detail"));
            if code == domain::outcome::Failure::RESTORED {
                bail!("{id} was held back: {detail}");
            }
            bail!("{id} was not sent, and will not be: {code}: {detail}")
        }
        other => bail!("{id} is in a state that this program does not know: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_sent_message_is_a_success() {
        let sent = json!({ "id": "msg_1", "state": "sent", "account": "main", "chat": "@demo",
            "chat_id": "-1001234567890", "message_ids": [7, 8] });
        let text = outcome(&sent).expect("sent");
        assert_eq!(text, "Sent by main to -1001234567890 as 7, 8 (msg_1).");
        let held = json!({ "id": "msg_1", "state": "failed",
            "failure": { "code": "restored", "detail": "It may have been sent since." } });
        assert!(!outcome(&held).expect_err("held back").to_string().contains("not sent"));
        for (state, word) in [
            ("failed", "chat_not_found"),
            ("in_doubt", "resolve"),
            ("cancelled", "nothing"),
            ("new", "not know"),
        ] {
            let message = json!({ "id": "msg_1", "state": state,
                "failure": { "code": "chat_not_found", "detail": "No account finds it." } });
            let error = outcome(&message).expect_err(state).to_string();
            assert!(error.contains(word) && error.contains("msg_1"), "{error}");
        }
    }

    #[test]
    fn bytes_are_added_up_where_they_are_known() {
        let message = json!({ "state": "queued", "media": [{ "size": 5, "uploaded": 3 }, { "uploaded": null }, { "size": 7 }] });
        assert_eq!((sum(&message, "size"), sum(&message, "uploaded")), (12, 3));
        assert!(!is_over(&message) && is_over(&json!({ "state": "sent" })));
        assert_eq!(sum(&json!({}), "size"), 0);
    }
}

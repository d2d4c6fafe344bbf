//! `switchboard message`: lists messages, shows one, cancels it, ends the doubt about it.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use domain::{AccountName, ChatId, MessageId, MessageRef};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::conversation;
use super::word::word;
use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::{say, say_json};
use crate::table::cell;

/// The attempt that is on the wire is waited for.
const ATTEMPT_ENDS: Duration = Duration::from_secs(30);

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Message {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List messages, the newest first: those that were sent, or those that were received
    #[command(
        after_help = "Examples:\n  switchboard message list\n  switchboard message list --direction in --text \"price\"\n  \
            switchboard message list --account main --limit 10 --json"
    )]
    List {
        /// Which messages
        #[arg(long, value_enum, default_value_t = Direction::Out)]
        direction: Direction,
        /// Only messages of this account
        #[arg(long, value_name = "NAME")]
        account: Option<AccountName>,
        /// Only messages of this chat
        #[arg(long, allow_hyphen_values = true)]
        chat: Option<ChatId>,
        /// Only messages with this in their text
        #[arg(long)]
        text: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Show a message as the API does
    #[command(
        after_help = "Examples:\n  switchboard message show msg_01…\n  switchboard message show rcv_1zzzzy5q1rkpjw00000pg"
    )]
    Show {
        /// The id of the message
        id: MessageRef,
        #[command(flatten)]
        location: Location,
    },
    /// Cancel a message that waits, or stop further attempts to send it
    #[command(
        after_help = "What waits is cancelled, and nothing is sent. What is being sent, and of which an attempt came \
            back without saying whether it arrived, is in doubt then; end the doubt with `switchboard message \
            resolve`.\n\nExamples:\n  switchboard message cancel msg_01…"
    )]
    Cancel(One),
    /// Say what became of a message in doubt, also while it is still tried
    #[command(
        after_help = "Look into the chat first.\n\nExamples:\n  switchboard message resolve msg_01… --as sent\n  \
            switchboard message resolve msg_01… --as resend"
    )]
    Resolve {
        #[command(flatten)]
        one: One,
        /// What is true
        #[arg(long = "as", value_enum, value_name = "WORD")]
        truth: Truth,
    },
}

/// Which message.
#[derive(clap::Args)]
struct One {
    /// The id of the message
    id: MessageId,
    #[command(flatten)]
    location: Location,
}

/// Which messages are listed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// Received
    In,
    /// Sent, or to be sent
    Out,
}

/// What became of a message in doubt.
#[derive(Clone, Copy, ValueEnum)]
enum Truth {
    /// It arrived
    Sent,
    /// It did not: send it
    Resend,
}

impl Message {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let changed = match self.action {
            Action::List { direction, account, chat, text, limit, options } => {
                let text = text.map(|text| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
                let filter = [
                    account.map(|account| format!("&account={account}")),
                    chat.map(|chat| format!("&chat_id={chat}")),
                    text.map(|text| format!("&text={text}")),
                ];
                let filter: String = filter.into_iter().flatten().collect();
                let path = format!("/v1/messages?direction={}&limit={limit}{filter}", word(&direction));
                return conversation::show(&path, limit, &options).await;
            }
            Action::Show { id, location } => {
                say_json(
                    &location.server().await?.call(Method::GET, &format!("/v1/messages/{id}"), None).await?,
                );
                return Ok(());
            }
            Action::Cancel(one) => one.call(Method::POST, "/cancel", None).await?,
            Action::Resolve { one, truth } => {
                one.call(Method::POST, "/resolve", Some(json!({ "as": word(&truth) }))).await?
            }
        };
        say!("{}", outcome(&changed));
        Ok(())
    }
}

impl One {
    async fn call(&self, method: Method, action: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let path = format!("/v1/messages/{}{action}", self.id);
        self.location.server().await?.call_within(ATTEMPT_ENDS, method, &path, body.as_ref()).await
    }
}

/// What became of it, in a sentence or two.
fn outcome(message: &Value) -> String {
    let id = cell(message, "id");
    match message["state"].as_str() {
        Some("cancelled") => format!("{id} is cancelled; nothing was sent."),
        Some("in_doubt") => format!(
            "{id} is tried no longer. It is not known whether it arrived: look into the chat, then say so with\n  \
             switchboard message resolve {id} --as sent      it arrived\n  \
             switchboard message resolve {id} --as resend    it did not; send it"
        ),
        Some("sent" | "delivered" | "read") => format!("{id} counts as sent."),
        _ => format!("{id} is sent now; `switchboard message show {id}` says how it ended."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_sentence() {
        for (state, says) in [
            ("cancelled", "nothing was sent"),
            ("in_doubt", "message resolve msg_1 --as sent"),
            ("sent", "counts as sent"),
            ("queued", "message show msg_1"),
        ] {
            let text = outcome(&json!({ "id": "msg_1", "state": state }));
            assert!(text.contains(says), "{state}: {text}");
        }
    }
}

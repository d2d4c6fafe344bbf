//! `switchboard message`: looking at one message, having it tried no longer, ending the doubt about it.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use domain::MessageId;
use hyper::Method;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::control;
use crate::output::{say, say_json};
use crate::{Location, table};

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
    /// Show it as the API does
    #[command(after_help = "Examples:\n  switchboard message show msg_01…")]
    Show {
        /// Its id, as sending answered it
        id: MessageId,
        #[command(flatten)]
        location: Location,
    },
    /// Cancel it while it waits; while it is tried again and again, have it tried no longer
    #[command(
        after_help = "What waits is cancelled, and nothing is sent. What is being sent, and of which an attempt came back \
            without saying whether it arrived, is in doubt then; end the doubt with `switchboard message \
            resolve`.\n\nExamples:\n  switchboard message cancel msg_01…"
    )]
    Cancel {
        /// Its id, as sending answered it
        id: MessageId,
        #[command(flatten)]
        location: Location,
    },
    /// End the doubt about it, also while it is still tried
    #[command(
        after_help = "Look into the chat first.\n\nExamples:\n  switchboard message resolve msg_01… --as \
            sent\n  switchboard message resolve msg_01… --as resend"
    )]
    Resolve {
        /// Its id, as sending answered it
        id: MessageId,
        /// What is true
        #[arg(long = "as", value_enum, value_name = "WORD")]
        word: Word,
        #[command(flatten)]
        location: Location,
    },
}

/// What became of a message in doubt.
#[derive(Clone, Copy, ValueEnum)]
enum Word {
    /// It arrived
    Sent,
    /// It did not: send it
    Resend,
}

impl Message {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Show { id, location } => {
                let server = control::running(&location.data_dir()?).await?;
                say_json(&server.call(Method::GET, &format!("/v1/messages/{id}"), None).await?);
            }
            Action::Cancel { id, location } => {
                say!("{}", told(&change(&location, id, "cancel", None).await?))
            }
            Action::Resolve { id, word, location } => {
                let word = match word {
                    Word::Sent => "sent",
                    Word::Resend => "resend",
                };
                say!("{}", told(&change(&location, id, "resolve", Some(json!({ "as": word }))).await?));
            }
        }
        Ok(())
    }
}

async fn change(
    location: &Location,
    id: MessageId,
    call: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let server = control::running(&location.data_dir()?).await?;
    let path = format!("/v1/messages/{id}/{call}");
    server.call_within(ATTEMPT_ENDS, Method::POST, &path, body.as_ref()).await
}

/// What became of it, in a sentence or two. Pure.
fn told(message: &Value) -> String {
    let id = table::cell(message, "id");
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
        let told = |state: &str| told(&json!({ "id": "msg_1", "state": state }));
        for (state, says) in [
            ("cancelled", "nothing was sent"),
            ("in_doubt", "message resolve msg_1 --as sent"),
            ("sent", "counts as sent"),
            ("queued", "message show msg_1"),
        ] {
            assert!(told(state).contains(says), "{state}: {}", told(state));
        }
    }
}

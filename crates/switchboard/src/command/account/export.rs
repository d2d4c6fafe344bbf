//! `switchboard account export`: a session for another program.

use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::AccountName;
use hyper::Method;
use serde_json::{Value, json};

use crate::api_client::ApiOptions;
use crate::command::word::{PurposeWord, word};
use crate::output::{say, say_json};
use crate::terminal::confirm;

/// Which session leaves, and as what.
#[derive(clap::Args)]
pub(super) struct Export {
    /// The name of the account
    name: AccountName,
    /// Export the session for this purpose [default: the first session]
    #[arg(long = "for", value_enum, value_name = "PURPOSE")]
    purpose: Option<PurposeWord>,
    #[command(flatten)]
    format: Format,
    /// Leave the account running; Telegram ends the session if both programs connect
    #[arg(long)]
    copy_anyway: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// What the session is written as.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Format {
    /// Write a Telethon session file
    #[arg(long, value_name = "FILE")]
    telethon: Option<PathBuf>,
    /// Write a Kurigram session file
    #[arg(long, value_name = "FILE")]
    kurigram: Option<PathBuf>,
    /// Print a Telethon session string
    #[arg(long)]
    string: bool,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut body = self.format.body()?;
        if let Some(purpose) = self.purpose {
            body["for"] = word(&purpose).into();
        }
        body["copy_anyway"] = self.copy_anyway.into();
        if !self.yes {
            let stopped = if self.copy_anyway {
                "It goes on running; if the other program connects meanwhile, Telegram ends the session for good."
            } else {
                "It is stopped first, until you start it again, since two programs on one session end it for good."
            };
            confirm(&format!(
                "Anyone who has the session has the account. {stopped} Export a session of {}?",
                self.name
            ))
            .await?;
        }
        let path = format!("/v1/accounts/{}/export", self.name);
        let answer = self.options.location.call(Method::POST, &path, Some(&body)).await?;
        if self.options.json {
            say_json(&answer);
            return Ok(());
        }
        if let Some(string) = answer["string"].as_str() {
            say!("{string}");
        }
        if let Some(path) = answer["path"].as_str() {
            say!("The session is in {path}, with {} users and chats.", answer["peers"]);
        }
        if answer["stopped"] == true {
            eprintln!(
                "{} is stopped; `switchboard account start {}` starts it when the other program is done with it.",
                self.name, self.name
            );
        }
        Ok(())
    }
}

impl Format {
    fn body(&self) -> anyhow::Result<Value> {
        let file = |format: &str, path: &Path| {
            let path = std::path::absolute(path).with_context(|| format!("the path {}", path.display()))?;
            let text =
                path.to_str().with_context(|| format!("the path {} is not UTF-8 text", path.display()))?;
            Ok(json!({ "format": format, "path": text }))
        };
        match (&self.telethon, &self.kurigram) {
            (Some(path), _) => file("telethon_file", path),
            (None, Some(path)) => file("kurigram_file", path),
            (None, None) => Ok(json!({ "format": "telethon_string" })),
        }
    }
}

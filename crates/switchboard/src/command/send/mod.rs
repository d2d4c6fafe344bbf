//! `switchboard send`: a text or files, from the command line through the running server.

mod message;
mod uploading;

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::ValueEnum;
use delivery::MOST_MEDIA;
use domain::{AccountName, NamedChat};
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::api_client::ApiOptions;
use crate::bars::Bars;
use crate::control::{self, Control};
use crate::output::{say, say_json};
use crate::terminal::WrongUsage;

use super::word::word;
use message::Watch;
use uploading::LocalFile;

/// The longest text read from the standard input, in bytes; Telegram takes parts of 4,096 letters.
const LONGEST_TEXT: u64 = 1024 * 1024;

/// The text that stands for the standard input.
const STANDARD_INPUT: &str = "-";

/// The longest key; the number of an upload is appended to it.
const LONGEST_KEY: usize = 240;

/// What to send, and where to.
#[derive(clap::Args)]
pub(crate) struct Send {
    /// The recipient: the id of a chat or a user, @name, a link to either, a phone number, or `me` for Saved Messages
    #[arg(value_name = "CHAT", allow_negative_numbers = true)]
    chat: NamedChat,
    /// The text, or the caption of the files; `-` reads it from the standard input
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// A file to send (repeatable)
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// How files are sent
    #[arg(long = "as", value_enum, default_value_t = Form::Auto)]
    form: Form,
    /// Send through this account [default: the server chooses]
    #[arg(long, value_name = "NAME")]
    account: Option<AccountName>,
    /// The markup of the text
    #[arg(long, value_enum, default_value_t = ParseMode::None)]
    parse_mode: ParseMode,
    /// Reply to this message, by its id in Telegram
    #[arg(long, value_name = "ID")]
    reply_to: Option<i32>,
    /// Send the same text and files with this key only once within 24 hours
    #[arg(long, value_name = "KEY", value_parser = read_key)]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: ApiOptions,
}

/// How a file is sent.
#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// By its content
    Auto,
    /// As a file
    Document,
    /// As a voice message
    Voice,
}

/// The markup of a text.
#[derive(Clone, Copy, ValueEnum)]
enum ParseMode {
    /// None
    None,
    /// Telegram's HTML
    Html,
    /// Telegram's Markdown
    Markdown,
}

/// Ctrl+C, also when it was pressed before the wait.
pub(super) struct Interrupt(Signal);

impl Interrupt {
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self(signal(SignalKind::interrupt()).context("Ctrl+C cannot be listened to")?))
    }

    pub(super) async fn came(&mut self) {
        if self.0.recv().await.is_none() {
            // No signal will ever come.
            std::future::pending::<()>().await;
        }
    }
}

impl Send {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let text = self.text()?;
        if self.files.len() > MOST_MEDIA {
            let wrong = format!("a message takes {MOST_MEDIA} files at most; send several messages");
            return Err(WrongUsage(wrong).into());
        }
        let files = self.files.iter().map(LocalFile::look).collect::<Result<Vec<_>, _>>()?;
        if files.is_empty() && text.trim().is_empty() {
            let wrong = "there is nothing to send: give a text, `-` for the standard input, or --file";
            return Err(WrongUsage(wrong.to_owned()).into());
        }
        let server = control::running(&self.options.location.data_dir()?).await?;
        let bars = Bars::new(self.options.json);
        let mut interrupt = Interrupt::listen()?;
        let media = self.upload(&server, &bars, &files, &mut interrupt).await?;
        let body = self.body(&text, media);
        // From here on it is the server's: this call is short, and is not given up in the middle.
        let accepted = server.post("/v1/messages", self.idempotency_key.as_deref(), &body).await?;
        let watch = Watch::new(&server, &bars, accepted)?;
        let message = watch.until_over(&mut interrupt).await?;
        if self.options.json {
            say_json(&message);
        }
        let outcome = message::outcome(&message)?;
        if !self.options.json {
            say!("{outcome}");
        }
        Ok(())
    }

    fn text(&self) -> anyhow::Result<String> {
        match self.text.as_deref() {
            None => return Ok(String::new()),
            Some(text) if text != STANDARD_INPUT => return Ok(text.to_owned()),
            Some(_) => {}
        }
        let mut read = Vec::new();
        let input = std::io::stdin().lock();
        input.take(LONGEST_TEXT + 1).read_to_end(&mut read).context("the standard input")?;
        if read.len() as u64 > LONGEST_TEXT {
            let wrong = format!("the text on the standard input is longer than {LONGEST_TEXT} bytes");
            return Err(WrongUsage(wrong).into());
        }
        String::from_utf8(read).map_err(|_| {
            WrongUsage("the standard input is not UTF-8 text; send it with --file".to_owned()).into()
        })
    }

    /// Brings all files to the server; what names them in the message.
    async fn upload(
        &self,
        server: &Control,
        bars: &Bars,
        files: &[LocalFile],
        interrupt: &mut Interrupt,
    ) -> anyhow::Result<Vec<Value>> {
        let mut media = Vec::with_capacity(files.len());
        for (place, file) in files.iter().enumerate() {
            // The same file under the same key is the same upload, so that the message is the same too.
            let key = self.idempotency_key.as_ref().map(|key| format!("{key}/file-{place}"));
            let upload = tokio::select! {
                biased;
                () = interrupt.came() => bail!(
                    "interrupted while {} went to the server: no message was accepted, nothing is sent", file.name()
                ),
                upload = file.upload(server, bars, key.as_deref()) => upload?,
            };
            media.push(json!({ "upload": upload, "as": word(&self.form) }));
        }
        Ok(media)
    }

    fn body(&self, text: &str, media: Vec<Value>) -> Value {
        // It is watched here, with a bar: the answer need not wait for anything.
        let mut body = json!({
            "chat": self.chat.to_string(), "text": text, "parse_mode": word(&self.parse_mode), "wait": 0,
        });
        if !media.is_empty() {
            body["media"] = media.into();
        }
        if let Some(account) = &self.account {
            body["account"] = account.as_str().into();
        }
        if let Some(reply_to) = self.reply_to {
            body["reply_to"] = reply_to.into();
        }
        body
    }
}

fn read_key(text: &str) -> Result<String, String> {
    let visible = text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    if text.is_empty() || text.len() > LONGEST_KEY || !visible {
        return Err(format!("must be 1 to {LONGEST_KEY} visible ASCII characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_leave_room_for_what_tells_uploads_apart() {
        assert!(read_key("report-7").is_ok());
        for wrong in [String::new(), "a b".to_owned(), "ключ".to_owned(), "x".repeat(LONGEST_KEY + 1)] {
            assert!(read_key(&wrong).is_err(), "{wrong:?}");
        }
        assert!(format!("{}/file-{MOST_MEDIA}", "x".repeat(LONGEST_KEY)).len() <= 255);
    }
}

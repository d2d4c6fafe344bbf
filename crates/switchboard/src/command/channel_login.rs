//! `switchboard channel login`: what the owner of an account does to log in, shown until it is done.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::Value;

use crate::api_client::{ApiClient, ApiOptions};
use crate::output::{say, say_json};
use crate::{code_picture, code_reader};

/// Between two looks whether the code was scanned, or is another one.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// So many looks, five minutes.
const MOST_LOOKS: u32 = 100;

pub(super) const EXAMPLES: &str = "WhatsApp shows a QR code, which the phone scans: Settings, Linked devices. Instagram gives an \
    address that its owner opens in a browser; the setting client_id is the id of the app.\n\nExamples:\n  \
    switchboard channel login phone\n  switchboard channel login phone --picture qr.png\n  switchboard channel login studio";

/// The account, and where its code is shown.
#[derive(clap::Args)]
pub(super) struct Login {
    /// The name of the account
    name: String,
    /// Write the QR code into this file, a PNG, instead of showing it here
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    #[command(flatten)]
    options: ApiOptions,
}

impl Login {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let api = ApiClient::open(&self.options.location).await?;
        let ended = self.follow(&api).await;
        api.close().await;
        ended
    }

    /// Shows what is to be done until it is done.
    async fn follow(&self, api: &ApiClient) -> anyhow::Result<()> {
        let path = format!("/v1/channels/{}/login", self.name);
        let mut before = Value::Null;
        for _ in 0..MOST_LOOKS {
            let login = api.call(Method::GET, &path, None).await?;
            match login["state"].as_str() {
                _ if self.options.json => {
                    say_json(&login);
                    return Ok(());
                }
                Some("done") => {
                    say!("{} is logged in.", self.name);
                    return Ok(());
                }
                Some("link") => {
                    say!("{}", login["url"].as_str().unwrap_or_default());
                    eprintln!(
                        "Open this address in a browser; it works once, until {}.",
                        text(&login, "expires_at")
                    );
                    return Ok(());
                }
                Some("picture") if login["picture"] != before => {
                    self.show(text(&login, "picture"))?;
                    before = login["picture"].clone();
                }
                _ => {}
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("no one scanned the code within five minutes; run the command again")
    }

    /// Draws a code, or writes it into the file.
    fn show(&self, picture: &str) -> anyhow::Result<()> {
        let picture = STANDARD.decode(picture).context("the QR code is no base64")?;
        if let Some(file) = &self.picture {
            write(file, &picture).with_context(|| format!("{} cannot be written", file.display()))?;
            eprintln!("The QR code is in {}; scan it with the phone.", file.display());
            return Ok(());
        }
        let Some(rows) = code_reader::modules(&picture) else {
            bail!("the QR code cannot be drawn here; write it into a file: --picture qr.png")
        };
        let lines = code_picture::draw_modules(&rows, io::stderr().is_terminal());
        eprintln!("{}\nScan it with the phone.", lines.join("\n"));
        Ok(())
    }
}

fn text<'a>(login: &'a Value, name: &str) -> &'a str {
    login[name].as_str().unwrap_or_default()
}

/// Writes a file that only its owner can read.
fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    made.write_all(content)
}

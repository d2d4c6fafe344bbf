//! One file that is much larger than the memory it may take: up by `POST /v1/uploads` and to Telegram, and back again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::RECIPIENT;
use crate::contender::{Switchboard, authorization};
use crate::{http, usage};

/// How often it is looked whether the file is stored with Telegram alone.
const LOOK: Duration = Duration::from_millis(200);

/// How often that is at most.
const LOOKS: usize = 1_500;

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RoundTrip {
    /// The size of the file, in bytes.
    pub(crate) size: u64,
    /// By how many kilobytes the memory rose while it was on its way to Telegram.
    pub(crate) memory_more_out: u64,
    /// By how many it rose on the way back.
    pub(crate) memory_more_back: u64,
    /// How many bytes came back that were the file's.
    pub(crate) same: u64,
}

/// Sends the file and reads it back.
pub(super) async fn run(ours: &Switchboard, path: &Path) -> Result<RoundTrip> {
    let size = path.metadata().context("the file is gone")?.len();
    let pid = ours.contender.program.pid();
    let key = authorization();
    let before = usage::memory_from_now_on(pid)?;
    let upload = http::post_file(ours.main, "/v1/uploads?filename=both_ways.bin", &key, path).await?;
    let media = json!([{ "upload": upload["id"], "as": "document" }]);
    let body = json!({ "chat": format!("@{RECIPIENT}"), "media": media, "wait": 0 });
    let accepted = http::post(ours.main, "/v1/messages", &key, &body).await?;
    let id = accepted["id"].as_str().context("a message without an id")?;
    let message = format!("/v1/messages/{id}");
    // What was sent is no longer stored here, so that what is read comes from Telegram.
    let mut looks = 0..LOOKS;
    loop {
        let shown: Value = http::get(ours.main, &message, &key).await?;
        match (shown["state"].as_str(), shown["media"][0]["stored"].as_bool()) {
            (Some("sent"), Some(false)) => break,
            (Some("queued" | "sending" | "sent"), _) if looks.next().is_some() => {
                tokio::time::sleep(LOOK).await;
            }
            _ => bail!("{message} says {shown}"),
        }
    }
    let memory_more_out = usage::memory(pid)?.highest.saturating_sub(before.now);
    let before = usage::memory_from_now_on(pid)?;
    let same = http::get_file(ours.main, &format!("{message}/media/0"), &key, path).await?;
    let memory_more_back = usage::memory(pid)?.highest.saturating_sub(before.now);
    Ok(RoundTrip { size, memory_more_out, memory_more_back, same })
}

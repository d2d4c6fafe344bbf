//! A million messages that were really sent, and looking for some of them by their text.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Folders, OURS, Stage, bare_library};
use crate::contender::{self, authorization};
use crate::load::{self, Door, Stretch};
use crate::report::{Goal, Measured, megabytes, table};
use crate::world::World;
use crate::{http, usage};

/// Callers that send at once.
const CALLERS: usize = 32;

/// Sending all of them may take this long.
const TIMEOUT: Duration = Duration::from_mins(30);

/// How many messages a page has.
const PAGE: usize = 100;

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Search {
    pub(crate) messages: usize,
    /// The size of the database with all of them, in bytes.
    pub(crate) database: u64,
    pub(crate) words: Vec<Text>,
    /// Kilobytes of the server before the first search, and at most after the last one.
    pub(crate) memory_before: u64,
    pub(crate) memory_highest: u64,
}

/// One text that was looked for; times in milliseconds, the fastest of three.
#[derive(Debug, Serialize)]
pub(crate) struct Text {
    pub(crate) what: &'static str,
    pub(crate) found: usize,
    pub(crate) expected: usize,
    /// Until the first page with a message is there, and until nothing is left to look through.
    pub(crate) first_page: u128,
    pub(crate) all_pages: u128,
    /// Answers until then.
    pub(crate) pages: usize,
}

/// A page of messages.
#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
}

impl Measured for Search {
    fn text(&self) -> String {
        let rows = self.words.iter().map(|word| {
            let first = if word.found == 0 { "–".to_owned() } else { word.first_page.to_string() };
            // Of a text that is everywhere only the first page was asked for.
            let all =
                if word.pages == 1 && word.found > 0 { "–".to_owned() } else { word.all_pages.to_string() };
            format!("| {} | {} | {first} | {all} | {} |", word.what, word.found, word.pages)
        });
        format!(
            "## {} messages by their text\n\nAll were sent through `POST /send_text` before; the database has {} MB. \
             `GET /v1/messages?text=…`, whatever letters are large, newest first, a hundred on a page. Each answer looks through \
             a bounded number of messages and leads on. The server had {} MB before and {} MB at most.\n\n{}",
            self.messages,
            self.database / 1_000_000,
            megabytes(self.memory_before),
            megabytes(self.memory_highest),
            table("| the text is | found | first page, ms | all looked through, ms | answers |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let right = self.words.iter().all(|word| word.found == word.expected);
        let any = self.messages > 0 && !self.words.is_empty();
        vec![Goal::all("messages with the text that were found", right && any)]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Search> {
    let folders = Folders::fresh(&stage.work, "search")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    drop(library);
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;
    let each = stage.pace.searched.div_ceil(CALLERS);
    let stretch = Stretch {
        address: ours.contender.send_text,
        door: Door::SendText,
        headers: String::new(),
        callers: CALLERS,
        keep: true,
        lasts: TIMEOUT,
        at_most: each,
        label: "sought".to_owned(),
    };
    let sent = load::run(stretch, &chats).await?;
    if let Some(failure) = sent.first_failure {
        bail!("{} sends failed, first: {failure}", sent.failures);
    }
    let mut found = Search { messages: sent.claims.len(), ..Search::default() };
    drop(sent);
    let pid = ours.contender.program.pid();
    found.memory_before = usage::memory(pid)?.now;
    // The texts are those that callers write: one text of a caller in the middle of its turns is there once.
    let once = format!("Message sought-7-{}:", each / 2);
    for (what, text, expected) in [
        ("in each of them", "your PARCEL", found.messages),
        ("in one of them", once.as_str(), 1),
        ("in none of them", "no such words", 0),
    ] {
        found.words.push(look(ours.main, what, text, expected).await?);
    }
    found.memory_highest = usage::memory(pid)?.highest;
    ours.contender.program.stop().await?;
    found.database = std::fs::metadata(folders.data.join("switchboard.db"))?.len();
    world.stop().await?;
    Ok(found)
}

/// Looks for a text three times. Of one that is everywhere only the first page is wanted.
async fn look(main: SocketAddr, what: &'static str, text: &str, expected: usize) -> Result<Text> {
    let everywhere = expected > PAGE;
    let expected = expected.min(PAGE);
    let mut best: Option<Text> = None;
    for _ in 0..3 {
        let requested_at = Instant::now();
        let mut one = Text { what, found: 0, expected, first_page: 0, all_pages: 0, pages: 0 };
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/messages?limit={PAGE}&text={}{cursor}", escaped(text));
            let page: Page = http::get(main, &path, &authorization()).await?;
            one.pages += 1;
            if one.found == 0 && !page.items.is_empty() {
                one.first_page = requested_at.elapsed().as_millis();
            }
            one.found += page.items.len();
            match page.next_cursor {
                Some(next) if !everywhere => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
        one.all_pages = requested_at.elapsed().as_millis();
        if best.as_ref().is_none_or(|best| one.all_pages < best.all_pages) {
            best = Some(one);
        }
    }
    best.context("it was not looked for")
}

/// A text as a part of a query.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |escaped, byte| escaped + &format!("%{byte:02X}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn a_text_is_escaped_in_a_query() {
        assert_eq!(escaped("a b&"), "%61%20%62%26");
    }

    #[test]
    fn a_text_that_is_not_found_is_a_missed_goal() {
        let text =
            |found| Text { what: "a", found, expected: 1, first_page: 500, all_pages: 1_000, pages: 20 };
        let search = |found| Search { messages: 1, words: vec![text(found)], ..Search::default() };
        assert_missed(&search(1), 0);
        assert_missed(&search(0), 1);
        assert!(search(1).text().contains("| a | 1 | 500 | 1000 | 20 |"));
    }
}

//! The page on channels, typed as written: from a token to a customer who was answered.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::quick_start::Stranger;
use crate::readme::{Typed, commands, matches};
use crate::{binary, pages};

/// How long the customer's message may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The bot of the sandbox: its token, and where its provider answers.
fn bot(stranger: &Stranger) -> (String, String) {
    stranger.world.with_channels("http://127.0.0.1:9");
    let settings = fs::read_to_string(stranger.world.settings_file()).expect("the settings");
    let bot =
        settings.split("[[channels]]").find(|section| section.contains("name = \"bot\"")).expect("a bot");
    let word = |name: &str| {
        let line = bot.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
        line.and_then(|line| line.strip_suffix('"')).expect("a word").to_owned()
    };
    (word("token"), word("api"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_of_bots_leads_to_an_answered_customer() {
    let page = pages::page("docs/channels.md");
    let (_, after) = page.split_once("\n## A Telegram bot, from nothing\n").expect("the section");
    let mut stranger = Stranger::new().await;
    std::os::unix::fs::symlink(binary(), stranger.shell.bin().join("switchboard")).expect("linked");
    let (token, api) = bot(&stranger);
    stranger.shell.place(":5099", format!(":{}", stranger.port));
    for block in pages::blocks(after.split("\n## ").next().expect("its end")) {
        if block.language == "toml" {
            assert!(block.text.contains(":5099"), "{}", block.text);
            let text = stranger.shell.here(&block.text);
            fs::write(stranger.folder.join("switchboard.toml"), text).expect("written");
            continue;
        }
        for Typed { command, answer } in commands(&block.text) {
            if command.starts_with("export ") {
                stranger.shell.tell(&command.replace('…', &token));
                continue;
            }
            if command.starts_with("switchboard up ") {
                let key = stranger.starts(&command).await;
                stranger.shell.tell(&format!("export KEY={key}"));
                customer_writes(&stranger, &key).await;
                continue;
            }
            // The provider is on this machine, which the page's reader need not say.
            let is_added = command.starts_with("switchboard channel add ");
            let typed = if is_added { format!("{command} --set api={api}") } else { command.clone() };
            let (got, code, errors) = stranger.shell.runs(&typed).await;
            assert_eq!(code, Some(0), "{typed}\n{got}{errors}");
            assert!(matches(&answer, &got), "{typed}\nanswers\n{got}\nnot\n{answer}");
        }
    }
    let ledger = stranger.world.ledger().await;
    let sent: Vec<&Value> = ledger.iter().filter(|row| row["method"] == "sendMessage").collect();
    let [row] = sent.as_slice() else { panic!("{ledger:?}") };
    assert_eq!((&row["chat_id"], &row["text"]), (&json!("2001"), &json!("Yes, until 8 pm")), "{row}");
    stranger.world.assert_nothing_unknown().await;
}

/// The customer of the page writes, and it comes in.
async fn customer_writes(stranger: &Stranger, key: &str) {
    let deed = json!({"channel": "telegram", "from": "2001", "text": "Is it still there?"});
    stranger.world.post("/customers/messages", &deed).await;
    let since = Instant::now();
    loop {
        let (_, listed) = stranger.asks(key, "/v1/messages?direction=in&channel=telegram").await;
        if listed["items"].as_array().is_some_and(|items| items.len() == 1) {
            return;
        }
        assert!(since.elapsed() < TIMEOUT, "{listed}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

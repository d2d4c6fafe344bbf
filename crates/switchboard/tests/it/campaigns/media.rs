//! Messages with files: named in a list, kept by the campaign, sent once to each chat over a kill.

use serde_json::{Value, json};
use testkit::{PDF, PNG, Start, World};

use super::{attempts, is, reasons, start};
use crate::binary;
use crate::shell::cli::{cli, running};

const SEND_MEDIA: &str = "messages.sendMedia";

/// How many files are in the folder of outgoing files.
fn files_waiting(world: &World) -> usize {
    std::fs::read_dir(world.data_dir("data").join("outgoing")).expect("reads").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_a_file_reaches_each_chat_once() {
    const CLIENTS: usize = 8;
    let world = World::start(binary()).await;
    let mut program = running(&world, &["fifth"]).await;
    for (name, bytes) in [("price.pdf", PDF), ("photo.png", PNG)] {
        std::fs::write(world.data_dir("data").join("media").join(name), bytes).expect("writes");
    }
    super::made(&program, &["fifth"], CLIENTS, json!({"delay_seconds": 0})).await;
    let file = world.data_dir("").join("messages.json");
    let list = json!([
        {"text": "Our prices", "media": "price.pdf"},
        {"text": "No file", "media": "missing.pdf"},
        {"text": "No media", "media": 5},
    ]);
    std::fs::write(&file, list.to_string()).expect("writes");
    let import = |rest: &[&str]| {
        let file = file.to_str().expect("UTF-8");
        cli(&world, &[&["campaign", "import-messages", file, "--group", "spring", "--json"], rest].concat())
    };
    let dry = import(&["--dry-run"]).run().json();
    assert_eq!((&dry["added"], &dry["wrong"][0]["line"]), (&json!(2), &json!(3)), "{dry}");
    assert_eq!(dry["previews"][0]["media"][0]["name"], "price.pdf", "{dry}");
    assert_eq!(files_waiting(&world), 0);
    let added = import(&[]).run().json();
    assert_eq!((&added["added"], &added["wrong_count"]), (&json!(1), &json!(2)), "{added}");
    assert!(added["wrong"][0]["message"].as_str().is_some_and(|why| why.contains("media[0]")), "{added}");
    std::fs::write(&file, r#"[{"text": "Our prices", "media": "price.pdf"}]"#).expect("writes");
    cli(&world, &["campaign", "sync", "spring", "--from", file.to_str().expect("UTF-8")]).fine();
    let messages = program.get("/v1/campaigns/spring/messages").await.1;
    let with_file = messages["items"].as_array().expect("items").iter().find(|one| one["active"] == true);
    assert_eq!(with_file.expect("a message")["media"], json!([{"name": "price.pdf", "kind": "document"}]));

    start(&program).await;
    program.until("some are sent", || async { world.effects(SEND_MEDIA).await.len() >= 3 }).await;
    program.kill();
    program = Start::on(&world, binary(), "data").ready().await;
    is(&program, "done").await;
    let rows = world.effects(SEND_MEDIA).await;
    let mut chats: Vec<_> = rows.iter().map(|row| row["chat_id"].to_string()).collect();
    chats.sort();
    chats.dedup();
    assert_eq!((rows.len(), chats.len()), (CLIENTS, CLIENTS), "{rows:?}");
    let is_right = |row: &Value| row["text"] == "Our prices" && row["media"]["file_name"] == "price.pdf";
    assert!(rows.iter().all(is_right), "{rows:?}");
    assert_eq!(reasons(&attempts(&program).await, "sent").len(), CLIENTS);
    world.assert_nothing_unknown().await;
}

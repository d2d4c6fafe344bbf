//! SIGKILL in the middle of an album: it leaves once, as one album, with the same files.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::Start;

use super::stage;
use crate::binary;

/// Where the program is killed.
const POINTS: [&str; 6] = [
    "store.accept.after",
    "store.begin.before",
    "store.begin.after",
    "telegram.send.before",
    "telegram.send.after",
    "store.part_sent.before",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_album_leaves_once_wherever_the_program_is_killed() {
    for point in POINTS {
        let (world, mut program, hoster) = stage().await;
        let group = world.chat_titled("Demo supergroup").await;
        program.has_read_dialogs("main").await;
        program.arm(point, 0).await;
        let body = json!({
            "chat": group, "text": "the album",
            "media": [{ "path": "photo.png" }, { "url": hoster.url("/photo.png") }, { "path": "photo.png" }],
        });
        let ask = |program: &testkit::Program| {
            let request = program.request("POST", "/v1/messages").header("content-type", "application/json");
            request
                .header("idempotency-key", "album-1")
                .timeout(Duration::from_secs(20))
                .body(body.to_string())
                .send()
        };
        let asking = tokio::spawn(ask(&program));
        program.until(point, || program.stopped_at(point)).await;
        program.kill();
        asking.abort();

        let program = Start::on(&world, binary(), "data").ready().await;
        // A caller that never had its answer asks again.
        let answer = ask(&program).await.expect("an answer");
        let status = answer.status().as_u16();
        let sent: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
        assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{point}: {sent}");
        let rows = world.effects("messages.sendMultiMedia").await;
        assert_eq!(rows.len(), 3, "{point}: {rows:?}");
        let album = &rows[0]["media"]["grouped_id"];
        assert!(
            album.is_i64() && rows.iter().all(|row| row["media"]["grouped_id"] == *album),
            "{point}: {rows:?}"
        );
        let ids: Vec<_> = rows.iter().map(|row| row["message_id"].clone()).collect();
        assert_eq!(sent["message_ids"], json!(ids), "{point}: {sent}");
        let left = std::fs::read_dir(world.data_dir("data").join("outgoing")).expect("reads").count();
        assert_eq!(left, 3, "{point}: files of one message");
    }
}

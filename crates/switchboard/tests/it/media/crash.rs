//! SIGKILL in the middle of an album: it leaves once, as one album, with the same files.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::Start;

use super::{files_waiting, stage};
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
                .timeout(Duration::from_mins(1))
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
        program.until("its files are removed", || async { files_waiting(&world) == 0 }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_whose_removal_a_crash_prevented_are_swept() {
    let (world, mut program, _hoster) = stage().await;
    let group = world.chat_titled("Demo supergroup").await;
    program.has_read_dialogs("main").await;
    // The store has the message as sent, and no one was notified.
    let point = "store.part_sent.after";
    program.arm(point, 0).await;
    let body = json!({
        "chat": group, "wait": 0, "media": [{ "path": "photo.png" }, { "path": "photo.png" }],
    });
    let (status, accepted) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 202, "{accepted}");
    program.until(point, || program.stopped_at(point)).await;
    program.kill();

    let program = Start::on(&world, binary(), "data").ready().await;
    let path = format!("/v1/messages/{}", accepted["id"].as_str().expect("an id"));
    assert_eq!(program.get(&path).await.1["state"], "sent");
    program.advance(Duration::from_mins(20)).await;
    assert_eq!(files_waiting(&world), 2, "they are young");
    program.advance(Duration::from_mins(50)).await;
    program.until("they are swept", || async { files_waiting(&world) == 0 }).await;
}

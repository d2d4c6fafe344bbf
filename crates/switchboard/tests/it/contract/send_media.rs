//! `POST /send_media`: files as another client sees them, repeats, and what is told when nothing can be sent.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{PDF, PNG};

use super::python::seen;
use super::stage::{MEDIA, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn an_album_as_another_client_sees_it() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    let body = json!({
        "user_id": group, "caption": "Dear <b>client</b>",
        "files": [stage.hoster.url("/photo.png"), { "path": "photo.png" }],
    });
    let album = stage.send_media(&body).await;
    album.must_be(
        200,
        &json!({ "status": "ok", "recipient": group, "message_ids": ["<positive>", "<positive>"], "count": 2 }),
    );
    let files = json!({ "user_id": group, "files": [{ "url": stage.hoster.url("/price.pdf"), "filename": "список.pdf" }] });
    let document = stage.send_media(&files).await.json();

    let seen = seen(&stage, "main", &group).await;
    let shown = |id: &Value| -> Value {
        let messages = seen["messages"].as_array().expect("messages");
        messages.iter().find(|one| one["id"] == *id).cloned().unwrap_or_else(|| panic!("no {id}: {seen}"))
    };
    let ids = album.json()["message_ids"].clone();
    let (first, second) = (shown(&ids[0]), shown(&ids[1]));
    assert_eq!((&first["text"], &second["text"]), (&json!("Dear client"), &json!("")), "{seen}");
    assert_eq!(first["entities"][0]["kind"], "Bold");
    assert!(first["album"].is_i64() && first["album"] == second["album"], "{seen}");
    assert_eq!((&first["file"]["kind"], &second["file"]["kind"]), (&json!("photo"), &json!("photo")));
    let pdf = shown(&document["message_ids"][0]);
    let expected =
        json!({ "kind": "document", "name": "список.pdf", "type": "application/pdf", "size": PDF.len() });
    assert_eq!(pdf["file"], expected, "{seen}");
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn films_as_another_client_sees_them() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    let films = json!(["film.mp4", "film.mov", { "file": "film.mp4", "filename": "kept.mp4", "supports_streaming": false }]);
    let sent = stage.send_media(&json!({ "user_id": group, "files": films })).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let seen = seen(&stage, "main", &group).await;
    let messages = seen["messages"].as_array().expect("messages");
    let shown = |name: &str| {
        let file = messages.iter().map(|one| &one["file"]).find(|file| file["name"] == name);
        file.cloned().unwrap_or_else(|| panic!("no {name}: {seen}"))
    };
    for (name, kind, streams) in [
        ("film.mp4", "video/mp4", true),
        ("film.mov", "video/quicktime", true),
        ("kept.mp4", "video/mp4", false),
    ] {
        let film = shown(name);
        assert_eq!(
            (&film["kind"], &film["type"], &film["streams"]),
            (&json!("video"), &json!(kind), &json!(streams))
        );
        assert_eq!(
            (&film["width"], &film["height"], &film["seconds"]),
            (&json!(640), &json!(360), &json!(2.5))
        );
    }
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_post_is_sent_again() {
    let stage = Stage::plain().await;
    let posted =
        stage.send_media(&json!({ "username": "demo_channel", "files": ["photo.png"] })).await.json();
    let link = format!("https://t.me/demo_channel/{}", posted["message_ids"][0]);
    let sent =
        stage.send_media(&json!({ "username": "client_3", "files": [link], "caption": "again" })).await;
    sent.must_be(
        200,
        &json!({ "status": "ok", "recipient": "client_3", "message_ids": ["<positive>"], "count": 1 }),
    );
    let rows = stage.world.effects("messages.sendMedia").await;
    let file = |row: &Value| row["media"]["file_id"].clone();
    assert_eq!((rows.len(), file(&rows[0])), (2, file(&rows[1])), "{rows:?}");
    let none = stage
        .send_media(&json!({ "username": "client_3", "files": ["https://t.me/demo_channel/99999"] }))
        .await;
    none.must_be(500, &json!({ "status": "error", "error": "<text>" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_is_brought_up_once_and_the_same_key_sends_once() {
    let stage = Stage::plain().await;
    let body = json!({ "username": "@client_3", "files": ["photo.png"] });
    let keyed = || stage.call(MEDIA, "/send_media", &body).header("Idempotency-Key", "files-1").send();
    let (first, again) = (keyed().await, keyed().await);
    assert_eq!((first.status, again.status), (200, 200), "{}", first.text);
    assert!(again.is_replay() && again.text == first.text);
    stage.send_media(&body).await.must_be(
        200,
        &json!({ "status": "ok", "recipient": "@client_3", "message_ids": ["<positive>"], "count": 1 }),
    );
    assert_eq!(stage.world.effects("messages.sendMedia").await.len(), 2);
    assert_eq!(stage.world.calls("upload.saveFilePart").await, 1, "{} bytes", PNG.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_and_chats_that_were_left() {
    let stage = Stage::plain().await;
    let chat = stage.made("To be left", &["@client_5"]).await;
    let body = json!({ "user_id": chat, "files": ["photo.png"] });
    let flood = json!({ "method": "messages.sendMedia", "seconds": 3000 });
    stage.world.fault("flood_wait", flood).await;
    let flooded = stage.hurrying(Duration::from_secs(1), stage.send_media(&body)).await;
    flooded.must_be(429, &json!({ "status": "error", "error": "FloodWait", "retry_after": "<positive>" }));
    assert!(stage.world.effects("messages.sendMedia").await.is_empty());
    stage.leave(&json!({ "chat": chat })).await;
    let skipped = stage.send_media(&json!({ "user_id": chat })).await;
    skipped.must_be(200, &json!({ "status": "skipped", "reason": "chat already left" }));
}

//! `POST /send_media`: files as another client sees them, repeats, and what is answered when nothing can be sent.

use serde_json::{Value, json};
use testkit::PDF;

use super::stage::Stage;
use crate::python::telethon_view;

#[tokio::test(flavor = "multi_thread")]
async fn an_album_is_shown_whole_to_another_client() {
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

    let seen = telethon_view(&stage.world, "main", &group).await;
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
async fn films_are_shown_as_videos_to_another_client() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    let films = json!(["film.mp4", "film.mov", { "file": "film.mp4", "filename": "kept.mp4", "supports_streaming": false }]);
    let sent = stage.send_media(&json!({ "user_id": group, "files": films })).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let seen = telethon_view(&stage.world, "main", &group).await;
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

//! Each kind of file arrives as what it is, with what its content says about it.

use serde_json::{Value, json};
use testkit::{PDF, PNG, films};

use super::{stage, upload};

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_arrives_as_what_it_is() {
    let (world, program, _hoster) = stage().await;
    let film = films::film(b"isom", true);
    let silent = films::film(b"isom", false);
    let recording = films::recording();
    let (wide, long) = (json!([640, 360]), json!(2_500));
    // What is sent and as what; what arrives, its type, how large its picture is, how long it is, whether it streams.
    for (name, bytes, wish, kind, mime, sides, took, streams) in [
        ("a.png", PNG, "auto", "photo", "image/png", json!([4, 3]), Value::Null, Value::Null),
        ("a.mp4", &film, "auto", "video", "video/mp4", wide.clone(), long.clone(), json!(true)),
        (
            "a.mov",
            &films::film(b"qt  ", true),
            "auto",
            "video",
            "video/quicktime",
            wide.clone(),
            long.clone(),
            json!(true),
        ),
        ("a.mkv", films::MATROSKA, "auto", "video", "video/x-matroska", json!([0, 0]), json!(0), json!(true)),
        ("silent.mp4", &silent, "auto", "video", "video/mp4", wide.clone(), long.clone(), json!(true)),
        ("silent.mp4", &silent, "animation", "animation", "video/mp4", wide, long, json!(true)),
        ("a.gif", films::GIF, "auto", "animation", "image/gif", json!([320, 200]), Value::Null, Value::Null),
        ("a.ogg", &recording, "auto", "voice", "audio/ogg", json!([null, null]), json!(3_000), Value::Null),
        ("b.mp3", films::MP3, "voice", "voice", "audio/mpeg", json!([null, null]), json!(0), Value::Null),
        ("c.mp3", films::MP3, "auto", "audio", "audio/mpeg", json!([null, null]), json!(0), Value::Null),
        ("a.pdf", PDF, "auto", "document", "application/pdf", json!([null, null]), Value::Null, Value::Null),
        (
            "film.mp4",
            &film,
            "document",
            "document",
            "video/mp4",
            json!([null, null]),
            Value::Null,
            Value::Null,
        ),
    ] {
        let upload = upload(&program, name, bytes.to_vec()).await;
        let body = json!({ "chat": "@client_1", "media": [{ "upload": upload, "as": wish }] });
        let (status, sent) = program.post("/v1/messages", &body).await;
        assert_eq!((status, &sent["media"][0]["kind"]), (200, &json!(kind)), "{name} as {wish}: {sent}");
        let rows = world.effects("messages.sendMedia").await;
        let media = &rows.last().expect("it arrived")["media"];
        assert_eq!((&media["kind"], &media["mime_type"]), (&json!(kind), &json!(mime)), "{name} as {wish}");
        assert_eq!(json!([media["width"], media["height"]]), sides, "{name} as {wish}: {media}");
        assert_eq!(
            (&media["duration_ms"], &media["supports_streaming"]),
            (&took, &streams),
            "{name} as {wish}: {media}"
        );
        assert_eq!(media["size"], bytes.len(), "{name} as {wish}");
        // Telegram shows the names of files, and none of photos and voices.
        if !["photo", "voice"].contains(&kind) {
            assert_eq!(media["file_name"], name, "{media}");
        }
    }
    world.assert_nothing_unknown().await;
}

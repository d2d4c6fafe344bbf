//! Files through the whole program: in from wherever they are named, out as albums, back again, and through crashes.

mod addresses;
mod crash;
mod kinds;
mod names;
mod received;
mod received_ids;
mod sizes;
#[cfg(target_os = "linux")]
mod weight;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Hoster, PDF, PNG, Program, Start, World};

use crate::binary;

/// A world whose program may fetch from this machine, with files in its media folder.
async fn stage() -> (World, Program, Hoster) {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("media.allow_private = [\"127.0.0.1/32\"]\n{text}"));
    let program = Start::on(&world, binary(), "data").ready().await;
    for (name, bytes) in [("photo.png", PNG), ("price.pdf", PDF)] {
        std::fs::write(world.data_dir("data").join("media").join(name), bytes).expect("writes");
    }
    (world, program, Hoster::start().await)
}

/// `POST /v1/uploads`: the id.
async fn upload(program: &Program, name: &str, bytes: Vec<u8>) -> Value {
    let request = program.request("POST", &format!("/v1/uploads?filename={name}"));
    let answer = request.body(bytes).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 201);
    let upload: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    upload["id"].clone()
}

/// How many files are in the folder of outgoing files.
fn files_waiting(world: &World) -> usize {
    std::fs::read_dir(world.data_dir("data").join("outgoing")).expect("reads").count()
}

/// The bytes at a path, all of them or a range, and the status.
async fn bytes(program: &Program, path: &str, range: Option<&str>) -> (u16, Vec<u8>) {
    let request = program.request("GET", path);
    let request = match range {
        Some(range) => request.header("range", range),
        None => request,
    };
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.bytes().await.expect("a body").to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_is_sent_from_address_upload_path_and_post() {
    let (world, program, hoster) = stage().await;
    let group = world.chat_titled("Demo supergroup").await;
    let posted = json!({ "chat": "@demo_channel", "media": [{ "path": "price.pdf" }] });
    let (status, posted) = program.post("/v1/messages", &posted).await;
    assert_eq!(status, 200, "{posted}");
    let upload = upload(&program, "scan.png", PNG.to_vec()).await;
    let body = json!({
        "chat": group, "text": "<b>all</b> of them", "parse_mode": "html", "silent": true,
        "media": [
            { "url": hoster.url("/photo.png") }, { "upload": upload }, { "path": "photo.png" },
            { "post": format!("https://t.me/demo_channel/{}", posted["message_ids"][0]) },
        ],
    });
    let (status, sent) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!(sent["message_ids"].as_array().map(Vec::len), Some(4), "{sent}");
    let rows = world.ledger().await;
    let rows: Vec<&Value> = rows.iter().filter(|row| row["chat_id"] == group.as_str()).collect();
    let methods: Vec<_> = rows.iter().map(|row| row["method"].as_str().expect("a method")).collect();
    assert_eq!(methods[..3], ["messages.sendMultiMedia"; 3], "{rows:?}");
    assert_eq!((methods.len(), rows[0]["text"].as_str()), (4, Some("all of them")), "{rows:?}");
    let albums: Vec<_> = rows[..3].iter().map(|row| &row["media"]["grouped_id"]).collect();
    assert!(albums[0].is_i64() && albums.iter().all(|album| *album == albums[0]), "{rows:?}");
    assert_eq!(rows[3]["media"]["mime_type"], "application/pdf", "{rows:?}");
    let ids: Vec<_> = rows.iter().map(|row| row["message_id"].clone()).collect();
    assert_eq!(sent["message_ids"], json!(ids));

    // What was sent is read back: from here, and the post's file from Telegram.
    assert_eq!(
        bytes(&program, sent["media"][1]["url"].as_str().expect("a path"), None).await,
        (200, PNG.to_vec())
    );
    let post = sent["media"][3]["url"].as_str().expect("a path");
    assert_eq!(bytes(&program, post, None).await, (200, PDF.to_vec()));
    assert_eq!(bytes(&program, post, Some("bytes=1-3")).await, (206, b"PDF".to_vec()));
    assert_eq!(bytes(&program, post, Some("bytes=-4")).await, (206, b"demo".to_vec()));
    assert_eq!(bytes(&program, post, Some("bytes=999-")).await.0, 416);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_media_folder_that_would_give_away_secrets_is_refused() {
    for folder in [".", "..", "outgoing", "uploads/a"] {
        let world = World::start(binary()).await;
        world.edit_settings(|text| format!("media.folder = \"{folder}\"\n{text}"));
        let (code, output) = Start::on(&world, binary(), "data").refused().await;
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains("`media.folder`") && output.contains("folder = \"media\""), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_files_are_removed_and_read_from_telegram() {
    let (world, program, _hoster) = stage().await;
    let group = world.chat_titled("Demo supergroup").await;
    let later = json!({ "chat": group, "media": [{ "path": "photo.png" }], "wait": 0,
        "send_at": ambient::Clock::system().now().plus(Duration::from_hours(240)).to_string() });
    let (status, waiting) = program.post("/v1/messages", &later).await;
    assert_eq!(status, 202, "{waiting}");
    let cancelled = json!({ "chat": group, "media": [{ "path": "photo.png" }], "wait": 0,
        "send_at": ambient::Clock::system().now().plus(Duration::from_hours(2)).to_string() });
    let (status, cancelled) = program.post("/v1/messages", &cancelled).await;
    assert_eq!(status, 202, "{cancelled}");
    let path = format!("/v1/messages/{}/cancel", cancelled["id"].as_str().expect("an id"));
    assert_eq!(program.post(&path, &json!({})).await.0, 200);
    let body = json!({ "chat": group, "media": [{ "path": "price.pdf" }, { "path": "photo.png" }] });
    let (status, sent) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 200, "{sent}");
    let count = || files_waiting(&world);
    program.until("what was sent is removed", || async { count() == 2 }).await;
    program.advance(Duration::from_hours(2)).await;
    program.advance(Duration::from_hours(2)).await;
    assert_eq!(count(), 2, "what waits and what can be tried again keeps its file");
    let stored = |message: &Value| {
        let path = format!("/v1/messages/{}", message["id"].as_str().expect("an id"));
        let program = &program;
        async move { program.get(&path).await.1["media"][0]["stored"].clone() }
    };
    assert_eq!((stored(&sent).await, stored(&waiting).await), (json!(false), json!(true)));
    let url = sent["media"][0]["url"].as_str().expect("a path");
    // Four hours went by at once: a line that missed its probe may be connecting.
    let read = || async { bytes(&program, url, None).await == (200, PDF.to_vec()) };
    program.until("it is read from Telegram", read).await;
}

//! `POST /send_media` with file ids, as callers of the old gateway have kept them: sent again, or gone for good.

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use testkit::FileId;

use super::stage::Stage;

/// The Bot API's number for photos, and the one for files.
const PHOTO: u32 = 2;
const DOCUMENT: u32 = 5;

/// A file that was sent to a client, and the id that a library makes of what Telegram sent the account.
pub(super) struct SentFile {
    pub(super) file_id: String,
    /// The world's own number of the file.
    pub(super) number: i64,
}

/// Sends a photo and a document of the media folder to a client, and returns the id of each.
pub(super) async fn sent_files(stage: &Stage, client: &str) -> [SentFile; 2] {
    let mut known = Vec::new();
    for (file, kind) in [("photo.png", PHOTO), ("price.pdf", DOCUMENT)] {
        let sent = stage.send_media(&json!({ "username": client, "files": [file] })).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        let rows = stage.world.effects("messages.sendMedia").await;
        let row = rows.last().expect("it arrived");
        let number = row["media"]["file_id"].as_i64().expect("a number");
        known.push(SentFile { file_id: written(stage, row, kind), number });
    }
    known.try_into().ok().expect("two")
}

/// The id of the file that was sent last, from what the program keeps of Telegram's answer.
fn written(stage: &Stage, row: &Value, kind: u32) -> String {
    let store = stage.world.data_dir("data").join("switchboard.db");
    let store = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    let query = "SELECT file_id, access_hash, file_reference FROM telegram_file_references
        WHERE account = ?1 AND kind = ?2 ORDER BY saved_at DESC";
    let kept = (row["account"].as_str(), if kind == PHOTO { "photo" } else { "document" });
    let reference = store.query_row(query, kept, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    let (id, access_hash, file_reference) = reference.expect("it is kept");
    FileId { kind, dc_id: 2, id, access_hash, file_reference: &file_reference }.today()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_id_sends_the_same_file_and_brings_nothing_up() {
    let stage = Stage::plain().await;
    let known = sent_files(&stage, "client_3").await;
    let parts = stage.world.calls("upload.saveFilePart").await;
    assert_eq!(parts, 2);
    for (SentFile { file_id, number }, kind) in known.iter().zip(["photo", "document"]) {
        // As a bare text, and as an object with what such a file cannot have.
        let described = json!({ "file": file_id, "filename": "another.bin", "force_document": true });
        for file in [json!(file_id), described] {
            let body = json!({ "username": "client_3", "files": [file], "caption": "<b>once</b> more" });
            stage.send_media(&body).await.must_be(
                200,
                &json!({ "status": "ok", "recipient": "client_3", "message_ids": ["<positive>"], "count": 1 }),
            );
            let rows = stage.world.effects("messages.sendMedia").await;
            let row = rows.last().expect("it arrived");
            assert_eq!((&row["media"]["kind"], &row["media"]["file_id"]), (&json!(kind), &json!(number)));
            assert_eq!(row["text"], "once more", "{row}");
        }
    }
    let both: Vec<&str> = known.iter().map(|one| one.file_id.as_str()).collect();
    let sent = stage.send_media(&json!({ "username": "client_3", "files": both })).await;
    assert_eq!((sent.status, &sent.json()["count"]), (200, &json!(2)), "{}", sent.text);
    let rows = stage.world.effects("messages.sendMedia").await;
    let last: Vec<_> = rows[rows.len() - 2..].iter().map(|row| row["media"]["file_id"].as_i64()).collect();
    assert_eq!(last, known.map(|one| Some(one.number)), "in their order");
    assert_eq!(stage.world.calls("upload.saveFilePart").await, parts, "nothing is brought up");
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_file_id_is_gone_and_nothing_is_sent_later() {
    let stage = Stage::plain().await;
    let [photo, document] = sent_files(&stage, "client_3").await;
    let body = |file_id: &str| json!({ "username": "client_3", "files": [file_id] });
    let gone = json!({ "status": "error", "error": "<contains FILE_REFERENCE_EXPIRED & take a newer id>" });
    let sent = stage.world.effects("messages.sendMedia").await.len();
    // Once Telegram says so by an order from outside; then all that it has sent before is too old.
    let expired = json!({ "method": "messages.sendMedia", "code": 400, "message": "FILE_REFERENCE_EXPIRED", "times": 1 });
    stage.world.fault("rpc_error", expired).await;
    stage.send_media(&body(&photo.file_id)).await.must_be(410, &gone);
    stage.send_media(&body(&photo.file_id)).await.must_be(
        200,
        &json!({ "status": "ok", "recipient": "client_3", "message_ids": ["<positive>"], "count": 1 }),
    );
    stage.world.expire_files().await;
    for SentFile { file_id, .. } in [&photo, &document] {
        stage.send_media(&body(file_id)).await.must_be(410, &gone);
    }
    // Such an answer is final, and costs the account nothing.
    assert_eq!(
        stage.send_media(&json!({ "username": "client_3", "files": ["photo.png"] })).await.status,
        200
    );
    assert_eq!(stage.world.effects("messages.sendMedia").await.len(), sent + 2);
    stage.all_ready().await;
}

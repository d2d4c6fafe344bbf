//! `POST /send_media`, as far as this version goes: nothing is ever sent, and a repeat is no replay.

use serde_json::json;

use super::stage::{MEDIA, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_kept_under_a_key() {
    let stage = Stage::plain().await;
    let body = json!({ "username": "@client_3", "files": ["https://example.com/a.jpg"] });
    for _ in 0..2 {
        let reply = stage.call(MEDIA, "/send_media", &body).header("Idempotency-Key", "files-1").send().await;
        reply.must_be(503, &json!({ "status": "error", "error": "<contains nothing was sent>" }));
        assert!(!reply.is_replay());
    }
    let shown = body.to_string();
    let other = stage.call(MEDIA, "/send_media", &json!({ "username": "@client_3" }));
    other
        .header("Idempotency-Key", "files-1")
        .send()
        .await
        .must_be(400, &json!({ "status": "error", "error": "files must be a non-empty list" }));
    assert!(stage.world.ledger().await.is_empty(), "{shown}");
}

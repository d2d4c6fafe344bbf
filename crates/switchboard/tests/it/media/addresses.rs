//! Addresses that keep a call waiting, with the program's default bounds.

use std::time::Duration;

use serde_json::{Value, json};

use super::{files_waiting, stage};

#[tokio::test(flavor = "multi_thread")]
async fn silent_or_endless_address_leaves_nothing() {
    let (world, program, hoster) = stage().await;
    for (path, expected) in [
        // Nothing comes, and the server's time is over; a byte now and then, and the call's is.
        ("/silent", "20 s"),
        ("/dripping", "within 100 s"),
    ] {
        let body = json!({
            "chat": "@client_1", "text": "never", "media": [{ "path": "photo.png" }, { "url": hoster.url(path) }],
        });
        let requests = hoster.asked();
        let asking = program.post("/v1/messages", &body);
        let (status, refused) = program.as_time_goes_by(Duration::from_secs(1), asking).await;
        assert_eq!((status, &refused["code"]), (422, &json!("media_unreachable")), "{path}: {refused}");
        assert_eq!(refused["errors"][0]["field"], "media[1].url", "{path}: {refused}");
        let message = refused["errors"][0]["message"].as_str().expect("words");
        assert!(message.contains(expected), "{path}: {refused}");
        assert_eq!(hoster.asked(), requests + 1, "{path}");
        program.until("nothing is left of it", || async { files_waiting(&world) == 0 }).await;
    }
    let (_, messages) = program.get("/v1/messages").await;
    assert_eq!((&messages["items"], world.ledger().await), (&json!([]), Vec::<Value>::new()));
}

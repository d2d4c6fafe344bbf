//! `POST /send_media`: addresses that never end.

use std::time::Duration;

use serde_json::json;

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn silent_or_endless_address_leaves_nothing() {
    let stage = Stage::plain().await;
    let outgoing = stage.world.data_dir("data").join("outgoing");
    for (path, expected) in [
        // Nothing comes, and the server's time is over; a byte now and then, and the caller's is.
        ("/silent", "<contains files[1]: & 20 s & nothing was sent>"),
        ("/dripping", "<contains did not arrive within 100 s & nothing was sent>"),
    ] {
        let files = json!(["photo.png", stage.hoster.url(path)]);
        let requests = stage.hoster.asked();
        let body = json!({ "username": "client_3", "files": files });
        let asking = stage.send_media(&body);
        let refused = stage.program.as_time_goes_by(Duration::from_secs(1), asking).await;
        refused.must_be(500, &json!({ "status": "error", "error": expected }));
        assert_eq!(stage.hoster.asked(), requests + 1, "{path}");
        let left = || async { std::fs::read_dir(&outgoing).expect("reads").count() == 0 };
        stage.program.until("nothing is left of it", left).await;
    }
    assert!(stage.world.effects("messages.sendMedia").await.is_empty());
}

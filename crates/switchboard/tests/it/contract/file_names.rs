//! `POST /send_media`: names of files with letters that nobody sees, and addresses that never end.

use std::time::Duration;

use serde_json::json;

use super::stage::Stage;

/// A line break and a mark that turns the direction of writing, in percents.
const TRICKS: &str = "a%0D%0Ab%E2%80%AE.pdf";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_reaches_telegram_without_what_nobody_sees() {
    let stage = Stage::plain().await;
    let told = json!({ "file": "price.pdf", "filename": "a\r\nb\u{202e}.pdf" });
    let named = json!(stage.hoster.url(&format!("/named/{TRICKS}")));
    let said = json!(stage.hoster.url(&format!("/said/{TRICKS}")));
    for file in [told, named, said] {
        let sent = stage.send_media(&json!({ "username": "client_3", "files": [file] })).await;
        assert_eq!(sent.status, 200, "{file}: {}", sent.text);
        let rows = stage.world.effects("messages.sendMedia").await;
        let media = &rows.last().expect("it arrived")["media"];
        assert_eq!((&media["kind"], &media["file_name"]), (&json!("document"), &json!("ab.pdf")), "{file}");
    }
    // Of a name that is nothing else, what the file is remains.
    let empty = json!({ "file": "price.pdf", "filename": "\r\n\u{202e}" });
    let sent = stage.send_media(&json!({ "username": "client_3", "files": [empty] })).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let rows = stage.world.effects("messages.sendMedia").await;
    assert_eq!(rows.last().expect("it arrived")["media"]["file_name"], "document.pdf");
    assert_eq!(rows.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_or_endless_address_leaves_nothing() {
    let stage = Stage::plain().await;
    let outgoing = stage.world.data_dir("data").join("outgoing");
    for (path, said) in [
        // Nothing comes, and the server's time is over; a byte now and then, and the caller's is.
        ("/silent", "<contains files[1]: & 20 s & nothing was sent>"),
        ("/dripping", "<contains did not arrive within 100 s & nothing was sent>"),
    ] {
        let files = json!(["photo.png", stage.hoster.url(path)]);
        let asked = stage.hoster.asked();
        let body = json!({ "username": "client_3", "files": files });
        let asking = stage.send_media(&body);
        let refused = stage.program.as_time_goes_by(Duration::from_secs(1), asking).await;
        refused.must_be(500, &json!({ "status": "error", "error": said }));
        assert_eq!(stage.hoster.asked(), asked + 1, "{path}");
        let left = || async { std::fs::read_dir(&outgoing).expect("reads").count() == 0 };
        stage.program.until("nothing is left of it", left).await;
    }
    assert!(stage.world.effects("messages.sendMedia").await.is_empty());
}

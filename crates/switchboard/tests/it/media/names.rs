//! Names of files with invisible letters: what reaches Telegram, and what people are shown, is without them.

use serde_json::json;
use testkit::PDF;

use super::stage;

/// A line break and a mark that turns the direction of writing, in percents.
const TRICKS: &str = "a%0D%0Ab%E2%80%AE.pdf";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_reaches_telegram_without_what_no_one_sees() {
    let (world, program, hoster) = stage().await;
    let request = program.request("POST", &format!("/v1/uploads?filename={TRICKS}"));
    let answer = request.body(PDF.to_vec()).send().await.expect("an answer");
    let uploaded: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(uploaded["name"], "ab.pdf", "{uploaded}");
    let filename = "a\r\nb\u{202e}.pdf";
    for media in [
        json!({ "path": "price.pdf", "filename": filename }),
        json!({ "url": hoster.url("/price.pdf"), "filename": filename }),
        json!({ "url": hoster.url(&format!("/named/{TRICKS}")) }),
        json!({ "url": hoster.url(&format!("/said/{TRICKS}")) }),
        json!({ "upload": uploaded["id"] }),
        json!({ "upload": uploaded["id"], "filename": "\u{7}a\tb.pdf\n" }),
    ] {
        let (status, sent) =
            program.post("/v1/messages", &json!({ "chat": "@client_1", "media": [media] })).await;
        assert_eq!((status, &sent["media"][0]["name"]), (200, &json!("ab.pdf")), "{media}: {sent}");
        let rows = world.effects("messages.sendMedia").await;
        let arrived = &rows.last().expect("it arrived")["media"];
        assert_eq!(
            (&arrived["kind"], &arrived["file_name"]),
            (&json!("document"), &json!("ab.pdf")),
            "{media}"
        );
    }
    assert_eq!(world.effects("messages.sendMedia").await.len(), 6);
    world.assert_nothing_unknown().await;
}

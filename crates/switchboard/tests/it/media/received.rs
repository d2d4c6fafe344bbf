//! What others send: listed in the history, and read in whole and in part, in whichever data centre it is stored.

use serde_json::json;

use super::{bytes, stage};

/// The bytes of which a file is made, again and again, and how many it has: more than one piece.
const PIECE: &[u8] = b"What the customer sent. ";
const SIZE: usize = 700_001;

#[tokio::test(flavor = "multi_thread")]
async fn received_files_are_listed_and_read_in_any_data_centre() {
    let (world, program, _hoster) = stage().await;
    program.has_read_dialogs("main").await;
    let whole: Vec<u8> = PIECE.iter().copied().cycle().take(SIZE).collect();
    // It is stored where the account lives; in another data centre; and elsewhere than the message says.
    for (name, dc_id, stated) in [("near.bin", 2, 2), ("far.bin", 4, 4), ("moved.bin", 4, 2)] {
        let file = json!({
            "kind": "document", "content": "V2hhdCB0aGUgY3VzdG9tZXIgc2VudC4g", "size": SIZE,
            "file_name": name, "mime_type": "text/plain", "dc_id": dc_id, "said_dc_id": stated,
        });
        let order = json!({ "from": "@client_1", "chat": "main", "text": "see here", "media": [file] });
        let written = world.post("/telegram/messages", &order).await;
        let (status, history) = program.get("/v1/chats/@client_1/history?limit=5&account=main").await;
        assert_eq!(status, 200, "{history}");
        let mut items = history["items"].as_array().expect("items").iter();
        let item = items.find(|item| item["message_id"] == written["message_id"]);
        let item = item.unwrap_or_else(|| panic!("it is not listed: {history}"));
        assert_eq!((&item["text"], &item["media"]), (&json!("see here"), &json!("document")), "{item}");
        let shown = &item["file"];
        assert_eq!(
            (&shown["name"], &shown["size"], &shown["mime"]),
            (&json!(name), &json!(SIZE), &json!("text/plain")),
            "{item}"
        );
        // In a private chat an id means something to one account alone.
        let url = shown["url"].as_str().expect("a path");
        assert!(url.ends_with("?account=main"), "{item}");
        let (status, read) = bytes(&program, url, None).await;
        assert!(status == 200 && read == whole, "{name}: {status}, {} bytes", read.len());
        let (status, read) = bytes(&program, url, Some("bytes=524280-524300")).await;
        assert_eq!((status, read.as_slice()), (206, &whole[524_280..=524_300]), "{name}");
        let (status, read) = bytes(&program, url, Some("bytes=-7")).await;
        assert_eq!((status, read.as_slice()), (206, &whole[SIZE - 7..]), "{name}");
        assert_eq!(bytes(&program, url, Some("bytes=700001-")).await.0, 416, "{name}");
    }
    world.assert_nothing_unknown().await;
}

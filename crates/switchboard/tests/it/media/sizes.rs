//! Files that are larger than Telegram takes are refused at once, by the program's default bound.

use std::fs::File;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{files_waiting, stage};
use testkit::KEY;

/// More than any account may send, in bytes.
const THREE_GIGABYTES: u64 = 3_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn three_gigabytes_are_refused_before_any_of_them_is_taken() {
    let (world, program, hoster) = stage().await;
    // It has no blocks: the disk need not have so much room.
    let large = world.data_dir("data").join("media").join("large.bin");
    File::create(large).and_then(|file| file.set_len(THREE_GIGABYTES)).expect("a file");
    for media in [json!({ "path": "large.bin" }), json!({ "url": hoster.url("/huge") })] {
        let body = json!({ "chat": "@client_1", "media": [media] });
        let (status, refused) = program.post("/v1/messages", &body).await;
        assert_eq!((status, &refused["code"]), (413, &json!("too_large")), "{refused}");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("2000000000")), "{refused}");
    }

    let address = program.address().strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let head = format!(
        "POST /v1/uploads HTTP/1.1\r\nHost: test\r\nX-API-Key: {KEY}\r\nContent-Length: {THREE_GIGABYTES}\r\n\
         Expect: 100-continue\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.expect("an answer to the announcement alone");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413");
    assert_eq!(files_waiting(&world), 0);
    assert!(world.effects("messages.sendMedia").await.is_empty());
}

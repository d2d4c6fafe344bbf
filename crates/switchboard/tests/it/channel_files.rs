//! Files that providers fetch from this program: each is had at a link that ends.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use testkit::World;

use crate::binary;
use crate::channels::{connected, received, writes};

/// The checksum that the ledger has of a file.
fn md5(file: &Path) -> String {
    let output = Command::new("md5sum").arg(file).output().expect("md5sum runs").stdout;
    String::from_utf8_lossy(&output).split(' ').next().expect("a checksum").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_fetch_files_at_links_of_the_program() {
    let world = World::start(binary()).await;
    let (program, _) = connected(&world).await;
    let folder = world.data_dir("data").join("media");
    // Wappi fetches what is larger than a body should be.
    let large = [testkit::PDF, &vec![7; 6 << 20]].concat();
    for (channel, account, name, content) in [
        ("instagram", "studio", "photo.png", testkit::PNG),
        ("sms", "texts_twilio", "photo.png", testkit::PNG),
        ("whatsapp", "phone", "price.pdf", &large),
    ] {
        std::fs::write(folder.join(name), content).expect("writes");
        let chat = writes(&world, channel, account, "Show me").await;
        program.until("it comes in", || async { !received(&program, channel).await.is_empty() }).await;
        let body = json!({
            "channel": channel, "channel_account": account, "chat": chat, "text": "", "media": [{"path": name}], "wait": 30,
        });
        let (status, sent) = program.post("/v1/messages", &body).await;
        assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
        let ledger = world.ledger().await;
        let rows: Vec<_> = ledger.iter().filter(|row| row["provider"] == channel).collect();
        let [row] = rows[..] else { panic!("{rows:#?}") };
        assert_eq!(row["file_md5"], json!(md5(&folder.join(name))), "{account}: {row}");
    }
    world.assert_nothing_unknown().await;
}

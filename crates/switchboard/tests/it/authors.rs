//! A message is edited and deleted by the account that sent it, whichever is the first in the chat.

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;

/// A world in which a group was written to by an account that is not the first in it; the path of that message.
async fn written_by_another() -> (World, Program, String) {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let group = world.chat_titled("Demo supergroup").await;
    let (status, first) = program.send(&group, "by the first").await;
    assert_eq!((status, &first["account"]), (200, &json!("main")), "{first}");
    let body = json!({ "chat": group, "text": "by another", "account": "backup_1" });
    let (status, sent) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 200, "{sent}");
    let path = format!("/v1/chats/{group}/messages/{}", sent["message_ids"][0]);
    (world, program, path)
}

async fn edit(program: &Program, path: &str) -> (u16, Value) {
    program.patch(path, &json!({ "text": "edited" })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_edited_and_deleted_by_who_sent_it() {
    let (world, program, path) = written_by_another().await;
    let (status, edited) = edit(&program, &path).await;
    assert_eq!((status, &edited["account"]), (200, &json!("backup_1")), "{edited}");
    let (status, deleted) = program.delete(&path).await;
    assert_eq!((status, &deleted["account"]), (200, &json!("backup_1")), "{deleted}");
    // A message that was not sent from here is asked for as before: through the first account.
    let unknown = format!("{path}0000");
    let (status, missing) = edit(&program, &unknown).await;
    assert_eq!((status, &missing["code"]), (404, &json!("message_not_found")), "{missing}");
    assert!(missing["detail"].as_str().is_some_and(|detail| detail.contains("main")), "{missing}");
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_items_of_an_album_belong_to_who_sent_it() {
    let (world, program, path) = written_by_another().await;
    let group = path.split('/').nth(3).expect("a chat");
    for name in ["a.txt", "b.txt"] {
        let file = world.data_dir("data").join("media").join(name);
        std::fs::write(file, name).expect("writes");
    }
    let body = json!({
        "chat": group, "account": "backup_1", "media": [{ "path": "a.txt" }, { "path": "b.txt" }],
    });
    let (status, sent) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 200, "{sent}");
    let second = format!("/v1/chats/{group}/messages/{}", sent["message_ids"][1]);
    let (status, edited) = edit(&program, &second).await;
    assert_eq!((status, &edited["account"]), (200, &json!("backup_1")), "{edited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrator_deletes_but_never_edits() {
    let (_world, program, path) = written_by_another().await;
    let (status, _) = program.post("/v1/accounts/backup_1/actions/pause", &json!({})).await;
    assert_eq!(status, 200);
    let (status, refused) = edit(&program, &path).await;
    assert_eq!((status, &refused["code"]), (503, &json!("no_account")), "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("backup_1")), "{refused}");
    let (status, deleted) = program.delete(&path).await;
    assert_eq!((status, &deleted["account"]), (200, &json!("main")), "{deleted}");
}

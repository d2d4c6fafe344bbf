//! Messages of a history have ids of their own: by them their files are read as by the path in the history, through the account
//! that numbered them.

use std::collections::BTreeMap;

use domain::{AccountName, ReceivedId, TelegramMessageId};
use serde_json::{Value, json};
use testkit::{Program, World};

use super::stage;

/// One file of an album; each has bytes of its own.
fn file(letter: u8, size: usize) -> (Value, Vec<u8>) {
    let content = [letter; 3];
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, content);
    let name = format!("{}.bin", char::from(letter));
    let shown = json!({
        "kind": "document", "content": encoded, "size": size, "file_name": name, "mime_type": "text/plain",
    });
    (shown, vec![letter; size])
}

/// The items of a chat's history.
async fn history(program: &Program, chat: &str) -> Vec<Value> {
    let (status, history) = program.get(&format!("/v1/chats/{chat}/history?limit=20&account=main")).await;
    assert_eq!(status, 200, "{history}");
    history["items"].as_array().expect("items").clone()
}

/// The item of a message, and the two paths of its file.
async fn listed(program: &Program, chat: &str, message_id: &Value) -> (Value, String, String) {
    let items = history(program, chat).await;
    let item = items.into_iter().find(|item| item["message_id"] == *message_id).expect("it is listed");
    let id = item["id"].as_str().expect("an id");
    assert!(id.starts_with("rcv_"), "{item}");
    let old = item["file"]["url"].as_str().unwrap_or_default().to_owned();
    let new = format!("/v1/messages/{id}/media/0");
    (item, old, new)
}

/// All of an answer that a caller can rely on.
async fn answer(
    program: &Program,
    path: &str,
    header: Option<(&str, &str)>,
) -> (u16, BTreeMap<String, String>, Vec<u8>) {
    let mut request = program.request("GET", path);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
    // The time of day, and the number of the request in the log.
    let headers = headers.filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str())).collect();
    (status, headers, answer.bytes().await.expect("a body").to_vec())
}

/// Both paths answer the same, whatever is asked for.
async fn alike(program: &Program, old: &str, new: &str, whole: &[u8]) {
    let last = format!("bytes={}-", whole.len());
    let ranges = [
        (None, 200),
        (Some(("range", "bytes=5-20")), 206),
        (Some(("range", "bytes=-7")), 206),
        (Some(("range", last.as_str())), 416),
        (Some(("if-none-match", "*")), 304),
    ];
    for (header, expected) in ranges {
        let (by_path, by_id) = (answer(program, old, header).await, answer(program, new, header).await);
        assert_eq!((by_id.0, &by_id.1), (expected, &by_path.1), "{header:?}");
        assert!(by_id.2 == by_path.2, "{header:?}: other bytes");
        match header {
            None => assert!(by_id.2 == whole && by_id.1["content-disposition"].contains(".bin")),
            Some((_, "bytes=5-20")) => assert!(by_id.2 == whole[5..=20]),
            Some((_, "bytes=-7")) => assert!(by_id.2 == whole[whole.len() - 7..]),
            Some(_) => {}
        }
    }
}

/// Writes a message; returns Telegram's ids of it, in the account's numbering.
async fn writes(world: &World, from: &str, chat: &str, media: &[Value]) -> Vec<Value> {
    let order = json!({ "from": from, "chat": chat, "text": "see here", "media": media });
    let written = world.post("/telegram/messages", &order).await;
    written["message_ids"].as_array().cloned().unwrap_or_else(|| vec![written["message_id"].clone()])
}

#[tokio::test(flavor = "multi_thread")]
async fn received_files_are_read_by_history_id() {
    let (world, program, _hoster) = stage().await;
    program.has_read_dialogs("main").await;
    let supergroup = world.chat_titled("Demo supergroup").await;
    // One is larger than a piece, and no two are alike.
    let files = [file(b'a', 700_001), file(b'b', 30), file(b'c', 4096)];
    let album: Vec<Value> = files.iter().map(|(shown, _)| shown.clone()).collect();
    let mut ids = Vec::new();
    for (from, to, chat) in [("@client_1", "main", "@client_1"), ("@client_1", &supergroup, &supergroup)] {
        let numbers = writes(&world, from, to, &album).await;
        assert_eq!(numbers.len(), album.len());
        for (number, (_, whole)) in numbers.iter().zip(&files) {
            let (item, old, new) = listed(&program, chat, number).await;
            alike(&program, &old, &new, whole).await;
            ids.push(item["id"].as_str().expect("an id").to_owned());
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2 * album.len(), "each message has its own: {ids:?}");
    // In a private chat the account is part of it, as its numbers are its own; it is the same however the chat is called.
    let by_name = history(&program, "@client_1").await;
    let client = by_name[0]["from"].to_string();
    assert_eq!(history(&program, &client).await[0]["id"], by_name[0]["id"]);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_ids_are_refused_as_their_paths_are() {
    let (world, program, _hoster) = stage().await;
    program.has_read_dialogs("main").await;
    let supergroup = world.chat_titled("Demo supergroup").await;
    let [number] = &writes(&world, "@client_1", "main", &[]).await[..] else { panic!("one message") };
    let (item, _, new) = listed(&program, "@client_1", number).await;
    let id = item["id"].as_str().expect("an id");
    // Without a file; not there; in an unknown chat; through an account that does not exist.
    let main = || Some("main".parse::<AccountName>().expect("a name"));
    let named = |chat: &str, number: i32, account| {
        let chat_id = chat.parse().expect("a chat");
        ReceivedId::new(chat_id, TelegramMessageId::new(number).expect("an id"), account)
            .expect("an id")
            .to_string()
    };
    let client = item["from"].to_string();
    let unknown_account = Some("nobody".parse().expect("a name"));
    for (id, old) in [
        (id.to_owned(), format!("/v1/chats/@client_1/messages/{number}/media?account=main")),
        (named(&client, 99_999, main()), format!("/v1/chats/{client}/messages/99999/media?account=main")),
        (named(&supergroup, 99_999, None), format!("/v1/chats/{supergroup}/messages/99999/media")),
        (named("-1009999999999", 1, None), "/v1/chats/-1009999999999/messages/1/media".to_owned()),
        (named(&client, 1, unknown_account), format!("/v1/chats/{client}/messages/1/media?account=nobody")),
    ] {
        let (by_path, by_id) =
            (program.get(&old).await, program.get(&format!("/v1/messages/{id}/media/0")).await);
        assert_eq!(by_id, by_path, "{old}");
        assert_eq!(by_id.0, 404, "{by_id:?}");
    }
    let (status, second) = program.get(&new.replace("/media/0", "/media/1")).await;
    assert_eq!((status, &second["code"]), (404, &json!("file_not_found")), "{second}");

    // It is kept and shown. Nothing else can be done with it; the answer says where the message is.
    let path = format!("/v1/messages/{id}");
    program.until("it is kept", || async { program.get(&path).await.0 == 200 }).await;
    for (status, reply) in
        [program.get(&format!("{path}/why")).await, program.post(&format!("{path}/cancel"), &json!({})).await]
    {
        assert_eq!((status, &reply["code"]), (404, &json!("message_not_found")), "{reply}");
        let detail = reply["detail"].as_str().expect("words");
        assert!(detail.contains(&new) && detail.contains(&format!("/v1/chats/{client}/history")), "{detail}");
    }
    // Text that is no id, though it begins like one, and an id of another form.
    for foreign in
        ["rcv_", "rcv_1", &id[..id.len() - 20], &id.replace("rcv_1", "rcv_2"), &id.to_uppercase(), "45"]
    {
        let (status, reply) = program.get(&format!("/v1/messages/{foreign}/media/0")).await;
        assert_eq!((status, &reply["code"]), (404, &json!("message_not_found")), "{foreign}: {reply}");
    }
    // Who may not read chats may not read by ids either.
    let (_, key) = program.post("/v1/keys", &json!({ "name": "sender", "scopes": ["send"] })).await;
    let key = key["key"].as_str().unwrap_or_else(|| panic!("{key}"));
    assert_eq!(program.status_with(key, &new).await, 403);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn received_file_is_readable_after_migration() {
    let (world, program, _hoster) = stage().await;
    program.has_read_dialogs("main").await;
    let group = world.chat_titled("Demo group").await;
    let (shown, whole) = file(b'g', 5000);
    let order =
        json!({ "from": "backup_1", "chat": group, "account": "main", "text": "see here", "media": [shown] });
    let written = world.post("/telegram/messages", &order).await;
    let (_, old, new) = listed(&program, &group, &written["message_id"]).await;
    alike(&program, &old, &new, &whole).await;

    let today = world.post(&format!("/telegram/chats/{group}/migrate"), &json!({})).await;
    let today = today["chat_id"].as_str().expect("an id").to_owned();
    let moved = || async { program.get(&format!("/v1/chats/{group}")).await.1["chat_id"] == today.as_str() };
    program.until("the group is known as a supergroup", moved).await;
    // Its messages stay behind, under the numbers they had.
    let (status, _, read) = answer(&program, &new, None).await;
    assert!(status == 200 && read == whole, "{status}, {} bytes", read.len());
    world.assert_nothing_unknown().await;
}

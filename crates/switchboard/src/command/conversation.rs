//! Messages of both directions as a table.

use anyhow::Context;
use hyper::Method;
use serde_json::{Value, json};

use crate::api_client::{ApiClient, ApiOptions};
use crate::table::{self, cell};

/// The letters of a text that a row shows.
const LETTERS: usize = 80;

/// Prints the first messages of a list. A page of it may be short and lead on.
pub(super) async fn show(path: &str, most: u32, options: &ApiOptions) -> anyhow::Result<()> {
    let api = ApiClient::open(&options.location).await?;
    let read = first(&api, path, most as usize).await;
    api.close().await;
    let (items, next_cursor) = read?;
    options.print(&json!({ "items": items, "next_cursor": next_cursor }), || {
        if items.is_empty() { "There are none.".to_owned() } else { of(&items) }
    });
    Ok(())
}

async fn first(api: &ApiClient, path: &str, most: usize) -> anyhow::Result<(Vec<Value>, Value)> {
    let (mut items, mut page) = (Vec::new(), path.to_owned());
    loop {
        let answer = api.call(Method::GET, &page, None).await?;
        items.extend_from_slice(answer["items"].as_array().context("the server's answer has no items")?);
        match answer["next_cursor"].as_str() {
            Some(cursor) if items.len() < most => page = format!("{path}&cursor={cursor}"),
            _ => {
                items.truncate(most);
                return Ok((items, answer["next_cursor"].clone()));
            }
        }
    }
}

fn of(items: &[Value]) -> String {
    let mut table = table::with_header(["AT", "ID", "FROM", "CHAT", "STATE", "TEXT"]);
    for item in items {
        let is_in = item["direction"] == "in";
        let first = |fields: &[&str]| {
            let mut cells = fields.iter().map(|field| cell(item, field));
            cells.find(|cell| !cell.is_empty()).unwrap_or_default()
        };
        let (at, from, state) = if is_in {
            // The first names are those of accounts, the others those of channels.
            let from = first(&["from_name", "from", "client_name", "external_user_id"]);
            (first(&["at", "timestamp"]), from, what_became(item))
        } else {
            (cell(item, "created_at"), cell(item, "account"), cell(item, "state"))
        };
        let chat = first(&["chat_id", "chat"]);
        table.add_row([at, cell(item, "id"), logs::escaped(&from).to_string(), chat, state, text(item)]);
    }
    table.to_string()
}

/// What became of a message that was received.
fn what_became(item: &Value) -> String {
    let word = ["deleted_at", "edited_at"].into_iter().find(|field| item[field].is_string());
    word.map_or("received", |field| field.trim_end_matches("_at")).to_owned()
}

/// The first letters of a text, or what is shown in its place.
fn text(item: &Value) -> String {
    let media = if item["files"].is_array() { &item["files"] } else { &item["media"] };
    let text = match (cell(item, "text"), cell(item, "service"), media) {
        (text, ..) if !text.is_empty() => text,
        (_, service, _) if !service.is_empty() => format!("({service})"),
        (_, _, Value::String(media)) => format!("({media})"),
        (_, _, Value::Array(files)) if !files.is_empty() => format!("({} files)", files.len()),
        _ => String::new(),
    };
    let shown: String = text.chars().take(LETTERS).collect();
    let more = if text.chars().count() > LETTERS { "…" } else { "" };
    logs::escaped(&format!("{shown}{more}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_who_wrote_what() {
        let long = "a".repeat(100);
        let items = [
            json!({ "direction": "in", "id": "rcv_1", "at": "2026-11-20T11:06:58Z", "from": "7", "from_name": "Anna",
                    "chat_id": "7", "text": "how\nmuch?", "edited_at": "2026-11-20T11:07:58Z" }),
            json!({ "direction": "in", "id": "rcv_2", "from": "7", "chat_id": "7", "text": "", "media": "photo" }),
            json!({ "direction": "out", "id": "msg_1", "account": "main", "chat": "@demo", "state": "sent", "text": long }),
            json!({ "direction": "in", "id": "rcv_3", "timestamp": "2026-11-20T11:09:58Z", "client_name": "Boris", "chat": "vk:club/7",
                    "text": "", "media": { "has_images": true }, "files": [{ "kind": "image" }] }),
        ];
        let table = of(&items);
        for part in [
            "Anna",
            "how\\nmuch?",
            "edited",
            "(photo)",
            "received",
            "main",
            "@demo",
            "sent",
            "aaa…",
            "11:09:58Z",
            "Boris",
            "vk:club/7",
            "(1 files)",
        ] {
            assert!(table.contains(part), "{part}: {table}");
        }
        assert!(!table.contains(&long));
    }
}

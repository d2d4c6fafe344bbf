//! The table of cases: calls and the shapes of their answers, as JSON, for both clients.
//!
//! A case names a `port` by its old number, a `path` (and a `method`, else POST), a `json` or `raw` body with its
//! `content_type`, further `headers`; then the `status`, the shape of the `body`, and the `effects` on the world, row by
//! row. What is refused must have no effect, and need not say so. `$name` in a text is an id of the world as text, a
//! text `#name` is the same id as a number.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::caller::Call;
use super::file_ids;
use super::shape::misfit;
use super::stage::Stage;

const TABLES: [&str; 5] = [
    include_str!("cases/create_chat.json"),
    include_str!("cases/send_text.json"),
    include_str!("cases/send_media.json"),
    include_str!("cases/leave_chat.json"),
    include_str!("cases/look.json"),
];

/// All cases, with the ids of this world.
pub(super) async fn all(stage: &Stage) -> Vec<Value> {
    let ids = ids(stage).await;
    let tables = TABLES.iter().map(|table| serde_json::from_str::<Value>(table).expect("a table"));
    let cases = tables.flat_map(|table| table.as_array().expect("a list").clone());
    let cases: Vec<Value> = cases.map(|case| filled_in(case, &ids)).collect();
    assert!(cases.len() > 50, "only {} cases", cases.len());
    cases
}

/// The ids that cases speak of, and those of two files that Telegram has.
async fn ids(stage: &Stage) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::from([("hoster".to_owned(), stage.hoster.url(""))]);
    for (name, title) in
        [("supergroup", "Demo supergroup"), ("channel", "Demo channel"), ("basic", "Demo group")]
    {
        ids.insert(name.to_owned(), stage.world.chat_titled(title).await);
    }
    let members = stage.chat(&ids["supergroup"]).await["members"].as_array().expect("members").clone();
    for member in members {
        if let (Some(name), Some(id)) = (member["username"].as_str(), member["user_id"].as_i64()) {
            ids.insert(name.to_owned(), id.to_string());
        }
    }
    for (name, known) in
        ["known_photo", "known_document"].iter().zip(file_ids::sent_files(stage, "client_3").await)
    {
        ids.insert(format!("{name}_id"), known.file_id);
        ids.insert(format!("{name}_number"), known.number.to_string());
    }
    ids
}

fn filled_in(value: Value, ids: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            if let Some(id) = text.strip_prefix('#').and_then(|name| ids.get(name)) {
                return json!(id.parse::<i64>().expect("a number"));
            }
            // The longest name first: `$client_10` is not `$client_1` and a zero.
            let mut names: Vec<_> = ids.iter().collect();
            names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            Value::String(
                names.into_iter().fold(text, |text, (name, id)| text.replace(&format!("${name}"), id)),
            )
        }
        Value::Array(items) => items.into_iter().map(|item| filled_in(item, ids)).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, filled_in(value, ids)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// Makes the call of a case as n8n would, and says what does not fit.
pub(super) async fn tried(stage: &Stage, case: &Value) -> Option<String> {
    let before = last_seq(stage).await;
    let old = u16::try_from(case["port"].as_u64().expect("a port")).expect("a port");
    let method = case["method"].as_str().unwrap_or("POST");
    let mut call = Call::new(stage.port(old), method, case["path"].as_str().expect("a path"));
    if let Some(kind) = case["content_type"].as_str() {
        call = call.header("Content-Type", kind);
    }
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        call = call.header(name, value.as_str().expect("a text"));
    }
    if let Some(raw) = case["raw"].as_str() {
        call = call.raw(raw);
    } else if let Some(body) = case.get("json") {
        call = call.json(body);
    }
    let reply = call.send().await;
    if case["status"] != json!(reply.status) {
        return Some(format!("status {} and not {}: {}", reply.status, case["status"], reply.text));
    }
    if !reply.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Some(format!("the answer says it is {:?}", reply.header("content-type")));
    }
    let fits = misfit(&case["body"], &reply.json());
    if let Some(misfit) = fits {
        return Some(format!("{misfit}: {}", reply.text));
    }
    let nothing = json!([]);
    let expected = match case.get("effects") {
        Some(effects) => effects,
        None if reply.status == 200 => return None,
        None => &nothing,
    };
    effects_differ(expected, &effects_after(stage, before).await)
}

async fn last_seq(stage: &Stage) -> u64 {
    stage.world.ledger().await.last().and_then(|row| row["seq"].as_u64()).unwrap_or(0)
}

async fn effects_after(stage: &Stage, seq: u64) -> Vec<Value> {
    let mut rows = stage.world.ledger().await;
    rows.retain(|row| row["seq"].as_u64() > Some(seq));
    rows
}

/// Row by row; of each row only the named fields count.
fn effects_differ(expected: &Value, rows: &[Value]) -> Option<String> {
    let expected = expected.as_array().expect("a list");
    let fits = |(shape, row): (&Value, &Value)| {
        let fields = shape.as_object().expect("fields").iter();
        fields.into_iter().all(|(key, shape)| misfit(shape, &row[key]).is_none())
    };
    let same = expected.len() == rows.len() && expected.iter().zip(rows).all(fits);
    (!same).then(|| format!("its effects are {} and not {}", json!(rows), json!(expected)))
}

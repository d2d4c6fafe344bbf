//! Port 8769: Instagram.

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::call::Call;
use super::look::{FARTHEST, Line, MOST};
use super::refused::Refused;
use super::send::{Order, send};
use super::{Gate, Told, done, look, not_yet};

pub(super) fn routes() -> Router<Gate> {
    Router::new()
        .route("/api/send", post(send_message))
        .route("/api/send/quick-replies", post(not_yet))
        .route("/api/conversations", get(conversations))
        .route("/api/conversations/{id}/messages", get(messages))
        .route("/api/user/{id}", get(user))
        .route("/api/ice-breakers", get(not_yet).post(not_yet).delete(not_yet))
        .route("/api/media", get(not_yet))
        .route("/api/media/{id}/comments", get(not_yet))
        .route("/api/comments/{id}/reply", post(not_yet))
        .route("/api/comments/{id}/hide", post(not_yet))
        .route("/api/comments/{id}", delete(not_yet))
}

fn ok(result: &Value) -> Response {
    done(&json!({ "status": "ok", "result": result }))
}

async fn send_message(Shared(gate): Shared<Gate>, call: Call) -> Told {
    let mut reading = call.reading();
    let recipient = reading.text("recipient_id");
    let file = ["image_url", "video_url", "audio_url"].into_iter().find(|name| reading.value(name).is_some());
    let order = match file {
        Some(name) => Order::text(recipient.clone(), "").with(reading.url(name), None, Wish::Auto),
        None => Order::text(recipient.clone(), reading.words("text")),
    };
    reading.finish()?;
    let sent = send(&gate, &call, order).await?;
    Ok(ok(&json!({ "recipient_id": recipient, "message_id": sent.id, "id": sent.ours })))
}

async fn conversations(Shared(gate): Shared<Gate>, call: Call) -> Told {
    let reading = call.reading();
    let page = (reading.count("limit", 25, MOST), reading.count("offset", 0, FARTHEST));
    let dialogs = look::dialogs(&gate, page, 1).await?;
    let data: Vec<Value> = dialogs
        .iter()
        .map(|dialog| {
            json!({
                "id": dialog.chat.chat.as_str(), "updated_time": dialog.last().map(|last| last.at),
                "name": dialog.chat.name,
            })
        })
        .collect();
    Ok(ok(&json!({ "data": data })))
}

fn message(line: &Line) -> Value {
    json!({
        "id": line.id, "created_time": line.at, "from": { "id": line.user }, "is_echo": line.is_own,
        "message": line.text,
        "attachments": line.url.iter().map(|url| json!({ "type": line.kind, "url": url })).collect::<Vec<_>>(),
    })
}

async fn messages(Shared(gate): Shared<Gate>, Path(name): Path<String>, call: Call) -> Told {
    let reading = call.reading();
    let page = (reading.count("limit", 20, MOST), reading.count("offset", 0, FARTHEST));
    let data: Vec<Value> = look::lines(&gate, &name, page).await?.iter().map(message).collect();
    Ok(ok(&json!({ "data": data })))
}

async fn user(Shared(gate): Shared<Gate>, Path(name): Path<String>) -> Told {
    let found = look::dialog(&gate, &name).await?;
    let dialog = found.ok_or_else(|| Refused::error(StatusCode::NOT_FOUND, "there is no such user"))?;
    Ok(ok(&json!({ "id": name, "name": dialog.chat.name })))
}

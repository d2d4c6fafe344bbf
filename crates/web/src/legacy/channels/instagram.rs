//! Port 8769: Instagram.

use crate::auth::{CanRead, CanSend};
use crate::routing::{delete, get, post};
use ::channels::OldCall;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::call::Call;
use super::look::{FARTHEST, Line, MOST};
use super::refused::Refused;
use super::routes::Routes;
use super::send::{Order, send};
use super::{Gate, HandlerResult, deed, done, look};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .route::<CanSend>("/api/send", post(send_message))
        .route::<CanSend>("/api/send/quick-replies", post(quick_replies))
        .route::<CanRead>("/api/conversations", get(conversations))
        .route::<CanRead>("/api/conversations/{id}/messages", get(messages))
        .route::<CanRead>("/api/user/{id}", get(user))
        .route::<CanRead>("/api/ice-breakers", get(ice_breakers))
        .route::<CanSend>("/api/ice-breakers", post(set_ice_breakers))
        .route::<CanSend>("/api/ice-breakers", delete(remove_ice_breakers))
        .route::<CanRead>("/api/media", get(posts))
        .route::<CanRead>("/api/media/{id}/comments", get(comments))
        .route::<CanSend>("/api/comments/{id}/reply", post(reply))
        .route::<CanSend>("/api/comments/{id}/hide", post(hide))
        .route::<CanSend>("/api/comments/{id}", delete(remove_comment))
}

fn ok(result: &Value) -> Response {
    done(&json!({ "status": "ok", "result": result }))
}

async fn send_message(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
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

async fn conversations(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
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

async fn messages(Shared(gate): Shared<Gate>, Path(name): Path<String>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let page = (reading.count("limit", 20, MOST), reading.count("offset", 0, FARTHEST));
    let data: Vec<Value> = look::lines(&gate, &name, page).await?.iter().map(message).collect();
    Ok(ok(&json!({ "data": data })))
}

async fn user(Shared(gate): Shared<Gate>, Path(name): Path<String>) -> HandlerResult {
    let found = look::dialog(&gate, &name).await?;
    let dialog = found.ok_or_else(|| Refused::error(StatusCode::NOT_FOUND, "there is no such user"))?;
    Ok(ok(&json!({ "id": name, "name": dialog.chat.name })))
}

/// Takes the answers as Instagram does, or texts.
async fn quick_replies(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (recipient, text) = (reading.text("recipient_id"), reading.words("text"));
    let given = reading.list("quick_replies");
    reading.finish()?;
    let reply = |given: &Value| {
        let title = given.as_str().or_else(|| given["title"].as_str()).unwrap_or_default();
        let payload = given["payload"].as_str().unwrap_or(title);
        json!({ "content_type": "text", "title": title, "payload": payload })
    };
    let replies: Vec<Value> = given.iter().map(reply).collect();
    let options = Some(json!({ "quick_replies": replies }));
    let sent = send(&gate, &call, Order { options, ..Order::text(recipient.clone(), text) }).await?;
    Ok(ok(&json!({ "recipient_id": recipient, "message_id": sent.id, "id": sent.ours })))
}

async fn run_old_call(gate: &Gate, call: OldCall) -> HandlerResult {
    Ok(ok(&deed::old_call(gate, &call).await?))
}

async fn ice_breakers(Shared(gate): Shared<Gate>) -> HandlerResult {
    run_old_call(&gate, OldCall::IceBreakers).await
}

/// Takes the questions as Instagram does, or a list of `question` and `payload` for everyone.
async fn set_ice_breakers(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let given = reading.list("ice_breakers");
    reading.finish()?;
    let all = if given.iter().all(|one| one["question"].is_string()) {
        json!([{ "call_to_actions": given, "locale": "default" }])
    } else {
        json!(given)
    };
    run_old_call(&gate, OldCall::SetIceBreakers { all }).await
}

async fn remove_ice_breakers(Shared(gate): Shared<Gate>) -> HandlerResult {
    run_old_call(&gate, OldCall::RemoveIceBreakers).await
}

async fn posts(Shared(gate): Shared<Gate>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (limit, after) = (reading.count("limit", 25, MOST).max(1), reading.maybe("after"));
    reading.finish()?;
    run_old_call(&gate, OldCall::Posts { limit, after }).await
}

async fn comments(Shared(gate): Shared<Gate>, Path(post): Path<String>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let (limit, after) = (reading.count("limit", 25, MOST).max(1), reading.maybe("after"));
    reading.finish()?;
    run_old_call(&gate, OldCall::Comments { post, limit, after }).await
}

async fn reply(Shared(gate): Shared<Gate>, Path(comment): Path<String>, call: Call) -> HandlerResult {
    let mut reading = call.reading();
    let name = if reading.value("text").is_some() { "text" } else { "message" };
    let text = reading.words(name);
    reading.finish()?;
    run_old_call(&gate, OldCall::ReplyToComment { comment, text }).await
}

async fn hide(Shared(gate): Shared<Gate>, Path(comment): Path<String>, call: Call) -> HandlerResult {
    let reading = call.reading();
    let is_hidden = reading.flag("hide", true);
    reading.finish()?;
    run_old_call(&gate, OldCall::HideComment { comment, is_hidden }).await
}

async fn remove_comment(Shared(gate): Shared<Gate>, Path(comment): Path<String>) -> HandlerResult {
    run_old_call(&gate, OldCall::DeleteComment { comment }).await
}

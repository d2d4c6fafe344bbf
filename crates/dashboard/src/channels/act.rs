//! What is done to an account of a channel: it is checked, connected, disconnected, given a new token, or sends a message.

use api::Message;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ChannelName;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::API;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::visitor::Posted;
use crate::words::{ChannelLoginWords, ChannelsWords};

/// The buttons of the page, and the message that it sends.
#[derive(Deserialize)]
pub(crate) struct Form {
    #[serde(default)]
    take_over: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    chat: String,
    #[serde(default)]
    text: String,
}

/// `POST /channels/{name}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Form>,
) -> Response {
    let words = ChannelsWords::of(visitor.language);
    let mut back = format!("{}/{}", super::HERE, segment(&name));
    let (path, body, done) = match action.as_str() {
        "check" => ("check", None, words.checked(&name)),
        "connect" => {
            ("connect", Some(json!({ "take_over": !form.take_over.is_empty() })), words.connected(&name))
        }
        "resubscribe" => ("resubscribe", None, words.connected(&name)),
        "disconnect" => ("disconnect", None, words.disconnected(&name)),
        "pause" => ("pause", None, words.paused(&name)),
        "resume" => ("resume", None, words.resumed(&name)),
        "logout" => ("logout", None, ChannelLoginWords::of(visitor.language).logged_out(&name)),
        "restart" => ("restart", None, ChannelLoginWords::of(visitor.language).restarted(&name)),
        "refresh-token" => ("refresh-token", None, words.renewed(&name)),
        "send" | "test" => {
            let text = if action == "test" {
                back.push_str("/setup");
                words.test_text.to_owned()
            } else {
                form.text
            };
            let Ok(channel) = form.channel.parse::<ChannelName>() else {
                return refusal::no_such_page(&visitor);
            };
            let body = json!({
                "channel": channel, "channel_account": name, "chat": form.chat, "text": text, "wait": 10,
                "written_by": "person",
            });
            return match dashboard.ask::<Message>(&visitor, Method::POST, "/v1/messages", Some(body)).await {
                Ok(message) => page::done(&visitor, &back, &words.sent(message.state.as_str())),
                Err(why) => page::refused(&visitor, &back, &why),
            };
        }
        _ => return refusal::no_such_page(&visitor),
    };
    let path = format!("{API}/{}/{path}", segment(&name));
    match dashboard.ask::<Value>(&visitor, Method::POST, &path, body).await {
        Ok(now) if now.get("is_registered").is_some_and(Value::is_null) && action != "disconnect" => {
            page::done(&visitor, &back, &words.connected_in_part(&name))
        }
        Ok(_) => page::done(&visitor, &back, &done),
        Err(why) => page::refused(&visitor, &back, &why),
    }
}

//! The inbox: conversations with clients, one thread with each over all channels, and who each client is.

pub(crate) mod act;
pub(crate) mod begin;
pub(crate) mod figures;
pub(crate) mod list;
pub(crate) mod news;
pub(crate) mod one;
pub(crate) mod programs;
pub(crate) mod question;
pub(crate) mod reply;
pub(crate) mod templates;

use std::time::Duration;

use api::{Appeal, Client};
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{ClientId, Timestamp};

use crate::dashboard::Dashboard;
use crate::page::segment;
use crate::view::Linked;
use crate::visitor::Visitor;

const HERE: &str = "/inbox";
/// After so long a client waits for too long.
const OVERDUE: Duration = Duration::from_mins(15);

impl Linked for Client {
    fn path(&self) -> String {
        path_of(self.id)
    }
}

fn path_of(client: ClientId) -> String {
    format!("{HERE}/{client}")
}

/// Whether a client has waited for too long.
fn is_overdue(appeal: &Appeal, now: Timestamp) -> bool {
    appeal.state.is_open() && appeal.waiting_since.is_some_and(|since| now.since(since) >= OVERDUE)
}

/// Until when an appeal is set aside.
fn snoozed(appeal: &Appeal, now: Timestamp) -> Option<Timestamp> {
    appeal.snoozed_until.filter(|until| appeal.state.is_open() && *until > now)
}

/// The call of the API for a part of a conversation.
fn call(client: ClientId, part: &str) -> String {
    format!("/v1/conversations/{client}{part}")
}

/// The call of the API for a part of a client.
fn of_client(client: ClientId, part: &str) -> String {
    format!("/v1/clients/{client}{part}")
}

/// A chat of a client by its parts, as `avito:shop/u2i-1` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ChannelChat<'a> {
    channel: &'a str,
    account: &'a str,
    chat: &'a str,
}

fn channel_chat(chat: &str) -> ChannelChat<'_> {
    let (channel, rest) = chat.split_once(':').unwrap_or((chat, ""));
    let (account, chat) = rest.split_once('/').unwrap_or((rest, ""));
    ChannelChat { channel, account, chat }
}

/// `GET /inbox-files/{client_id}/{message}/{number}`: a file of a message, as the API gives it.
pub(crate) async fn file(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path((client, message, number)): Path<(ClientId, String, u16)>,
) -> Response {
    let path = call(client, &format!("/messages/{}/media/{number}", segment(&message)));
    dashboard.file(&visitor, &path).await
}

/// `GET /inbox/{client_id}/export`: all that is stored of a client, as a file.
pub(crate) async fn export(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(client): Path<ClientId>,
) -> Response {
    dashboard.file(&visitor, &of_client(client, "/export")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_has_a_channel_an_account_and_an_id() {
        let of = |chat| {
            let ChannelChat { channel, account, chat } = channel_chat(chat);
            [channel, account, chat]
        };
        assert_eq!(of("avito:shop/u2i-1/2"), ["avito", "shop", "u2i-1/2"]);
        assert_eq!(of("avito"), ["avito", "", ""]);
    }
}

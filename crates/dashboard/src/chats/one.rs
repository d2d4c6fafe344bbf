//! `/chats/{id}`: a chat, who serves it and who else could.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ChatRef;
use http::Method;

use super::{Chat, is_active, is_private, name, others};
use crate::dashboard::Dashboard;
use crate::listing::address;
use crate::page::{self, refusal};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, ChatsWords, WorkWords};

#[derive(Template)]
#[template(path = "chats/one.html")]
pub(super) struct One<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static ChatsWords,
    pub(super) work: &'static WorkWords,
    pub(super) chat: &'a Chat,
    pub(super) may_act: bool,
}

impl One<'_> {
    fn messages(&self) -> String {
        address("/messages", &[("chat", &self.chat.chat_id.to_string())])
    }

    fn operations(&self) -> String {
        address("/operations", &[("chat", &self.chat.chat_id.to_string())])
    }

    fn can_leave(&self) -> bool {
        self.may_act && is_active(self.chat) && !is_private(self.chat)
    }

    /// A private dialog may go to an account that does not have it yet; which ones can take it shows when it is asked for.
    fn can_bind(&self) -> bool {
        self.may_act && is_active(self.chat) && (is_private(self.chat) || others(self.chat).next().is_some())
    }
}

/// The chat of a path, as the API knows it.
pub(super) async fn find(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Chat, Box<Response>> {
    // What is no chat is no path of the API either.
    let Ok(chat) = id.parse::<ChatRef>() else {
        let words = ChatsWords::of(visitor.language);
        return Err(Box::new(refusal::of_nothing(visitor, &words.unknown(id), words.unknown_detail)));
    };
    dashboard.ask::<Chat>(visitor, Method::GET, &format!("/v1/chats/{chat}"), None).await.map_err(|why| {
        let words = ChatsWords::of(visitor.language);
        Box::new(match why.code.as_str() {
            "chat_not_found" => refusal::of_nothing(visitor, &words.unknown(id), words.unknown_detail),
            _ => refusal::of_api(visitor, &why),
        })
    })
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let chat = match find(&dashboard, &visitor, &id).await {
        Ok(chat) => chat,
        Err(answer) => return *answer,
    };
    let body = One {
        visitor: &visitor,
        words: ChatsWords::of(visitor.language),
        work: WorkWords::of(visitor.language),
        chat: &chat,
        may_act: visitor.may(Right::Send),
    };
    page::page(&visitor, &name(&chat), Section::Chats, body)
}

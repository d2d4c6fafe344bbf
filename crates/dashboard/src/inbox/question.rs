//! The questions before two clients are merged, are not suggested for merging any more, or one is erased.

use access::Right;
use api::ClientCard;
use axum::extract::{Path, Query as QueryOf, State};
use axum::response::Response;
use domain::ClientId;
use http::Method;
use serde::Deserialize;

use super::{of_client, path_of};
use crate::campaigns::act::Question;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{InboxWords, WorkWords};

/// The client that may be the same person.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    other: String,
}

/// `GET /inbox/{client_id}/merge`.
pub(crate) async fn ask_merge(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    ask(&dashboard, &visitor, (&id, &query.other), |words, one, other| {
        (words.merge_question(one, other), words.merge_follows, "/actions/merge", words.merge)
    })
    .await
}

/// `GET /inbox/{client_id}/dismiss`.
pub(crate) async fn ask_dismiss(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    ask(&dashboard, &visitor, (&id, &query.other), |words, one, other| {
        (words.dismiss_question(one, other), words.dismiss_follows, "/actions/dismiss", words.dismiss)
    })
    .await
}

/// `GET /inbox/{client_id}/erase`.
pub(crate) async fn ask_erase(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<ClientId>,
) -> Response {
    if !visitor.may(Right::Send) {
        return refusal::not_allowed(&visitor);
    }
    let card = match dashboard.ask::<ClientCard>(&visitor, Method::GET, &of_client(id, ""), None).await {
        Ok(card) => card,
        Err(why) => return refusal::of_api(&visitor, &why),
    };
    let (words, work) = (InboxWords::of(visitor.language), WorkWords::of(visitor.language));
    let (title, back) = (words.erase_question(words.name_of(&card.client)), path_of(id));
    let body = Question {
        visitor: &visitor,
        work,
        title: &title,
        follows: words.erase_follows,
        button: words.erase,
        action: format!("{back}/actions/erase"),
        name: "",
        back: &back,
    };
    page::page(&visitor, &title, Section::Inbox, body)
}

/// The question about two clients, of their names.
async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    (id, other): (&str, &str),
    question: impl Fn(&InboxWords, &str, &str) -> (String, &'static str, &'static str, &'static str),
) -> Response {
    if !visitor.may(Right::Answer) {
        return refusal::not_allowed(visitor);
    }
    let (Ok(id), Ok(other)) = (id.parse::<ClientId>(), other.parse::<ClientId>()) else {
        return refusal::no_such_page(visitor);
    };
    let mut cards = Vec::with_capacity(2);
    for client in [id, other] {
        match dashboard.ask::<ClientCard>(visitor, Method::GET, &of_client(client, ""), None).await {
            Ok(card) => cards.push(card),
            Err(why) => return refusal::of_api(visitor, &why),
        }
    }
    let words = InboxWords::of(visitor.language);
    let names: Vec<&str> = cards.iter().map(|card| words.name_of(&card.client)).collect();
    let [one, another] = *names.as_slice() else { return refusal::no_such_page(visitor) };
    let (title, follows, action, button) = question(words, one, another);
    let (back, work) = (path_of(id), WorkWords::of(visitor.language));
    let (action, name) = (format!("{back}{action}"), other.to_string());
    let body = Question { visitor, work, title: &title, follows, button, action, name: &name, back: &back };
    page::page(visitor, &title, Section::Inbox, body)
}

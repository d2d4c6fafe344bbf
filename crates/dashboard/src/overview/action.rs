//! The buttons of a card: what is asked first, and what is done.

use access::Right;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use health::{Card, CardAction, CardId, CardKind};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::card::{card_path, own_path, sends};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::OverviewWords;

#[derive(Template)]
#[template(path = "overview/stop.html")]
pub(super) struct StopQuestion<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static OverviewWords,
    pub(super) card: &'a Card,
    pub(super) back: String,
}

impl StopQuestion<'_> {
    fn follows(&self) -> String {
        let sent = sends(self.card).unwrap_or_default();
        self.words.stop_follows(self.card.kind, sent, self.card.queue.unwrap_or_default())
    }

    fn post_to(&self) -> String {
        format!("{}/actions/stop", own_path(&self.card.id))
    }
}

/// The card that a path names, if there is one.
pub(super) fn card_of(dashboard: &Dashboard, id: &str) -> Option<Card> {
    dashboard.health().card(&id.parse().ok()?)
}

/// `/cards/{id}/stop`: the question before a stop, with what follows from it.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let answer = match card_of(&dashboard, &id) {
        Some(card) if card.actions.contains(CardAction::Stop) => {
            let words = OverviewWords::of(visitor.language);
            let title = words.stop_question(&card.name);
            let back = card_path(&card.id);
            let body = StopQuestion { visitor: &visitor, words, card: &card, back };
            page::page(&visitor, &title, Section::Overview, body)
        }
        _ => refusal::no_such_page(&visitor),
    };
    std::future::ready(answer).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {
    /// The page to go back to.
    #[serde(default)]
    pub(super) back: String,
}

/// `/cards/{id}/actions/{action}`: asks the API for it as the person who pressed.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((id, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let action = CardAction::ALL.into_iter().find(|known| known.as_str() == action);
    let (Ok(id), Some(action)) = (id.parse::<CardId>(), action) else {
        return refusal::no_such_page(&visitor);
    };
    let Some(path) = api_path(&id, action) else { return refusal::no_such_page(&visitor) };
    let words = OverviewWords::of(visitor.language);
    // Not asked first whether there is such a card: anyone who does it knows, and a look at all cards takes longer than the deed.
    match dashboard.ask::<Value>(&visitor, Method::POST, &path, None).await {
        Ok(_) => page::done(&visitor, &form.back, &words.acted(action, id.name())),
        Err(why) if why.status == StatusCode::NOT_FOUND => refusal::no_such_page(&visitor),
        Err(why) => page::refused(&visitor, &form.back, &why),
    }
}

fn api_path(id: &CardId, action: CardAction) -> Option<String> {
    let word = match action {
        CardAction::SignIn => return None,
        CardAction::ReloadCache => "reload-cache",
        action => action.as_str(),
    };
    match id.kind() {
        CardKind::Service => Some(format!("/v1/services/{}/actions/{word}", id.name())),
        CardKind::Account => Some(format!("/v1/accounts/{}/actions/{word}", id.name())),
        CardKind::Line => {
            let account = id.name().split(':').next()?;
            Some(format!("/v1/accounts/{account}/actions/{word}"))
        }
        CardKind::Port | CardKind::Store | CardKind::Queue => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_call_what_the_api_has() {
        let path = |id: &str, action| api_path(&id.parse().expect("an id"), action);
        assert_eq!(
            path("service:send_text", CardAction::ReloadCache).as_deref(),
            Some("/v1/services/send_text/actions/reload-cache")
        );
        assert_eq!(
            path("account:main", CardAction::Pause).as_deref(),
            Some("/v1/accounts/main/actions/pause")
        );
        assert_eq!(
            path("line:main:all", CardAction::Restart).as_deref(),
            Some("/v1/accounts/main/actions/restart")
        );
        assert_eq!(path("port:5021", CardAction::Start), None);
        assert_eq!(path("account:main", CardAction::SignIn), None);
    }
}

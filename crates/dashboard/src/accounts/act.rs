//! The buttons of an account: start, stop, restart, pause, resume.

use access::Right;
use axum::extract::{Path, State};
use axum::response::Response;
use health::CardAction;
use http::Method;
use serde_json::Value;

use super::path_of;
use crate::dashboard::Dashboard;
use crate::listing::{Pressed, refuse};
use crate::page::{self, refusal, segment};
use crate::visitor::{Posted, Visitor};
use crate::words::OverviewWords;

/// `/accounts/{name}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, form: _ }: Posted<Pressed>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    match action_of(&action) {
        Some(action) => ask(&dashboard, &visitor, &name, action).await,
        None => refusal::no_such_page(&visitor),
    }
}

/// What the API has of the buttons of a card.
fn action_of(word: &str) -> Option<CardAction> {
    let known =
        [CardAction::Start, CardAction::Stop, CardAction::Restart, CardAction::Pause, CardAction::Resume];
    known.into_iter().find(|known| known.as_str() == word)
}

async fn ask(dashboard: &Dashboard, visitor: &Visitor, name: &str, action: CardAction) -> Response {
    let (back, words) = (path_of(name), OverviewWords::of(visitor.language));
    let path = format!("/v1/accounts/{}/actions/{}", segment(name), action.as_str());
    match dashboard.ask::<Value>(visitor, Method::POST, &path, None).await {
        Ok(_) => page::done(visitor, &back, &words.acted(action, name)),
        Err(why) if why.code == "account_not_found" => refusal::no_such_page(visitor),
        Err(why) => refuse(visitor, &back, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_call_what_the_api_has() {
        for action in CardAction::ALL {
            let known = !matches!(action, CardAction::SignIn | CardAction::ReloadCache);
            assert_eq!(action_of(action.as_str()).is_some(), known, "{action:?}");
        }
    }
}

//! What is done with a browser profile; its removal is asked about before.

use access::Right;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{HERE, call, find, path_of, put};
use crate::campaigns::act::Question;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{ProfilesWords, WorkWords};

/// `GET /campaign-profiles/{name}/remove`.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    if !visitor.may(Right::ArrangeAccounts) {
        return refusal::not_allowed(&visitor);
    }
    let profile = match find(&dashboard, &visitor, &name).await {
        Ok(profile) => profile,
        Err(answer) => return *answer,
    };
    let words = ProfilesWords::of(visitor.language);
    let title = words.remove_question(&profile.name);
    let here = path_of(&name);
    let body = Question {
        visitor: &visitor,
        work: WorkWords::of(visitor.language),
        title: &title,
        follows: words.remove_follows,
        button: words.remove,
        action: format!("{here}/actions/remove"),
        name: "",
        back: &here,
    };
    page::page(&visitor, &title, Section::Campaigns, body)
}

/// What a button sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pressed {
    /// The proxy that it gets; none when it is empty.
    proxy: String,
}

/// `POST /campaign-profiles/{name}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    let words = ProfilesWords::of(visitor.language);
    let here = path_of(&name);
    let ask = async |method: Method, part: &str| {
        dashboard.ask::<Value>(&visitor, method, &call(&name, part), None).await
    };
    let (result, note) = match action.as_str() {
        "check" => (ask(Method::POST, "/check").await, words.checked_note(&name)),
        "unblock" => (ask(Method::POST, "/unblock").await, words.unblocked_note(&name)),
        "proxy" => {
            let profile = match find(&dashboard, &visitor, &name).await {
                Ok(profile) => profile,
                Err(answer) => return *answer,
            };
            let changed = put(&dashboard, &visitor, &name, &profile.kind, &form.proxy).await;
            (changed.map(|_| Value::Null), words.saved_note(&name))
        }
        "remove" => (ask(Method::DELETE, "").await, words.removed_note(&name)),
        _ => return refusal::no_such_page(&visitor),
    };
    match result {
        // What is wrong with the page is shown on the profile's.
        Ok(shown) if shown["last_error"].is_string() => {
            page::not_done(&visitor, &here, &words.wrong_note(&name))
        }
        Ok(_) => page::done(&visitor, if action == "remove" { HERE } else { &here }, &note),
        Err(why) => page::refused(&visitor, &here, &why),
    }
}

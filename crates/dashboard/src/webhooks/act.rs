//! The buttons of a webhook: a test, a pause, a new secret, posting once more, and the end of it.

use access::Right;
use api::{MadeWebhook, Webhook, WebhookRetry, WebhookTest};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{API, HERE, find, form, name};
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::listing::{address, written_time};
use crate::page::{self, refusal, segment};
use crate::view::{Linked, Section};
use crate::visitor::{Posted, Visitor};
use crate::words::{WebhooksWords, WorkWords, translate};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pressed {
    /// The event that is posted once more.
    event: String,
    /// From when on events are.
    since: String,
    /// The page to go back to.
    back: String,
}

#[derive(Template)]
#[template(path = "webhooks/remove.html")]
struct RemoveQuestion<'a> {
    visitor: &'a Visitor,
    words: &'static WebhooksWords,
    work: &'static WorkWords,
    webhook: &'a Webhook,
}

/// `GET /webhooks/{id}/remove`: the question before it.
pub(crate) async fn ask_remove(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may(Right::Administer) {
        return refusal::not_allowed(&visitor);
    }
    let webhook = match find(&dashboard, &visitor, &id).await {
        Ok(webhook) => webhook,
        Err(answer) => return *answer,
    };
    let (words, work) = (WebhooksWords::of(visitor.language), WorkWords::of(visitor.language));
    let body = RemoveQuestion { visitor: &visitor, words, work, webhook: &webhook };
    page::page(&visitor, &words.remove_question(name(&webhook)), Section::Webhooks, body)
}

/// What a press came to: words, and whether it was done.
type Came = Result<(String, bool), Refused>;

/// `POST /webhooks/{id}/actions/{action}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((id, action)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    let webhook = match find(&dashboard, &visitor, &id).await {
        Ok(webhook) => webhook,
        Err(answer) => return *answer,
    };
    let words = WebhooksWords::of(visitor.language);
    let path = format!("{API}/{}", webhook.id);
    let mut back = if form.back.is_empty() { webhook.path() } else { form.back.clone() };
    let came = match action.as_str() {
        "test" => test(&dashboard, &visitor, &path).await,
        "pause" => done(&dashboard, &visitor, &format!("{path}/pause"), words.was_paused).await,
        "resume" => done(&dashboard, &visitor, &format!("{path}/resume"), words.was_resumed).await,
        "retry" => {
            let event = segment(&form.event);
            retry(&dashboard, &visitor, &format!("{path}/attempts/{event}/retry")).await
        }
        "retry-dead" => retry(&dashboard, &visitor, &format!("{path}/retry")).await,
        "replay" => replay(&dashboard, &visitor, &path, &form.since).await,
        "rotate" => {
            let path = format!("{path}/rotate");
            match dashboard.ask::<MadeWebhook>(&visitor, Method::POST, &path, None).await {
                Ok(made) => return form::secret(&visitor, words.rotated, &made),
                Err(why) => Err(why),
            }
        }
        "remove" => {
            HERE.clone_into(&mut back);
            let removed = dashboard.ask::<Value>(&visitor, Method::DELETE, &path, None).await;
            removed.map(|_| (words.removed(name(&webhook)), true))
        }
        _ => return refusal::no_such_page(&visitor),
    };
    match came {
        Ok((note, true)) => page::done(&visitor, &back, &note),
        Ok((note, false)) => page::not_done(&visitor, &back, &note),
        Err(why) => page::refused(&visitor, &back, &why),
    }
}

async fn done(dashboard: &Dashboard, visitor: &Visitor, path: &str, words: &str) -> Came {
    dashboard.ask::<Value>(visitor, Method::POST, path, None).await.map(|_| (words.to_owned(), true))
}

async fn test(dashboard: &Dashboard, visitor: &Visitor, path: &str) -> Came {
    let path = format!("{path}/test");
    let tested = dashboard.ask::<WebhookTest>(visitor, Method::POST, &path, None).await?;
    let words = WebhooksWords::of(visitor.language);
    Ok(match tested.error {
        Some(error) => (words.not_taken(&translate(visitor.language, &error)), false),
        None => (words.taken(tested.status.unwrap_or_default(), tested.latency_ms.unwrap_or_default()), true),
    })
}

async fn retry(dashboard: &Dashboard, visitor: &Visitor, path: &str) -> Came {
    let retried = dashboard.ask::<WebhookRetry>(visitor, Method::POST, path, None).await?;
    Ok((WebhooksWords::of(visitor.language).retried(retried.retried), true))
}

async fn replay(dashboard: &Dashboard, visitor: &Visitor, path: &str, since: &str) -> Came {
    let (zone, now) = (visitor.zone, visitor.now);
    let Some(at) = written_time(since, zone, now).and_then(|there| zone.instant(there)) else {
        return Ok((WorkWords::of(visitor.language).unread_time(since), false));
    };
    let path = address(&format!("{path}/replay"), &[("since", &at.to_string())]);
    let words = WebhooksWords::of(visitor.language);
    done(dashboard, visitor, &path, &words.replayed(&visitor.wall().second(at).text())).await
}

//! Webhooks: the endpoints of other programs, how well each does, and what came of each event.

pub(crate) mod act;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod one;

use api::Webhook;
use axum::response::Response;
use domain::WebhookId;
use http::Method;

use crate::dashboard::Dashboard;
use crate::page::refusal;
use crate::view::Linked;
use crate::visitor::Visitor;
use crate::words::number::percent;

const HERE: &str = "/webhooks";
const API: &str = "/v1/webhooks";

impl Linked for Webhook {
    fn path(&self) -> String {
        format!("{HERE}/{}", self.id)
    }
}

/// What it is for, else the server that it is at.
fn name(webhook: &Webhook) -> &str {
    webhook.description.as_deref().unwrap_or_else(|| server(&webhook.url))
}

fn server(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// How much of the latest events it took; none before the first.
fn share(webhook: &Webhook) -> Option<String> {
    let (all, taken) = (u16::try_from(webhook.recent).ok()?, u16::try_from(webhook.recent_delivered).ok()?);
    (all > 0).then(|| percent(f32::from(taken) / f32::from(all)))
}

async fn find(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Webhook, Box<Response>> {
    let id: WebhookId = id.parse().map_err(|_| refusal::no_such_page(visitor))?;
    let found = dashboard.ask::<Webhook>(visitor, Method::GET, &format!("{API}/{id}"), None).await;
    found.map_err(|why| Box::new(refusal::of_api(visitor, &why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_without_a_description_is_its_server() {
        for (url, expected) in [
            ("https://example.com/hook?token=planted", "example.com"),
            ("http://127.0.0.1:5678", "127.0.0.1:5678"),
            ("https://example.com?x", "example.com"),
            ("", ""),
        ] {
            assert_eq!(server(url), expected, "{url}");
        }
    }
}

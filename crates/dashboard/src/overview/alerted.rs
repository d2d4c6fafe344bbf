//! Alerts at the top of the page: what stayed broken.

use std::sync::Arc;
use std::time::Duration;

use access::Right;
use api::Alert;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::action::Pressed;
use crate::ask::read_answer;
use crate::dashboard::Dashboard;
use crate::page::{self, done, refusal};
use crate::visitor::Posted;
use crate::words::OverviewWords;

/// The call that lists them. More than these no one reads; the verdict counts all.
const OPEN: &str = "/v1/alerts?state=open&limit=10";

/// How old what is shown may be.
const OLDEST: Duration = Duration::from_secs(2);

/// The longest wait for the list.
const TIMEOUT: Duration = Duration::from_secs(5);

/// For how long the button mutes, in minutes.
const MUTED: u32 = 60;

/// Whether an alert ends by itself at a deadline that is known while others stand in, and is no more than amber as its card is.
pub(crate) fn waits(alert: &Alert) -> bool {
    alert.reason == "flood_wait" && !alert.card.starts_with("service:")
}

/// The alerts that were open when someone looked last, for everyone who looks.
#[derive(Default)]
struct OpenAlerts(Mutex<Looked>);

#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    alerts: Arc<Vec<Alert>>,
}

impl OpenAlerts {
    /// Anyone who looks next sees what was just done.
    async fn forget(&self) {
        self.0.lock().await.at = None;
    }
}

impl Dashboard {
    /// The open alerts, at most two seconds old. When they cannot be asked for, those of before stay.
    pub(crate) async fn alerted(&self) -> Arc<Vec<Alert>> {
        let open = self.page_state::<OpenAlerts>();
        let mut looked = open.0.lock().await;
        if looked.at.is_some_and(|at| at.elapsed() < OLDEST) {
            return Arc::clone(&looked.alerts);
        }
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static(OPEN);
        let listed = tokio::time::timeout(TIMEOUT, async {
            read_answer::<api::Page<Alert>>(self.api().answer(request).await).await
        });
        match listed.await {
            Ok(Ok(listed)) if *looked.alerts != listed.items => looked.alerts = Arc::new(listed.items),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the open alerts cannot be shown"),
            Err(_) => tracing::warn!("the open alerts were not listed in time"),
        }
        looked.at = Some(Instant::now());
        Arc::clone(&looked.alerts)
    }
}

/// `/alerts/{id}/actions/mute`: no one is notified of it for an hour; its dots go on.
pub(crate) async fn mute(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Pressed>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let words = OverviewWords::of(visitor.language);
    let path = format!("/v1/alerts/{}/mute", page::segment(&id));
    let body = json!({ "minutes": MUTED });
    match dashboard.ask::<Value>(&visitor, Method::POST, &path, Some(body)).await {
        Ok(_) => {
            dashboard.page_state::<OpenAlerts>().forget().await;
            done(&visitor, &form.back, words.muted)
        }
        Err(why) => page::refused(&visitor, &form.back, &why),
    }
}

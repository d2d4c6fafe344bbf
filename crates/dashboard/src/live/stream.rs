//! `/live/overview`: changes of the board as they happen, as server-sent events (WHATWG HTML, section 9.2). `/live/work` and
//! `/live/accounts`: that something changed, for pages that are then asked for again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use super::difference::Held;
use crate::dashboard::Dashboard;
use crate::overview::{Query as FilterQuery, ViewKey};
use crate::visitor::{EVERY, SessionEnd, Visitor, session_end};

/// How often something is sent though nothing changed, so that a lost connection is noticed.
const BEAT: Duration = EVERY;

/// The least time between two events.
const PAUSE: Duration = Duration::from_secs(1);

/// A stream ends after this long and the browser begins another one, which asks again who looks.
const LONGEST: Duration = Duration::from_mins(10);

/// Proxies that gather bytes before they pass them on have enough after so many.
const PADDING: usize = 4 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ShownState {
    marks: String,
    order: String,
}

struct Watching {
    dashboard: Dashboard,
    sight: Snapshot,
    /// Taken while the stream waits.
    session_end: Option<SessionEnd>,
    began_at: Instant,
    sent_at: Option<Instant>,
    _permit: OwnedSemaphorePermit,
}

enum Snapshot {
    Board {
        viewer: ViewKey,
        held: Held,
        changes: watch::Receiver<u64>,
        unread: u64,
    },
    /// Lists out of the store, by the commits that there were.
    Work {
        commits: u64,
    },
    /// Lists of accounts, by the changes of their health as well.
    Accounts {
        commits: u64,
        changes: watch::Receiver<u64>,
    },
}

pub(crate) async fn overview(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(filter): Query<FilterQuery>,
    Query(known): Query<ShownState>,
) -> Response {
    let mut changes = dashboard.health().changes();
    changes.mark_changed();
    let viewer = ViewKey::new(filter.into(), &visitor);
    let held = Held::read(&known.marks, &known.order);
    let unread = dashboard.look_for_unread().await;
    stream(dashboard, &visitor, Snapshot::Board { viewer, held, changes, unread }).await
}

pub(crate) async fn work(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let commits = dashboard.state().commits();
    stream(dashboard, &visitor, Snapshot::Work { commits }).await
}

pub(crate) async fn accounts(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let commits = dashboard.state().commits();
    let changes = dashboard.health().changes();
    stream(dashboard, &visitor, Snapshot::Accounts { commits, changes }).await
}

async fn stream(dashboard: Dashboard, visitor: &Visitor, sight: Snapshot) -> Response {
    let Ok(permit) = Arc::clone(dashboard.stream_permits()).try_acquire_owned() else {
        // The page asks again by itself meanwhile.
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "30")]).into_response();
    };
    let watching = Watching {
        sight,
        session_end: Some(session_end(&dashboard, visitor)),
        began_at: Instant::now(),
        sent_at: None,
        _permit: permit,
        dashboard,
    };
    let mut answer = Body::from_stream(events(watching)).into_response();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    std::future::ready(answer).await
}

fn events(watching: Watching) -> impl Stream<Item = Result<Bytes, askama::Error>> {
    futures::stream::try_unfold(watching, |mut watching| async move {
        let event = watching.next().await?;
        Ok(event.map(|event| (Bytes::from(event), watching)))
    })
}

impl Watching {
    /// The next event; none at the end of the program, of the stream or of the session.
    async fn next(&mut self) -> Result<Option<String>, askama::Error> {
        let dashboard = self.dashboard.clone();
        let clock = dashboard.state().clock();
        let Some(last) = self.sent_at.replace(Instant::now()) else {
            // The first bytes show the page that the stream is open, and fill what a proxy might gather.
            return Ok(Some(format!("retry: 5000\n:{}\n\n", " ".repeat(PADDING))));
        };
        let left = LONGEST.saturating_sub(self.began_at.elapsed());
        let Some(mut session_end) = self.session_end.take() else { return Ok(None) };
        let event = async {
            loop {
                // A change waits until a second has gone by since the last one.
                clock.sleep(PAUSE).await;
                let silent = match &mut self.sight {
                    Snapshot::Board { changes, .. } => tokio::select! {
                        changed = changes.changed() => {
                            changed.map_err(|_| askama::Error::Fmt)?;
                            false
                        }
                        () = clock.sleep(BEAT.saturating_sub(last.elapsed())) => true,
                    },
                    Snapshot::Work { .. } | Snapshot::Accounts { .. } => last.elapsed() >= BEAT,
                };
                if let Some(event) = self.look().await? {
                    return Ok::<_, askama::Error>(Some(event));
                }
                if silent {
                    return Ok(Some(self.beat()));
                }
            }
        };
        let event = tokio::select! {
            biased;
            () = dashboard.state().stopping() => return Ok(None),
            () = &mut session_end => return Ok(None),
            () = clock.sleep(left) => return Ok(None),
            event = event => event?,
        };
        self.session_end = Some(session_end);
        self.sent_at = Some(Instant::now());
        Ok(event)
    }

    /// What changed on this page, if anything did.
    async fn look(&mut self) -> Result<Option<String>, askama::Error> {
        let now = self.dashboard.state().commits();
        let changed = match &mut self.sight {
            Snapshot::Board { viewer, held, changes, unread } => {
                let count = self.dashboard.look_for_unread().await;
                if std::mem::replace(unread, count) != count {
                    // What changed on the board comes with the next look.
                    changes.mark_changed();
                    return Ok(Some(format!("event: unread\ndata: {count}\n\n")));
                }
                changes.borrow_and_update();
                let board = self.dashboard.board(viewer).await?;
                let Some(changes) = held.changes(&board) else { return Ok(None) };
                let event = match serde_json::to_string(&changes) {
                    Ok(changes) => format!("event: changes\ndata: {changes}\n\n"),
                    Err(error) => return Err(askama::Error::Custom(Box::new(error))),
                };
                held.take(&board);
                return Ok(Some(event));
            }
            Snapshot::Work { commits } => std::mem::replace(commits, now) != now,
            Snapshot::Accounts { commits, changes } => {
                let healthier = changes.has_changed().unwrap_or_default();
                changes.borrow_and_update();
                std::mem::replace(commits, now) != now || healthier
            }
        };
        Ok(changed.then(|| format!("event: changed\ndata: {now}\n\n")))
    }

    /// Nothing changed.
    fn beat(&self) -> String {
        format!("event: beat\ndata: {}\n\n", self.dashboard.state().clock().now().as_seconds())
    }
}

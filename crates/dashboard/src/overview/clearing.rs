//! Clearing flood waits: the gentle way first, what a run is doing, and its end.

use std::time::Duration;

use access::Right;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use health::{CardFilter, CardKind, Clearing, ClearingView, Phase};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::{Posted, Visitor};
use crate::words::{OverviewWords, Wall};

/// The call that begins, shows and ends it.
const API: &str = "/v1/flood-clearing";

const HERE: &str = "/flood-clearing";

#[derive(Template)]
#[template(path = "overview/clearing.html")]
pub(super) struct Asking<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static OverviewWords,
    pub(super) run: Option<Run<'a>>,
    /// Accounts in flood wait, each with its deadline.
    pub(super) flooded: Vec<String>,
    pub(super) may_act: bool,
}

impl Asking<'_> {
    fn how_many(&self) -> u64 {
        self.flooded.len() as u64
    }
}

/// A clearing that runs, with what is computed of it.
pub(super) struct Run<'a> {
    pub(super) view: &'a ClearingView,
    pub(super) wall: Wall,
}

impl Run<'_> {
    /// A service is started every so often.
    const APART: Duration = Duration::from_mins(1);

    /// How long the whole takes and how much of that is over, in seconds. It ends with the last service that is started.
    fn progress(&self) -> (u64, u64) {
        let end = self.end();
        let all = end.since(self.view.started_at).as_secs().max(1);
        let over = self.wall.now.since(self.view.started_at).as_secs().min(all);
        (over, all)
    }

    fn end(&self) -> domain::Timestamp {
        let until = self.view.until.unwrap_or(self.wall.now);
        let more = u32::try_from(self.view.waiting.len().saturating_sub(1)).unwrap_or(0);
        match self.view.phase {
            Phase::Paused => until,
            Phase::Stopping | Phase::Silent | Phase::Starting => until.plus(Self::APART * more),
        }
    }

    fn left(&self) -> Option<Duration> {
        Some(self.view.until?.since(self.wall.now)).filter(|left| !left.is_zero())
    }

    /// When each service that waits is started.
    fn starts(&self) -> Vec<(domain::Service, domain::Timestamp)> {
        let first = self.view.until.unwrap_or(self.wall.now);
        let apart = (0_u32..).map(|number| first.plus(Self::APART * number));
        self.view.waiting.iter().copied().zip(apart).collect()
    }

    fn is_silent(&self) -> bool {
        matches!(self.view.phase, Phase::Stopping | Phase::Silent)
    }

    fn is_gentle(&self) -> bool {
        self.view.how == Clearing::PauseFlooded
    }
}

/// `/flood-clearing`: the ways, or the run.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let words = OverviewWords::of(visitor.language);
    let health = dashboard.health();
    let view = health.clearing();
    // How far a run is may be seen by all; what begins one is for those who may.
    if view.is_none() && !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let wall = visitor.wall();
    let wanted = CardFilter { kinds: vec![CardKind::Account], trouble: true, ..CardFilter::default() };
    let flooded = health.overview(&wanted).cards.into_iter().filter(|card| card.state == "flood_wait");
    let flooded = flooded
        .map(|card| match card.until {
            Some(until) => words.name_until(&card.name, wall.minute(until)),
            None => card.name,
        })
        .collect();
    let body = Asking {
        visitor: &visitor,
        words,
        run: view.as_ref().map(|view| Run { view, wall }),
        flooded,
        may_act: visitor.may(Right::Operate),
    };
    let title = if view.is_some() { words.clearing_now } else { words.clear_flood };
    std::future::ready(page::page(&visitor, title, Section::Overview, body)).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    /// The way, as the API names it; nothing where none was chosen.
    #[serde(default)]
    how: String,
}

pub(crate) async fn begin(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Chosen>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let words = OverviewWords::of(visitor.language);
    let body = json!({ "how": form.how });
    match dashboard.ask::<Value>(&visitor, Method::POST, API, Some(body)).await {
        Ok(_) => page::done(&visitor, HERE, words.clearing_done),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

/// Ends it: everything it stopped goes on at once.
pub(crate) async fn cancel(
    State(dashboard): State<Dashboard>,
    Posted { visitor, .. }: Posted<Value>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let words = OverviewWords::of(visitor.language);
    match dashboard.ask::<Value>(&visitor, Method::DELETE, API, None).await {
        Ok(_) => page::done(&visitor, "/", words.clearing_cancelled),
        Err(why) => page::refused(&visitor, HERE, &why),
    }
}

//! The overview: a verdict, what stands out, a few numbers, and a card for everything that works or does not.

pub(crate) mod action;
pub(crate) mod alerted;
mod board;
mod card;
pub(crate) mod clearing;
pub(crate) mod detail;
mod hours;
mod render_cache;
mod snapshot;
mod sparkline;
mod strip;
#[cfg(test)]
pub(crate) mod tests;
mod undelivered;
mod wanted;

use std::sync::Arc;

use access::Right;
use api::{Channel, Page};
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use http::Method;

#[cfg(test)]
pub(crate) use board::Group;
pub(crate) use board::{Board, Fragment, Stands, ViewKey};
pub(crate) use card::{CardView, icon};
pub(crate) use detail::Now;
pub(crate) use snapshot::Snapshot;
pub(crate) use undelivered::Undelivered;
pub(crate) use wanted::Query;

use crate::dashboard::Dashboard;
use crate::page;
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{ChannelsWords, OverviewWords};
use wanted::{Filter, Grouping};

#[derive(Template)]
#[template(path = "overview/index.html")]
struct Index<'a> {
    visitor: &'a Visitor,
    words: &'static OverviewWords,
    filter: &'a Filter,
    board: &'a Board,
    matching: u64,
    may_act: bool,
    channels: &'a [Channel],
    of_channels: &'static ChannelsWords,
}

impl Index<'_> {
    fn shown(&self) -> u64 {
        self.board.cards().count() as u64
    }

    /// What follows the facts: the cards that need no one.
    fn has_rest(&self) -> bool {
        self.board.rest().next().is_some() || self.filter.is_later_page()
    }

    fn is_one_page(&self) -> bool {
        self.board.next.is_none() && !self.filter.is_later_page()
    }

    fn order(&self) -> String {
        format!("{:x}", self.board.order)
    }
}

impl ViewKey {
    /// Someone who looks with a filter.
    pub(crate) fn new(filter: Filter, visitor: &Visitor) -> Self {
        Self {
            filter,
            wall: visitor.wall().timeless(),
            may_act: visitor.may(Right::Operate),
            may_arrange: visitor.may(Right::ArrangeAccounts),
        }
    }
}

impl Dashboard {
    /// The board as it is now.
    ///
    /// # Errors
    /// Only what a template itself can fail with.
    pub(crate) async fn board(&self, viewer: &ViewKey) -> Result<Arc<Board>, askama::Error> {
        let alerted = self.alerted().await;
        let undelivered = self.undelivered_today(viewer.wall.zone).await;
        let now = self.state().clock().now();
        self.page_state::<render_cache::RenderCache>().board(
            self.health(),
            viewer,
            &alerted,
            undelivered,
            now,
        )
    }
}

/// `/`.
pub(crate) async fn index(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let viewer = ViewKey::new(query.into(), &visitor);
    match dashboard.board(&viewer).await {
        Ok(board) => show(&visitor, &viewer, &board, &channels(&dashboard, &visitor).await),
        Err(error) => page::not_rendered(&error),
    }
}

/// The accounts of channels; the board does not wait for what keeps them from being read.
async fn channels(dashboard: &Dashboard, visitor: &Visitor) -> Vec<Channel> {
    let found = dashboard.ask::<Page<Channel>>(visitor, Method::GET, "/v1/channels?limit=50", None).await;
    found.map(|found| found.items).unwrap_or_default()
}

fn show(visitor: &Visitor, viewer: &ViewKey, board: &Board, channels: &[Channel]) -> Response {
    let words = OverviewWords::of(visitor.language);
    let body = Index {
        visitor,
        channels,
        of_channels: ChannelsWords::of(visitor.language),
        words,
        filter: &viewer.filter,
        board,
        matching: board.matching,
        may_act: viewer.may_act,
    };
    page::page(visitor, &board.tab, Section::Overview, body)
}

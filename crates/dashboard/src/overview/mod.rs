//! The overview: a verdict, what stands out, a few numbers, and a card for everything that works or does not.

mod action;
mod alerted;
mod board;
mod card;
mod clearing;
mod detail;
mod hours;
mod sight;
mod sparkline;
mod strip;
#[cfg(test)]
pub(crate) mod tests;
mod undelivered;
mod wanted;

use std::sync::Arc;

use access::Right;
use askama::Template;
use axum::Router;
use axum::extract::{Query as QueryOf, State};
use axum::response::Response;
use axum::routing::{get, post};

pub(crate) use alerted::{Alerted, Standing};
#[cfg(test)]
pub(crate) use board::Group;
pub(crate) use board::{Beholder, Board, Drawn, Stands};
pub(crate) use card::{CardView, Place, icon};
pub(crate) use detail::Now;
pub(crate) use sight::Sight;
pub(crate) use undelivered::{Counted, Undelivered};
pub(crate) use wanted::Query;

use crate::dashboard::Dashboard;
use crate::page::{self, Section};
use crate::visitor::{Tally, Visitor};
use crate::words::OverviewWords;
use wanted::{Filter, Grouping};

/// The routes of the overview and of its cards.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/", get(index))
        .route("/cards/{id}", get(detail::show))
        .route("/cards/{id}/strip", get(detail::strip))
        .route("/cards/{id}/stop", get(action::ask))
        .route("/cards/{id}/actions/{action}", post(action::act))
        .route("/alerts/{id}/actions/mute", post(alerted::mute))
        .route("/flood-clearing", get(clearing::show))
        .route("/flood-clearing/actions/begin", post(clearing::begin))
        .route("/flood-clearing/actions/cancel", post(clearing::cancel))
}

#[derive(Template)]
#[template(path = "overview/index.html")]
struct Index<'a> {
    visitor: &'a Visitor,
    words: &'static OverviewWords,
    filter: &'a Filter,
    board: &'a Board,
    matching: u64,
    may_act: bool,
}

impl Index<'_> {
    fn shown(&self) -> u64 {
        self.board.cards().count() as u64
    }

    /// What follows the facts: the cards that need nobody.
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

impl Beholder {
    /// Somebody who looks with a filter.
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
    /// What waits for somebody, out of what is known in memory: the store is not asked.
    pub(crate) fn tally(&self) -> Tally {
        let least = health::Wanted { limit: Some(1), ..health::Wanted::default() };
        let overview = self.health().overview(&least);
        Tally {
            trouble: overview.causes.all().into(),
            in_doubt: overview.facts.in_doubt,
            failed: overview.facts.failed_requests,
            unresolved: overview.facts.unresolved,
        }
    }

    /// How many accounts need a person, as the overview counts them.
    pub(crate) fn accounts_in_trouble(&self) -> u64 {
        let least = health::Wanted { limit: Some(1), ..health::Wanted::default() };
        self.health().overview(&least).causes.kind(health::CardKind::Account).into()
    }

    /// The board as it is now.
    ///
    /// # Errors
    /// Only what a template itself can fail with.
    pub(crate) async fn board(&self, beholder: &Beholder) -> Result<Arc<Board>, askama::Error> {
        let alerted = self.alerted().await;
        let undelivered = self.undelivered_today(beholder.wall.zone).await;
        let now = self.state().clock().now();
        self.drawings().board(self.health(), beholder, &alerted, undelivered, now)
    }
}

/// `/`.
async fn index(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Response {
    let beholder = Beholder::new(query.into(), &visitor);
    match dashboard.board(&beholder).await {
        Ok(board) => show(&visitor, &beholder, &board),
        Err(error) => page::undrawn(&error),
    }
}

fn show(visitor: &Visitor, beholder: &Beholder, board: &Board) -> Response {
    let words = OverviewWords::of(visitor.language);
    let body = Index {
        visitor,
        words,
        filter: &beholder.filter,
        board,
        matching: board.matching,
        may_act: beholder.may_act,
    };
    page::page(visitor, &board.tab, Section::Overview, body)
}

//! A card's own page: its strip in full, all its numbers, the minutes that were not fine.

use access::Right;
use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use health::{Card, CardAction, CardId, CardKind, Lamp, Minute};
use serde::Deserialize;

use super::action::card_of;
use super::card::{self, CardView, card_path};
use super::sparkline;
use super::strip::{Cell, Spell, Strip, spells};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::Section;
use crate::visitor::Visitor;
use crate::words::{self, OverviewWords, Wall, number};

#[derive(Template)]
#[template(path = "overview/detail.html")]
pub(super) struct Detail<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static OverviewWords,
    pub(super) wall: Wall,
    pub(super) card: &'a Card,
    pub(super) now: Now<'a>,
    pub(super) may_act: bool,
}

impl Detail<'_> {
    /// The card as it is on the board.
    fn cure(&self) -> CardView<'_> {
        CardView::flat(self.card, self.words, self.wall, self.may_act)
    }

    /// The account of a session, whose page leads here.
    fn account(&self) -> Option<&CardId> {
        self.card.parent.as_ref()
    }

    fn buttons(&self) -> Vec<CardAction> {
        let wanted = self.card.actions.iter().filter(|action| *action != CardAction::SignIn);
        if self.may_act { wanted.collect() } else { Vec::new() }
    }
}

/// The last two hours of a card, its numbers, and the minutes that were not fine.
#[derive(Template)]
#[template(path = "overview/now.html")]
pub(crate) struct Now<'a> {
    pub(crate) words: &'static OverviewWords,
    pub(crate) wall: Wall,
    pub(crate) card: &'a Card,
    pub(crate) minutes: &'a [Minute],
}

impl Now<'_> {
    /// The strip with a dot a minute, and for narrow windows with one for three.
    fn strips(&self) -> [(&'static str, Strip); 2] {
        [("fine", Cell::Minute), ("coarse", Cell::ThreeMinutes)]
            .map(|(class, cell)| (class, Strip::of(self.minutes, cell)))
    }

    fn label(&self) -> String {
        self.words.strip(&card::name(self.card), Strip::of(self.minutes, Cell::Minute).counts)
    }

    /// The latest first.
    fn spells(&self) -> Vec<Spell<'_>> {
        let mut spells = spells(self.minutes);
        spells.reverse();
        spells
    }
}

/// `/cards/{id}`; that of an account is its own page.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let answer = match card_of(&dashboard, &id) {
        Some(card) if card.kind == CardKind::Account => Redirect::to(&card_path(&card.id)).into_response(),
        Some(card) => {
            let minutes = dashboard.health().strip(&card.id);
            let (words, wall) = (OverviewWords::of(visitor.language), visitor.wall());
            let now = Now { words, wall, card: &card, minutes: &minutes };
            let may_act = visitor.may(Right::Operate);
            let body = Detail { visitor: &visitor, words, wall, card: &card, now, may_act };
            page::page(&visitor, &card::name(&card), Section::Overview, body)
        }
        None => refusal::no_such_page(&visitor),
    };
    std::future::ready(answer).await
}

/// How many cells the strip has that someone points at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cells {
    cells: usize,
}

/// `/cards/{id}/strip`: the cells of a strip in words, oldest first, for pointing at a dot.
pub(crate) async fn strip(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<Cells>,
) -> Response {
    let Ok(id) = id.parse::<CardId>() else { return refusal::no_such_page(&visitor) };
    let (words, wall) = (OverviewWords::of(visitor.language), visitor.wall());
    let minutes = dashboard.health().strip(&id);
    let worst = Cell::of(query.cells).worst(&minutes);
    let spoken: Vec<_> = worst.into_iter().map(|minute| words.minute(minute, wall)).collect();
    std::future::ready(Json(spoken).into_response()).await
}

//! A card's own page: its strip in full, all its numbers, the minutes that were not fine.

use access::Right;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use health::{Card, CardAction, CardId, CardKind, Lamp, Minute};

use super::action::card_of;
use super::card::CardView;
use super::strip::{Spell, Strip, spells};
use super::{card, sparkline};
use crate::dashboard::Dashboard;
use crate::page::{self, Section, refusal};
use crate::visitor::Visitor;
use crate::words::{self, OverviewWords, Wall, number};

#[derive(Template)]
#[template(path = "overview/detail.html")]
pub(super) struct Detail<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static OverviewWords,
    pub(super) wall: Wall,
    pub(super) card: &'a Card,
    pub(super) minutes: &'a [Minute],
    pub(super) strip: Strip,
    pub(super) may_act: bool,
}

impl Detail<'_> {
    fn label(&self) -> String {
        self.words.strip(&card::name(self.card), self.strip.counts)
    }

    /// The latest first.
    fn spells(&self) -> Vec<Spell<'_>> {
        let mut spells = spells(self.minutes);
        spells.reverse();
        spells
    }

    /// The card as it stands on the board.
    fn cure(&self) -> CardView<'_> {
        CardView::new(self.card, Strip::default(), self.words, self.wall, self.may_act)
    }

    fn lines(&self) -> Option<String> {
        (self.card.kind == CardKind::Account).then(|| format!("/?of={}", self.card.id))
    }

    fn buttons(&self) -> Vec<CardAction> {
        let wanted = self.card.actions.iter().filter(|action| *action != CardAction::SignIn);
        if self.may_act { wanted.collect() } else { Vec::new() }
    }
}

/// `/cards/{id}`.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let answer = match card_of(&dashboard, &id) {
        Some(card) => {
            let minutes = dashboard.health().strip(&card.id);
            let body = Detail {
                visitor: &visitor,
                words: OverviewWords::of(visitor.language),
                wall: visitor.wall(),
                card: &card,
                minutes: &minutes,
                strip: Strip::of(&minutes),
                may_act: visitor.may(Right::Operate),
            };
            page::page(&visitor, &card::name(&card), Section::Overview, body)
        }
        None => refusal::no_such_page(&visitor),
    };
    std::future::ready(answer).await
}

/// `/cards/{id}/strip`: the minutes of a strip in words, oldest first, for pointing at a dot.
pub(super) async fn strip(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<CardId>() else { return refusal::no_such_page(&visitor) };
    let (words, wall) = (OverviewWords::of(visitor.language), visitor.wall());
    let minutes = dashboard.health().strip(&id);
    let spoken: Vec<_> = minutes.iter().map(|minute| words.minute(minute, wall)).collect();
    std::future::ready(Json(spoken).into_response()).await
}

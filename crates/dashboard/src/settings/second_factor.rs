//! Turning the second factor on, with its picture and its first code; its recovery codes; turning it off.

use access::OfferedFactor;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{ExposeSecret, SecretText};
use serde::Deserialize;

use super::me::{HERE, not_made};
use super::{Nothing, Tabs};
use crate::dashboard::Dashboard;
use crate::page::{self, QrCode, refusal};
use crate::view::{Section, Tab};
use crate::visitor::{Posted, Visitor};
use crate::words::MeWords;

/// The page where the first code is given.
const OFFER: &str = "/settings/me/second-factor";

#[derive(Template)]
#[template(path = "settings/second_factor.html")]
pub(super) struct Offer<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MeWords,
    pub(super) tabs: Tabs,
    pub(super) picture: Option<QrCode>,
    /// The secret for typing, in groups of four.
    pub(super) secret: String,
}

#[derive(Template)]
#[template(path = "settings/recovery_codes.html")]
pub(super) struct CodesPage<'a> {
    pub(super) words: &'static MeWords,
    pub(super) tabs: Tabs,
    pub(super) codes: Vec<&'a str>,
}

/// `POST …/offer-second-factor`: a new secret, shown on a page of its own.
pub(crate) async fn offer(
    State(dashboard): State<Dashboard>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let Some((own, _)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().offer_second_factor(own).await {
        Ok(_) => Redirect::to(OFFER).into_response(),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

/// `GET /settings/me/second-factor`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let Some((own, _)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().offered_second_factor(own).await {
        Ok(Some(offered)) => draw(&visitor, &offered),
        Ok(None) => Redirect::to(HERE).into_response(),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

fn draw(visitor: &Visitor, offered: &OfferedFactor) -> Response {
    let words = MeWords::of(visitor.language);
    let picture = QrCode::of(offered.address.expose_secret());
    if let Err(error) = &picture {
        tracing::warn!(%error, "the picture of a second factor cannot be drawn; its text is shown");
    }
    let letters: Vec<char> = offered.secret.expose_secret().chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    let body = Offer {
        visitor,
        words,
        tabs: Tabs::new(visitor, Tab::Me),
        picture: picture.ok(),
        secret: groups.join(" "),
    };
    page::page(visitor, words.second_factor, Section::Settings, body)
}

/// The first code.
#[derive(Deserialize)]
pub(crate) struct FirstCode {
    code: String,
}

/// `POST …/confirm-second-factor`: in force from now on; the recovery codes are shown this once.
pub(crate) async fn confirm(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<FirstCode>,
) -> Response {
    let Some((own, client)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().confirm_second_factor(own, &form.code, &client).await {
        Ok(codes) => show_codes(&visitor, &codes),
        Err(error @ access::ChangeError::WrongCode) => not_made(&visitor, OFFER, &error),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Present {
    present: SecretText,
}

/// `POST …/drop-second-factor`.
pub(crate) async fn drop_it(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Present>,
) -> Response {
    let Some((own, client)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().drop_second_factor(own, form.present, &client).await {
        Ok(()) => page::done(&visitor, HERE, MeWords::of(visitor.language).factor_dropped),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

/// `POST …/renew-recovery-codes`: the old ones are void; the new ones are shown this once.
pub(crate) async fn renew(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<Present>,
) -> Response {
    let Some((own, client)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().renew_recovery_codes(own, form.present, &client).await {
        Ok(codes) => show_codes(&visitor, &codes),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

/// Answered at once and not after a redirect: they are kept nowhere that a second request could read them from.
fn show_codes(visitor: &Visitor, codes: &[SecretText]) -> Response {
    let words = MeWords::of(visitor.language);
    let codes = codes.iter().map(ExposeSecret::expose_secret).collect();
    let body = CodesPage { words, tabs: Tabs::new(visitor, Tab::Me), codes };
    page::page(visitor, words.recovery_codes, Section::Settings, body)
}

//! Oneself: role, password, second factor, sessions, language and look.

use access::{ChangeError, SessionView};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::{SecretText, SessionId};
use serde::Deserialize;

use super::{Nothing, Tabs};
use crate::dashboard::Dashboard;
use crate::page::{self, refusal};
use crate::view::{Language, Section, Tab, Theme};
use crate::visitor::{Posted, Visitor};
use crate::words::{self, MeWords, Wall};

pub(super) const HERE: &str = "/settings/me";

#[derive(Template)]
#[template(path = "settings/me.html")]
pub(super) struct Me<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MeWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) name: &'a str,
    pub(super) second_factor: bool,
    pub(super) recovery_codes: u64,
    pub(super) sessions: &'a [SessionView],
    pub(super) own: Option<SessionId>,
}

impl Me<'_> {
    fn is_own(&self, session: &SessionView) -> bool {
        self.own == Some(session.id)
    }

    fn themes() -> [Theme; 3] {
        [Theme::Browser, Theme::Light, Theme::Dark]
    }

    fn languages() -> [(Language, &'static str); 2] {
        [(Language::English, "English"), (Language::Russian, "Русский")]
    }
}

/// `GET /settings/me`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let Some(name) = visitor.user.clone() else { return refusal::not_allowed(&visitor) };
    let access = dashboard.state().access();
    let (person, sessions) = match tokio::join!(access.person(&name), access.sessions(&name)) {
        (Ok(Some(person)), Ok(sessions)) => (person, sessions),
        (Ok(None), _) => return refusal::not_allowed(&visitor),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "one's own settings cannot be read");
            return refusal::no_store(&visitor);
        }
    };
    let words = MeWords::of(visitor.language);
    let body = Me {
        visitor: &visitor,
        words,
        wall: visitor.wall(),
        tabs: Tabs::new(&visitor, Tab::Me),
        name: name.as_str(),
        second_factor: person.second_factor,
        recovery_codes: person.recovery_codes,
        sessions: &sessions,
        own: visitor.session.as_ref().map(|session| session.session),
    };
    page::page(&visitor, words.title, Section::Settings, body)
}

/// A change that was not made: back with the reason.
pub(super) fn not_made(visitor: &Visitor, back: &str, error: &ChangeError) -> Response {
    if matches!(error, ChangeError::Failed(_) | ChangeError::Store(_)) {
        tracing::error!(%error, "a person's own settings could not be changed");
    }
    page::not_done(visitor, back, &MeWords::of(visitor.language).not_changed(error))
}

#[derive(Deserialize)]
pub(crate) struct NewPassword {
    present: SecretText,
    new: SecretText,
}

/// `POST /settings/me/actions/change-password`.
pub(crate) async fn change_password(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<NewPassword>,
) -> Response {
    let Some((own, client)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().change_password(own, form.present, form.new, &client).await {
        Ok(()) => page::done(&visitor, HERE, MeWords::of(visitor.language).password_changed),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

#[derive(Deserialize)]
pub(crate) struct OneSession {
    id: String,
}

/// `POST /settings/me/actions/end-session`.
pub(crate) async fn end_session(
    State(dashboard): State<Dashboard>,
    Posted { visitor, form }: Posted<OneSession>,
) -> Response {
    let Some((own, client)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    let words = MeWords::of(visitor.language);
    let Ok(id) = form.id.parse() else { return page::not_done(&visitor, HERE, words.no_session) };
    match dashboard.state().access().end_own_session(own, id, &client).await {
        Ok(true) => page::done(&visitor, HERE, words.session_ended),
        Ok(false) => page::not_done(&visitor, HERE, words.no_session),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

/// `POST /settings/me/actions/end-other-sessions`.
pub(crate) async fn end_other_sessions(
    State(dashboard): State<Dashboard>,
    Posted { visitor, .. }: Posted<Nothing>,
) -> Response {
    let Some((own, client)) = visitor.own() else { return refusal::not_allowed(&visitor) };
    match dashboard.state().access().end_own_other_sessions(own, &client).await {
        Ok(ended) => page::done(&visitor, HERE, &MeWords::of(visitor.language).sessions_ended(ended)),
        Err(error) => not_made(&visitor, HERE, &error),
    }
}

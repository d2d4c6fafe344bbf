//! Who looks at a page: the person, the language, the look, and what a form of theirs must carry.

mod choices;
mod cookies;
mod csrf;
mod flash;
pub(crate) mod form_with_files;
mod nav_counts;
mod posted;
mod session_watch;

use std::net::IpAddr;

use access::{ClientInfo, Right, Role};
use axum::extract::FromRequestParts;
use axum::response::Redirect;
use domain::{Timestamp, UserName};
use http::header::{COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) use choices::remember_choices;
pub(crate) use cookies::{cookie, set_cookie};
pub(crate) use csrf::Csrf;
pub(crate) use flash::{Flash, Tone};
pub(crate) use nav_counts::NavCountsSource;
pub(crate) use posted::{Posted, Unfit, body_of, has_token};
pub(crate) use session_watch::{EVERY, SessionEnd, session_end};

use crate::dashboard::Dashboard;
use crate::view::{Language, Theme, Zone};
use crate::words::Wall;

/// The person who looks at a page, and how they want it. As an extractor it sends anyone who is not signed in to the sign-in page.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The name they signed in with; none on the pages for anyone who has not yet.
    pub(crate) user: Option<UserName>,
    /// Their session, for what concerns it alone.
    pub(crate) session: Option<access::Visitor>,
    pub(crate) role: Role,
    pub(crate) language: Language,
    /// Light, dark, or as the browser likes.
    pub(crate) theme: Theme,
    /// Their offset from UTC, for times of day.
    pub(crate) zone: Zone,
    /// What each form of theirs carries.
    pub(crate) csrf: Csrf,
    /// Where they come from, past trusted proxies.
    pub(crate) address: Option<IpAddr>,
    /// When the request came.
    pub(crate) now: Timestamp,
    /// What waits for someone, for the rail.
    pub(crate) tallied: NavCountsSource,
    /// What the action before this page came to.
    pub(crate) flash: Option<Flash>,
    /// The path and query they asked for, to come back to.
    pub(crate) here: String,
}

impl Visitor {
    /// Someone who is not signed in, for the pages that such a person sees.
    pub(crate) fn stranger(dashboard: &Dashboard, parts: &Parts) -> Self {
        let headers = &parts.headers;
        Self {
            user: None,
            session: None,
            role: Role::Viewer,
            language: language_of(headers),
            theme: cookie(headers, Theme::COOKIE).and_then(Theme::from_word).unwrap_or_default(),
            zone: cookie(headers, Zone::COOKIE).and_then(Zone::from_word).unwrap_or_default(),
            csrf: Csrf::none(),
            address: web::client_address(dashboard.state(), parts),
            now: dashboard.state().clock().now(),
            tallied: NavCountsSource::default(),
            flash: cookie(headers, Flash::COOKIE).and_then(Flash::from_word),
            here: parts.uri.path_and_query().map_or("/", |here| here.as_str()).to_owned(),
        }
    }
}

impl Visitor {
    pub(crate) fn is_signed_in(&self) -> bool {
        self.session.is_some()
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        access::may(self.role, right)
    }

    /// How instants are shown to them.
    pub(crate) fn wall(&self) -> Wall {
        Wall { language: self.language, zone: self.zone, now: self.now }
    }

    /// Their session and where they come from, to change something about themselves.
    pub(crate) fn own(&self) -> Option<(&access::Visitor, ClientInfo)> {
        Some((
            self.session.as_ref()?,
            ClientInfo { address: self.address, browser: None, devices: Vec::new() },
        ))
    }

    /// The user whose rights the calls of the API have; none before the sign-in, when there are no calls.
    pub(crate) fn actor(&self) -> Option<web::Actor> {
        let user = self.user.clone()?;
        Some(web::Actor { user, role: self.role, address: self.address })
    }
}

/// What was chosen before, or what the browser asks for.
fn language_of(headers: &HeaderMap) -> Language {
    cookie(headers, Language::COOKIE)
        .and_then(Language::from_word)
        .unwrap_or_else(|| Language::of_browser(headers))
}

#[cfg(test)]
impl Visitor {
    /// An admin three hours east of Greenwich, for drawings in tests.
    pub(crate) fn made_up(language: Language, now: Timestamp) -> Self {
        Self {
            user: "anna".parse().ok(),
            session: None,
            role: Role::Admin,
            language,
            theme: Theme::default(),
            zone: Zone::from_word("180").unwrap_or_default(),
            csrf: Csrf::new("t0ken"),
            address: None,
            now,
            tallied: NavCountsSource::default(),
            flash: None,
            here: "/".to_owned(),
        }
    }
}

pub(crate) enum Unknown {
    /// Not signed in: this leads to the sign-in page.
    SignedOut(Redirect),
    /// The store does not answer who it is.
    NoStore(Box<Visitor>),
    /// Their role sees the inbox alone.
    Elsewhere(Box<Visitor>),
}

impl FromRequestParts<Dashboard> for Visitor {
    type Rejection = Unknown;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Unknown> {
        let headers = parts.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let tokens = access::cookie::find(headers, web::is_secure(dashboard.state(), parts));
        let stranger = Self::stranger(dashboard, parts);
        if tokens.is_empty() {
            return Err(Unknown::SignedOut(to_sign_in(parts, false)));
        }
        let client =
            ClientInfo { address: stranger.address, browser: browser(&parts.headers), devices: Vec::new() };
        match dashboard.state().access().session_of(&tokens, &client).await {
            Ok(Some(session)) => {
                if parts.method == http::Method::GET {
                    dashboard.look_for_unread().await;
                }
                let visitor = Self {
                    user: Some(session.user.clone()),
                    role: session.role,
                    csrf: Csrf::new(session.csrf.as_str()),
                    tallied: NavCountsSource::by(dashboard),
                    session: Some(session),
                    ..stranger
                };
                let is_open = visitor.may(Right::Look) || is_of_inbox(parts.uri.path());
                if is_open { Ok(visitor) } else { Err(Unknown::Elsewhere(Box::new(visitor))) }
            }
            Ok(None) => Err(Unknown::SignedOut(to_sign_in(parts, true))),
            Err(error) => {
                tracing::error!(%error, "who looks at the dashboard cannot be asked of the store");
                Err(Unknown::NoStore(Box::new(stranger)))
            }
        }
    }
}

/// Where those come who see the inbox alone.
const PAGES: [&str; 9] = [
    "/inbox",
    "/inbox-files",
    "/inbox-new",
    "/inbox-news",
    "/inbox-figures",
    "/inbox-templates",
    "/settings/me",
    "/live/work",
    "/sign-out",
];

/// Whether a page is there for those who see the inbox alone.
fn is_of_inbox(path: &str) -> bool {
    let is_below = |place: &str| {
        let rest = path.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    PAGES.into_iter().any(is_below)
}

pub(crate) fn browser(headers: &HeaderMap) -> Option<String> {
    headers.get(USER_AGENT)?.to_str().ok().map(|name| name.chars().take(200).collect())
}

/// To the sign-in page, and back here afterwards if this was only a look. Anyone who sent something when their session had ended
/// is shown that it came to nothing.
fn to_sign_in(parts: &Parts, was_in: bool) -> Redirect {
    let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
    let place = match (parts.method == Method::GET, here) {
        (true, "/") => "/sign-in".to_owned(),
        (true, here) => format!("/sign-in?next={}", utf8_percent_encode(here, NON_ALPHANUMERIC)),
        (false, _) if was_in => "/sign-in?note=ended".to_owned(),
        (false, _) => "/sign-in".to_owned(),
    };
    Redirect::to(&place)
}

//! A form from someone who has not signed in, and where they come from.

use access::{ClientInfo, DoorToken, SignInError};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::header::COOKIE;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::dashboard::Dashboard;
use crate::page::refusal;
use crate::visitor::{Csrf, Visitor, body_of, browser, has_token};

pub(crate) struct Stranger {
    /// How they want their pages; with no name yet, and with the token of their browser for its forms.
    pub(crate) visitor: Visitor,
    /// Where they come from.
    pub(crate) client: ClientInfo,
    /// Whether their browser speaks TLS to us or to a trusted proxy.
    pub(crate) secure: bool,
}

impl Stranger {
    pub(super) fn of(parts: &Parts, dashboard: &Dashboard) -> Self {
        let secure = web::is_secure(dashboard.state(), parts);
        let cookies = || parts.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut visitor = Visitor::stranger(dashboard, parts);
        if let Some(door) = access::cookie::find_door(cookies(), secure) {
            visitor.csrf = Csrf::new(door.csrf().as_str());
        }
        let devices = access::cookie::find_devices(cookies(), secure);
        let devices = devices.iter().map(access::DeviceToken::id).collect();
        let client = ClientInfo { address: visitor.address, browser: browser(&parts.headers), devices };
        Self { visitor, client, secure }
    }

    /// Has the browser keep a token for its forms, unless it has one. The value of `Set-Cookie`.
    pub(super) fn give_token(&mut self) -> Result<Option<String>, SignInError> {
        if self.visitor.csrf != Csrf::none() {
            return Ok(None);
        }
        let door = DoorToken::draw()?;
        self.visitor.csrf = Csrf::new(door.csrf().as_str());
        Ok(Some(access::cookie::door(&door, self.secure)))
    }
}

impl FromRequestParts<Dashboard> for Stranger {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        std::future::ready(Ok(Self::of(parts, dashboard))).await
    }
}

/// What they wrote. There is no session yet, so the token belongs to the browser that was shown the form: another site could sign
/// it in as someone else without (login CSRF). A browser that says that another site sent it is refused too.
pub(crate) struct Written<T> {
    pub(crate) stranger: Stranger,
    pub(crate) form: T,
}

impl<T: DeserializeOwned> FromRequest<Dashboard> for Written<T> {
    type Rejection = Response;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let stranger = Stranger::of(&parts, dashboard);
        if web::is_from_another_site(dashboard.state(), &parts) {
            return Err(refusal::form_of_elsewhere(&stranger.visitor));
        }
        let Some(body) = body_of(body).await else { return Err(refusal::form_unread(&stranger.visitor)) };
        if !has_token(&stranger.visitor.csrf, &body) {
            return Err(refusal::form_of_elsewhere(&stranger.visitor));
        }
        match serde_urlencoded::from_bytes(&body) {
            Ok(form) => Ok(Self { stranger, form }),
            // What was written is not repeated: it may be a password.
            Err(_) => Err(refusal::form_wrong(&stranger.visitor, "")),
        }
    }
}

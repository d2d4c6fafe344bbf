//! A form from someone who has not signed in, and where they come from.

use access::ClientInfo;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::dashboard::Dashboard;
use crate::page::refusal;
use crate::visitor::{Visitor, body_of, browser, is_from_another_site};

pub(crate) struct Stranger {
    /// How they want their pages; with no name yet.
    pub(crate) visitor: Visitor,
    /// Where they come from.
    pub(crate) client: ClientInfo,
    /// Whether their browser speaks TLS to us or to a trusted proxy.
    pub(crate) secure: bool,
}

impl Stranger {
    fn of(parts: &Parts, dashboard: &Dashboard) -> Self {
        let visitor = Visitor::stranger(dashboard, parts);
        let client = ClientInfo { address: visitor.address, browser: browser(&parts.headers) };
        Self { visitor, client, secure: web::is_secure(dashboard.state(), parts) }
    }
}

impl FromRequestParts<Dashboard> for Stranger {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        std::future::ready(Ok(Self::of(parts, dashboard))).await
    }
}

/// What they wrote. There is no session yet that a token could belong to; a browser that says that another site sent it is
/// refused.
pub(crate) struct Written<T> {
    pub(crate) stranger: Stranger,
    pub(crate) form: T,
}

impl<T: DeserializeOwned> FromRequest<Dashboard> for Written<T> {
    type Rejection = Response;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let stranger = Stranger::of(&parts, dashboard);
        if is_from_another_site(&parts.headers) {
            return Err(refusal::form_of_elsewhere(&stranger.visitor));
        }
        let Some(body) = body_of(body).await else { return Err(refusal::form_unread(&stranger.visitor)) };
        match serde_urlencoded::from_bytes(&body) {
            Ok(form) => Ok(Self { stranger, form }),
            // What was written is not repeated: it may be a password.
            Err(_) => Err(refusal::form_wrong(&stranger.visitor, "")),
        }
    }
}

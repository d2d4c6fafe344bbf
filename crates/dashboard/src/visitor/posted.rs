//! A form that a person sent: read within bounds, and only if it comes from a page of ours.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use super::{Csrf, Unknown, Visitor};
use crate::dashboard::Dashboard;

/// The largest form, in bytes. Files go another way.
const LARGEST: usize = 64 * 1024;

/// How long a form may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A form and who sent it. As an extractor it refuses a form without the token of its sender's session, and one that
/// the browser says comes from another site.
pub(crate) struct Posted<T> {
    pub(crate) visitor: Visitor,
    pub(crate) form: T,
}

/// Why a form is not taken.
pub(crate) enum Unfit {
    Unknown(Unknown),
    /// It did not arrive whole, or is too large.
    Unread(Box<Visitor>),
    /// It lacks the token of its sender, or another site sent it.
    OfElsewhere(Box<Visitor>),
    /// It lacks a field or has one that cannot be read: which.
    Wrong(Box<Visitor>, String),
}

impl<T: DeserializeOwned> FromRequest<Dashboard> for Posted<T> {
    type Rejection = Unfit;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<Self, Unfit> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, dashboard).await.map_err(Unfit::Unknown)?;
        let Some(body) = body_of(body).await else { return Err(Unfit::Unread(Box::new(visitor))) };
        let is_foreign = web::is_from_another_site(dashboard.state(), &parts);
        if is_foreign || !has_token(&visitor.csrf, &body) {
            return Err(Unfit::OfElsewhere(Box::new(visitor)));
        }
        match serde_urlencoded::from_bytes(&body) {
            Ok(form) => Ok(Self { visitor, form }),
            Err(error) => Err(Unfit::Wrong(Box::new(visitor), error.to_string())),
        }
    }
}

/// A form as it came; none when it is too large, too slow or breaks off.
pub(crate) async fn body_of(body: Body) -> Option<Bytes> {
    let reading = Limited::new(body, LARGEST).collect();
    Some(tokio::time::timeout(TIMEOUT, reading).await.ok()?.ok()?.to_bytes())
}

/// Whether a form carries this token, once.
pub(crate) fn has_token(token: &Csrf, body: &[u8]) -> bool {
    serde_urlencoded::from_bytes::<Vec<(String, String)>>(body).is_ok_and(|fields| {
        let mut tokens = fields.iter().filter(|(name, _)| name == Csrf::FIELD);
        tokens.next().is_some_and(|(_, given)| token.matches(given))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_carries_its_token() {
        let token = Csrf::new("t0ken");
        assert!(has_token(&token, b"csrf=t0ken&a=1"));
        assert!(has_token(&token, b"a=1&csrf=t0ken"));
        for wrong in [&b"csrf=wrong"[..], b"csrf=wrong&csrf=t0ken", b"csrf=", b"a=1", b""] {
            assert!(!has_token(&token, wrong));
            assert!(!has_token(&Csrf::none(), wrong));
        }
    }
}

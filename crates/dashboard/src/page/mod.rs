//! A page as a whole: its frame, its headers, what an action answers, and how it says no.

mod done;
mod frame;
mod headers;
mod icon;
mod qr_code;
pub(crate) mod refusal;
mod squeeze;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;

pub(crate) use done::{done, not_done, own_path, refused, segment};
pub(crate) use headers::secure;
pub(crate) use icon::{brand, icon};
pub(crate) use qr_code::QrCode;
pub(crate) use refusal::no_such_method;
pub(crate) use squeeze::{gzip, squeeze, takes_gzip};

use crate::view::Section;
use crate::visitor::{Flash, Visitor, set_cookie};
use frame::Frame;

/// A page with `body` in its frame: rail, lamp, language and theme. `title` comes before the name of the program in the
/// browser's tab.
pub(crate) fn page(visitor: &Visitor, title: &str, current: Section, body: impl Template) -> Response {
    page_of(StatusCode::OK, visitor, title, current, body)
}

/// The same with another status: a form that was not taken is shown again with what is wrong (422).
pub(crate) fn page_of(
    status: StatusCode,
    visitor: &Visitor,
    title: &str,
    current: Section,
    body: impl Template,
) -> Response {
    drawn(status, visitor, title, current, body, None)
}

/// A page about something that moves on by itself: a browser without script asks for it again after this number of seconds.
pub(crate) fn moving_page(
    visitor: &Visitor,
    title: &str,
    current: Section,
    body: impl Template,
    renew: Option<u16>,
) -> Response {
    drawn(StatusCode::OK, visitor, title, current, body, renew)
}

fn drawn(
    status: StatusCode,
    visitor: &Visitor,
    title: &str,
    current: Section,
    body: impl Template,
    renew: Option<u16>,
) -> Response {
    let whole =
        body.render().and_then(|body| Frame::new(visitor, title, current, &body).renewed(renew).render());
    let whole = match whole {
        Ok(whole) => whole,
        Err(error) => return not_rendered(&error),
    };
    let mut answer = (status, Html(whole)).into_response();
    if visitor.flash.is_some()
        && let Some(gone) = set_cookie(Flash::COOKIE, "", 0)
    {
        answer.headers_mut().append(SET_COOKIE, gone);
    }
    answer
}

/// A page that could not be drawn. Nothing can be drawn about that either.
pub(crate) fn not_rendered(error: &askama::Error) -> Response {
    tracing::error!(%error, "a page could not be drawn");
    (StatusCode::INTERNAL_SERVER_ERROR, "The page cannot be drawn; the log says why.").into_response()
}

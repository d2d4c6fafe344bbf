//! How a page says no: what is wrong, and the way out.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::page_of;
use crate::ask::Refused;
use crate::view::Section;
use crate::visitor::{Unfit, Unknown, Visitor};
use crate::words::{RefusalWords, Sentence};

#[derive(Template)]
#[template(path = "refusal.html")]
struct Refusal<'a> {
    words: &'static RefusalWords,
    heading: &'a str,
    detail: Sentence<'a>,
}

fn refuse(status: StatusCode, visitor: &Visitor, heading: &str, detail: &str) -> Response {
    let words = RefusalWords::of(visitor.language);
    page_of(
        status,
        visitor,
        heading,
        Section::None,
        Refusal { words, heading, detail: visitor.wall().verbatim(detail.into()) },
    )
}

pub(crate) fn no_such_page(visitor: &Visitor) -> Response {
    let words = RefusalWords::of(visitor.language);
    refuse(StatusCode::NOT_FOUND, visitor, words.no_page, words.no_page_detail)
}

/// What was asked for is gone or cannot be had, in words of the page itself.
pub(crate) fn of_nothing(visitor: &Visitor, heading: &str, detail: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, visitor, heading, detail)
}

pub(crate) fn of_api(visitor: &Visitor, why: &Refused) -> Response {
    let words = RefusalWords::of(visitor.language);
    let heading = if why.status == StatusCode::NOT_FOUND { words.no_page } else { words.refused };
    refuse(why.status, visitor, heading, &why.detail)
}

/// The page of a refusal, which a handler returns with `?`.
#[derive(Debug)]
pub(crate) struct RefusalPage(Box<Response>);

impl RefusalPage {
    pub(crate) fn of_api(visitor: &Visitor, why: &Refused) -> Self {
        Self(Box::new(of_api(visitor, why)))
    }
}

impl IntoResponse for RefusalPage {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// The person may not do this.
pub(crate) fn not_allowed(visitor: &Visitor) -> Response {
    let words = RefusalWords::of(visitor.language);
    refuse(StatusCode::FORBIDDEN, visitor, words.not_allowed, words.not_allowed_detail)
}

/// The store does not answer, so that no one knows who looks.
pub(crate) fn no_store(visitor: &Visitor) -> Response {
    let words = RefusalWords::of(visitor.language);
    refuse(StatusCode::SERVICE_UNAVAILABLE, visitor, words.no_store, words.no_store_detail)
}

/// A form without the token of its sender, or one that another site sent.
pub(crate) fn form_of_elsewhere(visitor: &Visitor) -> Response {
    let words = RefusalWords::of(visitor.language);
    refuse(StatusCode::FORBIDDEN, visitor, words.stale_form, words.stale_form_detail)
}

/// A form that did not arrive whole, or is too large.
pub(crate) fn form_unread(visitor: &Visitor) -> Response {
    let words = RefusalWords::of(visitor.language);
    refuse(StatusCode::BAD_REQUEST, visitor, words.unread_form, words.unread_form_detail)
}

/// A form that lacks a field or has one that cannot be read.
pub(crate) fn form_wrong(visitor: &Visitor, detail: &str) -> Response {
    let words = RefusalWords::of(visitor.language);
    refuse(StatusCode::UNPROCESSABLE_ENTITY, visitor, words.wrong_form, detail)
}

impl IntoResponse for Unknown {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut(elsewhere) => elsewhere.into_response(),
            Self::NoStore(visitor) => no_store(&visitor),
            Self::Elsewhere(visitor) if visitor.here == "/" => {
                Redirect::to(Section::Inbox.path()).into_response()
            }
            Self::Elsewhere(visitor) => not_allowed(&visitor),
        }
    }
}

impl IntoResponse for Unfit {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown(unknown) => unknown.into_response(),
            Self::Unread(visitor) => form_unread(&visitor),
            Self::OfElsewhere(visitor) => form_of_elsewhere(&visitor),
            Self::Wrong(visitor, detail) => form_wrong(&visitor, &detail),
        }
    }
}

/// An address of an action that was opened like a page (a reload after signing in): to the overview.
pub(crate) async fn no_such_method() -> Response {
    std::future::ready(Redirect::to("/").into_response()).await
}

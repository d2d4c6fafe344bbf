//! The sign-in forms: the one for name and password, and the one for a code.

use access::SignInError;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::view::Language;
use crate::visitor::Visitor;
use crate::words::SignInWords;
use crate::{assets, page};

/// The scheme of a form; a 401 has to name one (RFC 9110).
const BY_FORM: HeaderValue = HeaderValue::from_static("Form realm=\"switchboard\"");

/// A page before the frame: no one is signed in who could see the rail.
#[derive(Template)]
#[template(path = "sign_in/door.html")]
pub(super) struct Door<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static SignInWords,
    /// Where they want to go.
    pub(super) next: &'a str,
    /// What they typed as a name, to be shown again.
    pub(super) name: &'a str,
    /// With it, a code is wanted.
    pub(super) ticket: Option<&'a str>,
    pub(super) wrong: Option<String>,
    /// What happened before.
    pub(super) note: Option<&'static str>,
}

impl<'a> Door<'a> {
    pub(super) fn new(visitor: &'a Visitor, next: &'a str) -> Self {
        let words = SignInWords::of(visitor.language);
        Self { visitor, words, next, name: "", ticket: None, wrong: None, note: None }
    }

    fn other_language(&self) -> Language {
        match self.visitor.language {
            Language::English => Language::Russian,
            Language::Russian => Language::English,
        }
    }

    pub(super) fn show(&self, status: StatusCode) -> Response {
        match self.render() {
            Ok(text) => (status, Html(text)).into_response(),
            Err(error) => page::not_rendered(&error),
        }
    }

    /// The page with what went wrong.
    pub(super) fn refuse(mut self, error: &SignInError) -> Response {
        self.wrong = Some(self.words.wrong(error));
        let (status, wait) = match error {
            SignInError::Wrong | SignInError::WrongCode | SignInError::TicketOver => {
                (StatusCode::UNAUTHORIZED, None)
            }
            SignInError::Wait(wait) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds(*wait))),
            SignInError::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
            SignInError::Busy | SignInError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, Some(5)),
        };
        if matches!(error, SignInError::Failed(_) | SignInError::Store(_)) {
            tracing::error!(%error, "no one can sign in");
        }
        let mut answer = self.show(status);
        if let Some(wait) = wait {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        if status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, BY_FORM);
        }
        answer
    }
}

/// Whole seconds, never too few.
fn seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

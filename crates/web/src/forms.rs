//! `/forms/{name}`: forms that pages of other sites send to an account of the channel `form`. Anyone sends one.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use access::network_prefix;
use axum::body::Body;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use channels::{Account, HookError, HookPost, HookRefusal};
use config::ChannelKind;
use domain::{AccountName, RequestRate};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::auth::Pace;
use crate::client::client_address;
use crate::extract::read_body;
use crate::hooks;
use crate::problem::{Code, FieldError, Problem, shorten, whole_seconds};
use crate::state::State;

/// The largest form, in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;
/// The most forms of one address in a minute.
const IN_A_MINUTE: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// The most forms of one address in a minute that are kept beyond those.
const SURPLUS_IN_A_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// What a browser asks before a page sends a form.
pub(crate) async fn preflight(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let origin = request.headers().get(ORIGIN);
    let answer = match find_account(&state, &name) {
        Ok(account) => shared(account, origin, StatusCode::NO_CONTENT.into_response()),
        Err(problem) => problem.into_response(),
    };
    std::future::ready(answer).await
}

/// Takes a form.
pub(crate) async fn take(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let account = match find_account(&state, &name) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let answer = take_form(&state, account, &parts, body).await;
    shared(account, parts.headers.get(ORIGIN), answer.unwrap_or_else(IntoResponse::into_response))
}

async fn take_form(
    state: &State,
    account: &Arc<Account>,
    parts: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    let origin = parts.headers.get(ORIGIN);
    if origin.is_some() && allowed(account, origin).is_none() {
        let detail = format!(
            "This page may not send forms; its address has to be among the origins of {}.",
            account.name()
        );
        return Err(Problem::new(Code::ForbiddenOrigin, detail));
    }
    let body = read_body(&parts.headers, body, &state.limits()).await?;
    if body.len() > LARGEST {
        return Err(Problem::new(Code::TooLarge, "A form has at most 64 KiB."));
    }
    let post = hooks::post(&parts.method, &parts.uri, &parts.headers, &body);
    if let Err(wait) = admit(state, account, client_address(state, parts), &post).await {
        let seconds = whole_seconds(wait);
        let detail = format!("Too many forms come from this address; try again in {seconds} s.");
        return Err(Problem::new(Code::RateLimited, detail).retry_after(seconds));
    }
    match state.channels().let_in(account, post).await {
        Err(HookError::Refused(HookRefusal::Unreadable(why))) => {
            let (field, message) = wrong_field(&why);
            Err(Problem::fields(vec![FieldError::new(field, message)]))
        }
        taken => Ok(hooks::answer(taken.map(|taken| taken.answer))),
    }
}

/// Counts a form of an address, over all ports; how long to wait where it has sent too many. The control socket has no address.
///
/// The surplus is kept for a person: the server of a site builder posts the forms of many visitors, and may not post one again. It is
/// bounded too, so that one address does not displace the forms of others.
pub(crate) async fn admit(
    state: &State,
    account: &Account,
    address: Option<IpAddr>,
    post: &HookPost,
) -> Result<(), Duration> {
    let Some(network) = address.map(network_prefix) else { return Ok(()) };
    let pace = |most| Pace::new(RequestRate::per_minute(most), None);
    let (meters, now) = (state.meters(), state.clock().running());
    let Err(wait) = meters.forms.take(network, pace(IN_A_MINUTE), now) else { return Ok(()) };
    if meters.surplus_forms.take(network, pace(SURPLUS_IN_A_MINUTE), now).is_ok() {
        state.channels().keep_surplus_form(account, post).await;
    } else {
        tracing::warn!(account = %account.name(), "an address sends too many forms to keep them all");
    }
    Err(wait)
}

/// The field of a form that is wrong, and what is wrong with it: its account says `field: why`.
pub(crate) fn wrong_field(why: &str) -> (&str, &str) {
    why.split_once(": ").unwrap_or(("body", why))
}

/// What pages may read an answer: those of any site, or the one that asks if it is among the account's `origins`.
pub(crate) fn allowed(account: &Account, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
    let origins = &account.fields.origins;
    if origins.is_empty() {
        return Some(HeaderValue::from_static("*"));
    }
    let is_known = |origin: &&HeaderValue| {
        let mut known = origins.iter().map(|known| known.trim_end_matches('/'));
        known.any(|known| origin.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
    };
    origin.filter(is_known).cloned()
}

fn shared(account: &Account, origin: Option<&HeaderValue>, mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed(account, origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    answer
}

/// The account that forms of this address are for.
fn find_account<'a>(state: &'a State, given: &str) -> Result<&'a Arc<Account>, Problem> {
    let name = given.parse::<AccountName>().ok();
    let found = name.and_then(|name| state.channels().channels().get(&name));
    found.filter(|account| account.fields.channel == ChannelKind::Form).ok_or_else(|| {
        let detail = format!(
            "There are no forms of the name {:?}: no account of the channel form has it.",
            shorten(given)
        );
        Problem::new(Code::NotFound, detail)
    })
}

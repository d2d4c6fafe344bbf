//! What providers of channels reach: the addresses that they post to, and the files that they fetch.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use channels::{HookAnswer, HookError, HookPost, HookRefusal, Linked, is_same};
use domain::secret::ExposeSecret;
use domain::{AccountName, ChannelName};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::extract::read_body;
use crate::files::{FileRequest, linked};
use crate::options::Limits;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::channel_media;

/// The largest post of a provider, in bytes, which may report many messages; see also [`channels::Provider::largest_post`].
const LARGEST: usize = 2 * 1024 * 1024;

/// The seconds after which a provider is to post again what cannot be read yet.
const POST_AGAIN: u64 = 10;

/// `/hooks/{channel}/{account}/{secret}`.
pub(crate) async fn take(
    Shared(state): Shared<State>,
    Path((channel, account, secret)): Path<(String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(channel), Ok(account)) = (channel.parse::<ChannelName>(), account.parse::<AccountName>()) else {
        return no_such_address();
    };
    let limits = Limits { body: largest(&state, &channel, &account, &secret), ..state.limits() };
    let body = match read_body(&headers, body, &limits).await {
        Ok(body) => body,
        Err(error) => return Problem::from(error).into_response(),
    };
    let post = post(&method, &uri, &headers, &body);
    answer(state.channels().hook(&channel, &account, &secret, post).await)
}

/// How large a post may be. Only a caller that knows the secret of the address may send a file.
fn largest(state: &State, channel: &ChannelName, account: &AccountName, secret: &str) -> usize {
    let found = state.channels().channels().get(account);
    let known = found.filter(|account| {
        account.channel == *channel
            && is_same(account.hook_secret().expose_secret().as_bytes(), secret.as_bytes())
    });
    known.and_then(|account| account.provider.largest_post()).unwrap_or(LARGEST)
}

/// A request as a channel reads it.
pub(crate) fn post(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> HookPost {
    HookPost {
        method: method.as_str().to_owned(),
        url: uri.to_string(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
        body: body.to_vec(),
    }
}

/// The answer to a provider.
pub(crate) fn answer(taken: Result<HookAnswer, HookError>) -> Response {
    match taken {
        Ok(HookAnswer { content_type: "", body }) => (StatusCode::OK, body).into_response(),
        Ok(HookAnswer { content_type, body }) => {
            (StatusCode::OK, [(CONTENT_TYPE, content_type)], body).into_response()
        }
        Err(HookError::NoSuchAddress) => no_such_address(),
        Err(HookError::Refused(refusal)) => {
            let code = match refusal {
                HookRefusal::NotGenuine => Code::Unauthorized,
                HookRefusal::OtherAccount(_) => Code::ForbiddenScope,
                HookRefusal::Unreadable(_) => Code::InvalidJson,
                HookRefusal::NotYet(_) => Code::NoAccount,
            };
            tracing::warn!(%refusal, "a post of a provider is refused");
            let problem = Problem::new(code, format!("{refusal}."));
            if code == Code::NoAccount { problem.retry_after(POST_AGAIN) } else { problem }.into_response()
        }
        Err(HookError::Store(error)) => Problem::from(error).into_response(),
    }
}

fn no_such_address() -> Response {
    Problem::new(Code::NotFound, "There is no such address.").into_response()
}

/// `/media/{link}`: a file of a message, fetched by a provider or by a program that it was posted on to.
pub(crate) async fn fetch(
    Shared(state): Shared<State>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    let request = FileRequest::read(&headers);
    match state.links().open(&link) {
        None => no_such_address(),
        Some(Linked::Received { message, place }) => {
            channel_media::read(&state, message, &place.to_string(), &request).await.into_response()
        }
        Some(Linked::Sent { key, mime, .. }) => match linked(&state, &key, &mime, &request).await {
            Ok(found) => found.unwrap_or_else(no_such_address),
            Err(problem) => problem.into_response(),
        },
    }
}

//! A file of a message that came in through a channel, from its provider.

use axum::body::Body;
use axum::response::Response;
use domain::InboundId;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::problem;
use crate::problem::{Code, Problem};
use crate::state::State;

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

pub(in crate::v1) async fn read(state: &State, id: InboundId, number: &str) -> Result<Response, Problem> {
    let stored = state.store().channels().get(id).await?;
    let stored = stored.ok_or_else(|| Problem::message_not_found(&id.to_string()))?;
    let files = &stored.message.media;
    let media = number.parse::<usize>().ok().and_then(|place| files.get(place)).ok_or_else(|| {
        let detail = format!("The message {id} has {} files, counted from 0.", files.len());
        Problem::new(Code::FileNotFound, detail)
    })?;
    let account = state.channels().channels().get(&stored.address.account).ok_or_else(|| {
        let detail = format!("The account {} is not in the settings any more.", stored.address.account);
        Problem::new(Code::NoAccount, detail)
    })?;
    let fetched = account.provider.fetch(media, LARGEST).await.map_err(|error| problem(&error))?;
    let mime = media.mime.clone().or(fetched.mime);
    let mime = mime.and_then(|mime| HeaderValue::try_from(mime).ok());
    let mut response = Response::new(Body::from(fetched.content));
    *response.status_mut() = StatusCode::OK;
    let unknown = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(CONTENT_TYPE, mime.unwrap_or(unknown));
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

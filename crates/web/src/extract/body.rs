//! Reading a body: at most so many bytes, in at most so much time.

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::options::Limits;
use crate::problem::{Code, Problem};

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("The body is larger than {limit} bytes.")]
    TooLarge { limit: usize },
    #[error("The body did not arrive within {seconds} s.")]
    TooSlow { seconds: u64 },
    #[error("The body ended before its announced length.")]
    Broken,
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge { .. } => Code::TooLarge,
            BodyError::TooSlow { .. } => Code::RequestTimeout,
            BodyError::Broken => Code::InvalidJson,
        };
        Self::new(code, error.to_string())
    }
}

/// A client that is cut off while it still writes may never read the answer. So much of a body that is too large is
/// read and thrown away, so that it does.
const THROWN_AWAY: u64 = 64 * 1024 * 1024;

/// Reads the whole body.
pub(crate) async fn read_body(
    headers: &HeaderMap,
    mut body: Body,
    limits: &Limits,
) -> Result<Bytes, BodyError> {
    let too_large = BodyError::TooLarge { limit: limits.body };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > THROWN_AWAY) {
        return Err(too_large);
    }
    let reading = async {
        if announced.is_none_or(|length| length <= limits.body as u64) {
            match Limited::new(&mut body, limits.body).collect().await {
                Ok(collected) => return Ok(collected.to_bytes()),
                Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {}
                Err(_) => return Err(BodyError::Broken),
            }
        }
        drain(&mut body.into_data_stream()).await;
        Err(too_large)
    };
    match tokio::time::timeout(limits.body_time, reading).await {
        Ok(read) => read,
        Err(_) => Err(BodyError::TooSlow { seconds: limits.body_time.as_secs() }),
    }
}

/// Reads on what is left of a body that is not wanted, so that its client reads the answer. What is announced to be much
/// more is not waited for.
pub(crate) async fn throw_away(rest: &mut BodyDataStream, announced: Option<u64>, limits: &Limits) {
    if announced.is_none_or(|length| length <= THROWN_AWAY) {
        // A client that stops writing waits for nothing but the answer.
        let _ = tokio::time::timeout(limits.body_time, drain(rest)).await;
    }
}

/// Reads on without keeping anything, up to a bound.
async fn drain(rest: &mut BodyDataStream) {
    let mut read = 0_u64;
    while let Some(Ok(piece)) = rest.next().await {
        read += piece.len() as u64;
        if read > THROWN_AWAY {
            return;
        }
    }
}

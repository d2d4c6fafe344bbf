//! Reading a body, with a limit of its bytes and of the time.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::options::Limits;
use crate::problem::{Code, FieldError, Problem};

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

pub(crate) async fn read_body(headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Bytes, BodyError> {
    let too_large = BodyError::TooLarge { limit: limits.body };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body as u64) {
        return Err(too_large);
    }
    let reading = Limited::new(body, limits.body).collect();
    match tokio::time::timeout(limits.body_time, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow { seconds: limits.body_time.as_secs() }),
    }
}

/// Reads a list in a body, as editors and spreadsheets save one.
pub(crate) fn read_list(bytes: &[u8]) -> Result<String, Problem> {
    domain::text::read_file(bytes).ok_or_else(|| {
        let why = "is no text in UTF-8 or in UTF-16 with a byte order mark; save the list as CSV UTF-8 or as Unicode text";
        Problem::fields(vec![FieldError::new("", why)])
    })
}

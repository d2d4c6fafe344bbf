//! What the control port reads and answers: JSON in, JSON out, errors too.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::telegram::{FaultError, OutsideError};

/// A request's body; its content type is not asked for.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| ControlError::Request(rejection.body_text()))?;
        let read = serde_json::from_slice(&bytes);
        read.map(Self).map_err(|error| ControlError::Request(format!("the body cannot be read: {error}")))
    }
}

/// What comes after the `?`.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0)).map_err(|rejection| ControlError::Request(rejection.body_text()))
    }
}

/// What is in the path.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|rejection| ControlError::Request(rejection.body_text()))
    }
}

/// A list, as every list is answered.
#[derive(Serialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

/// Why a request was refused.
#[derive(Debug, Error)]
pub(super) enum ControlError {
    #[error("{0}")]
    Request(String),
    #[error("there is no {0}")]
    NotFound(String),
    #[error("this path knows no such method")]
    Method,
    #[error("{0}")]
    Fault(#[from] FaultError),
    #[error("{0}")]
    Outside(#[from] OutsideError),
    #[error("could not be kept: {0}")]
    Disk(#[from] std::io::Error),
}

impl ControlError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Request(_) | Self::Fault(_) | Self::Outside(OutsideError::Invalid(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::NotFound(_) | Self::Outside(OutsideError::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Outside(OutsideError::Refused(_)) => StatusCode::FORBIDDEN,
            Self::Outside(OutsideError::Taken(_)) => StatusCode::CONFLICT,
            Self::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let error = self.to_string();
        (self.status(), axum::Json(serde_json::json!({ "error": error }))).into_response()
    }
}

pub(super) async fn no_such_path() -> ControlError {
    ControlError::NotFound("such path".to_owned())
}

pub(super) async fn wrong_method() -> ControlError {
    ControlError::Method
}

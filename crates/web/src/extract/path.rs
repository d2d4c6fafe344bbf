//! The one variable segment of a path, as text; the handler says what is wrong with it.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use crate::problem::{Code, Problem};
use crate::state::State;

/// One segment, or several for a path with several.
pub(crate) struct PathParameter<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned + Send> FromRequestParts<State> for PathParameter<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::new(Code::NotFound, "The path is not valid text.")),
        }
    }
}

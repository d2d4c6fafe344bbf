//! Why a call has no answer. No text holds the address, which may have a secret in it.

use std::error::Error;

use crate::connecting::Late;
use crate::guard::{AddressError, Refused, Unresolved};

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The guard refuses the address. No request was sent.
    #[error(transparent)]
    Refused(AddressError),
    /// The name of the host resolves to no address. No request was sent.
    #[error("the host of the address cannot be found")]
    UnknownHost,
    /// The limit of [`crate::Builder::connect_by`] passed. No request was sent.
    #[error("no connection in time")]
    Late,
    /// Any other failure of the call.
    #[error("{}", innermost(.0))]
    Http(reqwest::Error),
}

impl SendError {
    /// Whether no request was sent.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Refused(_) | Self::UnknownHost | Self::Late => true,
            Self::Http(error) => error.is_connect() || error.is_builder(),
        }
    }

    /// Whether a time limit of the client passed after the connection was made.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_timeout() && !error.is_connect())
    }
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        if let Some(refused) = cause::<Refused>(&error) {
            return Self::Refused(AddressError::Refused(*refused));
        }
        if cause::<Unresolved>(&error).is_some() {
            return Self::UnknownHost;
        }
        if cause::<Late>(&error).is_some() {
            return Self::Late;
        }
        Self::Http(error)
    }
}

fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Returns the text of the innermost cause of an error. Outer causes may quote the address.
pub fn innermost(error: &reqwest::Error) -> String {
    let Some(mut innermost) = error.source() else { return "the connection broke".to_owned() };
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

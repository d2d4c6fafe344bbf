//! Calls that leave the machine: the one constructor of HTTP clients, whose caller says who named the addresses.
//!
//! [`Client`] is the only HTTP client of the product. The settings vouch for the addresses that they name. [`guard`] judges each
//! address that a provider or a caller names, after its name is resolved and again on each redirect.

mod client;
mod connecting;
pub mod guard;
mod redirect;
mod send_error;

pub use client::{Builder, Client, NamedBy};
pub use guard::{AllowList, Allowed, Names};
// No client and no builder of one: a crate without a dependency on reqwest can make no call of its own.
pub use reqwest::Error as HttpError;
pub use reqwest::{Body, Certificate, Method, RequestBuilder, Response, StatusCode, Url, header, multipart};
pub use send_error::{SendError, innermost};

/// The server of an address: scheme, host and port. This is all that is shown of an address, because its rest often carries a secret.
pub fn server_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod it;

//! Webhooks out: notices to other programs, kept until they have them.
//!
//! A notice is a row of the store, written in the transaction of the change that caused it. A worker posts it and
//! writes down how that went. A receiver may get one twice when the program dies between the two, never not at all.

mod endpoint;
mod invite;
mod schedule;
mod signature;
mod webhooks;

pub use channels::Links;
pub use endpoint::{Answer, Endpoint, EndpointError, NotTaken, Post};
pub use invite::{InviteCallbacks, StartError};
pub use schedule::Kind;
pub use signature::{InvalidKey, SigningKey};
pub use webhooks::{
    MADE_BY_SETTINGS, Vouched, WebhookError, Webhooks, WebhooksParts, event_body, move_to, new_secret,
};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as events;
#[cfg(test)]
mod it;

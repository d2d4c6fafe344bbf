//! Everything spoken over HTTP: the API under `/v1`, the legacy ports, the docs, health and the control socket.

mod answer;
mod auth;
mod docs;
mod extract;
mod files;
mod fingerprint;
mod headers;
mod health;
mod idempotency;
mod inside;
mod legacy;
mod listen;
mod metrics;
mod openapi;
mod options;
mod problem;
mod router;
mod state;
#[cfg(feature = "testing")]
mod testing;
mod v1;

pub use auth::{hash as hash_api_key, new_key as new_api_key};
pub use files::Files;
pub use inside::Inside;
pub use listen::{Holder, ListenerState, ListenerView, serve};
pub use openapi::openapi_json;
pub use options::{Limits, Options};
pub use state::{Services, State};

//! Everything spoken over HTTP: the API under `/v1`, the legacy ports, the docs, health and the control socket.

mod access_log;
mod answer;
mod audit;
mod auth;
mod channel_changes;
mod client;
mod docs;
mod extract;
mod files;
mod fingerprint;
mod form_file;
mod forms;
mod headers;
mod health;
mod hooks;
mod idempotency;
mod in_process;
mod legacy;
mod listen;
mod mcp;
mod metrics;
mod multipart;
mod negotiation;
mod oauth;
mod openapi;
mod options;
mod problem;
mod reload;
mod router;
mod state;
#[cfg(feature = "testing")]
mod testing;
mod v1;

pub use auth::{Actor, hash as hash_api_key, new_key as new_api_key};
pub use channel_changes::{ChannelAdded, ChannelChange, ChannelChanges, NewChannel, NotChanged};
pub use client::{client_address, is_secure};
pub use files::Files;
pub use in_process::InProcessApi;
pub use listen::{Holder, ListenerState, ListenerView, Tls, TlsError, answer_unavailable, serve};
pub use multipart::{MultipartError, Part, parts as form_parts};
pub use openapi::openapi_json;
pub use options::{Examined, Limits, Options};
pub use problem::problem_codes;
pub use reload::{ReloadRequest, ReloadRequests, Reloaded};
pub use router::no_such_path;
pub use state::{Services, State};

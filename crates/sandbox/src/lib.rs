//! A pretend outside world on loopback: a Telegram data centre that speaks real MTProto 2.0, a fault dial,
//! and a ledger of every effect it accepted.
//!
//! * [`mtproto`] is the wire: transports, key exchange, encryption, containers, acknowledgements. It knows bytes and keys, not chats.
//! * [`telegram`] is the world behind the wire: users, chats, messages, updates, methods. It knows no sockets.
//! * `channels` are other providers, through which customers write and the product answers.
//! * `ai` is an endpoint of language models.
//! * `providers` are some that report where webhooks are registered, and nothing else.
//! * `control` is the HTTP port through which a person or a test looks in and turns the dial.
//! * `web_k` is the page of Telegram Web K on a port of its own, on the same world.
//! * [`Sandbox`] starts them together and writes the settings file that the product runs on.

mod ai;
pub mod call;
mod channels;
mod control;
mod files;
mod https;
pub mod keys;
pub mod mtproto;
mod providers;
mod running;
mod serving;
mod settings;
mod stored_sessions;
pub mod telegram;
mod web_k;

pub use ai::AiEndpoint;
pub use channels::ChannelEffect;
pub use running::{Running, Sandbox, SandboxError, SandboxOptions};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as sandbox;
#[cfg(test)]
mod it;

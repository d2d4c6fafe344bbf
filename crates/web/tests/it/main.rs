//! The API and the legacy port over real sockets, with a real store and delivery and a way out that follows a script.

mod access;
mod accounts;
mod client;
mod control;
mod idempotency;
mod joining;
mod legacy;
mod listeners;
mod messages;
mod refusals;
mod script;
mod world;

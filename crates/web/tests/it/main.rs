//! The API and the legacy port over real sockets, with a real store and delivery and a way out that follows a script.

mod access;
mod account_changes;
mod accounts;
mod chats;
mod client;
mod control;
mod failed_requests;
mod idempotency;
mod joining;
mod legacy;
mod legacy_create;
mod legacy_leave;
mod legacy_media;
mod legacy_ports;
mod listeners;
mod media;
mod messages;
mod operations;
mod places;
mod refusals;
mod script;
mod services;
mod steps;
mod uploads;
mod world;

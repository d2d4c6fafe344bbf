//! The accounts against a pretend Telegram that speaks the real protocol.

mod actions;
mod connecting;
mod finding;
mod knowing;
mod sending;
mod sessions;
mod trouble;
mod updates;
mod world;

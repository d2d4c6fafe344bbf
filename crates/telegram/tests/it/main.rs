//! The accounts against a pretend Telegram that speaks the real protocol.

mod actions;
mod asking;
mod connecting;
mod dialogs;
mod finding;
mod knowing;
mod moving;
mod sending;
mod sessions;
mod steps;
mod trouble;
mod updates;
mod world;

//! The accounts against a pretend Telegram that speaks the real protocol.

mod actions;
mod asking;
mod changing;
mod conformance;
mod connecting;
mod contacts;
mod dialogs;
mod files;
mod finding;
mod importing;
mod knowing;
mod login;
mod login_moves;
mod login_terms;
mod moving;
mod received;
mod roster;
mod sending;
mod sessions;
mod steps;
mod trouble;
mod updates;
mod world;

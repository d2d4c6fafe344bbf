//! The real binary, as a process, against the pretend world, as another.

mod accounts;
mod alerts;
mod authors;
mod backup;
mod bad_days;
mod book;
mod calls;
mod campaign_profiles;
mod campaigns;
mod channel_commands;
mod channel_files;
mod channels;
mod chats;
mod completions;
mod contract;
mod control_bots;
mod conversations;
mod copies;
mod crash;
mod deployment;
mod dialogs;
mod disk;
mod do_not_contact;
mod doctor;
mod events;
mod failed;
mod first_bot;
mod flows;
mod forwarding;
mod importing;
mod inbox;
mod logs;
mod lost_chats;
mod mail;
mod master_key;
mod mcp;
mod media;
mod metrics;
mod moving;
mod named_chats;
mod old_flows;
mod openapi;
mod overview;
mod pages;
mod people;
mod pipeline;
mod postgres;
mod private_dialogs;
mod python;
mod quick_start;
mod readme;
mod redis;
mod references;
mod released;
mod reload;
mod secrets;
mod sending;
mod service;
mod shell;
mod startup;
mod storm;
mod strip;
mod supervised;
mod tour;
mod waiting;
mod webhooks;
mod wire;

use std::path::Path;

/// The binary under test: a test build, so that its clock can be moved.
fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_switchboard"))
}

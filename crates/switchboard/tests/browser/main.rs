//! The dashboard of a running program, in a real browser.

mod buttons;
mod chromium;
mod demo;
mod door;
mod faults;
mod forms;
mod heights;
mod inbox;
mod keyboard;
mod links;
mod live;
mod minute;
mod paging;
mod pictures;
mod plain;
mod proxy;
mod stage;
mod steps;
mod strip;
mod sweep;

use std::path::Path;

/// The binary under test: a test build, so that its clock can be moved.
fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_switchboard"))
}

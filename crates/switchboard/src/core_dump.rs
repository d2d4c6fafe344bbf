//! No core dumps: what is in memory when the program dies, keys of sessions included, is written nowhere.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns them off for this process and whatever it starts, for good. Collectors that get the dump through a pipe
/// (`systemd-coredump`) are told of the limit and keep none either.
pub(crate) fn forbid() {
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        eprintln!("warning: core dumps cannot be turned off: {error}");
    }
}

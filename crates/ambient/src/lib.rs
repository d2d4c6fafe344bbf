//! Time, ids, chance and locks in one place, handed to anyone who needs them instead of being taken from the air.
//!
//! The product asks a [`Clock`] for the time and waits with it, an [`Ids`] for new ids and a [`Chance`] for random
//! numbers. With the feature `testing` the clock can be moved, so that waits of minutes pass in milliseconds.

mod chance;
mod clock;
mod file_lock;
mod handle;
mod ids;
pub mod lock;
pub mod regular_file;
mod task;

pub use chance::Chance;
pub use clock::{Clock, Elapsed};
pub use file_lock::FileLock;
pub use handle::{Handle, WeakHandle};
pub use ids::Ids;
pub use task::{run_detached, spawn_detached};

/// Returns the name that the system has for this machine, as `hostname` prints it.
#[must_use]
pub fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

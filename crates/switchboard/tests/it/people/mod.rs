//! People of the dashboard, on the real binary: the first password, the door behind proxies, the command line,
//! and that their secrets are nowhere in the clear.

mod command;
mod door;
mod first;
mod secrets;
pub(crate) mod stage;

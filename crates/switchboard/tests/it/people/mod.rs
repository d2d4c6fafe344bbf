//! People of the dashboard, on the real binary: the first password, the door behind proxies, the command line.

mod command;
mod door;
mod first;
mod stage;

//! The wire, tested with clients: the library's own, and one that can misbehave.

mod client;
mod exchange;
mod faults;
mod framing;
mod messages;
mod world;

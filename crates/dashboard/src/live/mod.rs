//! Pages that keep themselves up to date: one drawing for everyone who looks at the same, and only what changed on the wire.

mod difference;
mod stream;

pub(crate) use stream::{accounts, overview, work};

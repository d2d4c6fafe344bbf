//! `/v1/operations`: the log of all work, the result of each piece, and ending what waits or is in doubt.

pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod log;
pub(crate) mod look;

pub(crate) use ask::{Order, ask};

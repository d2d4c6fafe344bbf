//! The log lines: searching, looking at one, following them, and taking them away as a file.

mod chart;
pub(crate) mod follow;
pub(crate) mod list;
mod marked;
pub(crate) mod one;
mod query;
mod row;
pub(crate) mod take_away;

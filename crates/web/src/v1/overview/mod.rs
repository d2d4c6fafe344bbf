//! `/v1/overview` and `/v1/cards`: whether everything works, at a glance and one by one.

pub(crate) mod card;
mod list;

pub(crate) use list::{__path_overview, overview};

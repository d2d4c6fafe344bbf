//! `/v1/overview` and `/v1/cards`: whether everything works, at a glance and one by one.

pub(crate) mod card;
mod list;
mod view;

pub(crate) use list::{__path_overview, overview};
pub(crate) use view::PausedAccount;

//! `/v1/operations`: the log of all work, what came of each piece, and ending what waits or is in doubt.

pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod log;
pub(crate) mod look;
mod result;
mod says;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use ask::{Order, ask};
pub(crate) use result::{ChatEdited, ChatLeft, ChatMade, MembersChanged, ResultView};
pub(crate) use view::OperationView;

//! In doubt: what may have happened or not, with its evidence and the two buttons that end it.

pub(crate) mod act;
pub(crate) mod evidence;
pub(crate) mod list;
mod made_chat;
mod matching;
#[cfg(test)]
mod tests;

pub(crate) use made_chat::form_again;

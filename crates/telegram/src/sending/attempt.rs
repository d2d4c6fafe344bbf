//! An attempt of the delivery as one into a chat of Telegram.

use domain::message::{Content, Part};
use domain::{AccountName, ChatId};

/// One attempt to send one part; see [`delivery::Attempt`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) account: &'a AccountName,
    pub(crate) chat_id: ChatId,
    pub(crate) part: &'a Part,
    pub(crate) content: &'a Content,
}

impl<'a> Attempt<'a> {
    /// None for a chat of a channel.
    pub(crate) fn of(attempt: delivery::Attempt<'a>) -> Option<Self> {
        let delivery::Attempt { account, address, part, content, .. } = attempt;
        Some(Self { account, chat_id: address.chat_id()?, part, content })
    }
}

//! What the old servers of the channels could do beyond messages and the addresses that a provider posts to.

use domain::ExternalChat;
use serde_json::Value;

/// A call of an old server, for [`crate::Provider::old_call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldCall {
    /// Avito: someone may write no more, because of an advertisement and for a reason, where both are given.
    Block { user: i64, because: Option<(i64, i64)> },
    /// WhatsApp: whether a number, in digits, is on it. Answers `on_whatsapp`.
    CheckNumber { digits: String },
    /// VK: what an address answers when it is asked whether it is the community's. Answers `code`.
    ConfirmationCode,
    /// VK: which events are posted to an address, beside those that this program needs at its own.
    CallbackSettings { url: String, events: Vec<(String, bool)> },
    /// MAX: who is in a chat, a page at a time.
    Members { chat: ExternalChat, count: usize, marker: Option<i64> },
    /// MAX: what the members of a chat see the bot do, such as `sending_photo`.
    ShowAction { chat: ExternalChat, action: String },
    /// MAX: the answer to a pressed button: a note, a new text for the message with the button, or both.
    AnswerPress { callback: String, notification: Option<String>, message: Option<Value> },
    /// Instagram: the questions that a new chat offers.
    IceBreakers,
    /// Instagram: sets them.
    SetIceBreakers { all: Value },
    /// Instagram: removes them.
    RemoveIceBreakers,
    /// Instagram: the account's posts, a page at a time.
    Posts { limit: usize, after: Option<String> },
    /// Instagram: the comments below a post, a page at a time.
    Comments { post: String, limit: usize, after: Option<String> },
    /// Instagram: an answer below a comment, which everyone sees.
    ReplyToComment { comment: String, text: String },
    /// Instagram: hides a comment, or shows it again.
    HideComment { comment: String, is_hidden: bool },
    /// Instagram: deletes a comment.
    DeleteComment { comment: String },
}

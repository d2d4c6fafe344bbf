//! What a page is asked to send, and what comes of it.

use std::fmt;

use crate::page::Mid;
use crate::web_k::Failure;

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A public name, without the `@`.
    Name(String),
    /// An id as the page writes it: groups and channels have a minus.
    Peer(i64),
}

/// A file that goes with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    /// Of the content: a picture or a film is shown, anything else is a file.
    pub mime: String,
    /// At most [`Attachment::LARGEST`].
    pub content: Vec<u8>,
}

impl Attachment {
    /// The most bytes of a file: it goes through the driver in one command.
    pub const LARGEST: u64 = 16 * 1024 * 1024;
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {} bytes)", self.name, self.mime, self.content.len())
    }
}

/// One message for one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub target: Target,
    /// The caption, where there is a file; that may be empty.
    pub text: String,
    pub file: Option<Attachment>,
    /// The id that the name had before: names are sold.
    pub known: Option<i64>,
}

/// A message that is in the field of its chat, or in the popup of its file. Nothing has left yet: the time to write
/// down that it is about to.
#[derive(Debug)]
pub struct Prepared {
    /// The chat.
    pub peer: i64,
    pub(crate) text: String,
    pub(crate) media: bool,
    pub(crate) before: Vec<Mid>,
}

/// What became of a message.
#[derive(Debug)]
pub enum Outcome {
    /// The server has it.
    Sent {
        /// As the server counts.
        message_id: i64,
        /// Unix seconds.
        at: Option<i64>,
    },
    /// It is proved that nothing was sent.
    Failed(Failure),
    /// It may have been sent: [`crate::WebK::look_for`] finds out, and nothing is sent again before.
    Unknown,
}

/// A message of someone else on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// As the server counts.
    pub message_id: i64,
    /// Unix seconds.
    pub at: Option<i64>,
    pub text: String,
}

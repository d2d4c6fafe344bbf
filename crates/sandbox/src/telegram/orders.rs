//! What can be ordered from outside, and what is answered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::bots::Key;
use super::files::FileKind;
use super::ledger::MediaNote;
use super::rpc::RpcError;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutsideError {
    /// A name or id that is unknown.
    #[error("there is no {0}")]
    NotFound(String),
    /// The request cannot be meant so.
    #[error("{0}")]
    Invalid(String),
    /// Telegram's rules forbid it.
    #[error("Telegram would refuse: {0}")]
    Refused(String),
    /// It is there already.
    #[error("{0} is taken")]
    Taken(String),
}

/// A message that someone sends to an account or into a chat.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// `@client_1`, an account's name, or a user id.
    #[serde(deserialize_with = "name_or_id")]
    pub from: String,
    /// `@demo_main`, an account's name, or an id as the Bot API writes it.
    #[serde(deserialize_with = "name_or_id")]
    pub chat: String,
    /// Plain; with files it is the caption, and may be left out.
    #[serde(default)]
    pub text: String,
    /// Up to ten files; several are an album.
    #[serde(default)]
    pub media: Vec<NewFile>,
    /// The number of the album that it is a part of, where the parts are written one by one.
    #[serde(default)]
    pub album: Option<i64>,
    /// An inline keyboard, row by row.
    #[serde(default)]
    pub buttons: Vec<Vec<Button>>,
    /// A reply keyboard, row by row.
    #[serde(default)]
    pub keyboard: Vec<Vec<Key>>,
    /// Whose message id is answered in a basic group; by default the first member account's.
    #[serde(default)]
    pub account: Option<String>,
}

/// A file that someone sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFile {
    /// How it is shown.
    pub kind: FileKind,
    /// Its bytes in base64, repeated until there are `size` of them.
    #[serde(default)]
    pub content: String,
    /// How many bytes it has; without it, what `content` has.
    #[serde(default)]
    pub size: Option<u64>,
    #[serde(default)]
    pub file_name: Option<String>,
    /// Its type; without it, the usual one of its kind.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// The data centre where it is stored.
    #[serde(default = "two")]
    pub dc_id: i32,
    /// The one that messages name, where that is another: a client that asks there is sent on with `FILE_MIGRATE_n`.
    #[serde(default)]
    pub said_dc_id: Option<i32>,
}

/// A file as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    #[serde(flatten)]
    pub file: MediaNote,
    /// The data centre where it is stored.
    pub dc_id: i32,
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageView {
    /// The chat as its owner knows it.
    pub chat_id: String,
    /// In its owner's numbering.
    pub message_id: i32,
    pub from: i64,
    /// Text or caption.
    pub text: String,
    /// Its file.
    pub media: Option<MediaNote>,
}

/// How many references no longer count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Expired {
    /// Files whose references did.
    pub files: usize,
}

/// Text, or an id written as a number.
fn name_or_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    struct Name;

    impl Visitor<'_> for Name {
        type Value = String;

        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("a name or an id")
        }

        fn visit_str<E>(self, name: &str) -> Result<String, E> {
            Ok(name.to_owned())
        }

        fn visit_i64<E>(self, id: i64) -> Result<String, E> {
            Ok(id.to_string())
        }

        fn visit_u64<E>(self, id: u64) -> Result<String, E> {
            Ok(id.to_string())
        }
    }

    from.deserialize_any(Name)
}

/// A button of an inline keyboard.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Button {
    pub text: String,
    /// What it sends back.
    pub data: Option<String>,
    /// The same, where it is no text.
    pub data_base64: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
    /// Whether the two-step password is asked for.
    pub password: bool,
    /// `web_app`, `switch_inline`, `buy`, `game`, `copy` or `disabled`.
    pub kind: Option<String>,
}

/// Where a message went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The chat as the receiver knows it.
    pub chat_id: String,
    /// In the receiver's numbering; of an album, the first.
    pub message_id: i32,
    /// All messages of an album.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub message_ids: Vec<i32>,
}

/// A change of a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub text: String,
    /// A new inline keyboard; without it the old one stays, and without rows there is none.
    #[serde(default)]
    pub buttons: Option<Vec<Vec<Button>>>,
    /// Whose numbering the id is in, outside supergroups and channels; without it the newest message with this id is meant.
    #[serde(default)]
    pub account: Option<String>,
}

/// How people react to a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reactions {
    /// Emojis, and how often each is given.
    pub emojis: BTreeMap<String, i32>,
    /// Whose numbering the id is in, as with [`Edit`].
    #[serde(default)]
    pub account: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Letters, digits and underscores.
    pub name: String,
    /// With the `+`.
    pub phone: String,
    /// How many dialogs it begins with.
    #[serde(default = "thirty")]
    pub dialogs: usize,
    /// Where it lives.
    #[serde(default = "two")]
    pub dc_id: i32,
}

fn thirty() -> usize {
    30
}

fn two() -> i32 {
    2
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restriction {
    /// Thrown out for good.
    Ban,
    /// May read, not write.
    Mute,
}

/// Puts someone into a chat, or out of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberOrder {
    /// An account's name, `@client_1`, or a user id.
    pub account: String,
    /// `true`, `"ban"` or `"mute"`; without it the user is put in, or may write again.
    #[serde(default)]
    pub remove: Option<Removal>,
}

/// How a member is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Removal {
    /// True takes out, false puts in.
    Plain(bool),
    /// Something harder or softer.
    Harder(Restriction),
}

/// Someone blocks an account, or no longer does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBlock {
    /// Who blocks.
    pub from: String,
    /// Who is blocked.
    pub account: String,
    /// True takes the block back.
    #[serde(default)]
    pub remove: bool,
}

/// A user reads a chat to its end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRead {
    /// Who reads.
    #[serde(deserialize_with = "name_or_id")]
    pub from: String,
    /// Which chat, as with [`NewMessage`].
    #[serde(deserialize_with = "name_or_id")]
    pub chat: String,
}

/// A user is saved in the contacts of an account, or taken out of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// Whose contacts they are.
    pub account: String,
    /// Who is saved.
    pub user: String,
    /// True takes out.
    #[serde(default)]
    pub remove: bool,
}

/// A chat that is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChat {
    #[serde(default)]
    pub kind: ChatKind,
    /// 1 to 128 characters.
    pub title: String,
    /// Whose it is: an account's name, `@client_1`, or a user id.
    pub creator: String,
    /// Who is in it besides.
    #[serde(default)]
    pub members: Vec<String>,
}

/// The kinds of chat with members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// A basic group.
    Group,
    /// A group with one numbering for all.
    #[default]
    Supergroup,
    /// Only admins write in it.
    Channel,
}

/// Which chat it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatName {
    /// As the Bot API writes it.
    pub chat_id: String,
}

/// Another username.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUsername {
    /// Without the `@`; null gives the present one up.
    #[serde(deserialize_with = "Option::deserialize")]
    pub username: Option<String>,
}

/// What a user is called now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserName {
    /// The user's id.
    pub user_id: i64,
    /// Without the `@`.
    pub username: Option<String>,
}

/// A chat as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatView {
    /// As the Bot API writes it.
    pub chat_id: String,
    /// `group`, `supergroup` or `channel`.
    pub kind: &'static str,
    pub title: String,
    /// Without the `@`.
    pub username: Option<String>,
    /// The supergroup that a basic group became.
    pub migrated_to: Option<String>,
    pub members: Vec<ChatMember>,
}

/// A member as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatMember {
    /// The user's id.
    pub user_id: i64,
    /// Without the `@`.
    pub username: Option<String>,
    /// The account's name, if it is one.
    pub account: Option<Arc<str>>,
    /// `creator`, `admin` or `member`.
    pub role: &'static str,
}

impl From<RpcError> for OutsideError {
    fn from(error: RpcError) -> Self {
        Self::Refused(error.message.into_owned())
    }
}

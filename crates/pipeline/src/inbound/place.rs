//! The chat of a message that a program hands in: what its address says, and what the program states of it. Pure.

use channels::Nature;
use domain::{ChannelName, ChatType, ExternalChat};
use serde_json::Value;

use super::{WrongField, text};

/// The type of the chat, as far as its address and the program say it.
pub(super) struct InboundPlace {
    pub(super) chat_type: ChatType,
    pub(super) group: Option<ExternalChat>,
}

impl InboundPlace {
    /// A program may say of a private chat that it is a group, but not the other way round: the address says what the provider has
    /// there. An address that the channel cannot read may be of a group.
    pub(super) fn read(
        body: &Value,
        channel: &ChannelName,
        nature: &Nature,
        chat: &ExternalChat,
    ) -> Result<Self, WrongField> {
        let of_address = (nature.chat_type)(chat.as_str()).map_err(|rule| WrongField {
            field: "external_chat_id",
            message: format!(
                "is no chat of {channel}: {rule}; hand the message in under a channel of your own, such as my_{channel}"
            ),
        })?;
        let (mut chat_type, mut group) = (of_address, None);
        let (mut is_stated, mut is_unclear) = (false, false);
        for (place, is_chat) in
            [(body, false), (&body["meta"], false), (&body["chat"], true), (&body["meta"]["chat"], true)]
        {
            for (name, given) in place.as_object().into_iter().flatten() {
                let says = match Statement::of(name, is_chat) {
                    None => None,
                    Some(Statement::Type) => match stated_type(given, is_chat) {
                        Err(wrong) if of_address == ChatType::Private => return Err(wrong),
                        known => known.unwrap_or_default(),
                    },
                    Some(Statement::IsGroup) => {
                        stated(given).map(|is| if is { ChatType::Group } else { ChatType::Private })
                    }
                    Some(Statement::Group) => {
                        let named = text(given).and_then(|group| ExternalChat::new(&group));
                        group = group.or(named);
                        group.as_ref().map(|_| ChatType::Group)
                    }
                    Some(Statement::Unclear) => {
                        is_unclear |= stated(given) == Some(true);
                        None
                    }
                };
                is_stated |= says.is_some();
                chat_type = says.map_or(chat_type, |says| chat_type.stated(says));
            }
        }
        if is_unclear && !is_stated && of_address == ChatType::Private {
            return Err(WrongField {
                field: "group_id",
                message: "does not say whether the chat is a group; add chat_type, such as private, or name the group in external_group_id"
                    .to_owned(),
            });
        }
        let group = group.or_else(|| (nature.group)(chat.as_str()));
        Ok(Self { chat_type, group: group.filter(|_| chat_type == ChatType::Group) })
    }
}

/// What a field states of the type of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    Type,
    IsGroup,
    /// The whole group of the chat.
    Group,
    /// It may be the group of the chat, or what a provider calls so, such as a community of VK.
    Unclear,
}

impl Statement {
    /// Reads the name of a field, as programs write it: `chat_type`, `chatType`. The field `type` counts in an object that is the chat.
    fn of(name: &str, is_chat: bool) -> Option<Self> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Some(match plain.to_ascii_lowercase().as_str() {
            "chattype" => Self::Type,
            "type" if is_chat => Self::Type,
            "isgroup" | "isgroupchat" => Self::IsGroup,
            "externalgroupid" => Self::Group,
            "groupid" => Self::Unclear,
            _ => return None,
        })
    }
}

/// The type of chat that a program states. An unknown word is an error: a group that is taken for a private chat reads private messages.
fn stated_type(given: &Value, is_of_chat: bool) -> Result<Option<ChatType>, WrongField> {
    let word = match given {
        Value::Null => return Ok(None),
        Value::String(word) if word.trim().is_empty() => return Ok(None),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let (field, what) = if is_of_chat { ("chat", "has a type that is") } else { ("chat_type", "is") };
    ChatType::of_statement(&word).map(Some).ok_or_else(|| WrongField {
        field,
        message: format!("{what} none of private, group, channel and broadcast"),
    })
}

/// Whether a program states something: true or false, where anything but a no is a yes. None where it says nothing.
pub(super) fn stated(given: &Value) -> Option<bool> {
    let word = match given {
        Value::Null => return None,
        Value::String(word) => word.trim().to_lowercase(),
        other => other.to_string(),
    };
    (!word.is_empty()).then(|| !["false", "0", "no"].contains(&word.as_str()))
}

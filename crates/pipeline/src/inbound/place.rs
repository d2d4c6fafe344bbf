//! The chat of a message that a program hands in: what its address says, and what the program states of it. Pure.

use std::ops::Range;

use channels::Nature;
use domain::missing::{self, MISSING};
use domain::{ChannelName, ChatType, ContactProof, ExternalChat, lenient};
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
        (chat, user): (&ExternalChat, Option<&str>),
    ) -> Result<Self, WrongField> {
        let of_address = (nature.chat_type)(chat.as_str()).map_err(|rule| WrongField {
            field: "external_chat_id",
            message: format!(
                "is no chat of {channel}: {rule}; hand the message in under a channel of your own, such as my_{channel}"
            ),
        })?;
        // A mail has several recipients and is no group.
        let counts_people = nature.sender_proof != ContactProof::Mail;
        let mut found = Statements {
            of_address,
            chat_type: of_address,
            group: None,
            is_stated: false,
            is_unclear: false,
            // The address in a channel of a provider says what is a group.
            reads_raw: !channel.is_of_provider(),
            writer: counts_people.then(|| user.unwrap_or(chat.as_str())),
        };
        found.look(body, Layer::Message, 0)?;
        let Statements { chat_type, group, is_stated, is_unclear, .. } = found;
        if is_unclear && !is_stated && of_address == ChatType::Private {
            return Err(WrongField {
                field: "group_id",
                message: "does not say whether the chat is a group; add chat_type, such as private, or name the group in external_group_id"
                    .to_owned(),
            });
        }
        if !channel.is_of_provider() && !is_stated && is_like_group(chat.as_str()) {
            return Err(WrongField {
                field: "external_chat_id",
                message: "has the form of a group or of a list; add chat_type, such as private or group"
                    .to_owned(),
            });
        }
        let group = group.or_else(|| (nature.group)(chat.as_str()));
        Ok(Self { chat_type, group: group.filter(|_| chat_type == ChatType::Group) })
    }
}

/// What the fields of a message say of its chat.
struct Statements<'a> {
    of_address: ChatType,
    chat_type: ChatType,
    group: Option<ExternalChat>,
    /// Whether the program itself states the type.
    is_stated: bool,
    is_unclear: bool,
    /// Whether objects beside the chat count, such as what a provider said.
    reads_raw: bool,
    /// The id of the writer, where the number of people says that the chat is a group.
    writer: Option<&'a str>,
}

/// Where a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// In the message or its `meta`: the words of the program.
    Message,
    /// In an object of these that is the chat.
    Chat,
    /// In something else, such as what a provider said. An unknown word there says nothing.
    Raw,
    /// In an object of something else that is the chat.
    RawChat,
}

impl Layer {
    const fn is_raw(self) -> bool {
        matches!(self, Self::Raw | Self::RawChat)
    }

    const fn is_chat(self) -> bool {
        matches!(self, Self::Chat | Self::RawChat)
    }
}

/// The ids that VK gives to groups.
const GROUPS_OF_VK: Range<i64> = 2_000_000_001..2_000_100_000;
/// What a chat is called in the names of fields.
const PLACES: [&str; 8] =
    ["chat", "conversation", "peer", "thread", "room", "dialog", "dialogue", "recipient"];
/// What follows `is` in the name of a field that says that a chat has many readers.
const MANY: [&str; 9] = [
    "group",
    "groupchat",
    "supergroup",
    "megagroup",
    "room",
    "conference",
    "channel",
    "broadcast",
    "multiuser",
];
/// What follows `is` in the name of a field that says that a chat has one person.
const ONE: [&str; 6] = ["private", "privatechat", "direct", "directmessage", "dm", "personal"];
/// The types that count beside the text, where `type` may be of anything, such as of the message.
const LOOSE: [&str; 4] = ["group", "supergroup", "channel", "broadcast"];
/// Fields that say the same without `is`, where they say yes or no, and names of a group's id, which may be something else.
const FLAGS: [&str; 5] = ["group", "groupchat", "fromgroup", "ingroup", "chatisgroup"];
const IDS: [&str; 4] = ["groupid", "groupchatid", "chatgroupid", "groupjid"];
/// The people of a chat.
const PEOPLE: [&str; 6] =
    ["participants", "members", "recipients", "participantids", "memberids", "recipientids"];
/// Their number.
const COUNTS: [&str; 8] = [
    "participantscount",
    "participantcount",
    "memberscount",
    "membercount",
    "recipientscount",
    "recipientcount",
    "userscount",
    "usercount",
];
/// Fields of a message that say nothing of its chat, and parts of the names of those that are about another message.
const CONTENT: [&str; 3] = ["media", "formdata", "prefilleddata"];
const OTHERS: [&str; 5] = ["forward", "reply", "quote", "origin", "pinned"];
/// How deep objects are looked into.
const DEEPEST: usize = 16;

impl Statements<'_> {
    fn look(&mut self, value: &Value, layer: Layer, depth: usize) -> Result<(), WrongField> {
        if depth > DEEPEST {
            return Ok(());
        }
        if let Value::Array(items) = value {
            return items.iter().try_for_each(|item| self.look(item, Layer::Raw, depth + 1));
        }
        for (name, given) in value.as_object().into_iter().flatten() {
            let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let plain = plain.to_ascii_lowercase();
            self.field((name, &plain), given, layer)?;
            let is_other =
                CONTENT.contains(&plain.as_str()) || OTHERS.iter().any(|word| plain.contains(word));
            if is_other || !(given.is_object() || given.is_array()) {
                continue;
            }
            let is_place = PLACES.contains(&plain.as_str());
            let next = match layer {
                Layer::Message if plain == "meta" => Layer::Message,
                Layer::Message | Layer::Chat if is_place => Layer::Chat,
                _ if is_place => Layer::RawChat,
                _ => Layer::Raw,
            };
            if self.reads_raw || !next.is_raw() {
                self.look(given, next, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Reads a field by its name, as programs write it: `chat_type`, `chatType`.
    fn field(&mut self, (name, plain): (&str, &str), given: &Value, layer: Layer) -> Result<(), WrongField> {
        let is_own = layer != Layer::Raw;
        let of_type = ["type", "kind"].into_iter().find_map(|end| plain.strip_suffix(end));
        let is_type = of_type.is_some_and(|of| of.is_empty() && layer.is_chat() || PLACES.contains(&of));
        let is_loose_type = layer == Layer::Message && of_type == Some("");
        let of_word = |word: &Value| word.as_str().and_then(ChatType::of_statement);
        let says = match plain.strip_prefix("is") {
            _ if is_type && layer.is_raw() => of_word(given),
            _ if is_loose_type => {
                let word = given.as_str().unwrap_or_default().trim().to_ascii_lowercase();
                of_word(given).filter(|_| LOOSE.contains(&word.as_str()))
            }
            _ if is_own && FLAGS.contains(&plain) && is_flag(given) => {
                stated(given).map(|is| if is { ChatType::Group } else { ChatType::Private })
            }
            _ if is_type => match stated_type(given, name, plain, layer) {
                Err(wrong) if self.of_address == ChatType::Private => return Err(wrong),
                known => known.unwrap_or_default(),
            },
            Some(what) if MANY.contains(&what) => {
                let many = ChatType::of_statement(what).unwrap_or(ChatType::Group);
                // That a chat is no channel does not say that it is no group.
                let is_denial = what.starts_with("group");
                stated(given)
                    .and_then(|is| if is { Some(many) } else { is_denial.then_some(ChatType::Private) })
            }
            Some(what) if is_own && ONE.contains(&what) => {
                stated(given).map(|is| if is { ChatType::Private } else { ChatType::Group })
            }
            _ if plain == "externalgroupid" && !layer.is_raw() => {
                let given = text(given);
                if given.as_deref().is_some_and(missing::is_in_id) {
                    let message = MISSING.to_owned();
                    return Err(WrongField { field: "external_group_id", message });
                }
                let named = given.and_then(|group| ExternalChat::new(&group));
                self.group = self.group.take().or(named);
                self.group.as_ref().map(|_| ChatType::Group)
            }
            // It may be the group of the chat, or what a provider calls so, such as a community of VK.
            _ if IDS.contains(&plain) && !layer.is_raw() => {
                self.is_unclear |= stated(given) == Some(true);
                None
            }
            _ if is_own && PEOPLE.contains(&plain) => self.is_of_many(given).then_some(ChatType::Group),
            _ if is_own && COUNTS.contains(&plain) => {
                lenient::number(given).filter(|count| *count > 2).map(|_| ChatType::Group)
            }
            _ if PLACES.contains(&plain) && !layer.is_raw() => of_word(given),
            _ => None,
        };
        // What a provider said before does not make a chat private.
        let says = says.filter(|says| !layer.is_raw() || *says != ChatType::Private);
        self.is_stated |= says.is_some();
        self.chat_type = says.map_or(self.chat_type, |says| self.chat_type.stated(says));
        Ok(())
    }

    /// Whether a list has more than one person beside the writer: a private chat has the account alone.
    fn is_of_many(&self, people: &Value) -> bool {
        let id = |one: &Value| text(one).or_else(|| text(&one["id"])).or_else(|| text(&one["user_id"]));
        let others = people.as_array().into_iter().flatten().filter(|one| id(one).as_deref() != self.writer);
        self.writer.is_some() && others.count() > 1
    }
}

/// Whether an id in a channel of one's own has the form of a group's id at a provider, or of a list of recipients.
fn is_like_group(chat: &str) -> bool {
    let chat = chat.to_lowercase();
    let server = chat.rsplit_once('@').map_or("", |(_, server)| server);
    let begins = |servers: &[&str]| servers.iter().any(|name| server.starts_with(name));
    let number = chat.split('/').next().and_then(|id| id.parse::<i64>().ok());
    ["g.us", "newsletter", "broadcast"].contains(&server)
        || begins(&["thread.", "conference.", "muc.", "rooms.", "groupchat."])
        || chat.starts_with(['#', '!'])
        || number.is_some_and(|number| number < 0 || GROUPS_OF_VK.contains(&number))
        || channels::is_list(&chat)
}

/// The type of chat that a program states. An unknown word is an error: a group that is taken for a private chat reads private messages.
fn stated_type(given: &Value, name: &str, plain: &str, layer: Layer) -> Result<Option<ChatType>, WrongField> {
    let word = match given {
        Value::Null => return Ok(None),
        Value::String(word) if word.trim().is_empty() => return Ok(None),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    ChatType::of_statement(&word).map(Some).ok_or_else(|| {
        let types = "none of private, group, channel and broadcast";
        let (field, message) = match layer {
            Layer::Chat => ("chat", format!("has a type that is {types}")),
            _ if plain == "chattype" => ("chat_type", format!("is {types}")),
            _ => ("chat_type", format!("is missing, and {name} is {types}")),
        };
        WrongField { field, message }
    })
}

/// Whether a program states something: true or false, where anything but a no is a yes. None where it says nothing.
pub(super) fn stated(given: &Value) -> Option<bool> {
    let says_nothing = match given {
        Value::Null => true,
        Value::String(word) => missing::is_missing(word),
        _ => false,
    };
    (!says_nothing).then(|| !lenient::is_no(given))
}

/// Whether a value is true or false. The name or number of a group of customers is neither.
fn is_flag(given: &Value) -> bool {
    let word = given.as_str().unwrap_or_default().trim().to_ascii_lowercase();
    given.is_boolean() || ["true", "false"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use serde_json::json;

    use super::super::read;
    use super::*;

    /// The type of the chat, or the field for which the message is refused.
    fn type_of(channel: &str, chat: &str, more: &Value) -> Result<ChatType, &'static str> {
        let mut body = json!({ "channel": channel, "external_chat_id": chat, "external_user_id": "u1",
            "external_message_id": "m1", "text": "?" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let read = read(&body, Timestamp::from_micros(0), true);
        read.map(|handed| handed.message.chat_type).map_err(|wrong| wrong[0].field)
    }

    #[test]
    fn a_group_is_read_from_each_way_to_state_it() {
        for more in [
            json!({ "recipient": { "chat_type": "chat" } }),
            json!({ "conversation_type": "group" }),
            json!({ "conversation": { "is_group": true } }),
            json!({ "conversation": { "type": "group" } }),
            json!({ "conversation": "group" }),
            json!({ "peer_type": "chat" }),
            json!({ "is_private": false }),
            json!({ "isDirect": "no" }),
            json!({ "isSupergroup": true }),
            json!({ "thread_type": "GROUP" }),
            json!({ "participants": ["a", "b"] }),
            json!({ "participants": [{ "id": "u1" }, { "id": "a" }, { "id": "shop" }] }),
            json!({ "chat": { "members_count": 3 } }),
            json!({ "recipients": ["+70000000001", "+70000000002"] }),
            json!({ "type": "group" }),
            json!({ "kind": "Supergroup" }),
            json!({ "meta": { "type": "group" } }),
            json!({ "group": true }),
            json!({ "fromGroup": "true" }),
            json!({ "chat": { "group": true } }),
            json!({ "chat": { "users_count": "12" } }),
        ] {
            assert_eq!(type_of("own", "c1", &more), Ok(ChatType::Group), "{more}");
            assert_eq!(type_of("avito", "c1", &more), Ok(ChatType::Group), "{more}");
        }
        for more in [
            json!({ "meta": { "raw": { "chat": { "type": "group" } } } }),
            json!({ "meta": { "raw": { "message": { "chat": { "type": "supergroup" } } } } }),
            json!({ "meta": { "raw": [{ "item": { "recipient": { "chat_type": "chat" } } }] } }),
            json!({ "chat_type": "private", "meta": { "raw": { "isGroup": true } } }),
        ] {
            assert_eq!(type_of("own", "c1", &more), Ok(ChatType::Group), "{more}");
            assert_eq!(type_of("avito", "c1", &more), Ok(ChatType::Private), "{more}");
        }
        for (more, wanted) in [
            (json!({ "is_channel": true }), ChatType::Channel),
            (json!({ "is_broadcast": 1 }), ChatType::Broadcast),
            (json!({ "type": "channel" }), ChatType::Channel),
        ] {
            assert_eq!(type_of("own", "c1", &more), Ok(wanted), "{more}");
        }
        for name in ["conversation_type", "peerType", "thread_type", "room_kind"] {
            assert_eq!(type_of("own", "c1", &json!({ name: "squad" })), Err("chat_type"), "{name}");
        }
    }

    #[test]
    fn what_says_nothing_of_the_chat_leaves_it_private() {
        for more in [
            json!({ "participants": ["u1", "shop"] }),
            json!({ "chat": { "members_count": 2, "type": "direct" } }),
            json!({ "peer_type": "user", "conversation_type": "" }),
            json!({ "is_private": true, "is_channel": false }),
            json!({ "type": "chat", "channel_type": "group" }),
            json!({ "type": "text", "kind": "image", "group": "VIP" }),
            json!({ "type": "status", "group": 1 }),
            json!({ "group": false, "is_group": "None", "group_id": "undefined" }),
            json!({ "is_group": "off" }),
            json!({ "chat_title": "Group", "form_data": { "chat_type": "group", "is_group": true } }),
            json!({ "meta": { "raw": { "from": { "is_private": false }, "group_id": 5, "type": "chat" } } }),
            json!({ "meta": { "raw": { "message": { "conversation": "group" }, "text": "group" } } }),
            json!({ "meta": { "raw": { "chat": { "type": "u2i" }, "payload": { "chat_type": "support" } } } }),
            json!({ "meta": { "raw": { "forward_from_chat": { "type": "channel" } } } }),
            json!({ "meta": { "raw": { "reply_to_message": { "chat": { "type": "supergroup" } } } } }),
            json!({ "meta": { "raw": { "sender_chat": { "type": "channel" }, "members": ["a", "b", "c"] } } }),
        ] {
            assert_eq!(type_of("own", "c1", &more), Ok(ChatType::Private), "{more}");
        }
        let copies = json!({ "recipients": ["a@example.com", "b@example.com"] });
        assert_eq!(type_of("email", "anna@example.com", &copies), Ok(ChatType::Private));
    }

    #[test]
    fn an_id_of_the_form_of_a_group_needs_a_type() {
        for chat in [
            "120363000000000001@g.us",
            "-1001234567890",
            "-1001234567890/7",
            "2000000005",
            "19:meeting_abc@thread.v2",
            "!room:matrix.org",
            "#general",
            "room@conference.example.org",
            "+70000000001,+70000000002",
            "a@example.com; b@example.com",
        ] {
            assert_eq!(type_of("own", chat, &json!({})), Err("external_chat_id"), "{chat}");
            for (word, wanted) in [("private", ChatType::Private), ("group", ChatType::Group)] {
                assert_eq!(type_of("own", chat, &json!({ "chat_type": word })), Ok(wanted), "{chat}");
            }
        }
        for chat in
            ["70000000001", "5000000001", "+70000000001", "anna@example.com", "order 5, table 2", "C0123ABC"]
        {
            assert_eq!(type_of("own", chat, &json!({})), Ok(ChatType::Private), "{chat}");
        }
        for (channel, chat) in [
            ("vk", "2000000000"),
            ("sms", "+70000000001,+70000000002"),
            ("email", "a@example.com, b@example.com"),
            ("instagram", "t_123"),
        ] {
            assert_eq!(type_of(channel, chat, &json!({})), Err("external_chat_id"), "{channel}");
        }
    }
}

//! A client: a person who writes to the business, over however many channels, and whose messages are one conversation.

use serde::{Deserialize, Serialize};

use crate::{ChannelChat, ClientId, missing};

/// What identifies a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientIdentity {
    /// The name of a channel, [`ClientIdentity::PHONE`] or [`ClientIdentity::EMAIL`].
    pub kind: String,
    /// The id there, a number in E.164 or an address in small letters. In a channel of one's own it is `account/user`.
    pub value: String,
}

impl ClientIdentity {
    /// A phone number.
    pub const PHONE: &'static str = "phone";
    /// An email address.
    pub const EMAIL: &'static str = "email";

    /// Of this kind. None for an empty value and for a word for no value, which would make one client of many.
    pub fn new(kind: &str, value: &str) -> Option<Self> {
        let value = value.trim();
        let value = if kind == Self::EMAIL { value.to_lowercase() } else { value.to_owned() };
        (!missing::is_in_id(&value)).then(|| Self { kind: kind.to_owned(), value })
    }

    /// The id of the writer in a private chat, who may have no other id than the chat. A provider gives an id to one person, whatever the
    /// account. Programs count the users of each account of a channel of their own: such an id is `account/user`.
    pub fn of_writer(chat: &ChannelChat, user: Option<&str>) -> Option<Self> {
        let ChannelChat { channel, account, chat: address } = chat;
        match user {
            _ if channel.is_of_provider() => Self::new(channel.as_str(), user.unwrap_or(address.as_str())),
            Some(user) => Self::new(channel.as_str(), &format!("{account}/{user}")),
            // Chats and users of one program may have the same numbers.
            None => Self::new(channel.as_str(), &chat.to_string()),
        }
    }
}

/// Clients that are known by what a message says of its writer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownClients {
    /// By the id in the channel.
    pub by_channel: Option<ClientId>,
    /// By a proved phone number.
    pub by_phone: Option<ClientId>,
    /// By a proved email address.
    pub by_email: Option<ClientId>,
    /// By contacts that are not proved on one side or the other.
    pub by_unproved: Vec<ClientId>,
}

/// Whose message it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The client; none is known where it is a new one.
    pub client: Option<ClientId>,
    /// Other clients that may be the same person, each once: a person decides.
    pub perhaps: Vec<ClientId>,
}

/// Decides whose message it is: by the id in the channel, then by a proved number, then by a proved email address. Contacts that are
/// not proved choose no client. What points to another client than the chosen one suggests it, and never merges the two.
pub fn resolve(known: &KnownClients) -> Resolved {
    let KnownClients { by_channel, by_phone, by_email, by_unproved } = known;
    let client = by_channel.or(*by_phone).or(*by_email);
    let mut perhaps = Vec::new();
    for found in [*by_phone, *by_email].into_iter().flatten().chain(by_unproved.iter().copied()) {
        if Some(found) != client && !perhaps.contains(&found) {
            perhaps.push(found);
        }
    }
    Resolved { client, perhaps }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn client() -> impl Strategy<Value = Option<ClientId>> {
        proptest::option::of((1..4_u128).prop_map(|id| ClientId::from_uuid(Uuid::from_u128(id))))
    }

    proptest! {
        #[test]
        fn proved_contacts_choose_and_others_suggest(
            by_channel in client(), by_phone in client(), by_email in client(),
            by_unproved in proptest::collection::vec((1..4_u128).prop_map(|id| ClientId::from_uuid(Uuid::from_u128(id))), 0..4),
        ) {
            let known = KnownClients { by_channel, by_phone, by_email, by_unproved: by_unproved.clone() };
            let Resolved { client, perhaps } = resolve(&known);
            prop_assert_eq!(client, by_channel.or(by_phone).or(by_email));
            for known in [by_phone, by_email].into_iter().flatten().chain(by_unproved) {
                prop_assert_eq!(perhaps.iter().filter(|one| **one == known).count(), usize::from(client != Some(known)));
            }
        }
    }

    #[test]
    fn an_address_of_email_has_one_form() {
        let identity = ClientIdentity::new(ClientIdentity::EMAIL, " Anna@Example.com ").unwrap();
        assert_eq!(identity.value, "anna@example.com");
        for none in ["  ", "undefined", "main/null", "[object Object]", "{{ $json.user_id }}"] {
            assert_eq!(ClientIdentity::new("avito", none), None, "{none}");
        }
    }

    #[test]
    fn an_id_of_a_channel_of_ones_own_is_of_its_account() {
        let of = |chat: &str, user: Option<&str>| {
            let ClientIdentity { kind, value } =
                ClientIdentity::of_writer(&chat.parse().unwrap(), user).unwrap();
            format!("{kind} {value}")
        };
        assert_eq!(of("telegram:bot/42", Some("42")), of("telegram:other/42", None));
        let visitors = ["webchat:site1/9", "webchat:site2/9"].map(|chat| of(chat, Some("1")));
        assert_eq!(visitors, ["webchat site1/1", "webchat site2/1"]);
        assert_ne!(of("webchat:site1/1", None), visitors[0]);
        // A channel that is named as a kind of contact proves no contact.
        assert_eq!(of("phone:main/1", Some("+70000000001")), "phone main/+70000000001");
    }
}

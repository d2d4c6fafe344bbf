//! A client: a person who writes to the business, over however many channels, and whose messages are one conversation.

use serde::{Deserialize, Serialize};

use crate::ClientId;

/// What identifies a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientIdentity {
    /// The name of a channel, [`ClientIdentity::PHONE`] or [`ClientIdentity::EMAIL`].
    pub kind: String,
    /// The id there, a number in E.164 or an address in small letters.
    pub value: String,
}

impl ClientIdentity {
    /// A number that its provider vouches for.
    pub const PHONE: &'static str = "phone";
    /// An address of email.
    pub const EMAIL: &'static str = "email";

    /// Of this kind, with spaces and empty values as none.
    pub fn new(kind: &str, value: &str) -> Option<Self> {
        let value = value.trim();
        let value = if kind == Self::EMAIL { value.to_lowercase() } else { value.to_owned() };
        (!value.is_empty()).then(|| Self { kind: kind.to_owned(), value })
    }
}

/// Clients that are known by what a message says of its writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KnownClients {
    /// By the id in the channel.
    pub by_channel: Option<ClientId>,
    /// By a number that the provider vouches for.
    pub by_phone: Option<ClientId>,
    /// By the address of email.
    pub by_email: Option<ClientId>,
    /// By a number that anyone could have typed.
    pub by_unverified_phone: Option<ClientId>,
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The client; none is known where it is a new one.
    pub client: Option<ClientId>,
    /// Other clients that may be the same person: a person decides.
    pub perhaps: [Option<ClientId>; 3],
}

/// Decides whose message it is: by the id in the channel, then by a verified number, then by email. What points to another client
/// than the one that is chosen never merges them.
pub fn resolve(known: KnownClients) -> Resolved {
    let client = known.by_channel.or(known.by_phone).or(known.by_email);
    let other = |found: Option<ClientId>| found.filter(|found| Some(*found) != client);
    let mut perhaps = [other(known.by_phone), other(known.by_email), other(known.by_unverified_phone)];
    for place in 1..perhaps.len() {
        if perhaps[..place].contains(&perhaps[place]) {
            perhaps[place] = None;
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
        fn strong_signals_choose_and_weak_ones_suggest(
            by_channel in client(), by_phone in client(), by_email in client(), by_unverified_phone in client(),
        ) {
            let Resolved { client, perhaps } =
                resolve(KnownClients { by_channel, by_phone, by_email, by_unverified_phone });
            prop_assert_eq!(client, by_channel.or(by_phone).or(by_email));
            let suggested: Vec<ClientId> = perhaps.into_iter().flatten().collect();
            for known in [by_phone, by_email, by_unverified_phone].into_iter().flatten() {
                prop_assert_eq!(suggested.iter().filter(|one| **one == known).count(), usize::from(client != Some(known)));
            }
        }
    }

    #[test]
    fn an_address_of_email_has_one_form() {
        let identity = ClientIdentity::new(ClientIdentity::EMAIL, " Anna@Example.com ").unwrap();
        assert_eq!(identity.value, "anna@example.com");
        assert_eq!(ClientIdentity::new("avito", "  "), None);
    }
}

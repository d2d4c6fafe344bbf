//! How it was proved that a contact is its client's.

use serde::{Deserialize, Serialize};

/// How it was proved that a phone number, an email address or an id in a channel is its client's.
#[derive(
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    Serialize,
    Deserialize,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum ContactProof {
    /// It is the writer's id in the channel, which the provider gave.
    ChannelId,
    /// The provider vouches for it, such as for a contact that its owner shared.
    Provider,
    /// The receiving mail server, which the owner of this installation trusts, authenticated the sender.
    Mail,
    /// An operator entered it.
    Operator,
    /// Another program of the owner stated it.
    Program,
    /// A person typed it, or no one checked it.
    Typed,
}

enum_words!(ContactProof);

impl ContactProof {
    /// Whether the contact is proved. Only then it decides which client a message belongs to; others only suggest one.
    pub const fn is_proved(self) -> bool {
        matches!(self, Self::ChannelId | Self::Provider | Self::Mail)
    }
}

/// A phone number or an email address of a writer, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedContact {
    /// A number in E.164, or an address.
    pub value: String,
    /// How it was proved.
    pub proof: ContactProof,
}

impl ProvedContact {
    /// Returns a contact with its proof.
    pub fn new(value: impl Into<String>, proof: ContactProof) -> Self {
        Self { value: value.into(), proof }
    }

    /// Returns a contact that a person typed.
    pub fn typed(value: impl Into<String>) -> Self {
        Self::new(value, ContactProof::Typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_enter_is_not_proved() {
        let proved: Vec<_> = ContactProof::ALL.into_iter().filter(|proof| proof.is_proved()).collect();
        assert_eq!(proved, [ContactProof::ChannelId, ContactProof::Provider, ContactProof::Mail]);
    }
}

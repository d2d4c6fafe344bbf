//! The type of a chat: who reads what is written there, and whether programs answer in it.

use serde::{Deserialize, Serialize};

/// Who reads what is written in a chat.
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
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum ChatType {
    /// One customer.
    Private,
    /// Several people, who all write.
    Group,
    /// The readers of a channel, to which its owner writes.
    Channel,
    /// The recipients of a broadcast, such as a status or a story.
    Broadcast,
}

enum_words!(ChatType);

impl ChatType {
    /// Returns the type that programs and providers call so; none for an unknown word.
    pub fn of_statement(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        Self::from_word(&word).or(match word.as_str() {
            "dialog" | "user" | "direct" | "individual" | "personal" | "u2i" => Some(Self::Private),
            "supergroup" | "chat" => Some(Self::Group),
            "newsletter" => Some(Self::Channel),
            "status" | "story" => Some(Self::Broadcast),
            _ => None,
        })
    }

    /// Returns the type of a chat whose address has the type `self`, and which is stated to have another one. A statement adds readers
    /// to what the address says, and takes none away.
    #[must_use]
    pub const fn stated(self, stated: Self) -> Self {
        match (self, stated) {
            (Self::Private, _) | (Self::Group, Self::Channel | Self::Broadcast) => stated,
            (of_address, _) => of_address,
        }
    }

    /// Returns the type of a chat whose address has the type `self`, and which its provider calls so. A chat of an unknown type may have
    /// many readers.
    #[must_use]
    pub fn stated_by_provider(self, word: Option<&str>) -> Self {
        word.map_or(self, |word| self.stated(Self::of_statement(word).unwrap_or(Self::Group)))
    }

    /// Whether what is written there is a conversation that people answer. Posts to readers are none.
    pub const fn is_conversation(self) -> bool {
        matches!(self, Self::Private | Self::Group)
    }
}

/// When programs answer in a group.
#[derive(
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
    Serialize,
    Deserialize,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum GroupAnswers {
    /// Never.
    #[default]
    Never,
    /// If someone mentions the account, or replies to a message of it.
    WhenMentioned,
    /// Always.
    Always,
}

enum_words!(GroupAnswers);

impl GroupAnswers {
    /// Whether a program answers messages of a group.
    pub const fn answers(self, mentions_us: bool) -> bool {
        match self {
            Self::Never => false,
            Self::WhenMentioned => mentions_us,
            Self::Always => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_no_readers_away() {
        for (address, word, wanted) in [
            (ChatType::Private, None, ChatType::Private),
            (ChatType::Private, Some("dialog"), ChatType::Private),
            (ChatType::Private, Some(" SuperGroup "), ChatType::Group),
            (ChatType::Private, Some("newsletter"), ChatType::Channel),
            (ChatType::Private, Some("community"), ChatType::Group),
            (ChatType::Private, Some(""), ChatType::Group),
            (ChatType::Group, Some("private"), ChatType::Group),
            (ChatType::Group, Some("channel"), ChatType::Channel),
            (ChatType::Group, Some("community"), ChatType::Group),
            (ChatType::Channel, Some("group"), ChatType::Channel),
            (ChatType::Broadcast, Some("private"), ChatType::Broadcast),
        ] {
            assert_eq!(address.stated_by_provider(word), wanted, "{address:?} {word:?}");
        }
    }

    #[test]
    fn a_group_is_answered_only_where_that_is_switched_on() {
        let answers = |group: GroupAnswers| [false, true].map(|mentions_us| group.answers(mentions_us));
        assert_eq!(answers(GroupAnswers::default()), [false, false]);
        assert_eq!(answers(GroupAnswers::WhenMentioned), [false, true]);
        assert_eq!(answers(GroupAnswers::Always), [true, true]);
    }
}

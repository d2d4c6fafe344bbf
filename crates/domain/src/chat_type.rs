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
    fn a_group_is_answered_only_where_that_is_switched_on() {
        let answers = |group: GroupAnswers| [false, true].map(|mentions_us| group.answers(mentions_us));
        assert_eq!(answers(GroupAnswers::default()), [false, false]);
        assert_eq!(answers(GroupAnswers::WhenMentioned), [false, true]);
        assert_eq!(answers(GroupAnswers::Always), [true, true]);
    }
}

//! Which events someone wants: by type, chat and account.

use std::fmt;
use std::str::FromStr;

use super::EventType;
use crate::AccountName;

/// Which types of events are wanted: `message.sent`, all of a group (`message.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EventPattern {
    /// Every type.
    All,
    /// Those whose word begins with this and a dot.
    Group(Box<str>),
    /// This one.
    One(EventType),
}

/// Text that no type of event matches.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no type of an event; write one such as message.sent, a group such as message.*, or *")]
pub struct InvalidEventPattern(String);

impl EventPattern {
    /// Whether it wants events of this type.
    pub fn matches(&self, kind: EventType) -> bool {
        match self {
            Self::All => true,
            Self::Group(group) => {
                kind.as_str().strip_prefix(&**group).is_some_and(|rest| rest.starts_with('.'))
            }
            Self::One(one) => *one == kind,
        }
    }
}

impl FromStr for EventPattern {
    type Err = InvalidEventPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pattern = match text.strip_suffix(".*") {
            Some(group) => Some(Self::Group(group.into())),
            None if text == "*" => Some(Self::All),
            None => EventType::from_word(text).map(Self::One),
        };
        pattern
            .filter(|pattern| EventType::ALL.into_iter().any(|kind| pattern.matches(kind)))
            .ok_or_else(|| InvalidEventPattern(text.chars().take(64).collect()))
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Group(group) => write!(f, "{group}.*"),
            Self::One(one) => one.fmt(f),
        }
    }
}

/// Which events are wanted; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EventFilter {
    /// Of one of these types; of any where there is none.
    pub types: Vec<EventPattern>,
    /// About one of these chats; about any, or none, where it is empty.
    pub chats: Vec<String>,
    /// About one of these accounts; about any, or none, where it is empty.
    pub accounts: Vec<AccountName>,
}

impl EventFilter {
    /// Whether it wants this event.
    pub fn matches(&self, kind: EventType, chat: Option<&str>, account: Option<&str>) -> bool {
        let is_of_type = self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(kind));
        let about_chat = self.chats.is_empty() || self.chats.iter().any(|one| Some(one.as_str()) == chat);
        let about_account =
            self.accounts.is_empty() || self.accounts.iter().any(|one| Some(one.as_str()) == account);
        is_of_type && about_chat && about_account
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_type() -> impl Strategy<Value = EventType> {
        proptest::sample::select(EventType::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn a_group_has_the_types_that_begin_with_it(kind in any_type(), other in any_type()) {
            let Some((group, _)) = kind.as_str().split_once('.') else { return Ok(()) };
            let pattern: EventPattern = format!("{group}.*").parse().unwrap();
            prop_assert!(pattern.matches(kind));
            prop_assert_eq!(pattern.matches(other), other.as_str().starts_with(&format!("{group}.")));
        }

        #[test]
        fn a_pattern_is_written_as_it_was_read(kind in any_type(), text in "[a-z_.*]{0,12}") {
            for text in [kind.as_str(), text.as_str()] {
                if let Ok(pattern) = text.parse::<EventPattern>() {
                    prop_assert_eq!(pattern.to_string(), text);
                }
            }
        }

        #[test]
        fn each_condition_narrows(kind in any_type(), chat in "[0-9]", account in "[a-c]") {
            let mut filter = EventFilter::default();
            prop_assert!(filter.matches(kind, None, None));
            filter.types.push(EventPattern::One(EventType::MessageSent));
            prop_assert_eq!(filter.matches(kind, Some(&chat), None), kind == EventType::MessageSent);
            filter.chats.push("7".to_owned());
            filter.types.clear();
            prop_assert_eq!(filter.matches(kind, Some(&chat), None), chat == "7");
            prop_assert!(!filter.matches(kind, None, Some(&account)));
            filter.accounts.push("a".parse().unwrap());
            prop_assert_eq!(filter.matches(kind, Some("7"), Some(&account)), account == "a");
        }
    }

    #[test]
    fn unknown_types_are_refused() {
        for wrong in ["", "message", "message.", ".*", "messages.*", "message.gone", "**"] {
            assert!(wrong.parse::<EventPattern>().is_err(), "{wrong}");
        }
    }
}

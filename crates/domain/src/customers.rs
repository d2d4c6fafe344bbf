//! Which private chats of the Telegram accounts are conversations with customers. Pure.

use serde::{Deserialize, Serialize};

use crate::ChatId;

/// Which people who write to an account of Telegram are customers.
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
pub enum Customers {
    /// All of them.
    #[default]
    All,
    /// Those who are not in the contacts of the account.
    NotContacts,
    /// Those who are listed.
    Listed,
}

enum_words!(Customers);

/// Who is a customer: a rule, and the people who are exceptions to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerRule {
    /// The rule.
    pub rule: Customers,
    /// People who are customers whatever the rule says.
    pub always: Vec<ChatId>,
    /// People who are never customers.
    pub never: Vec<ChatId>,
}

impl CustomerRule {
    /// Whether this person is a customer. `is_contact` is asked only where it counts.
    pub fn takes<E>(&self, person: ChatId, is_contact: impl FnOnce() -> Result<bool, E>) -> Result<bool, E> {
        if self.never.contains(&person) {
            return Ok(false);
        }
        if self.always.contains(&person) {
            return Ok(true);
        }
        match self.rule {
            Customers::All => Ok(true),
            Customers::NotContacts => is_contact().map(|is_contact| !is_contact),
            Customers::Listed => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn contacts_are_customers_where_the_rule_or_the_list_says_so() {
        let id = |id| ChatId::user(id).expect("a user");
        let takes = |rule, person, is_contact| {
            let rule = CustomerRule { rule, always: vec![id(1), id(2)], never: vec![id(2), id(3)] };
            rule.takes(id(person), || Ok::<_, Infallible>(is_contact)).expect("an answer")
        };
        for (rule, stranger, contact) in [
            (Customers::All, true, true),
            (Customers::NotContacts, true, false),
            (Customers::Listed, false, false),
        ] {
            assert_eq!((takes(rule, 4, false), takes(rule, 4, true)), (stranger, contact), "{rule:?}");
            let listed = [1, 2, 3].map(|person| takes(rule, person, true));
            assert_eq!(listed, [true, false, false], "{rule:?}");
        }
    }
}

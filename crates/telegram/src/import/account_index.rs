//! Who lives here already: accounts with their people, keys and purposes, and the sessions that belong to none.

use domain::{AccountName, Purpose, UserId};
use store::KeyFingerprint;

use super::planner::Person;

/// An account, as far as an import is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExistingAccount {
    pub(super) name: AccountName,
    /// Whose account it is, once Telegram said so.
    pub(super) user_id: Option<UserId>,
    pub(super) phone: Option<String>,
    pub(super) keys: Vec<KeyFingerprint>,
    /// What its living sessions are for. A session that is lost is in no one's way.
    pub(super) taken: Vec<Purpose>,
    /// It was made by an import or by hand while the program ran, not by the settings.
    pub(super) is_stored: bool,
}

impl ExistingAccount {
    /// What none of its sessions is for.
    pub(super) fn free(&self) -> Vec<Purpose> {
        Purpose::ALL.into_iter().filter(|purpose| !self.taken.contains(purpose)).collect()
    }

    /// Whether no one moved in yet, and this person may: an import was cut off after it made the account.
    fn is_vacant_for(&self, person: &Person) -> bool {
        let is_vacant =
            self.is_stored && self.user_id.is_none() && self.keys.is_empty() && self.taken.is_empty();
        is_vacant && !self.is_of_another(person)
    }

    /// Whether its phone number says that it is someone else's, while no one moved in yet.
    pub(super) fn is_of_another(&self, person: &Person) -> bool {
        let own = self.phone.as_deref().filter(|own| self.user_id.is_none() && !digits(own).is_empty());
        own.is_some()
            && person
                .phone
                .as_deref()
                .is_some_and(|phone| !digits(phone).is_empty() && !self.has_phone(phone))
    }

    fn has_phone(&self, phone: &str) -> bool {
        self.phone.as_deref().is_some_and(|own| !digits(phone).is_empty() && digits(own) == digits(phone))
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AccountIndex {
    pub(super) accounts: Vec<ExistingAccount>,
    pub(super) ownerless: Vec<KeyFingerprint>,
}

impl AccountIndex {
    pub(super) fn holder(&self, key: KeyFingerprint) -> Option<&ExistingAccount> {
        self.accounts.iter().find(|account| account.keys.contains(&key))
    }

    pub(super) fn get(&self, name: &AccountName) -> Option<&ExistingAccount> {
        self.accounts.iter().find(|account| account.name == *name)
    }

    pub(super) fn get_mut(&mut self, name: &AccountName) -> Option<&mut ExistingAccount> {
        self.accounts.iter_mut().find(|account| account.name == *name)
    }

    /// The account of this person: by the id that Telegram gave, else by the phone number of an account whose person is
    /// not known yet.
    pub(super) fn account_of(&self, user_id: UserId, phone: Option<&str>) -> Option<&ExistingAccount> {
        let by_id = self.accounts.iter().find(|account| account.user_id == Some(user_id));
        let by_phone = || {
            let phone = phone?;
            self.accounts.iter().find(|account| account.user_id.is_none() && account.has_phone(phone))
        };
        by_id.or_else(by_phone)
    }

    /// Whether there are accounts whose person shows only when Telegram gives a phone number.
    pub(super) fn knows_some_by_phone_only(&self) -> bool {
        let by_phone_only = |account: &ExistingAccount| {
            account.user_id.is_none() && account.phone.as_deref().is_some_and(|own| !digits(own).is_empty())
        };
        self.accounts.iter().any(by_phone_only)
    }

    /// A name for a new account, as near to the public name as a name can be and no one else's.
    pub(super) fn free_name(&self, person: &Person) -> Option<AccountName> {
        let letters = |text: &str| -> String {
            let text = text.to_ascii_lowercase();
            let of_a_name =
                |letter: &char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '_';
            text.chars().filter(of_a_name).take(48).collect()
        };
        let base = person.username.as_deref().map(letters).filter(|name| !name.is_empty());
        let base = base.unwrap_or_else(|| format!("user_{}", person.user_id));
        let numbered = (2..=self.accounts.len() + 2).map(|number| format!("{base}_{number}"));
        std::iter::once(base.clone())
            .chain(numbered)
            .filter_map(|name| name.parse().ok())
            .find(|name| self.get(name).is_none_or(|account| account.is_vacant_for(person)))
    }
}

/// A phone number without what people put between its digits.
pub(super) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn user(id: i64) -> UserId {
        UserId::new(id).expect("an id")
    }

    pub(in super::super) fn existing(name: &str) -> ExistingAccount {
        ExistingAccount {
            name: name.parse().expect("a name"),
            user_id: None,
            phone: None,
            keys: Vec::new(),
            taken: Vec::new(),
            is_stored: false,
        }
    }

    #[test]
    fn an_account_is_found_by_id_before_phone() {
        let index = AccountIndex {
            accounts: vec![
                ExistingAccount { phone: Some("+7 000 000-00-01".into()), ..existing("main") },
                ExistingAccount {
                    user_id: Some(user(7)),
                    phone: Some("+70000000002".into()),
                    ..existing("backup_1")
                },
            ],
            ownerless: Vec::new(),
        };
        let home =
            |user_id, phone| index.account_of(user(user_id), phone).map(|account| account.name.as_str());
        assert_eq!(home(7, Some("70000000001")), Some("backup_1"));
        assert_eq!(home(8, Some("70000000001")), Some("main"));
        assert_eq!(home(8, Some("70000000002")), None);
        assert_eq!(home(8, None), None);
        assert_eq!(home(8, Some("")), None);
    }

    #[test]
    fn new_names_are_valid_and_unused() {
        let name = |username: Option<&str>, index: &AccountIndex| {
            let person = Person {
                user_id: user(7),
                username: username.map(str::to_owned),
                display_name: "Demo".to_owned(),
                phone: Some("70000000007".to_owned()),
            };
            index.free_name(&person).expect("a name").to_string()
        };
        let mut index = AccountIndex { accounts: vec![existing("demo_main")], ownerless: Vec::new() };
        assert_eq!(name(Some("Demo_Main"), &index), "demo_main_2");
        assert_eq!(name(Some("Demo_Other"), &index), "demo_other");
        assert_eq!(name(None, &index), "user_7");
        index.accounts.push(ExistingAccount { is_stored: true, ..existing("demo_main_2") });
        // An account that was made by an import that was cut off is taken up again.
        assert_eq!(name(Some("Demo_Main"), &index), "demo_main_2");
        // It waits for the person of its phone number alone.
        index.accounts[1].phone = Some("+70000000009".to_owned());
        assert_eq!(name(Some("Demo_Main"), &index), "demo_main_3");
        index.accounts[1].phone = Some("+70000000007".to_owned());
        assert_eq!(name(Some("Demo_Main"), &index), "demo_main_2");
        index.accounts[1].user_id = Some(user(9));
        assert_eq!(name(Some("Demo_Main"), &index), "demo_main_3");
    }
}

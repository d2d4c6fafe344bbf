//! Making accounts: who they are follows from their number and the seed.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::identities::Seed;
use super::people::{Account, Line, Person};
use super::privacy::Invites;

/// The names of the first accounts; the rest are called `extra_1`…
const NAMES: [&str; 5] = ["main", "backup_1", "backup_2", "backup_3", "fifth"];

/// What main has a session of its own for.
const PURPOSES: [&str; 4] = ["create_chat", "send_text", "send_media", "leave_chat"];

/// The first account's user id is one more.
const FIRST_USER: i64 = 7_000_000_000;

/// The name of the account with this number, from 1.
pub(crate) fn name(number: usize) -> String {
    match NAMES.get(number.saturating_sub(1)) {
        Some(name) => (*name).to_owned(),
        None => format!("extra_{}", number - NAMES.len()),
    }
}

/// Where the account with this number lives: the first extra one at DC 4, all others at DC 2.
pub(crate) fn home(number: usize) -> i32 {
    if number == NAMES.len() + 1 { 4 } else { 2 }
}

pub(crate) fn phone(number: usize) -> String {
    format!("+7{number:010}")
}

/// Makes an account. Its number, from 1, is its place among all accounts.
pub(crate) fn make(seed: Seed, number: usize, name: &str, phone: &str, dc_id: i32) -> Account {
    let line = |purpose: Option<&str>| Line {
        purpose: purpose.map(str::to_owned),
        auth_key: seed.auth_key(&format!("{name} line {}", purpose.unwrap_or("all"))),
    };
    Account {
        name: name.into(),
        user_id: FIRST_USER.saturating_add(i64::try_from(number).unwrap_or(i64::MAX)),
        username: format!("demo_{name}"),
        phone: phone.to_owned(),
        dc_id,
        api_id: 1_000_000 + i32::try_from(number).unwrap_or(i32::MAX - 1_000_000),
        api_hash: seed.hex32(&format!("{name} api hash")),
        login_code: seed.five_digits(&format!("{name} login code")),
        auth_key: seed.auth_key(&format!("{name} by hand")),
        lines: if name == NAMES[0] {
            PURPOSES.iter().map(|purpose| line(Some(purpose))).collect()
        } else {
            vec![line(None)]
        },
        pool: name != NAMES[4],
    }
}

/// The user an account signs in as.
pub(crate) fn person(account: &Arc<Account>) -> Person {
    Person {
        id: account.user_id,
        first_name: "Demo".to_owned(),
        last_name: Some(account.name.replace('_', " ")),
        username: Some(account.username.clone()),
        bot: false,
        blocked: HashSet::new(),
        contacts: BTreeSet::new(),
        invites: Invites::Everybody,
        account: Some(Arc::clone(account)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_fixed_names_and_distinct_sessions() {
        let names: Vec<String> = (1..=7).map(name).collect();
        assert_eq!(names, ["main", "backup_1", "backup_2", "backup_3", "fifth", "extra_1", "extra_2"]);
        assert_eq!(phone(1), "+70000000001");
        let main = make(Seed(1), 1, "main", "+70000000001", 2);
        assert_eq!(main.lines.len(), 4);
        let mut keys: Vec<_> = main.lines.iter().map(|line| line.auth_key).collect();
        keys.push(main.auth_key);
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 5);
        let backup = make(Seed(1), 2, "backup_1", "+70000000002", 2);
        assert_eq!((backup.lines.len(), backup.lines[0].purpose.as_deref()), (1, None));
        assert_eq!((home(5), home(6), home(7)), (2, 4, 2));
    }
}

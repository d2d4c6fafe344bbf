//! Why something waits, for a caller that has waited long enough. Pure.

use domain::account::{AccountState, Operation};
use domain::{AccountName, Timestamp};
use telegram::AccountView;

/// One account, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountAvailability {
    pub(super) name: AccountName,
    pub(super) pool: bool,
    pub(super) state: AccountState,
    pub(super) flooded_until: Option<Timestamp>,
}

impl AccountAvailability {
    /// The state of an account for one kind of call.
    pub(super) fn of(view: &AccountView, operation: Operation) -> Self {
        let floods = view.floods.iter().filter(|flood| flood.operation == operation);
        Self {
            name: view.name.clone(),
            pool: view.pool,
            state: view.state,
            flooded_until: floods.map(|flood| flood.until).max(),
        }
    }
}

/// When a flood that holds it back ends: as the delivery says, else (it waits behind something else) when
/// every account that could be meant is flooded.
pub(super) fn flooded_until(
    own: Option<Timestamp>,
    accounts: &[AccountAvailability],
    pin: Option<&AccountName>,
    now: Timestamp,
) -> Option<Timestamp> {
    if let Some(own) = own.filter(|own| *own > now) {
        return Some(own);
    }
    let meant = accounts.iter().filter(|account| match pin {
        Some(pin) => account.name == *pin,
        None => account.pool,
    });
    let mut first: Option<Timestamp> = None;
    for account in meant {
        match (account.state, account.flooded_until.filter(|until| *until > now)) {
            (_, Some(until)) => first = Some(first.map_or(until, |first| first.min(until))),
            (AccountState::Ready, None) => return None,
            _ => {}
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn all_flooded_is_a_flood_and_one_ready_is_not() {
        let account = |name: &str, pool, state, flooded: Option<i64>| AccountAvailability {
            name: name.parse().expect("a name"),
            pool,
            state,
            flooded_until: flooded.map(at),
        };
        let flooded = [
            account("a", true, AccountState::FloodWait, Some(50)),
            account("b", true, AccountState::FloodWait, Some(40)),
            account("c", true, AccountState::Offline, None),
            account("d", false, AccountState::Ready, None),
        ];
        assert_eq!(flooded_until(Some(at(30)), &flooded, None, at(10)), Some(at(30)));
        assert_eq!(flooded_until(None, &flooded, None, at(10)), Some(at(40)));
        assert_eq!(flooded_until(None, &flooded, None, at(45)), Some(at(50)));
        let d = "d".parse().expect("a name");
        assert_eq!(flooded_until(None, &flooded, Some(&d), at(10)), None);
        let mut ready = flooded.to_vec();
        ready.push(account("e", true, AccountState::Ready, None));
        assert_eq!(flooded_until(None, &ready, None, at(10)), None);
        assert_eq!(flooded_until(None, &[], None, at(10)), None);
    }
}

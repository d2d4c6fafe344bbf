//! Sessions: how long one lasts, and whose it is.

use std::net::IpAddr;
use std::time::Duration;

use domain::{Role, SessionId, Timestamp, UserName};

use crate::token::{CsrfToken, DeviceId, DeviceToken, SessionToken};

/// A session ends when it was not used for this long.
pub const IDLE: Duration = Duration::from_hours(12);
/// A session ends this long after it began, however much it is used.
pub const LONGEST: Duration = Duration::from_hours(30 * 24);

/// A browser is known for this long after the last sign-in.
pub(crate) const DEVICE_LASTS: Duration = Duration::from_hours(180 * 24);

/// The token before counts for this long after a sign-in: another tab may still send it, or the answer with the new one was lost.
pub(crate) const OLD_DEVICE_LASTS: Duration = Duration::from_mins(10);

/// From where a request comes, for sessions, the throttle and the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The client's address, behind trusted proxies.
    pub address: Option<IpAddr>,
    /// What the browser calls itself; cut to 200 characters.
    pub browser: Option<String>,
    /// The tokens of the browser, where it says that someone has signed in with it before.
    pub devices: Vec<DeviceId>,
}

/// A user who has signed in, as each request finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    pub user: UserName,
    pub role: Role,
    pub session: SessionId,
    /// What their forms must carry.
    pub csrf: CsrfToken,
    /// Since when they are signed in.
    pub since: Timestamp,
    /// Whether they sign in with a code as well.
    pub second_factor: bool,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct NewSession {
    pub token: SessionToken,
    /// By which the browser is known from now on.
    pub device: DeviceToken,
    pub visitor: Visitor,
}

pub(crate) fn is_over(began: Timestamp, seen: Timestamp, now: Timestamp) -> bool {
    now.since(seen) >= IDLE || now.since(began) >= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_session_ends_when_idle_and_at_its_longest(seen in 0_u64..4_000_000, later in 0_u64..4_000_000) {
            let began = Timestamp::from_micros(1);
            let seen = began.plus(Duration::from_secs(seen));
            let now = seen.plus(Duration::from_secs(later));
            let over = now.since(seen) >= IDLE || now.since(began) >= LONGEST;
            prop_assert_eq!(is_over(began, seen, now), over);
            // A clock that is set back ends no session.
            prop_assert!(!is_over(now, now, began));
        }
    }
}

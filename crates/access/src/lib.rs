//! Who may use the dashboard: users and roles, passwords, the second factor, sessions, the throttle, the audit log.
//!
//! [`Access`] is the entry point. Decisions ([`may`], the throttle, codes that change, when a session is over) are
//! pure; what is durable is in the store, secrets sealed with its master key.

mod audit;
pub mod cookie;
mod error;
mod first;
mod hashing;
mod letters;
mod one_time_code;
mod own;
mod password;
mod people;
mod recovery_code;
mod right;
mod session;
mod sign_in;
mod throttle;
mod ticket;
mod token;

use std::sync::Mutex;

use ambient::{Clock, Handle, Ids};
use store::Store;

pub use domain::person::{InvalidUserName, Role, UserName};
pub use error::{ChangeError, PeopleError, SignInError};
pub use first::{FIRST_USER, FirstError};
pub use own::{OfferedFactor, RecoveryCodes};
pub use password::{LONGEST as LONGEST_PASSWORD, SHORTEST as SHORTEST_PASSWORD, UnfitPassword};
pub use people::{Person, SessionView};
pub use right::{Right, may};
pub use session::{ClientInfo, IDLE, LONGEST, NewSession, Visitor};
pub use sign_in::SignIn;
pub use store::{AuditEntry, AuditFilter, AuditRecord, AuditResult, AuditWho};
pub use throttle::network_prefix;
pub use token::{CsrfToken, DeviceId, DeviceToken, DoorToken, SessionToken};

use hashing::Hashing;
use throttle::Throttle;
use ticket::Tickets;

/// The people of the dashboard. Cheap to clone; clones share their memory of wrong passwords.
#[derive(Clone)]
pub struct Access(Handle<Shared>);

struct Shared {
    store: Store,
    clock: Clock,
    ids: Ids,
    hashing: Hashing,
    throttle: Mutex<Throttle>,
    tickets: Mutex<Tickets>,
}

impl Access {
    /// The people that a store knows. Starts nothing.
    pub fn new(store: Store, clock: Clock, ids: Ids) -> Self {
        Self(Handle::new(Shared {
            store,
            hashing: Hashing::new(clock.clone()),
            clock,
            ids,
            throttle: Mutex::default(),
            tickets: Mutex::default(),
        }))
    }
}

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as access;
#[cfg(test)]
mod it;

//! A user and a session as the API shows them.

use access::{Person, Role, SessionView};
use domain::{SessionId, Timestamp, UserName};
use serde::Serialize;
use utoipa::ToSchema;

use crate::v1::words;

/// Somebody who may sign in to the dashboard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    /// The name they sign in with.
    #[schema(value_type = String, example = "anna")]
    name: UserName,
    /// What they may.
    #[schema(schema_with = words::role)]
    role: Role,
    /// Whether they sign in with a code as well.
    second_factor: bool,
    /// Recovery codes that they have left.
    recovery_codes: u64,
    /// When they were added.
    created_at: Timestamp,
    /// Since when they have their password.
    password_at: Timestamp,
    /// When they last signed in.
    signed_in_at: Option<Timestamp>,
}

impl From<Person> for User {
    fn from(person: Person) -> Self {
        let Person {
            name, role, second_factor, recovery_codes, created_at, password_at, signed_in_at, ..
        } = person;
        Self { name, role, second_factor, recovery_codes, created_at, password_at, signed_in_at }
    }
}

/// A browser in which a user is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserSession {
    /// Its public id.
    #[schema(value_type = String, example = "ses_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub(super) id: SessionId,
    /// When it began.
    created_at: Timestamp,
    /// When it was last used, within a minute.
    seen_at: Timestamp,
    /// From which address it was last used.
    #[schema(example = "192.0.2.1")]
    address: Option<String>,
    /// What the browser calls itself.
    browser: Option<String>,
}

impl From<SessionView> for UserSession {
    fn from(session: SessionView) -> Self {
        let SessionView { id, created_at, seen_at, address, browser } = session;
        Self { id, created_at, seen_at, address: address.map(|address| address.to_string()), browser }
    }
}

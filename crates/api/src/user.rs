//! A user of the dashboard, and a session.

use access::{Person, Role, SessionView};
use domain::{SessionId, Timestamp, UserName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// Someone who may sign in to the dashboard.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The name they sign in with.
    #[schema(value_type = String, example = "anna")]
    pub name: UserName,
    /// What they may.
    #[schema(schema_with = schemas::role)]
    pub role: Role,
    /// Whether they sign in with a code as well.
    pub second_factor: bool,
    /// Recovery codes that they have left.
    pub recovery_codes: u64,
    /// When they were added.
    pub created_at: Timestamp,
    /// Since when they have their password.
    pub password_at: Timestamp,
    /// When they last signed in.
    pub signed_in_at: Option<Timestamp>,
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
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserSession {
    /// Its public id.
    #[schema(value_type = String, example = "ses_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// From which address it was last used.
    #[schema(example = "192.0.2.1")]
    pub address: Option<String>,
    /// What the browser calls itself.
    pub browser: Option<String>,
}

impl From<SessionView> for UserSession {
    fn from(session: SessionView) -> Self {
        let SessionView { id, created_at, seen_at, address, browser } = session;
        Self { id, created_at, seen_at, address: address.map(|address| address.to_string()), browser }
    }
}

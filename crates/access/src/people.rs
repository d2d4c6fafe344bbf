//! Users as an admin sees and changes them.

use std::net::IpAddr;

use domain::{Role, SecretText, SessionId, Timestamp, UserName};
use store::{Keeping, NewUser, StoreError, StoredUser, UserChange, UserSession};

use crate::error::PeopleError;
use crate::session::is_over;
use crate::{Access, password};

/// A user, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: UserName,
    pub role: Role,
    /// Whether they sign in with a code as well.
    pub second_factor: bool,
    pub recovery_codes: u64,
    /// Sessions that were not ended.
    pub sessions: u64,
    pub created_at: Timestamp,
    /// Since when they have their password.
    pub password_at: Timestamp,
    pub signed_in_at: Option<Timestamp>,
}

impl From<StoredUser> for Person {
    fn from(user: StoredUser) -> Self {
        Self {
            name: user.name,
            role: user.role,
            second_factor: user.factor.is_some(),
            recovery_codes: user.recovery_codes,
            sessions: user.sessions,
            created_at: user.created_at,
            password_at: user.password_at,
            signed_in_at: user.signed_in_at,
        }
    }
}

/// A session that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    pub id: SessionId,
    pub created_at: Timestamp,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// From where it was last used.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub browser: Option<String>,
}

impl From<UserSession> for SessionView {
    fn from(session: UserSession) -> Self {
        let UserSession { id, created_at, seen_at, address, browser, .. } = session;
        Self { id, created_at, seen_at, address, browser }
    }
}

impl Access {
    /// All users by name; at most 1,000.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        Ok(self.0.store.users().list().await?.into_iter().map(Person::from).collect())
    }

    pub async fn person(&self, name: &UserName) -> Result<Option<Person>, StoreError> {
        Ok(self.0.store.users().get(name).await?.map(Person::from))
    }

    pub async fn add(&self, name: UserName, role: Role, password: SecretText) -> Result<Person, PeopleError> {
        password::check(&password, &name)?;
        let password = self.0.hashing.hash(password).await?;
        let user = NewUser { name, role, password, at: self.0.clock.now() };
        if !self.0.store.users().add(&user).await? {
            return Err(PeopleError::Taken);
        }
        self.person(&user.name).await?.ok_or(PeopleError::Unknown)
    }

    /// Gives a role, at once in all their sessions. The last admin keeps theirs.
    pub async fn set_role(&self, name: &UserName, role: Role) -> Result<(), PeopleError> {
        changed(self.0.store.users().set_role(name, role).await?)
    }

    /// Removes a user with their sessions. The last admin stays.
    pub async fn remove(&self, name: &UserName) -> Result<(), PeopleError> {
        changed(self.0.store.users().remove(name).await?)
    }

    /// Gives another's password and ends all their sessions.
    pub async fn set_password(&self, name: &UserName, password: SecretText) -> Result<(), PeopleError> {
        password::check(&password, name)?;
        let kept = self.0.hashing.hash(password).await?;
        let set = self.0.store.users().set_password(name, &kept, self.0.clock.now(), Keeping::None).await?;
        if set { Ok(()) } else { Err(PeopleError::Unknown) }
    }

    /// Takes a user's second factor away, for one who has lost it. Not an error when there is none.
    pub async fn reset_second_factor(&self, name: &UserName) -> Result<(), PeopleError> {
        let dropped = self.0.store.users().drop_factor(name).await?;
        if dropped || self.person(name).await?.is_some() { Ok(()) } else { Err(PeopleError::Unknown) }
    }

    /// The sessions of a user that last, the latest first; at most 50.
    pub async fn sessions(&self, name: &UserName) -> Result<Vec<SessionView>, StoreError> {
        let now = self.0.clock.now();
        let found = self.0.store.user_sessions().list(name).await?;
        let lasting = found.into_iter().filter(|session| !is_over(session.created_at, session.seen_at, now));
        Ok(lasting.map(SessionView::from).collect())
    }

    /// Ends one session of a user; false when it had ended.
    pub async fn end_session(&self, name: &UserName, id: SessionId) -> Result<bool, StoreError> {
        self.0.store.user_sessions().end(name, id).await
    }

    /// Ends the sessions of a user but the one to keep; says how many.
    pub async fn end_sessions(&self, name: &UserName, keep: Option<SessionId>) -> Result<u64, StoreError> {
        let keeping = keep.map_or(Keeping::None, Keeping::This);
        self.0.store.user_sessions().end_all(name, keeping).await
    }
}

fn changed(change: UserChange) -> Result<(), PeopleError> {
    match change {
        UserChange::Done => Ok(()),
        UserChange::Unknown => Err(PeopleError::Unknown),
        UserChange::LastAdmin => Err(PeopleError::LastAdmin),
    }
}

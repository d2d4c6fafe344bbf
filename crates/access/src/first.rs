//! The first user: `admin`, with the password of the environment, or with one that is made and shown once.

use domain::{Role, SecretText, UserName};
use store::NewUser;

use crate::error::PeopleError;
use crate::password::{self, UnfitPassword};
use crate::{Access, letters};

pub const FIRST_USER: &str = "admin";

/// Letters of a password that is made: 100 bits of chance.
const LENGTH: usize = 20;

/// Why there is no first user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirstError {
    #[error("the password for the first user {0}")]
    Unfit(UnfitPassword),
    #[error("the first user cannot be added: {0}")]
    People(#[from] PeopleError),
}

impl Access {
    /// Whether the password for the first user would be taken: asked before anything is started.
    ///
    /// # Errors
    /// [`FirstError::Unfit`], saying why.
    pub fn check_first(given: &SecretText) -> Result<(), FirstError> {
        let name: UserName = FIRST_USER.parse().map_err(|_| PeopleError::Unknown)?;
        password::check(given, &name).map_err(FirstError::Unfit)
    }

    /// Ensures that there is a user: without any, adds `admin` with the password given or a new one, which is returned to
    /// be shown once. A password given later changes nothing.
    ///
    /// # Errors
    /// See [`FirstError`].
    pub async fn ensure_first(&self, given: Option<&SecretText>) -> Result<Option<SecretText>, FirstError> {
        let name: UserName = FIRST_USER.parse().map_err(|_| PeopleError::Unknown)?;
        given.map_or(Ok(()), Self::check_first)?;
        if !self.0.store.users().is_empty().await.map_err(PeopleError::from)? {
            return Ok(None);
        }
        let made = if given.is_some() {
            None
        } else {
            Some(SecretText::from(letters::draw::<LENGTH>(5).map_err(PeopleError::from)?))
        };
        let Some(chosen) = given.or(made.as_ref()) else { return Ok(None) };
        let password = self.0.hashing.hash(chosen.clone()).await.map_err(PeopleError::from)?;
        let user = NewUser { name, role: Role::Admin, password, at: self.0.clock.now() };
        let added = self.0.store.users().add_first(&user).await.map_err(PeopleError::from)?;
        Ok(made.filter(|_| added))
    }
}

//! Users: name, role, password and second factor. What must stay secret is sealed or hashed.

use std::fmt::Display;

use domain::person::{Role, UserName};
use domain::secret::ExposeSecret;
use domain::{Secret, SecretText, SessionId, Timestamp};

use super::statements as sql;
use crate::column::Columns;
use crate::database::{Parameters, Row, params};
use crate::pipeline::release_appeals;
use crate::vault::{Sealed, Vault};
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

const TABLE: &str = "users";
/// What the sealed fields are bound to beside the name, so that none passes for another.
const PASSWORD: &str = "users.password";
const FACTOR: &str = "users.factor";

/// Users there may be.
const MOST_USERS: i64 = 1000;

/// A user to be added.
#[derive(Debug)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// What they may.
    pub role: Role,
    /// The password as it is kept: its Argon2id text.
    pub password: SecretText,
    /// When they are added.
    pub at: Timestamp,
}

/// The second factor of a user.
#[derive(Debug)]
pub struct SecondFactor {
    /// What the codes are made of.
    pub secret: Secret<Vec<u8>>,
    /// The step of the last code that was taken.
    pub step: u64,
}

/// A second factor that the user has yet to confirm.
#[derive(Debug)]
pub struct OfferedFactor {
    /// What the codes are made of.
    pub secret: Secret<Vec<u8>>,
    /// As stored in the table, where each sealing looks different: distinguishes it from one that is offered later.
    sealed: Vec<u8>,
}

/// A user as the store has them.
#[derive(Debug)]
pub struct StoredUser {
    /// The name.
    pub name: UserName,
    /// What they may.
    pub role: Role,
    /// The Argon2id text of the password.
    pub password: SecretText,
    /// Since when it is this one.
    pub password_at: Timestamp,
    /// The second factor, if one is in force.
    pub factor: Option<SecondFactor>,
    /// One that was offered and is not confirmed yet.
    pub offered: Option<OfferedFactor>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub signed_in_at: Option<Timestamp>,
    /// Recovery codes that were not used yet.
    pub recovery_codes: u64,
    /// Sessions that were not ended; some may be past their time.
    pub sessions: u64,
}

/// What came of a change of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserChange {
    /// Made.
    Done,
    /// No one has the name.
    Unknown,
    /// There would be no admin left.
    LastAdmin,
}

/// What stays of the sessions when a password changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// None.
    None,
    /// The one it was changed from.
    This(SessionId),
}

/// The users' part of a store.
#[derive(Clone, Copy)]
pub struct Users<'a> {
    pub(crate) store: &'a Store,
}

impl Users<'_> {
    fn vault(&self) -> &Vault {
        &self.store.inner.vault
    }

    /// Adds a user; false when the name is taken.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there are as many as there may be (1,000).
    pub async fn add(&self, user: &NewUser) -> Result<bool, StoreError> {
        self.store.write(AddUser::new(user, self.vault(), false)?).await
    }

    /// Adds the first user; false when there is one already.
    pub async fn add_first(&self, user: &NewUser) -> Result<bool, StoreError> {
        self.store.write(AddUser::new(user, self.vault(), true)?).await
    }

    /// Whether there is any.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let count = |row: &Row<'_>| Columns::new(row, TABLE).count(0);
        let found = self.store.read(move |connection| connection.first(sql::COUNT_USERS, (), count));
        Ok(found.await? == Some(0))
    }

    /// One user.
    pub async fn get(&self, name: &UserName) -> Result<Option<StoredUser>, StoreError> {
        let name = name.clone();
        let found = self.store.first(sql::GET_USER, [name.to_string()], read).await?;
        found.map(|sealed| sealed.open(self.vault())).transpose()
    }

    /// All users by name.
    pub async fn list(&self) -> Result<Vec<StoredUser>, StoreError> {
        let found = self.store.all(sql::LIST_USERS, (), read).await?;
        found.into_iter().map(|sealed| sealed.open(self.vault())).collect()
    }

    /// Gives a role. The last admin keeps theirs.
    pub async fn set_role(&self, name: &UserName, role: Role) -> Result<UserChange, StoreError> {
        let name = name.clone();
        self.store
            .write(move |transaction: &Transaction<'_>| {
                let change = match can_go(transaction, &name)? {
                    UserChange::LastAdmin if role == Role::Admin => UserChange::Done,
                    change => change,
                };
                if change == UserChange::Done {
                    transaction.change_rights();
                    transaction.run(sql::SET_ROLE, [role.as_str(), name.as_str()])?;
                }
                Ok(change)
            })
            .await
    }

    /// Removes a user with their sessions; no one has their open appeals then. The last admin stays.
    pub async fn remove(&self, name: &UserName) -> Result<UserChange, StoreError> {
        let (name, now) = (name.clone(), self.store.inner.clock.now());
        self.store
            .write(move |transaction: &Transaction<'_>| {
                let change = can_go(transaction, &name)?;
                if change == UserChange::Done {
                    transaction.change_rights();
                    transaction.run(sql::REMOVE_USER, [name.as_str()])?;
                    release_appeals(transaction, name.as_str(), now)?;
                }
                Ok(change)
            })
            .await
    }

    /// Changes the password and ends the sessions; false when there is no such user.
    pub async fn set_password(
        &self,
        name: &UserName,
        password: &SecretText,
        at: Timestamp,
        keeping: Keeping,
    ) -> Result<bool, StoreError> {
        let sealed = seal(self.vault(), PASSWORD, name, password.expose_secret().as_bytes())?;
        let name = name.clone();
        self.store
            .write(move |transaction: &Transaction<'_>| {
                let row = params![sealed, at.as_micros(), name.as_str()];
                let changed = transaction.execute(sql::SET_PASSWORD, row)? > 0;
                super::sessions::end_others(transaction, &name, keeping)?;
                Ok(changed)
            })
            .await
    }

    /// Keeps a secret that the user has yet to confirm; one offered before is void. False when there is no such user, or
    /// one who has a second factor in force: that is taken away first.
    pub async fn offer_factor(&self, name: &UserName, secret: &Secret<Vec<u8>>) -> Result<bool, StoreError> {
        let sealed = seal(self.vault(), FACTOR, name, secret.expose_secret())?;
        self.changes(sql::OFFER_FACTOR, (sealed, name.to_string())).await
    }

    /// Puts the offered secret in force, with the step of the code that confirmed it and new recovery codes (as SHA-256).
    /// False when another was offered or put in force in between.
    pub async fn confirm_factor(
        &self,
        name: &UserName,
        offered: OfferedFactor,
        step: u64,
        codes: Vec<[u8; 32]>,
    ) -> Result<bool, StoreError> {
        let (name, sealed, step) = (name.clone(), offered.sealed, as_column(step));
        self.store
            .write(move |transaction: &Transaction<'_>| {
                let row = params![step, name.as_str(), sealed];
                let confirmed = transaction.execute(sql::CONFIRM_FACTOR, row)? > 0;
                if confirmed {
                    replace_codes(transaction, &name, &codes)?;
                }
                Ok(confirmed)
            })
            .await
    }

    /// Takes the second factor away; false when there is none.
    pub async fn drop_factor(&self, name: &UserName) -> Result<bool, StoreError> {
        let name = name.clone();
        self.store
            .write(move |transaction: &Transaction<'_>| {
                transaction.run(sql::DROP_CODES, [name.as_str()])?;
                Ok(transaction.execute(sql::DROP_FACTOR, [name.as_str()])? > 0)
            })
            .await
    }

    /// Takes the code of a step; false when one of this step or a later one was taken before.
    pub async fn use_step(&self, name: &UserName, step: u64) -> Result<bool, StoreError> {
        self.changes(sql::USE_STEP, (as_column(step), name.to_string())).await
    }

    /// Takes a recovery code; false when it is none or was taken before.
    pub async fn use_recovery_code(&self, name: &UserName, hash: [u8; 32]) -> Result<bool, StoreError> {
        self.changes(sql::USE_CODE, (name.to_string(), hash)).await
    }

    /// Replaces the recovery codes; false when the user has no second factor.
    pub async fn replace_recovery_codes(
        &self,
        name: &UserName,
        codes: Vec<[u8; 32]>,
    ) -> Result<bool, StoreError> {
        let name = name.clone();
        self.store
            .write(move |transaction: &Transaction<'_>| {
                let has_factor = transaction.first(sql::HAS_FACTOR, [name.as_str()], |_| Ok(()))?.is_some();
                if has_factor {
                    replace_codes(transaction, &name, &codes)?;
                }
                Ok(has_factor)
            })
            .await
    }

    /// Runs one statement; says whether it changed a row.
    async fn changes(
        &self,
        sql: &'static str,
        params: impl Parameters + Clone + Send + 'static,
    ) -> Result<bool, StoreError> {
        let change = move |transaction: &Transaction<'_>| transaction.execute(sql, params.clone());
        Ok(self.store.write(change).await? > 0)
    }
}

fn seal(vault: &Vault, field: &str, name: &UserName, plain: &[u8]) -> Result<Sealed, StoreError> {
    vault.seal(field, name.as_str(), plain).map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Steps count half minutes since 1970.
fn as_column(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// A user as stored in the table.
struct SealedUser {
    name: UserName,
    role: Role,
    password: Vec<u8>,
    password_at: Timestamp,
    factor: Option<Vec<u8>>,
    offered: Option<Vec<u8>>,
    step: u64,
    created_at: Timestamp,
    signed_in_at: Option<Timestamp>,
    recovery_codes: u64,
    sessions: u64,
}

fn read(row: &Row<'_>) -> Result<SealedUser, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(SealedUser {
        name: columns.parsed(0)?,
        role: columns.word(1, "role", Role::from_word)?,
        password: columns.get(2)?,
        password_at: columns.time(3)?,
        factor: columns.get(4)?,
        offered: columns.get(5)?,
        step: columns.count(6)?,
        created_at: columns.time(7)?,
        signed_in_at: columns.maybe_time(8)?,
        recovery_codes: columns.count(9)?,
        sessions: columns.count(10)?,
    })
}

impl SealedUser {
    fn open(self, vault: &Vault) -> Result<StoredUser, StoreError> {
        let corrupt = |column: &str, what: &dyn Display| StoreError::corrupt(TABLE, column, &self.name, what);
        let open = |field, sealed: &[u8]| {
            vault.open(field, self.name.as_str(), sealed).map_err(|error| corrupt(field, &error))
        };
        let secret = |sealed: &Vec<u8>| Ok::<_, StoreError>(Secret::new(Box::new(open(FACTOR, sealed)?)));
        let password = String::from_utf8(open(PASSWORD, &self.password)?)
            .map_err(|_| corrupt(PASSWORD, &"it is no text"))?;
        let factor = self.factor.as_ref().map(secret).transpose()?;
        let offered = self.offered.as_ref().map(secret).transpose()?;
        Ok(StoredUser {
            role: self.role,
            password: SecretText::from(password),
            password_at: self.password_at,
            factor: factor.map(|secret| SecondFactor { secret, step: self.step }),
            offered: offered.zip(self.offered).map(|(secret, sealed)| OfferedFactor { secret, sealed }),
            created_at: self.created_at,
            signed_in_at: self.signed_in_at,
            recovery_codes: self.recovery_codes,
            sessions: self.sessions,
            name: self.name,
        })
    }
}

struct AddUser {
    name: UserName,
    role: Role,
    sealed: Sealed,
    at: Timestamp,
    first: bool,
}

impl AddUser {
    fn new(user: &NewUser, vault: &Vault, first: bool) -> Result<Self, StoreError> {
        let sealed = seal(vault, PASSWORD, &user.name, user.password.expose_secret().as_bytes())?;
        Ok(Self { name: user.name.clone(), role: user.role, sealed, at: user.at, first })
    }
}

impl Write for AddUser {
    type Answer = bool;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let found = transaction.first(sql::COUNT_USERS, (), |row| row.get::<i64>(0))?.unwrap_or(0);
        if self.first && found > 0 {
            return Ok(false);
        }
        if found >= MOST_USERS {
            return Err(StoreError::conflict(TABLE, format!("there are {found} already; remove one first")));
        }
        let row = params![self.name.as_str(), self.role.as_str(), self.sealed, self.at.as_micros()];
        Ok(transaction.execute(sql::ADD_USER, row)? > 0)
    }
}

/// Whether this user may stop being an admin.
fn can_go(transaction: &Transaction<'_>, name: &UserName) -> Result<UserChange, StoreError> {
    let role = transaction.first(sql::ROLE_OF, [name.as_str()], |row| {
        Columns::new(row, TABLE).word(0, "role", Role::from_word)
    })?;
    let others =
        transaction.first(sql::OTHER_ADMINS, [name.as_str()], |row| Columns::new(row, TABLE).count(0))?;
    Ok(match role {
        None => UserChange::Unknown,
        Some(Role::Admin) if others == Some(0) => UserChange::LastAdmin,
        Some(_) => UserChange::Done,
    })
}

fn replace_codes(
    transaction: &Transaction<'_>,
    name: &UserName,
    codes: &[[u8; 32]],
) -> Result<(), StoreError> {
    transaction.run(sql::DROP_CODES, [name.as_str()])?;
    for code in codes {
        transaction.run(sql::ADD_CODE, params![name.as_str(), code])?;
    }
    Ok(())
}

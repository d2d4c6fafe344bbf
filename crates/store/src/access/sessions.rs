//! Sessions of users: found by the SHA-256 of their token, ended with their user or their user's password.

use std::net::IpAddr;

use domain::person::{Role, UserName};
use domain::{SessionId, Timestamp};
use uuid::Uuid;

use super::Keeping;
use super::statements as sql;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

const TABLE: &str = "user_sessions";

/// Sessions that one user may have; the oldest end first.
const MOST_SESSIONS: u32 = 50;

/// Devices that one user may have; the oldest are forgotten first.
const MOST_DEVICES: u32 = 20;

/// A session to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginSession {
    /// SHA-256 of its token.
    pub token: [u8; 32],
    /// Its public id.
    pub id: SessionId,
    /// Whose.
    pub user: UserName,
    /// The password that was checked: since when it was this one. If it has changed since, no session begins.
    pub password_at: Timestamp,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub browser: Option<String>,
    /// SHA-256 of the token by which the browser is known from then on.
    pub device: [u8; 32],
    /// Those by which it was known before.
    pub known_as: Vec<[u8; 32]>,
    /// Those count from then on as if their last sign-in was at this time.
    pub known_as_since: Timestamp,
}

/// A session with what its user is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    /// Its public id.
    pub id: SessionId,
    /// Whose.
    pub user: UserName,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// From where it was last used.
    pub address: Option<IpAddr>,
    /// What the browser called itself at the beginning.
    pub browser: Option<String>,
    /// What the user may now.
    pub role: Role,
    /// Whether the user has a second factor now.
    pub second_factor: bool,
}

/// The sessions' part of a store.
#[derive(Clone, Copy)]
pub struct UserSessions<'a> {
    pub(crate) store: &'a Store,
}

impl UserSessions<'_> {
    /// Begins a session; false when the user is gone or has another password by now.
    pub async fn begin(&self, session: &BeginSession) -> Result<bool, StoreError> {
        self.store.write(Begin(session.clone())).await
    }

    /// Whether a user has signed in since then in the browser with this token.
    pub async fn knows_device(
        &self,
        user: &UserName,
        token: [u8; 32],
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = (token, user.to_string(), since.as_micros());
        let found = self.store.first(sql::KNOWS_DEVICE, row, |row| row.get::<i64>(0)).await?;
        Ok(found.is_some())
    }

    /// The session with this token, also one that is past its time.
    pub async fn find(&self, token: [u8; 32]) -> Result<Option<UserSession>, StoreError> {
        self.store.first(sql::FIND_SESSION, [token], read).await
    }

    /// All sessions of a user, the latest first, also those past their time.
    pub async fn list(&self, user: &UserName) -> Result<Vec<UserSession>, StoreError> {
        let user = user.clone();
        self.store.all(sql::LIST_SESSIONS, [user.to_string()], read).await
    }

    /// Keeps that a session was used.
    pub async fn seen(
        &self,
        id: SessionId,
        at: Timestamp,
        address: Option<IpAddr>,
    ) -> Result<(), StoreError> {
        let row = (at.as_micros(), address.map(|address| address.to_string()), *id.as_uuid().as_bytes());
        self.store
            .write(move |transaction: &Transaction<'_>| transaction.run(sql::SEE_SESSION, row.clone()))
            .await
    }

    /// Ends one session of a user; false when it had ended.
    pub async fn end(&self, user: &UserName, id: SessionId) -> Result<bool, StoreError> {
        let row = (user.to_string(), *id.as_uuid().as_bytes());
        let end = move |transaction: &Transaction<'_>| {
            transaction.change_rights();
            transaction.execute(sql::END_SESSION, row.clone())
        };
        Ok(self.store.write(end).await? > 0)
    }

    /// Ends the sessions of a user; says how many.
    pub async fn end_all(&self, user: &UserName, keeping: Keeping) -> Result<u64, StoreError> {
        let user = user.clone();
        self.store.write(move |transaction: &Transaction<'_>| end_others(transaction, &user, keeping)).await
    }
}

fn read(row: &Row<'_>) -> Result<UserSession, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(UserSession {
        id: SessionId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        user: columns.parsed(1)?,
        created_at: columns.time(2)?,
        seen_at: columns.time(3)?,
        address: columns.maybe_parsed(4)?,
        browser: columns.get(5)?,
        role: columns.word(6, "role", Role::from_word)?,
        second_factor: columns.get(7)?,
    })
}

struct Begin(BeginSession);

impl Write for Begin {
    type Answer = bool;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let BeginSession { token, id, user, password_at, at, address, browser, device, .. } = &self.0;
        let same = params![at.as_micros(), user.as_str(), password_at.as_micros()];
        if transaction.execute(sql::SIGNED_IN, same)? == 0 {
            return Ok(false);
        }
        let address = address.map(|address| address.to_string());
        transaction.run(
            sql::BEGIN_SESSION,
            params![token, id.as_uuid().as_bytes(), user.as_str(), at.as_micros(), address, browser],
        )?;
        transaction.run(sql::OLDEST_SESSIONS, params![user.as_str(), MOST_SESSIONS])?;
        for known_as in &self.0.known_as {
            transaction.run(sql::FADE_DEVICE, params![self.0.known_as_since.as_micros(), known_as])?;
        }
        transaction.run(sql::REMEMBER_DEVICE, params![device, user.as_str(), at.as_micros()])?;
        transaction.run(sql::OLDEST_DEVICES, params![user.as_str(), MOST_DEVICES])?;
        Ok(true)
    }
}

/// Ends the sessions of a user and forgets the devices, as a part of whatever write it came with.
pub(super) fn end_others(
    transaction: &Transaction<'_>,
    user: &UserName,
    keeping: Keeping,
) -> Result<u64, StoreError> {
    transaction.change_rights();
    let stays = match keeping {
        Keeping::None => SessionId::MIN,
        Keeping::This(id) => id,
    };
    // A browser of someone who knew the password has no advantage any more.
    transaction.run(sql::FORGET_DEVICES, [user.as_str()])?;
    let row = params![user.as_str(), stays.as_uuid().as_bytes()];
    Ok(transaction.execute(sql::END_OTHER_SESSIONS, row)? as u64)
}

/// Ends the sessions of everybody.
pub(crate) struct EndSessions;

impl Write for EndSessions {
    type Answer = usize;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.run(sql::FORGET_ALL_DEVICES, ())?;
        transaction.execute(sql::END_ALL_SESSIONS, ())
    }
}

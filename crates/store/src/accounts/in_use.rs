//! Sessions of the store that are connected with, and what each is for.

use domain::{AccountName, Purpose, Timestamp};

use super::ownerless::{OwnerlessSession, SealedOwnerless};
use super::sessions::{self, KeyFingerprint, SaveSession, SealedSession, StoredSession};
use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::point::{self, Point};
use crate::vault::Vault;
use crate::write::{Transaction, Write};

/// A session of the store that is in use.
#[derive(Debug, Clone)]
pub struct SessionInUse {
    /// The session.
    pub session: StoredSession,
    /// What it is for; never empty.
    pub purposes: Vec<Purpose>,
}

/// What changes about the sessions of one account: all of it, or nothing.
#[derive(Debug, Default)]
pub struct SessionsChange {
    /// A session that is used from now on, and what for.
    pub take: Option<SessionInUse>,
    /// Sessions that are used for something else from now on.
    pub purposes: Vec<(KeyFingerprint, Vec<Purpose>)>,
    /// Sessions that are not used any more.
    pub drop: Vec<KeyFingerprint>,
    /// Sessions that have no owner from now on.
    pub keep: Vec<OwnerlessSession>,
    /// Whether the account's login is over with this.
    pub ends_login: bool,
}

/// Purposes as the table has them.
fn joined(purposes: &[Purpose]) -> String {
    purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>().join("+")
}

fn purposes(text: &str) -> Option<Vec<Purpose>> {
    text.split('+').map(Purpose::from_word).collect()
}

pub(super) fn read(row: &Row<'_>) -> Result<(SealedSession, Vec<Purpose>), StoreError> {
    let columns = Columns::new(row, "telegram_sessions");
    Ok((sessions::read(row)?, columns.word(7, "purposes", purposes)?))
}

pub(super) struct ChangeSessions {
    account: AccountName,
    take: Option<(SaveSession, KeyFingerprint, String)>,
    purposes: Vec<(KeyFingerprint, String)>,
    drop: Vec<KeyFingerprint>,
    keep: Vec<SealedOwnerless>,
    ends_login: bool,
    at: Timestamp,
}

impl ChangeSessions {
    pub(super) fn new(
        account: &AccountName,
        change: &SessionsChange,
        vault: &Vault,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let take = change.take.as_ref().map(|taken| {
            let save = SaveSession::new(&taken.session, vault, at)?;
            Ok::<_, StoreError>((save, taken.session.fingerprint, joined(&taken.purposes)))
        });
        Ok(Self {
            account: account.clone(),
            take: take.transpose()?,
            purposes: change.purposes.iter().map(|(key, purposes)| (*key, joined(purposes))).collect(),
            drop: change.drop.clone(),
            keep: change.keep.iter().map(|one| SealedOwnerless::new(one, vault)).collect::<Result<_, _>>()?,
            ends_login: change.ends_login,
            at,
        })
    }
}

impl Write for ChangeSessions {
    type Answer = ();
    const POINT: Option<Point> = Some(point::CHANGE_SESSIONS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let account = self.account.as_str();
        for key in &self.drop {
            transaction.run(sql::FORGET_SESSION, params![account, key.0])?;
        }
        for session in &self.keep {
            session.save(transaction, self.at)?;
        }
        for (key, purposes) in &self.purposes {
            transaction.run(sql::USE_SESSION, params![account, key.0, purposes])?;
        }
        if let Some((save, key, purposes)) = &self.take {
            save.apply(transaction)?;
            transaction.run(sql::USE_SESSION, params![account, key.0, purposes])?;
            transaction.run(sql::FORGET_OWNERLESS, [key.0])?;
        }
        if self.ends_login {
            transaction.run(sql::FORGET_LOGIN, [account])?;
        }
        Ok(())
    }
}

//! Sessions that come and go: given to an account, put in the place of others, taken out, or left without an owner.

use std::sync::Arc;

use domain::secret::ExposeSecret;
use domain::{AccountName, Purpose, Secret, UserId};
use serde::Serialize;
use store::{KeyFingerprint, SelfUser, SessionInUse, SessionsChange, StoreError, StoredSession};

use super::change::left_over;
use super::{RosterError, StoredKey};
use crate::account::Account;
use crate::account::view::AccountView;
use crate::pool::Pool;
use crate::session::{Holder, SignedIn};

/// A key that is signed in: anyone who has it is the account.
#[derive(Debug)]
pub struct SessionKey {
    pub dc_id: i32,
    pub key: Secret<[u8; 256]>,
    /// Whose it is, where that is known.
    pub user_id: Option<UserId>,
}

impl From<session_files::Session> for SessionKey {
    fn from(session: session_files::Session) -> Self {
        Self { dc_id: session.dc_id, key: session.key.into_secret(), user_id: session.user_id }
    }
}

/// A session that belongs to no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnerlessView {
    pub session: String,
    pub dc_id: i32,
    /// Telegram's id of its user, where it is known.
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub origin: String,
}

/// A session that is to be used, and what is known of it.
pub(crate) struct Taken {
    pub(crate) key: SignedIn,
    pub(crate) user: Option<SelfUser>,
    pub(crate) purposes: Vec<Purpose>,
    /// Whether someone signed in for it just now.
    pub(crate) ends_login: bool,
}

impl Pool {
    /// Gives an account a session for these purposes; without any, for those that no working session of it has. Of
    /// others it takes them over: a session of the store that is left with none is closed first, and kept without an
    /// owner. Accounts of the settings can be given sessions too.
    pub async fn add_session(
        self: &Arc<Self>,
        name: &AccountName,
        session: SessionKey,
        purposes: &[Purpose],
    ) -> Result<AccountView, RosterError> {
        let (name, purposes) = (name.clone(), purposes.to_vec());
        let SessionKey { dc_id, key, user_id } = session;
        self.change(move |pool| async move {
            let key = SignedIn { dc_id, key, user_id };
            pool.take_session(&name, Taken { key, user: None, purposes, ends_login: false }).await
        })
        .await
    }

    /// Gives an account a session that belongs to none.
    pub async fn adopt_session(
        self: &Arc<Self>,
        name: &AccountName,
        session: KeyFingerprint,
        purposes: &[Purpose],
    ) -> Result<AccountView, RosterError> {
        let (name, purposes) = (name.clone(), purposes.to_vec());
        self.change(move |pool| async move {
            let ownerless = pool.store.accounts().ownerless().await?;
            let found = ownerless.into_iter().find(|one| one.fingerprint == session);
            let found = found.ok_or(RosterError::NoSuchSession)?;
            let user_id = found.user.as_ref().map(|user| user.user_id);
            let key = SignedIn { dc_id: found.dc_id, key: found.auth_key, user_id };
            pool.take_session(&name, Taken { key, user: found.user, purposes, ends_login: false }).await
        })
        .await
    }

    /// Uses a session from now on. Only within [`Pool::change`].
    pub(crate) async fn take_session(
        &self,
        name: &AccountName,
        taken: Taken,
    ) -> Result<AccountView, RosterError> {
        let account = self.get(name).ok_or_else(|| RosterError::NoSuchAccount(name.clone()))?;
        let Taken { key, user, purposes, ends_login } = taken;
        let fingerprint = key.fingerprint();
        if self.builder.addresses.of(key.dc_id).is_none() {
            return Err(RosterError::NoAddress(key.dc_id));
        }
        let is_own = account.stored_key(fingerprint).is_some();
        match self.builder.claims.owner(fingerprint).filter(|_| !is_own) {
            Some(Holder::Line(owner, _)) => return Err(RosterError::SessionInUse(owner)),
            Some(Holder::Import) => return Err(RosterError::UnderImport),
            None => {}
        }
        match (key.user_id, self.known_user(&account).await?) {
            (Some(session_user), Some(known)) if session_user != known => {
                return Err(RosterError::WrongUser { account: name.clone(), known, session_user });
            }
            (Some(session_user), None) => {
                if let Some(other) = self.other_account_of(session_user, name).await? {
                    return Err(RosterError::SamePerson { account: name.clone(), other, session_user });
                }
            }
            _ => {}
        }
        let purposes = if purposes.is_empty() { missing(&account) } else { purposes };
        let (stored, change) = replaced(&account, key, user, purposes, ends_login);
        self.store.accounts().change_sessions(name, &change).await?;
        account.set_stored(stored);
        account.health.forgive_sessions();
        self.arrange(&account, false).await?;
        tracing::info!(account = %name, session = %fingerprint, "a session is used from now on");
        Ok(AccountView::of(&account))
    }

    /// Whose an account is, as far as Telegram ever reported it for one of its sessions.
    pub(crate) async fn known_user(&self, account: &Account) -> Result<Option<UserId>, StoreError> {
        if let Some(user_id) = account.health.user_id() {
            return Ok(Some(user_id));
        }
        let sessions = self.store.accounts().sessions().await?;
        let own = sessions.into_iter().rev().filter(|session| session.account == account.name);
        Ok(own.filter_map(|session| session.user).map(|user| user.user_id).next())
    }

    pub(crate) async fn other_account_of(
        &self,
        user_id: UserId,
        but: &AccountName,
    ) -> Result<Option<AccountName>, StoreError> {
        let all = self.all();
        let mut others = all.iter().filter(|account| account.name != *but);
        if let Some(other) = others.find(|account| account.health.user_id() == Some(user_id)) {
            return Ok(Some(other.name.clone()));
        }
        let sessions = self.store.accounts().sessions().await?;
        let mut same = sessions.into_iter().filter(|session| {
            session.account != *but && session.user.as_ref().is_some_and(|user| user.user_id == user_id)
        });
        Ok(same.find(|session| self.get(&session.account).is_some()).map(|session| session.account))
    }

    /// Takes a session of the store out of an account. It is kept without an owner unless it is lost; those of the
    /// settings get back what it took over from them.
    pub async fn remove_session(
        self: &Arc<Self>,
        name: &AccountName,
        session: KeyFingerprint,
    ) -> Result<AccountView, RosterError> {
        let name = name.clone();
        self.change(move |pool| async move {
            let account = pool.get(&name).ok_or_else(|| RosterError::NoSuchAccount(name.clone()))?;
            account.stored_key(session).ok_or(RosterError::NoSuchSession)?;
            let is_it = |key: &StoredKey| key.key.fingerprint() == session;
            let keep = left_over(&account, is_it, "the session was taken out");
            let change = SessionsChange { drop: vec![session], keep, ..SessionsChange::default() };
            // Closed first: a line that still runs could write the session down again.
            let lines = account.lines();
            let origin = crate::line::Origin::Stored(session);
            let own: Vec<_> = lines.iter().filter(|line| line.origin() == origin).cloned().collect();
            pool.close_lines(&account, &own).await?;
            let rest = lines.iter().filter(|line| line.origin() != origin).cloned().collect();
            account.set_lines(rest);
            let written = pool.store.accounts().change_sessions(&name, &change).await;
            if written.is_ok() {
                account.set_stored(account.stored().into_iter().filter(|key| !is_it(key)).collect());
            }
            pool.arrange(&account, false).await?;
            written?;
            tracing::info!(account = %name, session = %session, "a session was taken out");
            Ok(AccountView::of(&account))
        })
        .await
    }

    /// Deletes a session that belongs to no account, for good. False when there is none.
    pub async fn forget_session(&self, session: KeyFingerprint) -> Result<bool, StoreError> {
        let forgotten = self.store.accounts().forget_ownerless(session).await?;
        if forgotten {
            tracing::info!(%session, "a session without an account was forgotten");
        }
        Ok(forgotten)
    }

    /// The sessions that belong to no account, oldest first.
    pub async fn ownerless(&self) -> Result<Vec<OwnerlessView>, StoreError> {
        let sessions = self.store.accounts().ownerless().await?.into_iter();
        Ok(sessions
            .map(|session| OwnerlessView {
                session: session.fingerprint.to_string(),
                dc_id: session.dc_id,
                user_id: session.user.as_ref().map(|user| user.user_id),
                username: session.user.as_ref().and_then(|user| user.username.clone()),
                display_name: session.user.map(|user| user.display_name).filter(|name| !name.is_empty()),
                origin: session.origin,
            })
            .collect())
    }
}

/// What no working session of an account is for; everything, when each has one.
pub(crate) fn missing(account: &Account) -> Vec<Purpose> {
    use domain::AccountState::{Banned, NeedsLogin};
    let lines = account.lines();
    let works = |purpose: &Purpose| {
        lines.iter().any(|line| line.serves(*purpose) && !matches!(line.state(), NeedsLogin | Banned))
    };
    let missing: Vec<_> = Purpose::ALL.into_iter().filter(|purpose| !works(purpose)).collect();
    if missing.is_empty() { Purpose::ALL.to_vec() } else { missing }
}

/// The sessions of the store with a new one among them, and what has to be written for it.
fn replaced(
    account: &Account,
    key: SignedIn,
    user: Option<SelfUser>,
    purposes: Vec<Purpose>,
    ends_login: bool,
) -> (Vec<StoredKey>, SessionsChange) {
    let fingerprint = key.fingerprint();
    let mut change = SessionsChange { ends_login, ..SessionsChange::default() };
    let mut stored = Vec::new();
    for mut other in account.stored() {
        let its = other.key.fingerprint();
        if its == fingerprint {
            continue;
        }
        let before = other.purposes.len();
        other.purposes.retain(|purpose| !purposes.contains(purpose));
        if other.purposes.is_empty() {
            change.drop.push(its);
            continue;
        }
        if other.purposes.len() < before {
            change.purposes.push((its, other.purposes.clone()));
        }
        stored.push(other);
    }
    let dropped = |key: &StoredKey| change.drop.contains(&key.key.fingerprint());
    change.keep = left_over(account, dropped, "another session took its place");
    let copy = Secret::new(Box::new(*key.key.expose_secret()));
    let (account, dc_id) = (account.name.clone(), key.dc_id);
    let session = StoredSession { account, fingerprint, dc_id, auth_key: copy, user };
    change.take = Some(SessionInUse { session, purposes: purposes.clone() });
    stored.push(StoredKey { key: Arc::new(key), purposes });
    (stored, change)
}

//! What is kept of Telegram user accounts: sessions, update states, holds, bindings, switches.

mod holds;
mod in_use;
mod logins;
mod ownerless;
mod restrictions;
mod roster;
mod sessions;
pub(crate) mod statements;
pub(crate) mod updates;

use domain::account::Reason;
use domain::{AccountName, ChatId, Timestamp};

pub(crate) use holds::save as save_hold;
pub use holds::{Hold, Holds, Switch};
pub use in_use::{SessionInUse, SessionsChange};
pub use logins::StoredLogin;
pub use ownerless::OwnerlessSession;
pub use roster::StoredAccount;
pub use sessions::{InvalidFingerprint, KeyFingerprint, SelfUser, StoredSession};
pub use updates::{UpdateChange, UpdateState};

use crate::column::Columns;
use crate::deferred::{Deferred, Settle};
use crate::write::Transaction;
use crate::{Store, StoreError, point};
use statements as sql;

/// The accounts' part of a store.
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    pub(crate) store: &'a Store,
}

impl Accounts<'_> {
    /// Keeps a session; the key is sealed with the master key first.
    pub async fn save_session(&self, session: &StoredSession) -> Result<(), StoreError> {
        let write = sessions::SaveSession::new(session, &self.store.inner.vault, self.store.now())?;
        self.store.write(write).await
    }

    /// The session of this account with this key.
    pub async fn session(
        &self,
        account: &AccountName,
        fingerprint: KeyFingerprint,
    ) -> Result<Option<StoredSession>, StoreError> {
        let account = account.clone();
        let sealed = self
            .store
            .read(move |connection| {
                let key = (account.as_str(), fingerprint.0);
                connection.first(sql::SESSION, key, sessions::read)
            })
            .await?;
        sealed.map(|sealed| sealed.open(&self.store.inner.vault)).transpose()
    }

    /// All sessions, by account.
    pub async fn sessions(&self) -> Result<Vec<StoredSession>, StoreError> {
        let sealed = self.store.all(sql::SESSIONS, (), sessions::read).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// The update state of an account, every change before this call included.
    pub async fn update_state(&self, account: &AccountName) -> Result<Option<UpdateState>, StoreError> {
        self.store.write(Settle).await?;
        let account = account.clone();
        self.store.read(move |connection| updates::read(connection, &account)).await
    }

    /// Keeps the update state of an account. Answers at once; it is on the disk with the next write or a
    /// tenth of a second later. What a crash loses in between is asked for again as a difference.
    pub async fn save_update_state(
        &self,
        account: &AccountName,
        state: &UpdateChange,
    ) -> Result<(), StoreError> {
        let write = updates::SaveUpdateState::new(account.clone(), state.clone(), self.store.now());
        self.store.inner.writer.defer(Deferred::Updates(write)).await
    }

    /// The floods and slow modes whose deadline is later than now, and all marks.
    pub async fn holds(&self, now: Timestamp) -> Result<Holds, StoreError> {
        self.store.read(move |connection| holds::read(connection, now)).await
    }

    /// Keeps a hold. Of two deadlines for the same thing the later one stays.
    pub async fn save_hold(&self, hold: Hold) -> Result<(), StoreError> {
        self.store.change(point::SAVE_HOLD, move |transaction| save_hold(transaction, &hold)).await
    }

    /// Takes the mark off a chat that an account could not write in. False when there was none.
    pub async fn lift_mark(&self, account: &AccountName, chat_id: ChatId) -> Result<bool, StoreError> {
        let row = (account.to_string(), chat_id.get());
        Ok(self.store.execute(point::LIFT_MARK, sql::LIFT_MARK, row).await? > 0)
    }

    /// The account that each chat is bound to.
    pub async fn bindings(&self) -> Result<Vec<(ChatId, AccountName)>, StoreError> {
        self.store
            .all(sql::BINDINGS, (), |row| {
                let columns = Columns::new(row, "chat_bindings");
                Ok((columns.chat_id(0)?, columns.account(1)?))
            })
            .await
    }

    /// The accounts that were paused or stopped by hand.
    pub async fn switches(&self) -> Result<Vec<(AccountName, Switch)>, StoreError> {
        self.store
            .all(sql::SWITCHES, (), |row| {
                let columns = Columns::new(row, "telegram_switches");
                Ok((columns.account(0)?, columns.word(1, "switch", Switch::from_word)?))
            })
            .await
    }

    /// Keeps how an account was switched by hand, over restarts.
    pub async fn save_switch(&self, account: &AccountName, switch: Switch) -> Result<(), StoreError> {
        let account = account.to_string();
        self.store
            .change(point::SAVE_SWITCH, move |transaction| {
                match switch {
                    Switch::On => transaction.execute(sql::FORGET_SWITCH, [&account])?,
                    switch => transaction.execute(sql::SAVE_SWITCH, [account.as_str(), switch.as_str()])?,
                };
                Ok(())
            })
            .await
    }

    // ---- accounts that are not in the settings -------------------------------------------------------------------

    /// The accounts that were added while the program ran, by name.
    pub async fn added(&self) -> Result<Vec<StoredAccount>, StoreError> {
        let sealed = self.store.all(sql::ACCOUNTS, (), roster::read).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// Adds an account; its secrets are sealed. False when its name is taken.
    pub async fn add(&self, account: &StoredAccount) -> Result<bool, StoreError> {
        let sealed = roster::SealedAccount::new(account, &self.store.inner.vault)?;
        let at = self.store.now().as_micros();
        self.store.change(point::ADD_ACCOUNT, move |transaction| sealed.add(transaction, at)).await
    }

    /// Describes an account again. False when none of this name was added.
    pub async fn change(&self, account: &StoredAccount) -> Result<bool, StoreError> {
        let sealed = roster::SealedAccount::new(account, &self.store.inner.vault)?;
        self.store.change(point::CHANGE_ACCOUNT, move |transaction| sealed.change(transaction)).await
    }

    /// Takes an account out, with all that is known only through it; `keep` become sessions without an owner. False
    /// when none of this name was added. Bindings of chats stay.
    pub async fn remove(&self, name: &AccountName, keep: &[OwnerlessSession]) -> Result<bool, StoreError> {
        let vault = &self.store.inner.vault;
        let keep: Vec<_> =
            keep.iter().map(|one| ownerless::SealedOwnerless::new(one, vault)).collect::<Result<_, _>>()?;
        let (name, at) = (name.clone(), self.store.now());
        self.store
            .change(point::REMOVE_ACCOUNT, move |transaction| {
                keep.iter().try_for_each(|session| session.save(transaction, at))?;
                let removed = transaction.execute(sql::REMOVE_ACCOUNT, [name.as_str()])?;
                for statement in sql::OF_AN_ACCOUNT {
                    transaction.run(statement, [name.as_str()])?;
                }
                Ok(removed > 0)
            })
            .await
    }

    /// How many messages and operations are bound to an account, or name it, and are not over.
    pub async fn open_work(&self, name: &AccountName) -> Result<u64, StoreError> {
        let name = name.clone();
        self.store.read(move |connection| roster::open_work(connection, &name)).await
    }

    // ---- sessions of the store -----------------------------------------------------------------------------------

    /// The sessions that are in use, by account.
    pub async fn sessions_in_use(&self) -> Result<Vec<SessionInUse>, StoreError> {
        let sealed = self.store.all(sql::SESSIONS_IN_USE, (), in_use::read).await?;
        let open = |(sealed, purposes): (sessions::SealedSession, _)| {
            Ok(SessionInUse { session: sealed.open(&self.store.inner.vault)?, purposes })
        };
        sealed.into_iter().map(open).collect()
    }

    /// Changes which sessions of an account are in use: all of the change, or nothing.
    pub async fn change_sessions(
        &self,
        account: &AccountName,
        change: &SessionsChange,
    ) -> Result<(), StoreError> {
        let vault = &self.store.inner.vault;
        self.store.write(in_use::ChangeSessions::new(account, change, vault, self.store.now())?).await
    }

    /// The sessions that belong to no account, oldest first.
    pub async fn ownerless(&self) -> Result<Vec<OwnerlessSession>, StoreError> {
        let sealed = self.store.all(sql::OWNERLESS, (), ownerless::read).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// Keeps sessions that belong to no account; the keys are sealed.
    pub async fn save_ownerless(&self, sessions: &[OwnerlessSession]) -> Result<(), StoreError> {
        let vault = &self.store.inner.vault;
        let sealed = sessions
            .iter()
            .map(|one| ownerless::SealedOwnerless::new(one, vault))
            .collect::<Result<Vec<_>, _>>()?;
        let at = self.store.now();
        self.store
            .change(point::SAVE_OWNERLESS, move |transaction| {
                sealed.iter().try_for_each(|session| session.save(transaction, at))
            })
            .await
    }

    /// Forgets a session that belongs to no account. False when there is none.
    pub async fn forget_ownerless(&self, fingerprint: KeyFingerprint) -> Result<bool, StoreError> {
        Ok(self.store.execute(point::FORGET_OWNERLESS, sql::FORGET_OWNERLESS, [fingerprint.0]).await? > 0)
    }

    // ---- signing in ----------------------------------------------------------------------------------------------

    /// The logins under way, by account.
    pub async fn logins(&self) -> Result<Vec<StoredLogin>, StoreError> {
        let sealed = self.store.all(sql::LOGINS, (), logins::read).await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// Keeps how far a login is; the record is sealed.
    pub async fn save_login(&self, login: &StoredLogin) -> Result<(), StoreError> {
        let sealed = logins::seal(login, &self.store.inner.vault)?;
        let row = (login.account.to_string(), sealed, self.store.now().as_micros());
        self.store.execute(point::SAVE_LOGIN, sql::SAVE_LOGIN, row).await.map(drop)
    }

    /// Forgets a login. False when there is none.
    pub async fn forget_login(&self, account: &AccountName) -> Result<bool, StoreError> {
        Ok(self.store.execute(point::FORGET_LOGIN, sql::FORGET_LOGIN, [account.to_string()]).await? > 0)
    }

    // ---- restrictions --------------------------------------------------------------------------------------------

    /// What whole accounts are kept from, and since when.
    pub async fn restrictions(&self) -> Result<Vec<(AccountName, Reason, Timestamp)>, StoreError> {
        self.store.read(restrictions::all).await
    }

    /// Keeps what a whole account is kept from. Only `peer_flood` and `frozen` outlast a restart: anything else is
    /// found out again.
    pub async fn save_restriction(
        &self,
        account: &AccountName,
        reason: Reason,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        if !matches!(reason, Reason::PeerFlood | Reason::Frozen) {
            return Ok(());
        }
        let row = (account.to_string(), reason.as_str(), since.as_micros());
        self.store.execute(point::SAVE_RESTRICTION, sql::SAVE_RESTRICTION, row).await.map(drop)
    }

    /// The account is started over. False when nothing was kept.
    pub async fn lift_restriction(&self, account: &AccountName) -> Result<bool, StoreError> {
        let lifted =
            self.store.execute(point::LIFT_RESTRICTION, sql::LIFT_RESTRICTION, [account.to_string()]);
        Ok(lifted.await? > 0)
    }

    // ---- notes ---------------------------------------------------------------------------------------------------

    /// What people note about an account: the text, when it was written, and who wrote it.
    pub async fn note(
        &self,
        account: &AccountName,
    ) -> Result<Option<(String, Timestamp, String)>, StoreError> {
        self.store
            .first(sql::NOTE, [account.to_string()], |row| {
                let columns = Columns::new(row, "account_notes");
                Ok((columns.get(0)?, columns.time(1)?, columns.get(2)?))
            })
            .await
    }

    /// Keeps a note in the place of the one there was.
    pub async fn save_note(
        &self,
        account: &AccountName,
        text: &str,
        at: Timestamp,
        by: &str,
    ) -> Result<(), StoreError> {
        let (account, text, by) = (account.to_string(), text.to_owned(), by.to_owned());
        let save = move |transaction: &Transaction<'_>| {
            transaction.execute(sql::SAVE_NOTE, (&account, &text, at.as_micros(), &by)).map(drop)
        };
        self.store.write(save).await
    }

    /// Forgets a note, if there is one.
    pub async fn forget_note(&self, account: &AccountName) -> Result<(), StoreError> {
        let account = account.to_string();
        let forget =
            move |transaction: &Transaction<'_>| transaction.execute(sql::FORGET_NOTE, [&account]).map(drop);
        self.store.write(forget).await
    }
}

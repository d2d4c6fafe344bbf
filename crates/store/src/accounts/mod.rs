//! What is kept of Telegram user accounts: sessions, where updates stand, holds, bindings, switches.

mod holds;
mod sessions;
pub(crate) mod statements;
pub(crate) mod updates;

use domain::{AccountName, ChatId, Timestamp};

pub(crate) use holds::save as save_hold;
pub use holds::{Hold, Holds, Switch};
pub use sessions::{KeyFingerprint, SelfUser, StoredSession};
pub use updates::{UpdateChange, UpdateState};

use crate::column::Columns;
use crate::{Store, StoreError, statement};
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
                statement::first(connection, sql::SESSION, key, sessions::read)
            })
            .await?;
        sealed.map(|sealed| sealed.open(&self.store.inner.vault)).transpose()
    }

    /// All sessions, by account.
    pub async fn sessions(&self) -> Result<Vec<StoredSession>, StoreError> {
        let sealed = self
            .store
            .read(|connection| statement::all(connection, sql::SESSIONS, [], sessions::read))
            .await?;
        sealed.into_iter().map(|sealed| sealed.open(&self.store.inner.vault)).collect()
    }

    /// Where the updates of an account stand, every change before this call included.
    pub async fn update_state(&self, account: &AccountName) -> Result<Option<UpdateState>, StoreError> {
        self.store.write(updates::Settle).await?;
        let account = account.clone();
        self.store.read(move |connection| updates::read(connection, &account)).await
    }

    /// Keeps where the updates of an account stand. Answers at once; it is on the disk with the next write or a
    /// tenth of a second later. What a crash loses in between is asked for again as a difference.
    pub async fn save_update_state(
        &self,
        account: &AccountName,
        state: &UpdateChange,
    ) -> Result<(), StoreError> {
        let write = updates::SaveUpdateState::new(account.clone(), state.clone(), self.store.now());
        self.store.inner.writer.later(write).await
    }

    /// The floods and slow modes whose deadline is later than now, and all marks.
    pub async fn holds(&self, now: Timestamp) -> Result<Holds, StoreError> {
        self.store.read(move |connection| holds::read(connection, now)).await
    }

    /// Keeps a hold. Of two deadlines for the same thing the later one stays.
    pub async fn save_hold(&self, hold: Hold) -> Result<(), StoreError> {
        self.store.write(holds::SaveHold(hold)).await
    }

    /// Takes the mark off a chat that an account could not write in. False when there was none.
    pub async fn lift_mark(&self, account: &AccountName, chat_id: ChatId) -> Result<bool, StoreError> {
        self.store.write(holds::LiftMark(account.clone(), chat_id)).await
    }

    /// The account that each chat is bound to.
    pub async fn bindings(&self) -> Result<Vec<(ChatId, AccountName)>, StoreError> {
        self.store
            .read(|connection| {
                statement::all(connection, sql::BINDINGS, [], |row| {
                    let columns = Columns::new(row, "chat_bindings");
                    Ok((columns.chat_id(0)?, columns.account(1)?))
                })
            })
            .await
    }

    /// The accounts that were paused or stopped by hand.
    pub async fn switches(&self) -> Result<Vec<(AccountName, Switch)>, StoreError> {
        self.store
            .read(|connection| {
                statement::all(connection, sql::SWITCHES, [], |row| {
                    let columns = Columns::new(row, "telegram_switches");
                    Ok((columns.account(0)?, columns.word(1, "switch", Switch::from_word)?))
                })
            })
            .await
    }

    /// Keeps how an account was switched by hand, over restarts.
    pub async fn save_switch(&self, account: &AccountName, switch: Switch) -> Result<(), StoreError> {
        self.store.write(holds::SaveSwitch(account.clone(), switch)).await
    }
}

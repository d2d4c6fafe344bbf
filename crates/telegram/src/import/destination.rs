//! Where an import goes: the accounts of a pool, running or at rest, and the store behind them.

use std::net::SocketAddr;
use std::sync::Arc;

use ambient::{Clock, Ids};
use domain::account::{AccountState, SendingLimits};
use domain::saga::RegistryChange;
use domain::secret::ExposeSecret;
use domain::{AccountName, ChatId, Purpose, SecretText, Timestamp, UserId};
use mtproto::Application;
use session_files::{Reader, Session};
use store::{ImportedChat, KeyFingerprint, OwnerlessSession, SelfUser, Store, StoredPeer};

use super::ImportError;
use super::account_index::{AccountIndex, ExistingAccount};
use super::planner::{NewHome, Person};
use crate::account::Account;
use crate::account::view::AccountSource;
use crate::pool::Pool;
use crate::roster::{NewAccount, RosterError, SessionKey};
use crate::session::{Claims, Key, SignedIn};

/// The priority of an account that no one gave one.
const PRIORITY: u16 = 100;

pub(super) struct Destination<'a> {
    pool: &'a Arc<Pool>,
}

impl<'a> Destination<'a> {
    pub(super) const fn new(pool: &'a Arc<Pool>) -> Self {
        Self { pool }
    }

    pub(super) fn store(&self) -> &Store {
        &self.pool.store
    }

    pub(super) fn reader(&self) -> Reader {
        self.pool.builder.reader.clone()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.pool.clock
    }

    pub(super) fn ids(&self) -> &Ids {
        &self.pool.ids
    }

    pub(super) fn now(&self) -> Timestamp {
        self.pool.clock.now()
    }

    pub(super) async fn index(&self) -> Result<AccountIndex, ImportError> {
        let mut index = AccountIndex::default();
        for account in self.pool.all().iter() {
            let user_id = self.pool.known_user(account).await?;
            index.accounts.push(existing(account, user_id));
        }
        for session in self.store().accounts().ownerless().await? {
            index.ownerless.push(session.fingerprint);
        }
        Ok(index)
    }

    pub(super) fn application(&self, name: &AccountName) -> Option<Application> {
        Some(self.pool.get(name)?.definition().application(&self.pool.builder.proxies))
    }

    pub(super) fn claims(&self) -> Claims {
        self.pool.builder.claims.clone()
    }

    /// The application of the first account, for sessions of which nothing is known.
    pub(super) fn any_api_id(&self) -> Option<i32> {
        self.pool.all().first().map(|account| account.definition().api_id)
    }

    /// The key in the form that is connected with.
    pub(super) fn key(&self, session: &Session) -> Result<Arc<Key>, String> {
        let dc_id = session.dc_id;
        let signed_in = SignedIn { dc_id, key: session.key.clone().into_secret(), user_id: session.user_id };
        let unknown = || {
            format!(
                "it belongs to data centre {dc_id}, which has no known address; if there is one, name it in the settings"
            )
        };
        Key::apart(signed_in, &self.pool.builder.addresses).map(Arc::new).ok_or_else(unknown)
    }

    pub(super) fn address(&self, dc_id: i32) -> Option<SocketAddr> {
        self.pool.builder.addresses.of(dc_id)
    }

    /// Keeps what an account can reach by a session, as far as it is news to it.
    pub(super) async fn take_peers(
        &self,
        account: &AccountName,
        peers: Vec<StoredPeer>,
    ) -> Result<(), ImportError> {
        self.store().imports().peers(account, peers.clone()).await?;
        if let Some(account) = self.pool.get(account) {
            let was_left = |chat_id| self.pool.registry.is_left(chat_id);
            account.peers.believe(&self.pool.names, peers, was_left);
        }
        Ok(())
    }

    pub(super) async fn make_account(&self, name: &AccountName, new: &NewHome) -> Result<(), ImportError> {
        let account = NewAccount {
            name: name.clone(),
            priority: new.priority.unwrap_or(PRIORITY),
            in_pool: true,
            api_id: new.application.api_id,
            api_hash: new.application.api_hash.clone(),
            phone: new.phone.clone().map(SecretText::from),
            proxy: None,
            limits: SendingLimits::default(),
            keep: domain::KeepRule::default(),
        };
        self.pool.add_account(account).await.map(drop).map_err(|error| refused(name, error))
    }

    /// Gives a session to an account. A pool that runs connects with it at once.
    pub(super) async fn add_session(
        &self,
        account: &AccountName,
        session: Session,
        person: &Person,
        purposes: &[Purpose],
    ) -> Result<(), ImportError> {
        let key = session.key.into_secret();
        let session = SessionKey { dc_id: session.dc_id, key, user_id: Some(person.user_id) };
        let added = self.pool.add_session(account, session, purposes).await;
        added.map(drop).map_err(|error| refused(account, error))
    }

    pub(super) async fn keep(
        &self,
        session: Session,
        person: &Person,
        file: &str,
    ) -> Result<(), ImportError> {
        let session = OwnerlessSession {
            fingerprint: fingerprint(&session),
            dc_id: session.dc_id,
            auth_key: session.key.into_secret(),
            user: Some(self_user(person)),
            origin: format!("imported from {file}"),
        };
        Ok(self.store().accounts().save_ownerless(&[session]).await?)
    }

    /// A chat was taken over into the store: the pool is notified.
    pub(super) fn chat_was_taken(&self, chat: &ImportedChat, chat_id: ChatId) {
        let change = match &chat.account {
            _ if chat.left => RegistryChange::Left { chat_id },
            Some(account) => RegistryChange::Bound { chat_id, account: account.clone() },
            None => return,
        };
        self.pool.registry.change(&change, |account| self.pool.index(account));
    }
}

/// What an account has at the moment. A session that is lost is in no one's way.
fn existing(account: &Account, user_id: Option<UserId>) -> ExistingAccount {
    let definition = account.definition();
    let mut existing = ExistingAccount {
        name: account.name.clone(),
        user_id,
        phone: definition.phone.as_ref().map(|phone| phone.expose_secret().to_owned()),
        keys: Vec::new(),
        taken: Vec::new(),
        is_stored: definition.source == AccountSource::Store,
    };
    for line in account.lines().iter() {
        existing.keys.extend(line.fingerprint());
        if !matches!(line.state(), AccountState::NeedsLogin | AccountState::Banned) {
            existing.taken.extend(line.purposes().iter().copied());
        }
    }
    existing
}

pub(super) fn fingerprint(session: &Session) -> KeyFingerprint {
    KeyFingerprint(session.key.fingerprint().0)
}

fn self_user(person: &Person) -> SelfUser {
    SelfUser {
        user_id: person.user_id,
        username: person.username.clone(),
        display_name: person.display_name.clone(),
    }
}

fn refused(account: &AccountName, error: RosterError) -> ImportError {
    match error {
        RosterError::Store(error) => ImportError::Store(error),
        RosterError::Ending => ImportError::Ending,
        error => ImportError::Refused { account: account.clone(), why: error.to_string() },
    }
}

//! Makes accounts out of settings and store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ambient::{Chance, Clock};
use domain::account::AccountState;
use domain::{AccountName, Purpose, SecretText};
use mtproto::{Addresses, ServerKeys};
use outbound::{AllowList, Allowed};
use session_files::Reader;
use store::{SelfUser, Store, StoreError, Switch};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Definition, StoredKey};
use crate::account::health::{AccountHealth, Changes};
use crate::account::{Account, AccountParts};
use crate::line::{Arrived, Line, LineParts, Origin};
use crate::live::Watch;
use crate::peers::Names;
use crate::pool::PoolParts;
use crate::routing::registry::{Bound, Registry};
use crate::session::{Claims, Key, Keyring, Source};
use ambient::lock::Mutex;

/// Updates of one account that may wait to be taken. What does not fit is asked for again.
const ARRIVALS: usize = 1_024;

/// Makes accounts out of settings and store.
pub(crate) struct Builder {
    store: Store,
    clock: Clock,
    chance: Chance,
    pub(crate) changes: Changes,
    pub(crate) names: Arc<Names>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) claims: Claims,
    pub(crate) addresses: Arc<Addresses>,
    /// Reads session files, with its private copies in the data directory.
    pub(crate) reader: Reader,
    pub(crate) server_keys: ServerKeys,
    /// Where proxies may lead that callers name.
    pub(crate) proxies: Arc<Allowed>,
    probe_every: Duration,
    closing: CancellationToken,
    /// Sees what comes in live.
    pub(crate) watch: Watch,
    connections: Handle,
}

impl Builder {
    pub(crate) async fn new(
        parts: &PoolParts<'_>,
        indexes: &HashMap<AccountName, usize>,
        closing: CancellationToken,
        server_keys: ServerKeys,
    ) -> Result<Self, StoreError> {
        let PoolParts { settings, store, clock, chance, connections, .. } = parts;
        let centres = settings.data_centres.iter().map(|centre| (i32::from(centre.id), centre.address));
        let bindings = store.accounts().bindings().await?.into_iter().map(|(chat_id, name)| {
            let bound =
                indexes.get(&name).map_or_else(|| Bound::ToMissing(name.clone()), |index| Bound::To(*index));
            (chat_id, bound)
        });
        let left = store.chats().left().await?;
        let migrations = store.peers().migrations().await?;
        let registry =
            Registry::new(bindings.collect(), left.into_iter().collect(), migrations.into_iter().collect());
        let reader = store.file().parent().map(Reader::within).unwrap_or_default();
        Ok(Self {
            registry: Arc::new(registry),
            store: store.clone(),
            reader,
            clock: clock.clone(),
            chance: chance.clone(),
            changes: Changes::default(),
            names: Arc::default(),
            claims: Claims::default(),
            addresses: Arc::new(Addresses::new(centres.collect())),
            proxies: Arc::new(Allowed::new(AllowList::Proxies, settings.allow_private_proxies.clone())),
            probe_every: settings.probe_every,
            closing,
            server_keys,
            watch: Watch::default(),
            connections: connections.clone(),
        })
    }

    /// Wipes the private copies of session files that a killed program left.
    pub(crate) async fn sweep(&self) {
        let reader = self.reader.clone();
        let swept = tokio::task::spawn_blocking(move || reader.sweep()).await;
        match swept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(0) => {}
            Ok(copies) => {
                tracing::warn!(copies, "copies of session files that a killed program left are wiped");
            }
            Err(error) => {
                tracing::warn!(%error, "copies of session files that a killed program left cannot be wiped");
            }
        }
    }

    /// Makes an account for a place. It is at rest until it is run.
    pub(crate) async fn account(
        &self,
        index: usize,
        definition: Definition,
        stored: Vec<StoredKey>,
        switch: Switch,
    ) -> Result<(Account, mpsc::Receiver<Arrived>), StoreError> {
        let name = &definition.name.clone();
        let health = Arc::new(AccountHealth::new(
            name.clone(),
            self.clock.clone(),
            self.chance.clone(),
            self.changes.clone(),
        ));
        let (arrived, arrivals) = mpsc::channel(ARRIVALS);
        let account = Account::new(AccountParts {
            index,
            definition: Arc::new(definition),
            stored,
            health,
            lines: Vec::new(),
            arrived,
            names: Arc::clone(&self.names),
            registry: Arc::clone(&self.registry),
            store: self.store.clone(),
            switch,
            closing: self.closing.child_token(),
            watch: self.watch.clone(),
        });
        let mut lines = Vec::new();
        for (place, (origin, purposes)) in account.shares().into_iter().enumerate() {
            lines.push(self.line(&account, place, origin, purposes).await?);
        }
        account.set_lines(lines);
        let peers = self.store.peers().all(name).await?;
        let named_at = self.store.peers().named_at(name).await?.into_iter().collect();
        account.peers.restore(&self.names, peers, &named_at);
        account.pace.limit(account.definition().limits).await?;
        let fill = self.store.peers().fill(name).await?;
        account.dialogs_complete.store(fill.complete, Ordering::Release);
        Ok((account, arrivals))
    }

    /// Makes a line of an account. It is at rest until it is run.
    pub(crate) async fn line(
        &self,
        account: &Account,
        index: usize,
        origin: Origin,
        purposes: Vec<Purpose>,
    ) -> Result<Arc<Line>, StoreError> {
        let definition = account.definition();
        let source = match origin {
            Origin::Settings(place) => definition.sessions.get(place).map(|(source, _)| source.clone()),
            Origin::Stored(fingerprint) => account.stored_key(fingerprint).map(Source::Stored),
        };
        let keyring = Keyring {
            account: account.name.clone(),
            line: index,
            // What is gone meanwhile reads as a string that is none, and is reported as such.
            source: source.unwrap_or_else(|| Source::Text(SecretText::from(String::new()))),
            reader: self.reader.clone(),
            addresses: Arc::clone(&self.addresses),
            claims: self.claims.clone(),
            cached_centre: Mutex::default(),
        };
        let key = keyring.read().await;
        if let Ok(key) = &key {
            self.remember(&account.health, key).await?;
        }
        let parts = LineParts {
            index,
            origin,
            purposes,
            keyring,
            application: definition.application(&self.proxies),
            server_keys: self.server_keys.clone(),
            probe_every: self.probe_every,
            health: Arc::clone(&account.health),
            store: self.store.clone(),
            arrived: account.arrived.clone(),
            watch: self.watch.clone(),
            connections: self.connections.clone(),
        };
        Ok(Arc::new(Line::new(parts, key, account.switch() != Switch::Stopped)))
    }

    /// Whose session it is, by the store or by the session file, until Telegram itself says so.
    pub(crate) async fn remember(&self, health: &AccountHealth, key: &Key) -> Result<(), StoreError> {
        let stored = self.store.accounts().session(&health.name, key.fingerprint()).await?;
        let by_key =
            key.user_id().map(|user_id| SelfUser { user_id, username: None, display_name: String::new() });
        if let Some(person) = stored.and_then(|session| session.user).or(by_key)
            && health.meet(person).is_err()
        {
            tracing::warn!(account = %health.name, state = %AccountState::Error, "its sessions belong to different people");
        }
        Ok(())
    }
}

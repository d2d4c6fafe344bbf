//! All accounts together: started side by side, found by name, ended.

mod action;
pub(crate) mod fences;
pub(crate) mod monitor;
pub(crate) mod quiesce;
pub(crate) mod services;
mod state_events;

pub use action::{ActError, Action, UnknownAction};

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ambient::{Chance, Clock, Ids};
use config::TelegramSettings;
use domain::{AccountName, ChatId, ChatRef, Service, UserId};
use media::Outgoing;
use mtproto::ServerKeys;
use store::{Store, StoreError, Switch};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::account::Account;
use crate::account::health::Changes;
use crate::account::restrictions;
use crate::account::view::AccountView;
use crate::calls::CallsCounted;
use crate::files::SharedUploads;
use crate::login::{self, LoginTable};
use crate::peers::Names;
use crate::peers::phone_numbers::Numbers;
use crate::pool::quiesce::Quiesced;
use crate::pool::services::{ServiceAction, ServiceView, Services};
use crate::roster::{self, Builder, Definition, Running, Slots, StoredKey};
use crate::routing::dialog_moves::MoveRule;
use crate::routing::registry::{Bound, Registry};
use crate::routing::router::Usable;
use crate::routing::single_flight::{LookupResult, SingleFlight};
use crate::session::SignedIn;
use ambient::lock::RwLock;

/// All Telegram user accounts.
pub struct Pool {
    pub(crate) slots: Slots,
    pub(crate) names: Arc<Names>,
    /// Names of accounts of other providers.
    pub(crate) reserved: RwLock<HashSet<AccountName>>,
    pub(crate) numbers: Numbers,
    pub(crate) registry: Arc<Registry>,
    pub(crate) services: Services,
    pub(crate) observer: Option<ChatRef>,
    pub(crate) move_rule: RwLock<MoveRule>,
    pub(crate) lookups: SingleFlight,
    pub(crate) changes: Changes,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) store: Store,
    pub(crate) builder: Builder,
    pub(crate) running: Running,
    pub(crate) depot: SharedUploads,
    /// One import at a time: two would not see each other's keys.
    pub(crate) importing: Semaphore,
    /// How far the import is that is under way.
    pub(crate) import_board: crate::import::Board,
    pub(crate) changing: tokio::sync::Mutex<()>,
    pub(crate) logins: LoginTable,
}

/// What a pool is made of.
pub struct PoolParts<'a> {
    pub settings: &'a TelegramSettings,
    /// How long a caller is held: an account that is away for longer may lose its private dialogs to others.
    pub hold: Duration,
    pub store: Store,
    pub clock: Clock,
    pub chance: Chance,
    pub ids: Ids,
    /// The folder of files that wait to be sent; none where only texts are sent.
    pub outgoing: Option<Outgoing>,
    /// The folder of files that are fetched as messages come in; none where none is.
    pub received: Option<Outgoing>,
    /// Whether it is of use who is in the contacts of the accounts: only then Telegram is asked for them.
    pub contacts: bool,
    /// Where the tasks of the connections run; see [`ConnectionThread`](crate::ConnectionThread).
    pub connections: Handle,
}

/// Why the accounts could not be started. A bad session is no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("what is stored of the Telegram accounts cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error("`telegram.server_keys[{place}]` {why}")]
    ServerKey { place: usize, why: String },
}

impl Pool {
    /// Reads settings and store, and returns; the connections are made in the background.
    pub async fn start(parts: PoolParts<'_>) -> Result<Arc<Self>, StartError> {
        Self::make(parts, false).await
    }

    /// The same accounts, none of which connects by itself: for a command that changes them while no server runs.
    pub async fn at_rest(parts: PoolParts<'_>) -> Result<Arc<Self>, StartError> {
        Self::make(parts, true).await
    }

    async fn make(parts: PoolParts<'_>, at_rest: bool) -> Result<Arc<Self>, StartError> {
        let PoolParts { settings, ref store, ref clock, .. } = parts;
        let server_keys = ServerKeys::new(&settings.server_keys)
            .map_err(|(place, error)| StartError::ServerKey { place, why: error.to_string() })?;
        let mut sorted = definitions(settings, store).await?;
        sorted.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let indexes: HashMap<_, _> =
            sorted.iter().enumerate().map(|(index, one)| (one.name.clone(), index)).collect();
        let mut stored = stored_keys(store).await?;
        let switches: HashMap<_, _> = store.accounts().switches().await?.into_iter().collect();
        let quiesced = Quiesced::new(store.clearing().silent().await?);
        let fenced = fences::Fenced::new(store.fences().not_opened().await?);
        let every = settings.refresh_dialogs_every;
        let received = parts.received.clone();
        let running = Running::new(every, received, parts.contacts, at_rest, quiesced, fenced);
        let builder = Builder::new(&parts, &indexes, running.closing.clone(), server_keys).await?;
        builder.sweep().await;
        let stopped = store.services().stopped().await?;
        let pool = Self {
            slots: Slots::default(),
            names: Arc::clone(&builder.names),
            reserved: RwLock::default(),
            numbers: Numbers::default(),
            registry: Arc::clone(&builder.registry),
            services: Services::new(&stopped, clock.now()),
            move_rule: RwLock::new(MoveRule { private_dialogs: settings.private_dialogs, hold: parts.hold }),
            observer: settings.observer.as_deref().and_then(|observer| observer.parse().ok()),
            lookups: SingleFlight::default(),
            changes: builder.changes.clone(),
            clock: parts.clock,
            ids: parts.ids,
            store: parts.store,
            builder,
            running,
            depot: SharedUploads::new(parts.outgoing),
            importing: Semaphore::new(1),
            import_board: crate::import::Board::default(),
            changing: tokio::sync::Mutex::default(),
            logins: LoginTable::default(),
        };
        let mut made = Vec::new();
        for (index, one) in sorted.into_iter().enumerate() {
            let switch = switches.get(&one.name).copied().unwrap_or(Switch::On);
            let stored = stored.remove(&one.name).unwrap_or_default();
            let (account, arrived) = pool.builder.account(index, one, stored, switch).await?;
            let account = Arc::new(account);
            pool.slots.add(Arc::clone(&account));
            made.push((account, arrived));
        }
        pool.restore(|_| true).await?;
        for (account, arrived) in made {
            roster::run(&pool.running, &account, arrived);
        }
        let pool = Arc::new(pool);
        pool.running.tasks.spawn(restrictions::keep(Arc::downgrade(&pool), pool.running.closing.clone()));
        login::take_up(&pool).await?;
        Ok(pool)
    }

    /// Keeps a name for an account of another provider: no account added from now on gets it. Says whether it was free of that.
    pub fn reserve_name(&self, name: AccountName) -> bool {
        self.reserved.write().insert(name)
    }

    /// Takes a reservation back.
    pub fn release_name(&self, name: &AccountName) {
        self.reserved.write().remove(name);
    }

    /// Takes over what an earlier run kept of these accounts: floods, slow modes, missing rights.
    pub(crate) async fn restore(&self, of: impl Fn(&AccountName) -> bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let get = |name: &AccountName| self.get(name).filter(|account| of(&account.name));
        let flood_waits = self.store.accounts().holds(now).await?;
        for (name, flood) in flood_waits.floods {
            if let Some(account) = get(&name) {
                account.flood_waits.restore_flood(flood.operation, flood.until, now);
            }
        }
        for (name, chat_id, until) in flood_waits.slow_modes {
            if let Some(account) = get(&name) {
                account.flood_waits.keep_slow_mode(chat_id, until, now);
            }
        }
        for (name, chat_id, why, at) in flood_waits.marks {
            if let Some(account) = get(&name) {
                account.flood_waits.restore_mark(chat_id, why, at, now);
            }
        }
        for (name, reason, since) in self.store.accounts().restrictions().await? {
            if let Some(account) = get(&name) {
                account.health.restore(reason, since);
            }
        }
        Ok(())
    }

    /// Ends all connections; waits for that no longer than `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.running.closing.cancel();
        for account in self.all().iter() {
            account.lines().iter().for_each(|line| line.end());
        }
        self.running.tasks.close();
        if tokio::time::timeout(limit, self.running.tasks.wait()).await.is_err() {
            tracing::warn!("some Telegram connections did not close in time");
        }
    }

    pub fn accounts(&self) -> Vec<AccountView> {
        let mut views: Vec<_> = self.all().iter().map(|account| AccountView::of(account)).collect();
        let mut by_person: HashMap<UserId, Vec<AccountName>> = HashMap::new();
        for view in &views {
            if let Some(user_id) = view.user_id {
                by_person.entry(user_id).or_default().push(view.name.clone());
            }
        }
        for view in &mut views {
            let same = view.user_id.and_then(|user_id| by_person.get(&user_id)).into_iter().flatten();
            view.same_person_as = same.filter(|name| **name != view.name).cloned().collect();
        }
        views
    }

    pub fn account(&self, name: &AccountName) -> Option<AccountView> {
        let mut view = AccountView::of(&*self.get(name)?);
        if view.user_id.is_some() {
            let all = self.all();
            let same = all.iter().filter(|other| other.health.user_id() == view.user_id);
            view.same_person_as =
                same.map(|other| other.name.clone()).filter(|other| other != name).collect();
        }
        Some(view)
    }

    /// Whether an account that carries what names none can work now.
    pub fn is_able(&self) -> bool {
        self.all().iter().any(|account| account.in_pool() && account.usable() == Usable::Now)
    }

    pub fn settled(&self) -> bool {
        self.all().iter().all(|account| account.is_settled())
    }

    pub fn cached_peers(&self) -> usize {
        self.all().iter().map(|account| account.peers.len()).sum()
    }

    /// The calls of all accounts since the start, by priority, then by name.
    pub fn calls(&self) -> Vec<CallsCounted> {
        self.all().iter().map(|account| account.health.calls.counted(&account.name)).collect()
    }

    /// How often accounts were asked for a chat that memory did not know since the start; every result is there.
    pub fn looked(&self) -> Vec<(LookupResult, u64)> {
        self.lookups.results()
    }

    /// Lets all accounts read all their dialogs again, page by page in the background; what is known stays until then,
    /// and what was not found may be asked for again. Returns how many peers they know by now.
    #[expect(clippy::unused_async, reason = "a reading that waits for something is still the same call")]
    pub async fn reload_dialogs(&self) -> usize {
        self.lookups.forget_misses();
        for account in self.all().iter() {
            account.reload.store(true, Ordering::Release);
            account.refresh.notify_one();
        }
        self.cached_peers()
    }

    /// How many seconds Telegram's clock is ahead of ours, by the first account that can ask; nothing when none can.
    pub async fn telegram_ahead(&self) -> Option<i64> {
        for account in self.all().iter() {
            if account.usable() == Usable::Now
                && let Ok(ahead) = account.telegram_ahead().await
            {
                return Some(ahead);
            }
        }
        None
    }

    pub fn services(&self) -> Vec<ServiceView> {
        let cached = self.cached_peers();
        Service::ALL.into_iter().map(|service| self.services.view(service, cached)).collect()
    }

    pub fn service(&self, service: Service) -> ServiceView {
        self.services.view(service, self.cached_peers())
    }

    /// Switches a service. It is kept over restarts.
    pub async fn set_service(
        &self,
        service: Service,
        action: ServiceAction,
    ) -> Result<ServiceView, ActError> {
        let now = self.clock.now();
        let stop = action == ServiceAction::Stop;
        if self.services.is_stopped(service) != stop {
            self.store.services().save(service, stop, now).await?;
        }
        self.services.switch(service, action, now);
        // Work that waited for it looks again.
        self.changes.tell();
        tracing::info!(service = service.as_str(), action = action.as_str(), "switched by hand");
        Ok(self.service(service))
    }

    /// All accounts that are there now, by priority, then by name.
    pub(crate) fn all(&self) -> Arc<[Arc<Account>]> {
        self.slots.all()
    }

    /// The account in this place, if it is still there.
    pub(crate) fn at(&self, index: usize) -> Option<Arc<Account>> {
        self.slots.at(index)
    }

    pub(crate) fn index(&self, name: &AccountName) -> Option<usize> {
        self.slots.index_of(name)
    }

    pub(crate) fn get(&self, name: &AccountName) -> Option<Arc<Account>> {
        self.slots.get(name)
    }

    /// The chat's id, as far as memory knows it: what was a basic group may be a supergroup by now.
    pub(crate) fn find(&self, chat: &ChatRef) -> Option<ChatId> {
        let chat_id = match chat {
            ChatRef::Id(chat_id) => Some(*chat_id),
            ChatRef::Username(name) => self.names.find(name),
            ChatRef::Channel(_) => None,
        };
        chat_id.map(|chat_id| self.today(chat_id))
    }

    /// The chat that this one is now: a basic group may have become a supergroup, which has an id of its own.
    pub fn today(&self, chat_id: ChatId) -> ChatId {
        self.registry.today(chat_id)
    }

    /// The same, unless the name was learned too long ago to be believed without asking.
    pub(crate) fn find_fresh(&self, chat: &ChatRef) -> Option<ChatId> {
        match chat {
            ChatRef::Username(name) => self.names.find_fresh(name, self.clock.now()),
            ChatRef::Id(_) | ChatRef::Channel(_) => self.find(chat),
        }
    }

    pub(crate) fn bound(&self, chat_id: ChatId) -> Option<usize> {
        match self.registry.bound(chat_id)? {
            Bound::To(index) => Some(index),
            Bound::ToMissing(_) => None,
        }
    }
}

/// The accounts of the settings, and those of the store whose names the settings do not have.
async fn definitions(settings: &TelegramSettings, store: &Store) -> Result<Vec<Definition>, StoreError> {
    let mut all: Vec<_> = settings.accounts.iter().map(Definition::of_settings).collect();
    for added in store.accounts().added().await? {
        if all.iter().any(|known| known.name == added.name) {
            tracing::warn!(account = %added.name, "the settings have an account of this name, which goes before the one that was added");
        } else {
            all.push(Definition::of_store(added));
        }
    }
    Ok(all)
}

/// The sessions of the store that are in use, by account.
pub(crate) async fn stored_keys(store: &Store) -> Result<HashMap<AccountName, Vec<StoredKey>>, StoreError> {
    let mut all = HashMap::<_, Vec<_>>::new();
    for store::SessionInUse { session, purposes } in store.accounts().sessions_in_use().await? {
        let user_id = session.user.as_ref().map(|user| user.user_id);
        let key = Arc::new(SignedIn { dc_id: session.dc_id, key: session.auth_key, user_id });
        all.entry(session.account).or_default().push(StoredKey { key, purposes });
    }
    Ok(all)
}

//! All accounts together: started side by side, switched one by one.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ambient::{Chance, Clock};
use config::{AccountSettings, SessionSource, TelegramSettings};
use domain::account::AccountState;
use domain::{AccountName, ChatId, ChatRef, Purpose, SecretText};
use futures::FutureExt;
use store::{SelfUser, Store, StoreError, Switch};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::account::{Account, AccountParts, masked};
use crate::calls::CallsCounted;
use crate::flights::{Flights, Looked};
use crate::line::{self, Arrived, Line, LineParts};
use crate::peers::Names;
use crate::registry::{Bound, Registry};
use crate::services::{ServiceAction, ServiceView, Services};
use crate::session::{Addresses, Claims, Key, Keyring, Source};
use crate::standing::{Changes, Standing};
use crate::view::AccountView;
use crate::wire::Application;
use crate::{dialogs, health, updates};

/// Updates of one account that may wait to be taken. What does not fit is asked for again.
const ARRIVALS: usize = 1_024;

/// How many accounts read a page of dialogs at once.
const READING: usize = 4;

/// All Telegram user accounts.
pub struct Pool {
    /// By priority, then by name.
    pub(crate) accounts: Vec<Arc<Account>>,
    by_name: HashMap<AccountName, usize>,
    pub(crate) names: Arc<Names>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) services: Services,
    pub(crate) observer: Option<ChatRef>,
    pub(crate) flights: Flights,
    pub(crate) changes: Changes,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// Why the accounts could not be started. A bad session is no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be read.
    #[error("what is stored of the Telegram accounts cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Why an account could not be switched.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No account has this name.
    #[error("there is no account {0}")]
    NoSuchAccount(AccountName),
    /// The switch could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What can be done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Connect it, if it is not.
    Start,
    /// Disconnect it, until it is started again.
    Stop,
    /// Disconnect and connect it, forgetting what it was kept from.
    Restart,
    /// Give it no more work, and keep it connected.
    Pause,
    /// Give it work again.
    Resume,
}

/// No action has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account can be asked to start, stop, restart, pause or resume")]
pub struct UnknownAction;

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Start, Self::Stop, Self::Restart, Self::Pause, Self::Resume];

    /// The name in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(UnknownAction)
    }
}

impl Pool {
    /// Reads settings and store, and returns; the connections are made in the background.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(
        settings: &TelegramSettings,
        store: Store,
        clock: Clock,
        chance: Chance,
    ) -> Result<Arc<Self>, StartError> {
        let mut sorted: Vec<&AccountSettings> = settings.accounts.iter().collect();
        sorted.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let by_name: HashMap<_, _> =
            sorted.iter().enumerate().map(|(index, one)| (one.name.clone(), index)).collect();
        let builder = Builder::new(settings, &by_name, store.clone(), clock.clone(), chance).await?;
        let mut accounts = Vec::new();
        let mut arrivals = Vec::new();
        for (index, one) in sorted.into_iter().enumerate() {
            let (account, arrived) = builder.account(index, one).await?;
            accounts.push(Arc::new(account));
            arrivals.push(arrived);
        }
        let stopped = store.services().stopped().await?;
        let pool = Self {
            accounts,
            by_name,
            names: builder.names,
            registry: builder.registry,
            services: Services::new(&stopped, clock.now()),
            observer: settings.observer.as_deref().and_then(|observer| observer.parse().ok()),
            flights: Flights::default(),
            changes: builder.changes,
            clock,
            store,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        pool.restore().await?;
        pool.set_off(arrivals, settings.refresh_dialogs_every);
        Ok(Arc::new(pool))
    }

    /// Takes over what an earlier run kept: floods, slow modes, missing rights.
    async fn restore(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let holds = self.store.accounts().holds(now).await?;
        for (name, flood) in holds.floods {
            if let Some(account) = self.get(&name) {
                account.holds.keep_flood(flood.operation, flood.until, now);
            }
        }
        for (name, chat_id, until) in holds.slow_modes {
            if let Some(account) = self.get(&name) {
                account.holds.keep_slow_mode(chat_id, until, now);
            }
        }
        for (name, chat_id, why) in holds.marks {
            if let Some(account) = self.get(&name) {
                account.holds.mark(chat_id, why, now);
            }
        }
        Ok(())
    }

    fn set_off(&self, arrivals: Vec<mpsc::Receiver<Arrived>>, refresh_every: Duration) {
        let turns = Arc::new(Semaphore::new(READING));
        for (account, mut arrived) in self.accounts.iter().zip(arrivals) {
            for line in &account.lines {
                self.tasks.spawn(line::run(Arc::clone(line)));
            }
            let (reader, closing) = (Arc::clone(account), self.closing.clone());
            self.tasks.spawn(async move {
                while AssertUnwindSafe(updates::run(&reader, &mut arrived, &closing))
                    .catch_unwind()
                    .await
                    .is_err()
                {
                    survive(&reader, &closing, "reading updates").await;
                }
            });
            let (reader, closing, turns) = (Arc::clone(account), self.closing.clone(), Arc::clone(&turns));
            self.tasks.spawn(async move {
                loop {
                    let reading = dialogs::run(&reader, refresh_every, &turns);
                    tokio::select! {
                        () = closing.cancelled() => return,
                        _ = AssertUnwindSafe(reading).catch_unwind() => {}
                    }
                    survive(&reader, &closing, "reading dialogs").await;
                }
            });
        }
    }

    /// Ends all connections; waits for that no longer than `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.closing.cancel();
        for line in self.accounts.iter().flat_map(|account| &account.lines) {
            line.end();
        }
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!("some Telegram connections did not close in time");
        }
    }

    // ---- views -------------------------------------------------------------------------------------------------

    /// All accounts, by priority, then by name.
    pub fn accounts(&self) -> Vec<AccountView> {
        self.accounts.iter().map(|account| AccountView::of(account)).collect()
    }

    /// One account.
    pub fn account(&self, name: &AccountName) -> Option<AccountView> {
        self.get(name).map(AccountView::of)
    }

    /// Whether every account is past connecting.
    pub fn settled(&self) -> bool {
        self.accounts.iter().all(|account| account.is_settled())
    }

    /// How many chats and users all accounts know.
    pub fn cached_peers(&self) -> usize {
        self.accounts.iter().map(|account| account.peers.len()).sum()
    }

    /// The calls of all accounts since the start, by priority, then by name.
    pub fn calls(&self) -> Vec<CallsCounted> {
        self.accounts.iter().map(|account| account.standing.calls.counted(&account.name)).collect()
    }

    /// How often accounts were asked for a chat that memory did not know since the start; every result is there.
    pub fn looked(&self) -> Vec<(Looked, u64)> {
        self.flights.looked()
    }

    /// Lets all accounts read all their dialogs again, page by page in the background; what is known stays until then,
    /// and what was not found may be asked for again. Tells how many peers they know by now.
    #[expect(clippy::unused_async, reason = "a reading that waits for something is still the same call")]
    pub async fn reload_dialogs(&self) -> usize {
        self.flights.forget_misses();
        for account in &self.accounts {
            account.reload.store(true, Ordering::Release);
            account.refresh.notify_one();
        }
        self.cached_peers()
    }

    // ---- services ----------------------------------------------------------------------------------------------

    /// All services.
    pub fn services(&self) -> Vec<ServiceView> {
        Purpose::ALL.into_iter().map(|purpose| self.service(purpose)).collect()
    }

    /// One service.
    pub fn service(&self, purpose: Purpose) -> ServiceView {
        self.services.view(purpose, self.cached_peers())
    }

    /// Switches a service. It is kept over restarts.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn set_service(
        &self,
        purpose: Purpose,
        action: ServiceAction,
    ) -> Result<ServiceView, ActError> {
        let now = self.clock.now();
        let stop = action == ServiceAction::Stop;
        if self.services.is_stopped(purpose) != stop {
            self.store.services().save(purpose, stop, now).await?;
        }
        self.services.switch(purpose, action, now);
        // Work that waited for it looks again.
        self.changes.tell();
        tracing::info!(service = purpose.as_str(), action = action.as_str(), "switched by hand");
        Ok(self.service(purpose))
    }

    // ---- actions -----------------------------------------------------------------------------------------------

    /// Switches an account. It is kept over restarts.
    ///
    /// # Errors
    /// No account has this name, or the store does not take it.
    pub async fn act(&self, name: &AccountName, action: Action) -> Result<AccountView, ActError> {
        let account = self.get(name).ok_or_else(|| ActError::NoSuchAccount(name.clone()))?;
        let switch = match action {
            Action::Start | Action::Restart | Action::Resume => Switch::On,
            Action::Stop => Switch::Stopped,
            Action::Pause => Switch::Paused,
        };
        if account.switch() != switch {
            self.store.accounts().save_switch(name, switch).await?;
            account.set_switch(switch);
        }
        match action {
            Action::Start | Action::Pause | Action::Resume => {
                account.lines.iter().for_each(|line| line.start());
            }
            Action::Stop => account.lines.iter().for_each(|line| line.stop()),
            Action::Restart => {
                account.standing.start_over();
                account.lines.iter().for_each(|line| line.restart());
            }
        }
        tracing::info!(account = %name, action = action.as_str(), "switched by hand");
        Ok(AccountView::of(account))
    }

    // ---- for the rest of this crate ----------------------------------------------------------------------------

    pub(crate) fn index(&self, name: &AccountName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn get(&self, name: &AccountName) -> Option<&Account> {
        self.accounts.get(self.index(name)?).map(AsRef::as_ref)
    }

    /// The chat's id, as far as memory knows it: what was a basic group may be a supergroup by now.
    pub(crate) fn find(&self, chat: &ChatRef) -> Option<ChatId> {
        let chat_id = match chat {
            ChatRef::Id(chat_id) => Some(*chat_id),
            ChatRef::Username(name) => self.names.find(name),
        };
        chat_id.map(|chat_id| self.registry.today(chat_id))
    }

    /// The same, unless the name was told too long ago to be believed without asking.
    pub(crate) fn find_fresh(&self, chat: &ChatRef) -> Option<ChatId> {
        match chat {
            ChatRef::Username(name) => self.names.find_fresh(name, self.clock.now()),
            ChatRef::Id(_) => self.find(chat),
        }
    }

    /// The account of the settings that the chat belongs to.
    pub(crate) fn bound(&self, chat_id: ChatId) -> Option<usize> {
        match self.registry.bound(chat_id)? {
            Bound::To(index) => Some(index),
            Bound::ToNobody(_) => None,
        }
    }
}

/// After a panic: says so, and leaves the thing alone for a moment.
async fn survive(account: &Account, closing: &CancellationToken, what: &str) {
    if closing.is_cancelled() {
        return;
    }
    tracing::error!(account = %account.name, what, "a task broke down and is started again");
    tokio::select! {
        () = closing.cancelled() => {}
        () = account.standing.clock.sleep(health::back_off(4)) => {}
    }
}

/// Makes accounts out of settings and store.
struct Builder {
    store: Store,
    clock: Clock,
    chance: Chance,
    changes: Changes,
    names: Arc<Names>,
    registry: Arc<Registry>,
    claims: Claims,
    addresses: Arc<Addresses>,
    probe_every: Duration,
    switches: HashMap<AccountName, Switch>,
}

impl Builder {
    async fn new(
        settings: &TelegramSettings,
        places: &HashMap<AccountName, usize>,
        store: Store,
        clock: Clock,
        chance: Chance,
    ) -> Result<Self, StoreError> {
        let centres = settings.data_centres.iter().map(|centre| (i32::from(centre.id), centre.address));
        let switches = store.accounts().switches().await?.into_iter().collect();
        let bindings = store.accounts().bindings().await?.into_iter().map(|(chat_id, name)| {
            let bound =
                places.get(&name).map_or_else(|| Bound::ToNobody(name.clone()), |index| Bound::To(*index));
            (chat_id, bound)
        });
        let left = store.chats().left().await?;
        let migrations = store.peers().migrations().await?;
        let registry =
            Registry::new(bindings.collect(), left.into_iter().collect(), migrations.into_iter().collect());
        Ok(Self {
            registry: Arc::new(registry),
            store,
            clock,
            chance,
            changes: Changes::default(),
            names: Arc::default(),
            claims: Claims::default(),
            addresses: Arc::new(Addresses::new(centres.collect())),
            probe_every: settings.probe_every,
            switches,
        })
    }

    async fn account(
        &self,
        index: usize,
        settings: &AccountSettings,
    ) -> Result<(Account, mpsc::Receiver<Arrived>), StoreError> {
        let name = &settings.name;
        let switch = self.switches.get(name).copied().unwrap_or(Switch::On);
        let standing = Arc::new(Standing::new(
            name.clone(),
            self.clock.clone(),
            self.chance.clone(),
            self.changes.clone(),
        ));
        let (arrived, arrivals) = mpsc::channel(ARRIVALS);
        let mut lines = Vec::new();
        for (line, session) in settings.sessions.iter().enumerate() {
            let source = match &session.source {
                SessionSource::File(path) => Source::File(path.clone()),
                SessionSource::Text(text) => Source::Text(text.clone()),
            };
            let keyring = Keyring {
                account: name.clone(),
                line,
                source,
                addresses: Arc::clone(&self.addresses),
                claims: self.claims.clone(),
            };
            let key = keyring.read().await;
            if let Ok(key) = &key {
                self.remember(&standing, key).await?;
            }
            let parts = LineParts {
                index: line,
                purposes: session.purposes.clone(),
                keyring,
                application: Application {
                    api_id: settings.api_id,
                    proxy: settings.proxy.as_ref().map(|proxy| SecretText::from(proxy.expose().to_owned())),
                },
                probe_every: self.probe_every,
                standing: Arc::clone(&standing),
                store: self.store.clone(),
                arrived: arrived.clone(),
            };
            lines.push(Arc::new(Line::new(parts, key, switch != Switch::Stopped)));
        }
        let account = Account::new(AccountParts {
            index,
            name: name.clone(),
            priority: settings.priority,
            in_pool: settings.pool,
            phone: settings.phone.as_deref().map(masked),
            standing,
            lines,
            names: Arc::clone(&self.names),
            registry: Arc::clone(&self.registry),
            store: self.store.clone(),
            switch,
        });
        let peers = self.store.peers().all(name).await?;
        let named_at = self.store.peers().named_at(name).await?.into_iter().collect();
        account.peers.restore(&self.names, peers, &named_at);
        let fill = self.store.peers().fill(name).await?;
        account.dialogs_complete.store(fill.complete, Ordering::Release);
        Ok((account, arrivals))
    }

    /// Whose session it is, by the store or by the session file, until Telegram itself tells.
    async fn remember(&self, standing: &Standing, key: &Key) -> Result<(), StoreError> {
        let stored = self.store.accounts().session(&standing.name, key.fingerprint()).await?;
        let told =
            key.user_id().map(|user_id| SelfUser { user_id, username: None, display_name: String::new() });
        if let Some(person) = stored.and_then(|session| session.user).or(told)
            && standing.meet(person).is_err()
        {
            tracing::warn!(account = %standing.name, state = %AccountState::Error, "its sessions belong to different people");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_by_name() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        assert_eq!("explode".parse::<Action>(), Err(UnknownAction));
    }
}

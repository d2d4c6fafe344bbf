//! A sandbox, a store and the accounts of its settings file, in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use ambient::{Chance, Clock, Ids};
use config::{Settings, TelegramSettings};
use delivery::{Attempt, Candidates, Query, Sender};
use domain::account::{AccountState, Reason, SendingLimits};
use domain::message::{Content, Part, PartState};
use domain::text::{FormattedText, ParseMode};
use domain::{AccountName, ChatId, ChatRef, Outcome, SecretText, Service, TelegramMessageId};
use media::Outgoing;
use sandbox::telegram::{Account as Person, FaultName, FaultOrder, Telegram};
use sandbox::{Running, Sandbox, SandboxOptions};
use store::{Disk, MasterKey, Store, StoreOptions, UpdateState};
use telegram::{AccountView, NewAccount, Pool, PoolParts};
use tempfile::TempDir;

/// How long anything may take here before the test gives up.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Ports that were tried for worlds that can be restarted.
static TRIED: AtomicU16 = AtomicU16::new(0);

/// Everything a test needs. The accounts start with [`World::pool`].
pub(crate) struct World {
    pub(crate) sandbox: Running,
    pub(crate) settings: TelegramSettings,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) outgoing: Outgoing,
    pub(crate) received: Outgoing,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_dialogs(0).await
    }

    pub(crate) async fn with_dialogs(dialogs: usize) -> Self {
        Self::with(|options| options.dialogs = dialogs).await
    }

    /// A world of so many accounts; the sixth lives in another data centre.
    pub(crate) async fn with_accounts(accounts: usize) -> Self {
        Self::with(|options| options.accounts = accounts).await
    }

    async fn with(change: impl FnOnce(&mut SandboxOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = SandboxOptions::new(folder.path().join("sandbox")).on_free_ports();
        change(&mut options);
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        Self::around(sandbox, folder, Disk::default()).await
    }

    /// A world whose store is on this disk.
    pub(crate) async fn on_disk(disk: Disk) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SandboxOptions::new(folder.path().join("sandbox")).on_free_ports();
        let sandbox = Sandbox::start(SandboxOptions { dialogs: 0, ..options }).await.expect("a sandbox");
        Self::around(sandbox, folder, disk).await
    }

    /// A world that can be restarted: on ports that the system gives to no one by itself, so that they are still free
    /// after the sandbox was stopped.
    pub(crate) async fn restartable() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = u16::try_from(std::process::id() % 100).expect("small") * 100;
        loop {
            // Each world tries ports of its own, so that none takes those of one that is being restarted.
            let base = 20_000 + (own + TRIED.fetch_add(10, Ordering::Relaxed)) % 12_000;
            let mut options = SandboxOptions::new(folder.path().join("sandbox"));
            options.telegram.set_port(base + 1);
            options.control.set_port(base + 2);
            if let Ok(sandbox) = Sandbox::start(options).await {
                return Self::around(sandbox, folder, Disk::default()).await;
            }
        }
    }

    async fn around(sandbox: Running, folder: TempDir, disk: Disk) -> Self {
        let settings = Settings::load(Some(&sandbox.settings_file), []).expect("settings").telegram;
        let clock = Clock::system();
        let options = StoreOptions {
            data_dir: folder.path().join("data"),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(folder.path().join("master.key")),
        };
        let store = Store::open_on(options, disk).await.expect("a store");
        let limits = media::intake::Limits {
            most: 1 << 30,
            idle: Duration::from_secs(10),
            total: Duration::from_mins(1),
        };
        let (ids, files) = (Ids::new(clock.clone()), folder.path().join("outgoing"));
        let outgoing = Outgoing::open(files, ids.clone(), clock.clone(), limits).await.expect("a folder");
        let files = folder.path().join("received");
        let received = Outgoing::open(files, ids, clock.clone(), limits).await.expect("a folder");
        Self { sandbox, settings, store, clock, outgoing, received, folder }
    }

    pub(crate) fn only(mut self, names: &[&str]) -> Self {
        self.settings.accounts.retain(|account| names.contains(&account.name.as_str()));
        self
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/switchboard.db")
    }

    pub(crate) fn telegram(&self) -> &Telegram {
        &self.sandbox.telegram
    }

    pub(crate) fn parts(&self) -> PoolParts<'_> {
        PoolParts {
            settings: &self.settings,
            hold: std::time::Duration::from_secs(100),
            store: self.store.clone(),
            clock: self.clock.clone(),
            chance: Chance::from_seed(1),
            ids: Ids::new(self.clock.clone()),
            outgoing: Some(self.outgoing.clone()),
            received: Some(self.received.clone()),
            contacts: false,
            connections: tokio::runtime::Handle::current(),
        }
    }

    pub(crate) async fn pool(&self) -> Arc<Pool> {
        Pool::start(self.parts()).await.expect("accounts")
    }

    /// Starts the accounts and waits until all have read their dialogs and know the state of their updates.
    pub(crate) async fn ready(&self) -> Arc<Pool> {
        let pool = self.pool().await;
        for account in &self.settings.accounts {
            self.update_state(account.name.as_str()).await;
        }
        until("all accounts are ready", || {
            pool.accounts().iter().all(|one| one.state == AccountState::Ready && one.dialogs_complete)
        })
        .await;
        pool
    }

    /// The state of an account's updates, as soon as it is stored.
    pub(crate) async fn update_state(&self, account: &str) -> UpdateState {
        let account = name(account);
        let waiting = async {
            loop {
                match self.store.accounts().update_state(&account).await.expect("readable") {
                    Some(state) => return state,
                    None => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        tokio::time::timeout(TIMEOUT, waiting).await.expect("the updates begin")
    }

    /// Stops the sandbox and starts another one in the same place.
    pub(crate) async fn restart_sandbox(&mut self, while_away: impl AsyncFnOnce()) {
        let (telegram, control): (SocketAddr, SocketAddr) = (self.sandbox.dc2, self.sandbox.control);
        let options =
            SandboxOptions { telegram, control, ..SandboxOptions::new(self.folder.path().join("sandbox")) };
        let fresh = SandboxOptions::new(self.folder.path().join("other")).on_free_ports();
        let placeholder = Sandbox::start(fresh).await.expect("a sandbox");
        std::mem::replace(&mut self.sandbox, placeholder).stop().await;
        while_away().await;
        let again = Sandbox::start(options).await.expect("the same ports");
        std::mem::replace(&mut self.sandbox, again).stop().await;
    }

    pub(crate) fn fault(&self, account: &str, fault: FaultName) -> Fault<'_> {
        Fault {
            telegram: self.telegram(),
            order: FaultOrder {
                provider: "telegram".to_owned(),
                account: Some(account.to_owned()),
                method: Some("messages.sendMessage".to_owned()),
                fault,
                seconds: None,
                times: None,
                probability: None,
                code: None,
                message: None,
                effect: None,
            },
        }
    }

    pub(crate) fn person(&self, account: &str) -> Arc<Person> {
        let accounts = self.telegram().accounts();
        accounts.into_iter().find(|one| &*one.name == account).expect("someone")
    }

    /// The texts that arrived, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.telegram().ledger(0, 1_000).into_iter().map(|entry| entry.text.to_string()).collect()
    }

    pub(crate) fn calls(&self, account: &str, method: &str) -> u64 {
        self.telegram().calls(Some(account), Some(method)).iter().map(|call| call.count).sum()
    }

    pub(crate) fn demo(&self, title: &str) -> String {
        let chats = self.telegram().chats();
        chats.into_iter().find(|chat| chat.title == title).expect("a chat").chat_id
    }

    pub(crate) async fn restarted(&self, pool: &Pool) -> Arc<Pool> {
        pool.stop(Duration::from_secs(5)).await;
        self.pool().await
    }

    /// Stops the accounts, which called nothing that does not exist.
    pub(crate) async fn end(&self, pool: &Pool) {
        pool.stop(Duration::from_secs(5)).await;
        self.assert_no_unknown_calls();
    }

    pub(crate) fn assert_no_unknown_calls(&self) {
        assert_eq!(self.telegram().unknown(), []);
    }

    pub(crate) fn spare(&self, person: &str) -> NewAccount {
        let person = self.person(person);
        NewAccount {
            name: name("spare"),
            priority: 0,
            in_pool: true,
            api_id: person.api_id,
            api_hash: SecretText::from(person.api_hash.clone()),
            phone: Some(SecretText::from(person.phone.clone())),
            proxy: None,
            limits: SendingLimits::default(),
            keep: domain::KeepRule::default(),
        }
    }
}

/// A world with one account, `backup_1`, which is ready.
pub(crate) async fn one_account() -> (World, Arc<Pool>) {
    let world = World::new().await.only(&["backup_1"]);
    let pool = world.ready().await;
    (world, pool)
}

/// A fault that is being ordered.
pub(crate) struct Fault<'a> {
    telegram: &'a Telegram,
    order: FaultOrder,
}

impl Fault<'_> {
    pub(crate) fn times(mut self, times: u32) -> Self {
        self.order.times = Some(times);
        self
    }

    pub(crate) fn with_effect(mut self) -> Self {
        self.order.effect = Some(true);
        self
    }

    pub(crate) fn seconds(mut self, seconds: f64) -> Self {
        self.order.seconds = Some(seconds);
        self
    }

    pub(crate) fn error(mut self, code: i32, message: &str) -> Self {
        self.order.code = Some(code);
        self.order.message = Some(message.to_owned());
        self
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.order.method = Some(method.to_owned());
        self
    }

    pub(crate) fn any_method(mut self) -> Self {
        self.order.method = None;
        self
    }

    pub(crate) fn on(self) -> u64 {
        self.telegram.add_fault(self.order).expect("a fault")
    }
}

pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(TIMEOUT, waiting).await.is_ok(), "in vain: {what}");
}

pub(crate) fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

pub(crate) fn chat(text: &str) -> ChatRef {
    text.parse().expect("a chat")
}

pub(crate) fn query(to: &str, pin: Option<&str>) -> Query {
    Query { chat: chat(to), pin: pin.map(name), service: Some(Service::SendText) }
}

pub(crate) fn view(pool: &Pool, account: &str) -> AccountView {
    pool.account(&name(account)).expect("an account")
}

pub(crate) fn state(pool: &Pool, account: &str) -> (AccountState, Option<Reason>) {
    let view = view(pool, account);
    (view.state, view.reason)
}

pub(crate) fn content(text: &str) -> Content {
    Content {
        text: FormattedText::plain(text),
        parse_mode: ParseMode::None,
        reply_to: None,
        mention: None,
        mention_optional: false,
        written_by: domain::message::Writer::Program,
        silent: false,
        preview: false,
        media: Vec::new(),
        provider_options: None,
    }
}

/// The id under which a text was sent, if it was and the id is known.
pub(crate) fn sent_id(outcome: Outcome) -> Option<i64> {
    match outcome {
        Outcome::Sent(ids) => ids.first().and_then(domain::ProviderId::number),
        _ => None,
    }
}

pub(crate) fn part(text: FormattedText, random_id: i64) -> Part {
    Part { state: PartState::Begun, ..Part::of_text(0, text, random_id) }
}

/// The candidates, asked for where memory does not know.
pub(crate) async fn candidates(pool: &Pool, to: &str, pin: Option<&str>) -> Candidates {
    let query = query(to, pin);
    match pool.candidates_now(&query) {
        Some(candidates) => candidates,
        None => pool.candidates(&query).await,
    }
}

pub(crate) fn able(candidates: &Candidates) -> Vec<&str> {
    candidates.able.iter().map(|one| one.account.as_str()).collect()
}

/// The chat's id, looked up by this account if need be.
pub(crate) fn message_id(number: impl Into<i64>) -> TelegramMessageId {
    TelegramMessageId::new(number).expect("an id")
}

pub(crate) async fn chat_id(pool: &Pool, account: &str, to: &str) -> ChatId {
    let candidates = candidates(pool, to, Some(account)).await;
    assert_eq!(able(&candidates), [account], "{candidates:?}");
    candidates.address.and_then(|address| address.chat_id()).expect("known")
}

pub(crate) async fn send(pool: &Pool, account: &str, to: &str, text: &str, random_id: i64) -> Outcome {
    let chat_id = chat_id(pool, account, to).await;
    send_to(pool, account, chat_id, text, random_id).await
}

pub(crate) async fn send_to(
    pool: &Pool,
    account: &str,
    chat_id: ChatId,
    text: &str,
    random_id: i64,
) -> Outcome {
    let (account, content) = (name(account), content(text));
    let part = part(content.text.clone(), random_id);
    pool.send(Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &part,
        content: &content,
        binding: store::Binding::IfUnbound,
    })
    .await
}

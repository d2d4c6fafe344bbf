//! All accounts come up side by side; one that cannot costs the others nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::account::{AccountState, Reason};
use sandbox::telegram::FaultName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::it::world::{World, able, candidates, one_account, send, state, until, view};

#[tokio::test(flavor = "multi_thread")]
async fn five_accounts_connect_and_read_their_dialogs_with_few_calls() {
    let world = World::with_dialogs(1_000).await;
    let pool = world.ready().await;
    let accounts = pool.accounts();
    let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["main", "backup_1", "backup_2", "backup_3", "fifth"]);
    assert!(pool.settled() && pool.cached_peers() >= 1_000);
    for account in &accounts {
        assert_eq!(
            account.display_name.as_deref(),
            Some(&*format!("Demo {}", account.name).replace('_', " "))
        );
        assert!(account.phone.as_deref().is_some_and(|phone| phone.contains('•')));
        assert_eq!(account.lines.iter().filter(|line| line.reads_updates).count(), 1);
        assert!(account.lines.iter().all(|line| line.dc_id == Some(2) && line.last_answer_at.is_some()));
        let pages = world.calls(account.name.as_str(), "messages.getDialogs");
        assert!(pages <= 4, "{}: {pages} pages", account.name);
    }
    assert_eq!(view(&pool, "main").lines.len(), 4);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_dialogs_are_not_read_again_after_a_restart() {
    let (world, pool) = one_account().await;
    let known = pool.cached_peers();
    pool.stop(Duration::from_secs(5)).await;
    world.telegram().clear_calls();
    let pool = world.pool().await;
    assert_eq!(pool.cached_peers(), known);
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    until("ready", || view(&pool, "backup_1").state == AccountState::Ready).await;
    pool.stop(Duration::from_secs(5)).await;
    assert_eq!(world.calls("backup_1", "messages.getDialogs"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_telegram_is_survived() {
    let mut world = World::restartable().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let mut seen = AccountState::Ready;
    world
        .restart_sandbox(async || {
            until("not ready", || view(&pool, "backup_1").state != AccountState::Ready).await;
            seen = view(&pool, "backup_1").state;
        })
        .await;
    assert!(matches!(seen, AccountState::Connecting | AccountState::Error), "{seen}");
    for account in ["backup_1", "backup_2"] {
        until("ready again", || view(&pool, account).state == AccountState::Ready).await;
        let sent = send(&pool, account, "@client_1", "hello again", 7).await;
        assert_eq!(sent.word(), "sent", "{sent:?}");
    }
    assert_eq!(world.texts(), ["hello again", "hello again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_listens_the_account_is_unreachable() {
    let world = World::restartable().await.only(&["backup_1"]);
    let (clock, settings, store) = (world.clock.clone(), world.settings.clone(), world.store.clone());
    world.sandbox.stop().await;
    let parts = telegram::PoolParts {
        settings: &settings,
        hold: std::time::Duration::from_secs(100),
        store,
        clock: clock.clone(),
        chance: ambient::Chance::from_seed(1),
        ids: ambient::Ids::new(clock.clone()),
        outgoing: None,
        received: None,
        contacts: false,
        connections: tokio::runtime::Handle::current(),
    };
    let pool = telegram::Pool::start(parts).await.expect("accounts");
    assert_eq!(state(&pool, "backup_1").0, AccountState::Connecting);
    until("unreachable", || {
        clock.advance(Duration::from_millis(200));
        state(&pool, "backup_1") == (AccountState::Error, Some(Reason::Unreachable))
    })
    .await;
    assert!(pool.settled());
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_line_is_noticed_and_comes_back() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let started = world.clock.now();
    let fault = world.fault("backup_1", FaultName::Deaf).any_method().on();
    until("noticed", || {
        world.clock.advance(Duration::from_millis(250));
        state(&pool, "backup_1") == (AccountState::Error, Some(Reason::NoAnswer))
    })
    .await;
    assert!(world.clock.now().since(started) < Duration::from_mins(1), "too late");
    until("the other one is well", || state(&pool, "backup_2").0 == AccountState::Ready).await;
    assert_eq!(send(&pool, "backup_2", "@client_1", "hello", 1).await.word(), "sent");
    world.telegram().remove_fault(fault);
    until("back", || {
        world.clock.advance(Duration::from_millis(250));
        state(&pool, "backup_1").0 == AccountState::Ready
    })
    .await;
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_account_delays_no_other_start() {
    let world = World::new().await.only(&["main", "backup_1"]);
    world.fault("backup_1", FaultName::Deaf).any_method().on();
    let pool = world.pool().await;
    until("main is ready", || state(&pool, "main").0 == AccountState::Ready).await;
    assert_eq!(state(&pool, "backup_1").0, AccountState::Connecting);
    assert!(!pool.settled());
    until("settled", || {
        world.clock.advance(Duration::from_millis(250));
        pool.settled()
    })
    .await;
    assert_eq!(state(&pool, "backup_1"), (AccountState::Error, Some(Reason::NoAnswer)));
    pool.stop(Duration::from_secs(5)).await;
}

/// A proxy to a data centre that holds back what it was given last, until a while after its sender hung up.
struct DelayingProxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Over the first so many of them nothing more goes before the client hangs up.
    held: Arc<AtomicUsize>,
    delivered: Arc<AtomicBool>,
}

impl DelayingProxy {
    async fn to(address: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Self {
            address: listener.local_addr().expect("an address"),
            connections: Arc::default(),
            held: Arc::default(),
            delivered: Arc::default(),
        };
        let (connections, first_held) = (Arc::clone(&proxy.connections), Arc::clone(&proxy.held));
        let done = Arc::clone(&proxy.delivered);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let centre = TcpStream::connect(address).await.expect("someone listens");
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_centre, mut to_centre) = centre.into_split();
                let back = tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut from_centre, &mut to_client).await;
                });
                let number = connections.fetch_add(1, Ordering::AcqRel);
                let (first_held, delivered) = (Arc::clone(&first_held), Arc::clone(&done));
                tokio::spawn(async move {
                    let (mut held, mut bytes) = (Vec::new(), [0; 4096]);
                    while let Ok(count) = from_client.read(&mut bytes).await
                        && count > 0
                    {
                        held.extend_from_slice(&bytes[..count]);
                        if number >= first_held.load(Ordering::Acquire) {
                            to_centre.write_all(&held).await.expect("taken");
                            held.clear();
                        }
                    }
                    // Long enough for anyone who does not wait to be there by another connection.
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    let _ = to_centre.write_all(&held).await;
                    // It is read by then, and the connection is over.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    drop(to_centre);
                    let _ = back.await;
                    delivered.fetch_or(!held.is_empty(), Ordering::AcqRel);
                });
            }
        });
        proxy
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnected_line_has_no_calls_in_flight() {
    let mut world = World::new().await.only(&["backup_1"]);
    let home = world.settings.data_centres.iter_mut().find(|centre| centre.id == 2).expect("its home");
    let proxy = DelayingProxy::to(home.address).await;
    home.address = proxy.address;
    let pool = world.ready().await;
    // A request is on the way and gets no answer: the line hangs up and connects again.
    proxy.held.store(proxy.connections.load(Ordering::Acquire), Ordering::Release);
    until("the line gave up", || {
        world.clock.advance(Duration::from_millis(250));
        state(&pool, "backup_1").0 != AccountState::Ready
    })
    .await;
    until("what was held back arrived", || proxy.delivered.load(Ordering::Acquire)).await;
    until("ready", || {
        assert_ne!(state(&pool, "backup_1").1, Some(Reason::AuthKeyDuplicated));
        state(&pool, "backup_1").0 == AccountState::Ready
    })
    .await;
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    assert_eq!(world.texts(), ["hello"]);
    pool.stop(Duration::from_secs(5)).await;
}

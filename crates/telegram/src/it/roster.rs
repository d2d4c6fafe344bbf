//! Accounts and sessions that come and go while messages flow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::RefusalKind;
use domain::account::{AccountState, Reason};
use domain::{Purpose, Secret, UserId};
use sandbox::telegram::FaultName;
use store::KeyFingerprint;
use telegram::{
    AccountChange, AccountSource, Action, How, LoginOptions, NewAccount, Pool, RosterError, SessionKey,
};
use tokio::net::TcpListener;

use crate::it::world::{
    World, able, candidates, chat_id, name, one_account, send, send_to, state, until, view,
};

const LIMIT: Duration = Duration::from_secs(5);

fn key(world: &World, person: &str, line: usize) -> SessionKey {
    let person = world.person(person);
    let key = Secret::new(Box::new(person.lines[line].auth_key));
    SessionKey { dc_id: person.dc_id, key, user_id: None }
}

async fn ready(pool: &Pool, account: &str) {
    until("ready", || state(pool, account).0 == AccountState::Ready && view(pool, account).dialogs_complete)
        .await;
}

fn names(pool: &Pool) -> Vec<String> {
    pool.accounts().iter().map(|one| one.name.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_added_works_at_once_and_after_a_restart() {
    let (world, pool) = one_account().await;
    pool.add_account(world.spare("backup_2")).await.expect("added");
    assert_eq!(names(&pool), ["spare", "backup_1"]);
    assert!(pool.settled());
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    pool.add_session(&name("spare"), key(&world, "backup_2", 0), &[]).await.expect("given");
    ready(&pool, "spare").await;
    assert_eq!(send(&pool, "spare", "@client_2", "hello", 1).await.word(), "sent");
    let pool = world.restarted(&pool).await;
    ready(&pool, "spare").await;
    assert_eq!(names(&pool), ["spare", "backup_1"]);
    assert_eq!(able(&candidates(&pool, "@client_2", None).await), ["spare"]);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_and_foreign_changes_are_refused() {
    let (world, pool) = one_account().await;
    let own = name("backup_1");
    let change = AccountChange { priority: Some(9), ..AccountChange::default() };
    assert!(matches!(pool.change_account(&own, change.clone()).await, Err(RosterError::ReadOnly(_))));
    assert!(matches!(pool.remove_account(&own, true).await, Err(RosterError::ReadOnly(_))));
    assert!(matches!(pool.change_account(&name("nobody"), change).await, Err(RosterError::NoSuchAccount(_))));
    let taken = NewAccount { name: own.clone(), ..world.spare("backup_2") };
    assert!(matches!(pool.add_account(taken).await, Err(RosterError::NameTaken(_))));
    pool.add_account(world.spare("backup_2")).await.expect("added");
    let used = pool.add_session(&name("spare"), key(&world, "backup_1", 0), &[]).await;
    assert!(matches!(&used, Err(RosterError::SessionInUse(by)) if *by == own), "{used:?}");
    let other =
        SessionKey { user_id: UserId::new(world.person("backup_2").user_id), ..key(&world, "backup_2", 0) };
    let wrong = pool.add_session(&own, other, &[]).await;
    assert!(matches!(wrong, Err(RosterError::WrongUser { .. })), "{wrong:?}");
    let nowhere = SessionKey { dc_id: 5, ..key(&world, "backup_2", 0) };
    assert!(matches!(pool.add_session(&own, nowhere, &[]).await, Err(RosterError::NoAddress(5))));
    let unknown = pool.remove_session(&own, KeyFingerprint([1; 8])).await;
    assert!(matches!(unknown, Err(RosterError::NoSuchSession)), "{unknown:?}");
    assert_eq!(state(&pool, "backup_1").0, AccountState::Ready);
    pool.stop(LIMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_changed_while_it_works() {
    let (world, pool) = one_account().await;
    pool.add_account(world.spare("backup_2")).await.expect("added");
    let spare = name("spare");
    pool.add_session(&spare, key(&world, "backup_2", 0), &[]).await.expect("given");
    ready(&pool, "spare").await;
    let change = AccountChange { priority: Some(900), in_pool: Some(false), ..AccountChange::default() };
    let shown = pool.change_account(&spare, change).await.expect("changed");
    assert_eq!((shown.priority, shown.pool, shown.state), (900, false, AccountState::Ready));
    assert_eq!(names(&pool), ["backup_1", "spare"]);
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    pool.change_account(&spare, through("socks5://127.0.0.1:1")).await.expect("changed");
    until("connecting through it", || state(&pool, "spare").0 != AccountState::Ready).await;
    pool.change_account(&spare, AccountChange { proxy: Some(None), ..AccountChange::default() })
        .await
        .expect("changed");
    ready(&pool, "spare").await;
    let pool = world.restarted(&pool).await;
    assert_eq!((view(&pool, "spare").priority, view(&pool, "spare").pool), (900, false));
    pool.stop(LIMIT).await;
}

fn through(proxy: &str) -> AccountChange {
    AccountChange { proxy: Some(Some(proxy.to_owned().into())), ..AccountChange::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_proxy_needs_the_owners_list() {
    const REMEDY: &str = "[telegram] allow_private_proxies";
    let mut world = World::new().await.only(&["backup_1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let here = format!("socks5://demo:word@127.0.0.1:{port}");
    let dialled = async || tokio::time::timeout(LIMIT, listener.accept()).await.is_ok();
    let spare_name = name("spare");
    let why = |pool: &Pool| view(pool, "spare").lines[0].detail.clone().unwrap_or_default();

    // The sandbox's settings list this machine.
    let pool = world.pool().await;
    pool.add_account(world.spare("backup_2")).await.expect("added");
    pool.add_session(&spare_name, key(&world, "backup_2", 0), &[]).await.expect("given");
    pool.change_account(&spare_name, through(&here)).await.expect("listed");
    assert!(dialled().await);
    pool.change_account(&spare_name, through(&format!("socks5://localhost:{port}"))).await.expect("listed");
    pool.stop(LIMIT).await;
    while tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_ok() {}

    // It is listed no longer: the account that has it says so and how to go on, and no one is dialled. Where a name leads is known
    // when it is dialled.
    world.settings.allow_private_proxies.clear();
    let pool = world.pool().await;
    until("it says why", || why(&pool).contains(REMEDY)).await;
    assert_ne!(state(&pool, "spare").0, AccountState::Ready);
    let change = AccountChange { priority: Some(3), ..AccountChange::default() };
    pool.change_account(&spare_name, change).await.expect("the rest can be changed");
    for inward in [
        &here,
        "socks5://169.254.169.254:80",
        "socks5://[::ffff:10.0.0.1]:1",
        "socks5://[::1]:1",
        "socks5://a.localhost.:1",
    ] {
        let refused = pool.change_account(&spare_name, through(inward)).await;
        let Err(RosterError::Invalid { field: "proxy", message }) = refused else { panic!("{inward}") };
        assert!(message.contains(REMEDY) && !message.contains("word"), "{message}");
        let new = NewAccount { name: name("other"), proxy: Some(inward.into()), ..world.spare("backup_3") };
        assert!(matches!(pool.add_account(new).await, Err(RosterError::Invalid { field: "proxy", .. })));
    }
    // So it is for anyone who signs in.
    let login = pool.login();
    let begun = login.start(&spare_name, How::Phone(None), LoginOptions::default()).await;
    assert!(begun.is_err_and(|error| error.to_string().contains(REMEDY)));
    drop(login);
    let early = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(early.is_err(), "no one is dialled");
    pool.change_account(&spare_name, AccountChange { proxy: Some(None), ..AccountChange::default() })
        .await
        .expect("changed");
    ready(&pool, "spare").await;
    pool.stop(LIMIT).await;

    // What the settings say is the owner's own word.
    world.settings.accounts[0].proxy = Some(here.parse().expect("an address"));
    let pool = world.pool().await;
    assert!(dialled().await);
    pool.stop(LIMIT).await;
}

/// Sends until it is there, as the delivery does: what no one knows is sent again by the same account.
async fn send_surely(pool: &Pool, chat: domain::ChatId, number: i64) {
    let sending = async {
        loop {
            let outcome = send_to(pool, "main", chat, &number.to_string(), number).await;
            match outcome.word() {
                "sent" => return,
                "unknown" | "unavailable" | "in_progress" => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                other => panic!("{other}: {outcome:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sending).await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_once_while_sessions_change() {
    let mut world = World::new().await.only(&["main"]);
    let sessions = &mut world.settings.accounts[0].sessions;
    sessions.truncate(1);
    sessions[0].purposes = Purpose::ALL.to_vec();
    let pool = world.ready().await;
    let main = name("main");
    let chat = chat_id(&pool, "main", "@client_1").await;
    let sender = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move {
            for number in 1..=60 {
                send_surely(&pool, chat, number).await;
            }
        })
    };
    // Part of what the session of the settings does, then all of it, then none of it.
    let shown = pool.add_session(&main, key(&world, "main", 1), &[Purpose::SendText]).await.expect("given");
    assert_eq!(
        shown.lines.iter().map(|line| line.source).collect::<Vec<_>>(),
        [AccountSource::Settings, AccountSource::Store]
    );
    until("both are up", || view(&pool, "main").lines.iter().all(|line| line.state == AccountState::Ready))
        .await;
    let shown = pool.add_session(&main, key(&world, "main", 2), &Purpose::ALL).await.expect("given");
    assert_eq!(shown.lines.len(), 1);
    ready(&pool, "main").await;
    let session: KeyFingerprint = shown.lines[0].session.as_ref().expect("stored").parse().expect("a name");
    let shown = pool.remove_session(&main, session).await.expect("taken out");
    assert_eq!((shown.lines.len(), shown.lines[0].source), (1, AccountSource::Settings));
    ready(&pool, "main").await;
    // What was taken out and what was replaced is kept, and can be used again.
    assert_eq!(pool.ownerless().await.expect("readable").len(), 2);
    pool.adopt_session(&main, session, &[Purpose::SendText]).await.expect("adopted");
    assert_eq!(pool.ownerless().await.expect("readable").len(), 1);
    sender.await.expect("all sent");
    until("no key was lost", || {
        view(&pool, "main").lines.iter().all(|line| line.state == AccountState::Ready)
    })
    .await;
    pool.stop(LIMIT).await;
    assert_eq!(world.texts(), (1..=60).map(|number| number.to_string()).collect::<Vec<_>>());
    world.assert_no_unknown_calls();
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_removed_account_waits_for_its_name() {
    let (world, pool) = one_account().await;
    pool.add_account(world.spare("backup_2")).await.expect("added");
    let spare_name = name("spare");
    pool.add_session(&spare_name, key(&world, "backup_2", 0), &[]).await.expect("given");
    ready(&pool, "spare").await;
    let chat = chat_id(&pool, "spare", "@client_1").await;
    assert_eq!(send_to(&pool, "spare", chat, "hello", 1).await.word(), "sent");
    pool.remove_account(&spare_name, false).await.expect("removed");
    assert_eq!(names(&pool), ["backup_1"]);
    let found = candidates(&pool, "@client_1", None).await;
    let (first, why) = &found.refused[0];
    assert_eq!((first.account.as_str(), *why, found.lost), ("spare", RefusalKind::Unusable, true));
    let ownerless = pool.ownerless().await.expect("readable");
    assert_eq!(ownerless[0].user_id, UserId::new(world.person("backup_2").user_id));
    assert!(ownerless[0].origin.contains("spare"));
    // Nothing of it is left behind the connection that was closed.
    assert_eq!(world.store.accounts().added().await.expect("readable").len(), 0);
    assert_eq!(world.store.peers().all(&spare_name).await.expect("readable").len(), 0);
    pool.add_account(world.spare("backup_2")).await.expect("added again");
    let session = ownerless[0].session.parse().expect("a name");
    pool.adopt_session(&spare_name, session, &[]).await.expect("adopted");
    ready(&pool, "spare").await;
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["spare"]);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_can_be_repeated_after_a_slow_close() {
    let (world, pool) = one_account().await;
    let spare_name = name("spare");
    let mut session = None;
    // It is a matter of luck whether the clock leaps while the line closes.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(2) {
        pool.add_account(world.spare("backup_2")).await.expect("added");
        match session.take() {
            None => pool.add_session(&spare_name, key(&world, "backup_2", 0), &[]).await.expect("given"),
            Some(session) => pool.adopt_session(&spare_name, session, &[]).await.expect("adopted"),
        };
        ready(&pool, "spare").await;
        let removing = tokio::spawn({
            let (pool, name) = (Arc::clone(&pool), spare_name.clone());
            async move { pool.remove_account(&name, true).await }
        });
        // Closing takes no time to speak of, but half a minute by this clock.
        while !removing.is_finished() {
            world.clock.advance(Duration::from_secs(31));
        }
        match removing.await.expect("no panic") {
            Err(RosterError::NotClosed(_)) => {
                assert_eq!(names(&pool), ["spare", "backup_1"]);
                pool.remove_account(&spare_name, true).await.expect("removed");
                assert_eq!(names(&pool), ["backup_1"]);
                assert_eq!(pool.ownerless().await.expect("readable").len(), 1);
                return pool.stop(LIMIT).await;
            }
            // It was too quick for us.
            Ok(()) => {
                session = Some(pool.ownerless().await.expect("readable")[0].session.parse().expect("a name"));
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it always closed in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn restriction_survives_a_restart_and_ends_on_start() {
    let (world, pool) = one_account().await;
    let chat = chat_id(&pool, "backup_1", "@client_1").await;
    let fault = world.fault("backup_1", FaultName::PeerFlood).on();
    send_to(&pool, "backup_1", chat, "hello", 1).await;
    world.telegram().remove_fault(fault);
    let restricted = (AccountState::Restricted, Some(Reason::PeerFlood));
    assert_eq!(state(&pool, "backup_1"), restricted);
    let kept = async {
        while world.store.accounts().restrictions().await.expect("readable").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), kept).await.expect("kept");
    let pool = world.restarted(&pool).await;
    until("connected", || view(&pool, "backup_1").lines[0].state == AccountState::Ready).await;
    assert_eq!(state(&pool, "backup_1"), restricted);
    pool.act(&name("backup_1"), Action::Restart).await.expect("started over");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    let pool = world.restarted(&pool).await;
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    pool.stop(LIMIT).await;
}

//! Clearing flood waits: silence, starts a minute apart, by hand, over restarts, and the gentler way.

use std::time::Duration;

use crate::{Clearing, ClearingError, Lamp, Phase};
use domain::account::Operation;
use domain::{AccountName, AccountState, Purpose, Service, Timestamp};
use sandbox::telegram::FaultName;
use store::Hold;
use telegram::ServiceAction;
use telegram::router::Usable;

use crate::it::world::{Run, World, account, failed, until};

const MINUTE: Duration = Duration::from_mins(1);

fn running(run: &Run) -> Vec<Service> {
    run.pool.services().into_iter().filter(|one| one.running).map(|one| one.service).collect()
}

/// How many services were started by now, and are stored as started.
fn started(run: &Run) -> usize {
    run.health.clearing().map_or_else(|| running(run).len(), |view| view.done.len())
}

fn due(run: &Run) -> Timestamp {
    run.health.clearing().and_then(|view| view.until).expect("something is due")
}

fn move_to(run: &Run, at: Timestamp) {
    run.clock.advance(at.since(run.clock.now()));
}

fn is_silent(run: &Run) -> bool {
    run.health.clearing().is_some_and(|view| view.phase == Phase::Silent)
}

/// Waits until the services are stopped and nothing is asked any more.
async fn silence(run: &Run) {
    until("the services are stopped", || running(run).is_empty()).await;
    run.clock.advance(Duration::from_secs(3));
    until("it is silent", || is_silent(run)).await;
    until("no line is up", || {
        run.pool
            .accounts()
            .iter()
            .flat_map(|one| &one.lines)
            .all(|line| line.state == AccountState::Connecting)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_is_silent_then_starts_services_in_turn() {
    let world = World::of(&["main", "backup_1"]).await;
    let mut run = world.start().await;
    run.round().await;
    run.health.switch_service(Service::SendMedia, ServiceAction::Stop).await.expect("stops");
    let begun = run.health.clear_floods(Clearing::StopAll, "anna").await.expect("begins");
    assert_eq!(begun.by, "anna");
    silence(&run).await;
    let joined = run.health.clear_floods(Clearing::StopAll, "boris").await.expect("joins");
    assert_eq!((joined.by.as_str(), joined.started_at), ("anna", begun.started_at));
    let other = run.health.clear_floods(Clearing::PauseFlooded, "boris").await;
    assert_eq!(other, Err(ClearingError::OtherMode));
    let calls = world.calls();
    for _ in 0..13 {
        let beats = run.round().await;
        assert_eq!(failed(&beats), []);
        assert_eq!(running(&run), []);
    }
    let end = due(&run);
    move_to(&run, end.minus(Duration::from_secs(20)));
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!((world.calls(), running(&run)), (calls, vec![]), "nothing at all was asked in 280 seconds");
    assert!(run.clock.now() < end, "this machine is too slow to tell");
    assert_eq!(run.card(&account("main")).lamp, Lamp::Waiting);
    move_to(&run, end);
    let mut checked = 0;
    for (place, expected) in
        [Service::CreateChat, Service::SendText, Service::LeaveChat].into_iter().enumerate()
    {
        until("the next one is started", || started(&run) == place + 1).await;
        let ran = running(&run);
        assert!(ran.contains(&expected));
        // After the last one there is nothing to wait for.
        let Some(next) = run.health.clearing().and_then(|view| view.until) else { continue };
        move_to(&run, next.minus(Duration::from_secs(10)));
        tokio::time::sleep(Duration::from_millis(30)).await;
        let waits = running(&run);
        // A test that is held up by others for seconds cannot know.
        if run.clock.now() < next {
            assert_eq!(waits, ran, "not before a minute has passed");
            checked += 1;
        }
        move_to(&run, next);
    }
    assert!(checked > 0, "this machine is too slow to tell");
    until("it is over", || run.health.clearing().is_none()).await;
    assert!(world.calls() > calls);
    until("the lines are back", || run.pool.accounts().iter().all(|one| one.state == AccountState::Ready))
        .await;
    assert!(!run.pool.service(Service::SendMedia).running, "stopped by hand before");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_hand_goes_before_and_a_cancel_starts_the_rest_at_once() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    run.round().await;
    run.health.clear_floods(Clearing::StopAll, "anna").await.expect("begins");
    silence(&run).await;
    run.health.switch_service(Service::SendText, ServiceAction::Start).await.expect("starts");
    run.health.switch_service(Service::LeaveChat, ServiceAction::Stop).await.expect("stays stopped");
    until("its lines are up", || {
        let main = run.pool.account(&"main".parse().expect("a name")).expect("an account");
        main.lines
            .iter()
            .any(|line| line.purposes.contains(&Purpose::SendText) && line.state == AccountState::Ready)
    })
    .await;
    let view = run.health.clearing().expect("it runs on");
    assert_eq!((view.phase, view.done.as_slice()), (Phase::Silent, [Service::SendText].as_slice()));
    assert_eq!(view.waiting, [Service::CreateChat, Service::SendMedia]);
    run.health.cancel_clearing("boris").await.expect("cancels");
    assert_eq!(run.health.clearing(), None);
    assert_eq!(running(&run), [Service::CreateChat, Service::SendText, Service::SendMedia]);
    assert_eq!(run.health.cancel_clearing("boris").await, Ok(None));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_it_was_and_stays_silent() {
    let world = World::of(&["main"]).await;
    let run = world.start().await;
    run.health.clear_floods(Clearing::StopAll, "anna").await.expect("begins");
    silence(&run).await;
    run.clock.advance(2 * MINUTE);
    run.stop().await;
    let calls = world.calls();
    world.clock.advance(MINUTE);
    let run = world.at_rest(world.store().await).await;
    world.begin(&run);
    until("it is taken up", || is_silent(&run)).await;
    run.clock.advance(MINUTE);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((world.calls(), running(&run)), (calls, vec![]), "four of five minutes");
    run.clock.advance(MINUTE);
    until("the first one is started", || running(&run) == [Service::CreateChat]).await;
    run.stop().await;
    // The last run may have started one and died before it was written down: the next still comes a minute later.
    let store = world.store().await;
    store.services().save(Service::SendText, false, world.clock.now()).await.expect("written");
    world.clock.advance(MINUTE);
    let run = world.at_rest(store).await;
    world.begin(&run);
    until("it is taken up", || {
        run.health.clearing().is_some_and(|view| view.done == [Service::CreateChat, Service::SendText])
    })
    .await;
    run.clock.advance(Duration::from_secs(50));
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(running(&run), [Service::CreateChat, Service::SendText]);
    for more in 3..=4 {
        run.clock.advance(MINUTE);
        until("one more", || started(&run) == more).await;
    }
    until("it is over", || run.health.clearing().is_none()).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gentle_clearing_pauses_flooded_accounts_over_a_restart() {
    let world = World::of(&["main", "backup_1"]).await;
    let run = world.start().await;
    let main: AccountName = "main".parse().expect("a name");
    assert_eq!(
        run.health.clear_floods(Clearing::PauseFlooded, "anna").await,
        Err(ClearingError::NothingFlooded)
    );
    let deadline = world.clock.now().plus(10 * MINUTE);
    let flood = Hold::Flood { account: main.clone(), operation: Operation::SendMessage, until: deadline };
    run.store.accounts().save_hold(flood).await.expect("written");
    run.stop().await;
    let run = world.start().await;
    let begun = run.health.clear_floods(Clearing::PauseFlooded, "anna").await.expect("begins");
    assert_eq!((begun.phase, begun.accounts), (Phase::Paused, vec![(main.clone(), deadline)]));
    let usable = |run: &Run| {
        let usable = run.pool.accounts().into_iter().filter(|one| one.usable == Usable::Now);
        usable.map(|one| one.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((usable(&run), running(&run).len()), (vec!["backup_1".to_owned()], 4));
    run.clock.advance(5 * MINUTE);
    run.stop().await;
    let run = world.start().await;
    until("it is taken up", || run.health.clearing().is_some()).await;
    assert_eq!(usable(&run), ["backup_1"]);
    run.clock.advance(5 * MINUTE);
    until("it goes on by itself", || usable(&run).len() == 2 && run.health.clearing().is_none()).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_still_connecting_is_paused_as_well() {
    let world = World::of(&["main"]).await;
    let store = world.store().await;
    let (account, until): (AccountName, _) =
        ("main".parse().expect("a name"), world.clock.now().plus(10 * MINUTE));
    let flood = Hold::Flood { account: account.clone(), operation: Operation::SendMessage, until };
    store.accounts().save_hold(flood).await.expect("written");
    world.fault("main", FaultName::Deaf);
    let run = world.at_rest(store).await;
    world.begin(&run);
    let clearing = loop {
        assert_eq!(run.pool.account(&account).map(|one| one.usable), Some(Usable::Connecting));
        match run.health.clear_floods(Clearing::PauseFlooded, "anna").await {
            Err(ClearingError::NoServer) => tokio::time::sleep(Duration::from_millis(5)).await,
            answer => break answer.expect("begins"),
        }
    };
    assert_eq!(clearing.accounts, [(account.clone(), until)]);
    assert_eq!(run.pool.account(&account).map(|one| one.switch), Some("paused"));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_refused_by_the_store_is_retried_until_the_deadline() {
    for is_mended in [true, false] {
        let world = World::of(&["main", "backup_1"]).await;
        let run = world.start().await;
        let now = world.clock.now();
        for (name, minutes) in [("main", 10), ("backup_1", 12)] {
            let (account, until) = (name.parse().expect("a name"), now.plus(minutes * MINUTE));
            let flood = Hold::Flood { account, operation: Operation::SendMessage, until };
            run.store.accounts().save_hold(flood).await.expect("written");
        }
        run.stop().await;
        let run = world.start().await;
        let usable = || {
            let usable = run.pool.accounts().into_iter().filter(|one| one.usable == Usable::Now);
            usable.map(|one| one.name.to_string()).collect::<Vec<_>>()
        };
        let database = rusqlite::Connection::open(world.folder.path().join("data/switchboard.db"));
        let database = database.expect("the database");
        database
            .execute_batch(
                "CREATE TRIGGER stuck BEFORE INSERT ON telegram_switches WHEN NEW.account = 'backup_1'
                 BEGIN SELECT RAISE(ABORT, 'stuck'); END",
            )
            .expect("takes");
        for by in ["anna", "boris"] {
            let begun =
                run.health.clear_floods(Clearing::PauseFlooded, by).await.expect("it is written down");
            assert_eq!((begun.by.as_str(), begun.accounts.len()), ("anna", 2));
            // While it is tried once more it may look paused for a moment.
            until("the store keeps the other one on", || usable() == ["backup_1"]).await;
        }
        if is_mended {
            database.execute_batch("DROP TRIGGER stuck").expect("takes");
            until("the other one is paused too", || {
                run.clock.advance(Duration::from_secs(1));
                usable().is_empty()
            })
            .await;
        }
        for left in [1, 0] {
            move_to(&run, due(&run).plus(Duration::from_secs(1)));
            until("one goes on at its deadline", || {
                // Anyone who was refused tries again after a while.
                run.clock.advance(Duration::from_millis(100));
                run.health.clearing().map_or(0, |view| view.accounts.len()) == left
            })
            .await;
        }
        until("it is over", || usable().len() == 2 && run.health.clearing().is_none()).await;
        run.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_clearing_can_be_cancelled_but_not_begun() {
    let world = World::of(&["main"]).await;
    let run = world.start().await;
    run.health.clear_floods(Clearing::StopAll, "anna").await.expect("begins");
    silence(&run).await;
    run.stop().await;
    let run = world.at_rest(world.store().await).await;
    assert!(run.health.clearing().is_some());
    run.health.cancel_clearing("boris").await.expect("cancels");
    assert_eq!((running(&run).len(), run.health.clearing()), (4, None));
    let refused = run.health.clear_floods(Clearing::StopAll, "boris").await;
    assert_eq!(refused, Err(ClearingError::NoServer));
    run.stop().await;
}

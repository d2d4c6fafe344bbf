//! Lost answers, lost connections, lost sessions.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Readiness, Sender};
use domain::Outcome;
use domain::account::{AccountState, Reason};
use domain::outcome::Unclear;
use sandbox::telegram::FaultName;

use crate::it::world::{
    World, able, candidates, chat_id, name, one_account, send, send_to, sent_id, state, until,
};

#[tokio::test(flavor = "multi_thread")]
async fn lost_answer_is_settled_by_its_random_id() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    world.fault("backup_1", FaultName::DropAnswer).times(1).on();
    let sending = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { send_to(&pool, "backup_1", chat_id, "once", 5).await }
    });
    until("it arrived", || world.texts() == ["once"]).await;
    world.clock.advance(Duration::from_secs(16));
    assert!(matches!(sending.await.expect("a result"), Outcome::Unknown(_)));
    until("usable", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    let again = send_to(&pool, "backup_1", chat_id, "once", 5).await;
    assert!(sent_id(again).is_some());
    assert_eq!(world.texts(), ["once"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_answer_is_unknown_with_and_without_effect() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    for (random_id, done, text) in [(1, true, "done"), (2, false, "not done")] {
        let fault = world.fault("backup_1", FaultName::Unreadable).times(1);
        if done {
            fault.with_effect().on()
        } else {
            fault.on()
        };
        let outcome = send_to(&pool, "backup_1", chat_id, text, random_id).await;
        assert!(matches!(outcome, Outcome::Unknown(Unclear::Unreadable(_))), "{outcome:?}");
        assert_eq!(world.texts().contains(&text.to_owned()), done);
        let again = send_to(&pool, "backup_1", chat_id, text, random_id).await;
        assert!(sent_id(again).is_some());
    }
    assert_eq!(world.texts(), ["done", "not done"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connection_is_unknown_before_and_after() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    for (random_id, fault) in [(1, FaultName::Disconnect), (2, FaultName::DisconnectBefore)] {
        let text = format!("text {random_id}");
        world.fault("backup_1", fault).times(1).on();
        let outcome = send_to(&pool, "backup_1", chat_id, &text, random_id).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert_eq!(state(&pool, "backup_1").0, AccountState::Connecting);
        until("it is back", || state(&pool, "backup_1").0 == AccountState::Ready).await;
        let again = send_to(&pool, "backup_1", chat_id, &text, random_id).await;
        assert!(sent_id(again).is_some());
    }
    assert_eq!(world.texts(), ["text 1", "text 2"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_random_id_while_the_first_call_runs_is_in_progress() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    world.fault("backup_1", FaultName::Delay).seconds(0.4).times(1).on();
    let first = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { send_to(&pool, "backup_1", chat_id, "slow", 5).await }
    });
    until("it is on its way", || world.telegram().faults().is_empty()).await;
    assert_eq!(send_to(&pool, "backup_1", chat_id, "slow", 5).await, Outcome::InProgress);
    assert_eq!(first.await.expect("a result").word(), "sent");
    assert_eq!(world.texts(), ["slow"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_session_gives_its_reason_and_costs_no_other() {
    for (fault, expected, word) in [
        (FaultName::Banned, (AccountState::Banned, Some(Reason::Banned)), "banned"),
        (FaultName::SessionRevoked, (AccountState::NeedsLogin, Some(Reason::SessionRevoked)), "session_lost"),
        (
            FaultName::AuthKeyDuplicated,
            (AccountState::NeedsLogin, Some(Reason::AuthKeyDuplicated)),
            "session_lost",
        ),
    ] {
        let world = World::new().await.only(&["backup_1", "backup_2"]);
        let pool = world.ready().await;
        let fault = world.fault("backup_1", fault).any_method().on();
        let outcome = send(&pool, "backup_1", "@client_1", "hello", 1).await;
        assert_eq!(outcome.word(), word, "{outcome:?}");
        assert!(outcome.proves_unsent());
        assert_eq!(state(&pool, "backup_1"), expected);
        assert!(!pool.can_still_tell(&name("backup_1")) && pool.can_still_tell(&name("backup_2")));
        assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_2"]);
        assert_eq!(send(&pool, "backup_2", "@client_1", "hello", 1).await.word(), "sent");
        // The line is closed and stays so.
        world.telegram().clear_calls();
        world.clock.advance(Duration::from_mins(5));
        until("the other one is looked after", || world.calls("backup_2", "updates.getState") > 0).await;
        assert_eq!(world.telegram().calls(Some("backup_1"), None), []);
        // By hand it comes back, when Telegram lets it.
        world.telegram().remove_fault(fault);
        pool.act(&name("backup_1"), telegram::Action::Restart).await.expect("restarted");
        until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
        pool.stop(Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_is_restricted_and_no_flood() {
    let (world, pool) = one_account().await;
    world.fault("backup_1", FaultName::RpcError).error(420, "FROZEN_METHOD_INVALID").times(1).on();
    let outcome = send(&pool, "backup_1", "@client_1", "hello", 1).await;
    assert_eq!(outcome, Outcome::Banned(Reason::Frozen));
    assert_eq!(state(&pool, "backup_1"), (AccountState::Restricted, Some(Reason::Frozen)));
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), Vec::<&str>::new());
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatedly_breaking_connection_gets_few_calls() {
    let (world, pool) = one_account().await;
    world.telegram().clear_calls();
    let fault = world.fault("backup_1", FaultName::DisconnectBefore).any_method().on();
    // Something has to be asked for the cut to happen.
    world.clock.advance(Duration::from_secs(21));
    until("down", || state(&pool, "backup_1").0 != AccountState::Ready).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let tries: u64 = world.telegram().calls(Some("backup_1"), None).iter().map(|call| call.count).sum();
    assert!(tries < 20, "{tries} calls");
    world.telegram().remove_fault(fault);
    until("ready", || {
        world.clock.advance(Duration::from_millis(250));
        state(&pool, "backup_1").0 == AccountState::Ready
    })
    .await;
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_goes_on_with_its_other_sessions() {
    let world = World::new().await.only(&["main"]);
    let pool = world.ready().await;
    world.fault("main", FaultName::SessionRevoked).times(1).on();
    let outcome = send(&pool, "main", "@client_1", "hello", 1).await;
    assert!(matches!(outcome, Outcome::Unavailable(_)), "{outcome:?}");
    assert!(pool.can_still_tell(&name("main")));
    assert_eq!(send(&pool, "main", "@client_1", "hello", 1).await.word(), "sent");
    world.fault("main", FaultName::Banned).times(1).on();
    assert_eq!(send(&pool, "main", "@client_1", "hello", 2).await, Outcome::Banned(Reason::Banned));
    assert!(!pool.can_still_tell(&name("main")));
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), Vec::<&str>::new());
    assert_eq!(state(&pool, "main"), (AccountState::Banned, Some(Reason::Banned)));
    assert_eq!(world.texts(), ["hello"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn begun_message_is_sent_to_an_unstored_chat() {
    let (world, pool) = one_account().await;
    let place = world.telegram().accounts().len() + 1;
    let order = serde_json::json!({"name": "stranger", "phone": format!("+7000000{place:04}"), "dialogs": 0});
    let order = serde_json::from_value(order).expect("an order");
    let stranger = world.telegram().add_account(&order).expect("an account").user_id;
    pool.stop(Duration::from_secs(5)).await;
    let hello = serde_json::json!({"from": "stranger", "chat": "@demo_backup_1", "text": "hello"});
    world.telegram().write(&serde_json::from_value(hello).expect("an order")).expect("a message");
    // No update and no refresh mentions them: only the look for this one chat does.
    for method in ["updates.getDifference", "updates.getState"] {
        world.fault("backup_1", FaultName::RpcError).method(method).error(500, "INTERNAL").on();
    }
    let pool = world.pool().await;
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    let chat_id = domain::ChatId::user(stranger).expect("an id");
    let outcome = send_to(&pool, "backup_1", chat_id, "welcome", 1).await;
    assert_eq!(outcome.word(), "sent", "{outcome:?}");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_data_centre_is_waited_for() {
    for refusal in [Some((500, "INTERNAL")), Some((-503, "TIMEOUT")), Some((-429, "FLOOD")), None] {
        let (world, pool) = one_account().await;
        chat_id(&pool, "backup_1", "@client_1").await;
        let greeting = match refusal {
            Some((code, message)) => world.fault("backup_1", FaultName::RpcError).error(code, message),
            // It answers in a way that no one understands.
            None => world.fault("backup_1", FaultName::Unreadable),
        };
        let fault = greeting.method("users.getUsers").on();
        world.fault("backup_1", FaultName::Disconnect).times(1).on();
        send(&pool, "backup_1", "@client_1", "cut", 1).await;
        until("it was turned away", || state(&pool, "backup_1").0 == AccountState::Error).await;
        let waiting = candidates(&pool, "@client_1", None).await;
        let able: Vec<_> = waiting.able.iter().map(|one| one.readiness).collect();
        assert_eq!(able, [Readiness::Connecting], "{refusal:?}: work waits for it: {waiting:?}");
        world.telegram().remove_fault(fault);
        until("it is back", || {
            world.clock.advance(Duration::from_secs(1));
            state(&pool, "backup_1").0 == AccountState::Ready
        })
        .await;
        pool.stop(Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_connection_is_opened_again() {
    for forgotten in ["CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"] {
        let (world, pool) = one_account().await;
        let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
        let greetings = || world.calls("backup_1", "users.getUsers");
        let before = greetings();
        world.fault("backup_1", FaultName::RpcError).error(400, forgotten).times(1).on();
        let outcome = send_to(&pool, "backup_1", chat_id, "hello", 1).await;
        assert!(matches!(outcome, Outcome::Unavailable(_)), "{outcome:?}");
        until("another one is opened", || {
            greetings() > before && state(&pool, "backup_1").0 == AccountState::Ready
        })
        .await;
        assert!(sent_id(send_to(&pool, "backup_1", chat_id, "hello", 1).await).is_some());
        pool.stop(Duration::from_secs(5)).await;
    }
}

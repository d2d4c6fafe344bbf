//! Updates: taken as they come, and caught up with after an absence.

use std::time::Duration;

use domain::Purpose;
use domain::account::AccountState;
use sandbox::telegram::{FaultName, NewAccount, NewMessage};

use crate::world::{World, able, candidates, name, state, until, view};

/// Somebody nobody knows yet writes to an account.
fn stranger_writes(world: &World, stranger: &str, to: &str) -> String {
    let place = world.telegram().accounts().len() + 1;
    let order =
        NewAccount { name: stranger.to_owned(), phone: format!("+7000000{place:04}"), dialogs: 0, dc_id: 2 };
    let account = world.telegram().add_account(&order).expect("an account");
    write(world, stranger, &format!("@demo_{to}"), "hello");
    account.user_id.to_string()
}

fn write(world: &World, from: &str, chat: &str, text: &str) {
    let order = NewMessage {
        from: from.to_owned(),
        chat: chat.to_owned(),
        text: text.to_owned(),
        buttons: Vec::new(),
        account: None,
    };
    world.telegram().write(&order).expect("a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_is_known_from_then_on() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = world.ready().await;
    let received = view(&pool, "backup_1").updates.received;
    let stranger = stranger_writes(&world, "stranger", "backup_1");
    until("the update was taken", || view(&pool, "backup_1").updates.received > received).await;
    assert_eq!(able(&candidates(&pool, &stranger, None).await), ["backup_1"]);
    assert_eq!(able(&candidates(&pool, "@demo_stranger", None).await), ["backup_1"]);
    assert_eq!(world.calls("backup_1", "contacts.resolveUsername"), 0);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_nobody_was_there_is_caught_up_with() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = world.ready().await;
    let stored = async || world.store.accounts().update_state(&name("backup_1")).await.expect("readable");
    let mut before = stored().await;
    while before.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        before = stored().await;
    }
    pool.stop(Duration::from_secs(5)).await;
    let stranger = stranger_writes(&world, "stranger", "backup_1");
    let supergroup = world
        .telegram()
        .chats()
        .iter()
        .find(|chat| chat.title == "Demo supergroup")
        .map(|chat| chat.chat_id.clone());
    write(&world, "@client_1", &supergroup.expect("one"), "is anybody there?");
    let pool = world.pool().await;
    until("caught up", || view(&pool, "backup_1").updates.received > 0).await;
    assert_eq!(able(&candidates(&pool, &stranger, None).await), ["backup_1"]);
    assert_eq!(view(&pool, "backup_1").updates.missed, 0);
    pool.stop(Duration::from_secs(5)).await;
    let after = stored().await.expect("stored");
    assert!(before.is_some_and(|before| after.pts > before.pts));
    world.assert_all_known();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_a_day_is_counted_and_left_out() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = world.ready().await;
    while world.store.accounts().update_state(&name("backup_1")).await.expect("readable").is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pool.stop(Duration::from_secs(5)).await;
    for number in 0..3 {
        write(&world, "@client_1", "@demo_backup_1", &format!("message {number}"));
    }
    world.clock.advance(Duration::from_hours(25));
    let pool = world.pool().await;
    until("counted", || view(&pool, "backup_1").updates.missed == 3).await;
    assert_eq!(view(&pool, "backup_1").updates.received, 0);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn being_thrown_out_of_a_chat_is_noticed() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = world.ready().await;
    for title in ["Demo group", "Demo supergroup"] {
        let chat =
            world.telegram().chats().iter().find(|chat| chat.title == title).map(|chat| chat.chat_id.clone());
        let chat = chat.expect("a chat");
        assert_eq!(able(&candidates(&pool, &chat, None).await), ["backup_1"], "{title}");
        let order = serde_json::json!({"account": "backup_1", "remove": true});
        let order = serde_json::from_value(order).expect("an order");
        world.telegram().move_member(&chat, &order).expect("out");
        until("noticed", || {
            use delivery::Sender;
            let now = pool.candidates_now(&crate::world::query(&chat, None));
            now.is_some_and(|candidates| candidates.able.is_empty())
        })
        .await;
    }
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_that_is_up_reads_whichever_it_is() {
    let world = World::new().await.only(&["main"]);
    let pool = world.ready().await;
    let readers = |state: AccountState| {
        view(&pool, "main").lines.iter().filter(|line| line.reads_updates && line.state == state).count()
    };
    assert!(
        view(&pool, "main")
            .lines
            .iter()
            .any(|line| line.purposes == [Purpose::CreateChat] && line.reads_updates)
    );
    let fault = world.fault("main", FaultName::RpcError).method("updates.getState");
    fault.error(401, "SESSION_REVOKED").times(3).on();
    // The probes find that three sessions are gone.
    world.clock.advance(Duration::from_secs(21));
    until("three lines are gone", || {
        view(&pool, "main").lines.iter().filter(|line| line.state == AccountState::NeedsLogin).count() == 3
    })
    .await;
    until("the fourth reads", || readers(AccountState::Ready) == 1).await;
    let received = view(&pool, "main").updates.received;
    write(&world, "@client_1", "@demo_main", "still there?");
    until("taken", || view(&pool, "main").updates.received > received).await;
    assert_eq!(state(&pool, "main").0, AccountState::NeedsLogin);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cut_connection_lost_is_asked_for() {
    let world = World::new().await.only(&["backup_1"]);
    let pool = world.ready().await;
    let received = view(&pool, "backup_1").updates.received;
    world.fault("backup_1", FaultName::Deaf).any_method().times(1).on();
    world.fault("backup_1", FaultName::Disconnect).any_method().times(2).on();
    let stranger = stranger_writes(&world, "stranger", "backup_1");
    until("taken", || {
        world.clock.advance(Duration::from_millis(250));
        view(&pool, "backup_1").updates.received > received
    })
    .await;
    assert_eq!(able(&candidates(&pool, &stranger, None).await), ["backup_1"]);
    pool.stop(Duration::from_secs(5)).await;
}

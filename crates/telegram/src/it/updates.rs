//! Updates: taken as they come, and caught up with after an absence.

use std::time::Duration;

use domain::Purpose;
use domain::account::AccountState;
use sandbox::telegram::{FaultName, NewAccount, NewMessage};

use telegram::Pool;

use crate::it::world::{World, able, candidates, one_account, send, state, until, view};

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
        media: Vec::new(),
        album: None,
        buttons: Vec::new(),
        keyboard: Vec::new(),
        account: None,
    };
    world.telegram().write(&order).expect("a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_are_known_after_their_first_message() {
    let (world, pool) = one_account().await;
    let received = view(&pool, "backup_1").updates.received;
    let stranger = stranger_writes(&world, "stranger", "backup_1");
    until("the update was taken", || view(&pool, "backup_1").updates.received > received).await;
    assert_eq!(able(&candidates(&pool, &stranger, None).await), ["backup_1"]);
    assert_eq!(able(&candidates(&pool, "@demo_stranger", None).await), ["backup_1"]);
    assert_eq!(world.calls("backup_1", "contacts.resolveUsername"), 0);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_missed_while_away_are_caught_up_with() {
    let (world, pool) = one_account().await;
    let before = world.update_state("backup_1").await;
    pool.stop(Duration::from_secs(5)).await;
    let stranger = stranger_writes(&world, "stranger", "backup_1");
    let supergroup = world.demo("Demo supergroup");
    write(&world, "@client_1", &supergroup, "is anybody there?");
    let pool = world.pool().await;
    until("caught up", || view(&pool, "backup_1").updates.received > 0).await;
    assert_eq!(able(&candidates(&pool, &stranger, None).await), ["backup_1"]);
    assert_eq!(view(&pool, "backup_1").updates.missed, 0);
    pool.stop(Duration::from_secs(5)).await;
    assert!(world.update_state("backup_1").await.pts > before.pts);
    world.assert_no_unknown_calls();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentioned_channel_is_caught_up_with_as_well() {
    let (world, pool) = one_account().await;
    let supergroup = world.demo("Demo supergroup");
    let supergroup = supergroup.as_str();
    let received = |pool: &Pool| view(pool, "backup_1").updates.received;
    let before = received(&pool);
    write(&world, "@client_1", supergroup, "one");
    until("taken", || received(&pool) > before).await;
    pool.stop(Duration::from_secs(5)).await;
    for number in 0..5 {
        write(&world, "@client_1", supergroup, &format!("while away {number}"));
    }
    let pool = world.pool().await;
    until("caught up", || received(&pool) >= 5).await;
    pool.stop(Duration::from_secs(5)).await;
    assert_eq!(world.update_state("backup_1").await.channels.len(), 1);
    assert!(world.calls("backup_1", "updates.getChannelDifference") >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_ten_thousand_messages_are_caught_up_with() {
    let (world, pool) = one_account().await;
    pool.stop(Duration::from_secs(5)).await;
    for number in 0..10_100 {
        let client = if number % 2 == 0 { "@client_1" } else { "@client_2" };
        write(&world, client, "@demo_backup_1", "again");
    }
    let pool = world.pool().await;
    until("the rest is counted", || view(&pool, "backup_1").updates.missed == 100).await;
    assert_eq!(view(&pool, "backup_1").updates.received, 10_000);
    // The rest is in the histories.
    crate::it::received::filled(&world, 10_100).await;
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_older_than_a_day_are_counted_and_left_out() {
    let (world, pool) = one_account().await;
    pool.stop(Duration::from_secs(5)).await;
    for number in 0..3 {
        write(&world, "@client_1", "@demo_backup_1", &format!("message {number}"));
    }
    world.clock.advance(Duration::from_hours(25));
    let pool = world.pool().await;
    until("counted", || view(&pool, "backup_1").updates.missed == 3).await;
    let gaps = view(&pool, "backup_1").updates.gaps;
    assert_eq!(gaps.iter().map(|gap| gap.up_to_pts - gap.after_pts).collect::<Vec<_>>(), [3]);
    assert_eq!(view(&pool, "backup_1").updates.received, 0);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_from_a_chat_is_noticed() {
    let (world, pool) = one_account().await;
    for title in ["Demo group", "Demo supergroup"] {
        let chat = world.demo(title);
        assert_eq!(able(&candidates(&pool, &chat, None).await), ["backup_1"], "{title}");
        let order = serde_json::json!({"account": "backup_1", "remove": true});
        let order = serde_json::from_value(order).expect("an order");
        world.telegram().move_member(&chat, &order).expect("out");
        until("noticed", || {
            use delivery::Sender;
            let now = pool.candidates_now(&crate::it::world::query(&chat, None));
            now.is_some_and(|candidates| candidates.able.is_empty())
        })
        .await;
    }
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readmitted_account_is_a_member_after_a_restart() {
    let (world, pool) = one_account().await;
    let group = world.demo("Demo group");
    let out_and_in = || {
        for remove in [true, false] {
            let order = serde_json::json!({"account": "backup_1", "remove": remove});
            let order = serde_json::from_value(order).expect("an order");
            world.telegram().move_member(&group, &order).expect("moved");
        }
    };
    // Both at once, while it is there and while it is away.
    let received = |pool: &Pool| view(pool, "backup_1").updates.received;
    let before = received(&pool);
    out_and_in();
    until("taken", || received(&pool) >= before + 2).await;
    pool.stop(Duration::from_secs(5)).await;
    for round in 0..2 {
        let kept = world.store.peers().all(&crate::it::world::name("backup_1")).await.expect("readable");
        let kept = kept.iter().find(|peer| peer.chat_id.to_string() == group).map(|peer| peer.dialog);
        assert_eq!(kept, Some(true), "round {round}");
        if round == 0 {
            out_and_in();
            let pool = world.pool().await;
            until("caught up", || received(&pool) >= 2).await;
            pool.stop(Duration::from_secs(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_connected_line_reads_updates() {
    let world = World::new().await.only(&["main"]);
    let pool = world.ready().await;
    let readers = |state: AccountState| {
        view(&pool, "main").lines.iter().filter(|line| line.reads_updates && line.state == state).count()
    };
    assert!(
        view(&pool, "main")
            .lines
            .iter()
            .any(|line| line.purposes == [Purpose::SendText] && line.reads_updates)
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
async fn one_line_gets_pushes_and_the_next_reader_loses_nothing() {
    let world = World::new().await.only(&["main"]);
    let pool = world.ready().await;
    let reader = || view(&pool, "main").lines.into_iter().find(|line| line.reads_updates).expect("a reader");
    let received = || view(&pool, "main").updates.received;
    assert_eq!((&reader().purposes[..], world.telegram().subscribed("main")), (&[Purpose::SendText][..], 1));
    // The connection of the reader dies with a message that was not pushed.
    let before = received();
    let deaf = world.fault("main", FaultName::Deaf).any_method().on();
    let stranger = stranger_writes(&world, "stranger", "main");
    world.telegram().remove_fault(deaf);
    world.fault("main", FaultName::Disconnect).times(1).on();
    send(&pool, "main", "@client_1", "lost on the way", 1).await;
    until("another line asks for it", || received() > before).await;
    assert_eq!(able(&candidates(&pool, &stranger, None).await), ["main"]);
    // The line that died comes back, and does not read.
    until("all are up", || view(&pool, "main").lines.iter().all(|line| line.state == AccountState::Ready))
        .await;
    assert_eq!(send(&pool, "main", "@client_1", "not pushed", 2).await.word(), "sent");
    assert!(reader().purposes != [Purpose::SendText] && world.telegram().subscribed("main") == 1);
    let before = received();
    write(&world, "@client_1", "@demo_main", "pushed");
    until("taken", || received() > before).await;
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_lost_by_a_cut_connection_are_requested() {
    let (world, pool) = one_account().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn updates_beyond_the_queue_are_requested_again() {
    const MANY: u64 = 1_500;
    let (world, pool) = one_account().await;
    let supergroup = world.demo("Demo supergroup");
    let supergroup = supergroup.as_str();
    let received = || view(&pool, "backup_1").updates.received;
    let call_count = |method| world.calls("backup_1", method);
    let before = received();
    write(&world, "@client_1", supergroup, "one");
    until("taken", || received() > before).await;
    // One of the channel gets lost, so that the reader asks for it; meanwhile it takes nothing else.
    let deaf = world.fault("backup_1", FaultName::Deaf).any_method().on();
    write(&world, "@client_1", supergroup, "two");
    world.telegram().remove_fault(deaf);
    let late = world.fault("backup_1", FaultName::Delay).method("updates.getChannelDifference").seconds(1.0);
    late.times(1).on();
    let (before, differences) = (received(), call_count("updates.getDifference"));
    write(&world, "@client_1", supergroup, "three");
    until("it is asked for", || call_count("updates.getChannelDifference") > 0).await;
    for number in 0..MANY {
        write(&world, "@client_1", "@demo_backup_1", &number.to_string());
        if number % 100 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(received(), before, "the reader waits");
    until("all of them came", || received() >= before + MANY + 2).await;
    assert!(call_count("updates.getDifference") > differences);
    assert_eq!((received(), view(&pool, "backup_1").updates.missed), (before + MANY + 2, 0));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_updates_are_skipped_and_the_rest_is_read() {
    let (world, pool) = one_account().await;
    let supergroup = world.demo("Demo supergroup");
    let supergroup = supergroup.as_str();
    let received = |pool: &Pool| view(pool, "backup_1").updates.received;
    let before = received(&pool);
    write(&world, "@client_1", supergroup, "one");
    until("taken", || received(&pool) > before).await;
    pool.stop(Duration::from_secs(5)).await;
    for number in 0..5 {
        write(&world, "@client_1", supergroup, &format!("while away {number}"));
    }
    for method in ["updates.getChannelDifference", "updates.getDifference"] {
        world.fault("backup_1", FaultName::Unreadable).method(method).on();
    }
    let pool = world.pool().await;
    until("it is ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(received(&pool), 0);
    until("others are heard", || {
        world.clock.advance(Duration::from_secs(1));
        write(&world, "@client_1", "@demo_backup_1", "hello");
        received(&pool) > 0
    })
    .await;
    pool.stop(Duration::from_secs(5)).await;
}

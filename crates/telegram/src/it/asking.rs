//! What is said of a chat that no one finds: only those who could look say that it is not there.

use std::time::Duration;

use delivery::{Candidates, RefusalKind, Sender};
use sandbox::telegram::{FaultName, MemberOrder, NewChat};

use crate::it::world::{World, able, candidates, name, one_account, query, until, view};

const UNKNOWN: &str = "-1009999999999";

fn why(found: &Candidates, account: &str) -> (RefusalKind, String) {
    let one = found.refused.iter().find(|(refusal, _)| refusal.account == name(account));
    one.map(|(refusal, why)| (*why, refusal.why.clone())).expect("considered")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_public_chat_is_looked_up_once_by_each_account() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let chats = world.telegram().chats();
    let channel = chats.iter().find(|chat| chat.username.as_deref() == Some("demo_channel")).expect("one");
    for account in ["backup_1", "backup_2"] {
        let order = serde_json::json!({"account": account, "remove": "ban"});
        let order: MemberOrder = serde_json::from_value(order).expect("an order");
        world.telegram().move_member(&channel.chat_id, &order).expect("banned");
    }
    let pool = world.ready().await;
    // Once by its name, then by its id, which it has under that name.
    for chat in ["@demo_channel", &channel.chat_id] {
        world.telegram().clear_calls();
        let found = candidates(&pool, chat, None).await;
        assert_eq!((able(&found).len(), found.refused.len()), (0, 2), "{found:?}");
        assert!(found.refused.iter().all(|(_, why)| *why == RefusalKind::NotFound), "{found:?}");
        for account in ["backup_1", "backup_2"] {
            let calls = world.calls(account, "contacts.resolveUsername");
            assert!(calls <= 1, "{account} asked {calls} times for {chat}");
        }
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_dialogs_block_no_other_account() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let flood = world.fault("backup_1", FaultName::FloodWait).method("messages.getDialogs").seconds(600.0);
    let flood = flood.on();
    let pool = world.pool().await;
    until("the other one has read them", || view(&pool, "backup_2").dialogs_complete).await;
    until("it is held up", || !view(&pool, "backup_1").floods.is_empty()).await;
    world.telegram().clear_calls();
    let lookup = tokio::time::timeout(Duration::from_secs(10), candidates(&pool, UNKNOWN, None));
    let found = lookup.await.expect("no one waits for what is ten minutes away");
    assert_eq!(world.calls("backup_2", "messages.getDialogs"), 1);
    assert_eq!(why(&found, "backup_2").0, RefusalKind::NotFound);
    assert_eq!(why(&found, "backup_1").0, RefusalKind::Unusable, "{found:?}");
    // What the other one finds is found.
    let order = NewChat {
        kind: sandbox::telegram::ChatKind::Supergroup,
        title: "Made elsewhere".to_owned(),
        creator: "@client_1".to_owned(),
        members: vec!["backup_2".to_owned()],
    };
    let made = world.telegram().quietly().make_chat(&order).expect("made").chat_id;
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(able(&candidates(&pool, &made, None).await), ["backup_2"]);
    world.telegram().remove_fault(flood);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_dialogs_that_could_not_be_read_deny_no_chat() {
    let (world, pool) = one_account().await;
    world.fault("backup_1", FaultName::RpcError).method("messages.getDialogs").error(500, "INTERNAL").on();
    world.telegram().clear_calls();
    for unknown in [UNKNOWN, "-1009999999998", "4242424242"] {
        let found = candidates(&pool, unknown, None).await;
        assert_eq!(why(&found, "backup_1").0, RefusalKind::Unusable, "{unknown}: {found:?}");
    }
    // Nor is it tried again for every chat.
    assert_eq!(world.calls("backup_1", "messages.getDialogs"), 1);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_of_different_chats_at_once_share_one_reading() {
    let (world, pool) = one_account().await;
    world.fault("backup_1", FaultName::Delay).method("messages.getDialogs").seconds(0.3).on();
    world.telegram().clear_calls();
    let order = NewChat {
        kind: sandbox::telegram::ChatKind::Supergroup,
        title: "Made elsewhere".to_owned(),
        creator: "@client_1".to_owned(),
        members: vec!["backup_1".to_owned()],
    };
    let made = world.telegram().quietly().make_chat(&order).expect("made").chat_id;
    let queries = [query(UNKNOWN, None), query(&made, None)];
    let found = futures::future::join_all(queries.iter().map(|query| pool.candidates(query))).await;
    assert_eq!(why(&found[0], "backup_1").0, RefusalKind::NotFound);
    assert_eq!(able(&found[1]), ["backup_1"], "{found:?}");
    assert_eq!(world.calls("backup_1", "messages.getDialogs"), 1);
    pool.stop(Duration::from_secs(5)).await;
}

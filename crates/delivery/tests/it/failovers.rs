//! Another account than the first choice: it is written down, it takes over what is lost, and it follows a chat that moved.

use std::time::Duration;

use domain::{ChatId, ChatRef, MessageState, Outcome};
use store::{FailoverFilter, FailoverRecord, Page};

use crate::script::{Act, Bench, group, name, text};

async fn failovers(bench: &Bench) -> Vec<FailoverRecord> {
    let page = Page { limit: 50, cursor: None };
    bench.store.failovers().list(&FailoverFilter::default(), &page).await.expect("reads").items
}

#[tokio::test]
async fn a_failover_is_one_row_that_says_why() {
    let bench = Bench::new().await;
    let first = bench.submit(text(group(1), "by main")).await;
    bench.settled(first).await;
    assert!(failovers(&bench).await.is_empty());

    let until = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.act("main", [Act::Refuse(Outcome::held(until))]);
    let long = format!("{}\n\n{}", "a".repeat(4_000), "b".repeat(4_000));
    let second = bench.submit(text(group(1), &long)).await;
    assert_eq!(bench.settled(second).await.account, Some(name("backup")));
    let rows = failovers(&bench).await;
    assert_eq!(rows.len(), 1, "one for a message, however many parts it has: {rows:?}");
    let row = &rows[0];
    assert_eq!((&row.failover.from, &row.failover.to), (&name("main"), &name("backup")));
    assert_eq!((row.subject.clone(), row.failover.chat_id), (second.to_string(), ChatId::channel(1)));
    assert!(row.failover.reason.contains("flood wait until"), "{}", row.failover.reason);

    let mut pinned = text(group(2), "pinned");
    pinned.pin = Some(name("backup"));
    let pinned = bench.submit(pinned).await;
    bench.settled(pinned).await;
    assert_eq!(failovers(&bench).await.len(), 1, "a caller chose that account");
    assert!(bench.script.rebound().is_empty(), "main comes back");
}

#[tokio::test]
async fn second_failover_is_a_row_of_its_own() {
    let bench = Bench::new().await;
    let soon = bench.clock.now().plus(Duration::from_mins(5));
    bench.script.act("main", [Act::Refuse(Outcome::held(soon))]);
    bench.script.act("backup", [Act::Refuse(Outcome::held(soon.plus(Duration::from_mins(5))))]);
    let id = bench.submit(text(group(1), "there and back")).await;
    while failovers(&bench).await.is_empty() {
        bench.breathe().await;
    }
    bench.clock.advance(Duration::from_secs(301));
    assert_eq!(bench.settled(id).await.account, Some(name("main")));
    let rows = failovers(&bench).await;
    let mut went: Vec<_> =
        rows.iter().map(|row| format!("{} -> {}", row.failover.from, row.failover.to)).collect();
    went.sort();
    assert_eq!(went, ["backup -> main", "main -> backup"]);
    assert!(rows.iter().all(|row| row.failover.reason.contains("flood wait until")), "{rows:?}");
}

#[tokio::test]
async fn a_chat_bound_to_a_lost_account_is_rebound_for_good() {
    let bench = Bench::new().await;
    bench.script.bind("main");
    bench.script.lose("main");
    let id = bench.submit(text(group(1), "one")).await;
    assert_eq!(bench.settled(id).await.account, Some(name("backup")));
    assert_eq!(bench.script.rebound(), [name("backup")]);
    assert_eq!(failovers(&bench).await[0].failover.reason, "gone");
    let bound = bench.store.chats().get(ChatId::channel(1).expect("a chat")).await.expect("reads");
    assert_eq!(bound.and_then(|chat| chat.account), Some(name("backup")));
    let next = bench.submit(text(group(1), "two")).await;
    bench.settled(next).await;
    assert_eq!((bench.script.rebound().len(), failovers(&bench).await.len()), (1, 1));
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed_in_order() {
    let bench = Bench::new().await;
    let old = ChatId::group(5).expect("a group");
    let new = ChatId::channel(9).expect("a chat");
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let mut ids = Vec::new();
    for number in 0..4 {
        let chat = if number == 2 { new } else { old };
        ids.push(bench.submit(text(ChatRef::Id(chat), &number.to_string())).await);
    }
    bench.breathe().await;
    bench.script.migrate(old, new);
    ids.push(bench.submit(text(ChatRef::Id(old), "4")).await);
    bench.clock.advance(Duration::from_secs(301));
    for id in ids {
        let message = bench.settled(id).await;
        assert_eq!((message.state, message.chat_id()), (MessageState::Sent, Some(new)));
    }
    let texts = bench.script.texts();
    let of_old: Vec<_> = texts.iter().filter(|text| *text != "2").collect();
    assert_eq!(of_old, ["0", "1", "3", "4"], "{texts:?}");
    assert!(bench.script.effects().iter().all(|effect| effect.address == new.into()));
}

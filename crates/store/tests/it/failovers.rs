//! Failovers: written with the work that they belong to, listed by chat and account.

use std::time::Duration;

use domain::saga::Failover;
use domain::{ChatId, MessageId};
use store::{Begin, FailoverFilter, FailoverRecord, Page, StoreError};

use crate::support::{World, account, chat, chat_number, conformance};

conformance! {
    a_failover_is_written_with_the_beginning,
    filters_hold_together_and_pages_are_complete,
}

fn failover(world: &World, chat_id: ChatId, from: &str, to: &str) -> Failover {
    Failover {
        at: world.now(),
        chat_id: Some(chat_id),
        from: account(from),
        to: account(to),
        reason: "banned".into(),
    }
}

async fn listed(world: &World, filter: &FailoverFilter, limit: u32) -> Vec<FailoverRecord> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let listed = world.store.failovers().list(filter, &Page { limit, cursor }).await.unwrap();
        found.extend(listed.items);
        cursor = listed.next_cursor;
        if cursor.is_none() {
            return found;
        }
    }
}

async fn begin(world: &World, id: MessageId, failover: Failover) -> Result<(), StoreError> {
    let begin = Begin { account: failover.to.clone(), failover: Some(failover), ..world.begin(id, 0) };
    world.store.outbox().begin(begin).await
}

async fn a_failover_is_written_with_the_beginning(world: World) {
    let id = world.queued(1).await;
    let failover = failover(&world, chat(), "main", "backup_1");
    begin(&world, id, failover.clone()).await.unwrap();
    // The same write again is the same failover.
    begin(&world, id, failover.clone()).await.unwrap();
    let expected = FailoverRecord { failover: failover.clone(), subject: id.to_string() };
    assert_eq!(listed(&world, &FailoverFilter::default(), 10).await, [expected]);
    // What is not begun has not gone anywhere.
    let cancelled = world.queued(1).await;
    world.store.outbox().cancel(cancelled, world.now(), None).await.unwrap();
    assert!(begin(&world, cancelled, failover).await.is_err());
    world.store.outbox().begin(world.begin(world.queued(1).await, 0)).await.unwrap();
    assert_eq!(listed(&world, &FailoverFilter::default(), 10).await.len(), 1);
}

async fn filters_hold_together_and_pages_are_complete(world: World) {
    let mut made = Vec::new();
    let ways = [("main", "backup_1"), ("backup_1", "main"), ("main", "backup_2")];
    for (number, (from, to)) in (0..20).zip(ways.into_iter().cycle()) {
        let failover = failover(&world, chat_number(number % 2 + 1), from, to);
        let id = world.queued(1).await;
        begin(&world, id, failover.clone()).await.unwrap();
        made.push(FailoverRecord { failover, subject: id.to_string() });
        if number % 5 == 0 {
            world.clock.advance(Duration::from_secs(1));
        }
    }
    made.reverse();
    for name in [None, Some("main"), Some("backup_1"), Some("backup_2"), Some("nobody")] {
        for chat_id in [None, Some(chat_number(1)), Some(chat_number(9))] {
            let filter = FailoverFilter { chats: chat_id.map(|id| vec![id]), account: name.map(account) };
            let expected: Vec<_> = made
                .iter()
                .filter(|record| {
                    let Failover { chat_id, from, to, .. } = &record.failover;
                    filter.chats.as_ref().is_none_or(|wanted| chat_id.is_some_and(|id| wanted.contains(&id)))
                        && filter.account.as_ref().is_none_or(|wanted| wanted == from || wanted == to)
                })
                .cloned()
                .collect();
            for limit in [1, 3, 100] {
                assert_eq!(listed(&world, &filter, limit).await, expected, "{filter:?}");
            }
        }
    }
    let strange = Page { limit: 1, cursor: Some("7".into()) };
    let refused = world.store.failovers().list(&FailoverFilter::default(), &strange).await;
    assert_eq!(refused, Err(StoreError::BadCursor));
}

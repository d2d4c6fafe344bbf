//! A row that cannot be read: what it belongs to stays and waits, everything else goes on.

use std::path::Path;
use std::time::Duration;

use domain::MessageState;
use domain::saga::SagaState;
use store::StoreError;

use crate::provider::{SagaBench, create};
use crate::script::{Bench, group, text};

/// As a person at the file would do it.
fn edit(folder: &Path, sql: &str) {
    let database = rusqlite::Connection::open(folder.join("data/switchboard.db")).expect("the database");
    database.execute_batch(sql).expect("edits");
}

const BREAK: &str = "UPDATE outbox SET account = 'No Name!' WHERE content LIKE '%broken%';
    UPDATE outbox_parts SET state = 1 WHERE message_id IN (SELECT id FROM outbox WHERE content LIKE '%broken%');";
const REPAIR: &str = "UPDATE outbox SET account = NULL WHERE content LIKE '%broken%';
    UPDATE outbox_parts SET state = 0 WHERE message_id IN (SELECT id FROM outbox WHERE content LIKE '%broken%');";

async fn after_a_while(bench: &Bench, sent: usize) {
    for _ in 0..100 {
        if bench.script.texts().len() >= sent {
            return;
        }
        bench.clock.advance(Duration::from_mins(1));
        bench.breathe().await;
    }
}

#[tokio::test]
async fn unreadable_row_keeps_its_message_and_stops_no_other_lane() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let broken = bench.submit(text(group(1), "broken")).await;
    let behind = bench.submit(text(group(1), "behind")).await;
    let elsewhere = bench.submit(text(group(2), "elsewhere")).await;
    edit(bench.folder.path(), BREAK);
    bench.clock.advance(Duration::from_mins(5));
    assert_eq!(bench.settled(elsewhere).await.state, MessageState::Sent);
    bench.breathe().await;
    let Some(StoreError::Corrupt { table, column, id, .. }) = bench.store.unreadable() else { panic!() };
    assert_eq!((table, column.as_str(), id), ("outbox_parts", "account", broken.to_string()));
    bench.clock.advance(Duration::from_mins(3));
    bench.breathe().await;
    assert_eq!((bench.script.texts(), bench.delivery.queued()), (vec!["elsewhere".to_owned()], 2));

    edit(bench.folder.path(), REPAIR);
    after_a_while(&bench, 3).await;
    assert_eq!(bench.settled(broken).await.state, MessageState::Sent);
    assert_eq!(bench.settled(behind).await.state, MessageState::Sent);
    assert_eq!(bench.script.texts(), ["elsewhere", "broken", "behind"]);
    bench.clock.advance(Duration::from_mins(6));
    assert_eq!(bench.store.unreadable(), None);
}

#[tokio::test]
async fn start_resumes_all_but_the_lane_of_the_unreadable_message() {
    let bench = Bench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.script.hold(account, until);
    }
    let before = bench.submit(text(group(1), "before")).await;
    let broken = bench.submit(text(group(1), "broken")).await;
    let behind = bench.submit(text(group(1), "behind")).await;
    let elsewhere = bench.submit(text(group(2), "elsewhere")).await;
    let last = bench.submit(text(group(3), "broken last")).await;
    edit(bench.folder.path(), BREAK);
    let bench = bench.restart().await;
    bench.clock.advance(Duration::from_mins(5));
    for whole in [before, elsewhere] {
        assert_eq!(bench.settled(whole).await.state, MessageState::Sent);
    }
    bench.clock.advance(Duration::from_mins(3));
    bench.breathe().await;
    assert!(matches!(bench.store.unreadable(), Some(StoreError::Corrupt { table: "outbox", .. })));
    assert_eq!((bench.script.texts().len(), bench.delivery.queued()), (2, 3), "no message passes it");

    edit(bench.folder.path(), REPAIR);
    after_a_while(&bench, 5).await;
    for late in [broken, behind, last] {
        assert_eq!(bench.settled(late).await.state, MessageState::Sent);
    }
    let mut late = bench.script.texts().split_off(2);
    late.retain(|text| text != "broken last");
    assert_eq!(late, ["broken", "behind"]);
}

#[tokio::test]
async fn start_resumes_all_but_the_unreadable_operation() {
    let bench = SagaBench::new().await;
    bench.provider.switch(true);
    let broken = bench.submit(create("broken")).await;
    let whole = bench.submit(create("whole")).await;
    edit(bench.folder.path(), "UPDATE operations SET account = 'No Name!' WHERE task LIKE '%broken%'");
    let bench = bench.restart().await;
    bench.provider.switch(false);
    assert_eq!(bench.settled(whole).await.state, SagaState::Done);
    assert!(matches!(bench.store.unreadable(), Some(StoreError::Corrupt { table: "operations", .. })));

    edit(bench.folder.path(), "UPDATE operations SET account = NULL");
    bench.clock.advance(Duration::from_mins(1));
    assert_eq!(bench.settled(broken).await.state, SagaState::Done);
}

//! What is removed in time, and what must stay.

use std::time::Duration;

use domain::account::Operation;
use store::{Accepted, Hold, Swept};

use crate::support::{World, account, begun, chat, conformance, with_join, with_key};

const DAY: Duration = Duration::from_hours(24);

conformance! { old_things_go_and_open_ones_stay, many_things_go_in_pieces }

async fn old_things_go_and_open_ones_stay(world: World) {
    let outbox = world.store.outbox();
    let sent = begun(world.message(1));
    outbox.accept(with_key(sent.clone(), 1, 1)).await.unwrap();
    outbox.part_sent(world.sent(sent.id, 0)).await.unwrap();
    let joined = begun(world.message(1));
    outbox.accept(with_join(joined.clone(), 1)).await.unwrap();
    outbox.part_sent(world.sent(joined.id, 0)).await.unwrap();
    let cancelled = world.queued(1).await;
    outbox.cancel(cancelled, world.now(), None).await.unwrap();
    let queued = world.queued(1).await;
    let doubtful = world.sending(1).await;
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    let until = world.now().plus(Duration::from_mins(1));
    let hold = Hold::Flood { account: account("main"), operation: Operation::Read, until };
    world.store.accounts().save_hold(hold).await.unwrap();
    let slow = Hold::SlowMode { account: account("main"), chat_id: chat(), until: until.plus(DAY) };
    world.store.accounts().save_hold(slow).await.unwrap();

    assert_eq!(world.store.sweep().await, Ok(Swept::default()));
    world.clock.advance(Duration::from_secs(61));
    let swept = Swept { joins: 1, holds: 1, ..Swept::default() };
    assert_eq!(world.store.sweep().await, Ok(swept));
    world.clock.advance(DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { keys: 1, holds: 1, ..Swept::default() }));
    // Sent long after it was made: the end counts.
    let late = world.sending(1).await;
    world.clock.advance(20 * DAY);
    outbox.part_sent(world.sent(late, 0)).await.unwrap();
    world.clock.advance(10 * DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { messages: 3, ..Swept::default() }));
    for gone in [sent.id, joined.id, cancelled] {
        assert_eq!(outbox.get(gone).await, Ok(None));
        assert!(outbox.timeline(gone).await.unwrap().is_empty());
    }
    for stays in [queued, doubtful, late] {
        assert!(outbox.get(stays).await.unwrap().is_some());
    }
}

async fn many_things_go_in_pieces(world: World) {
    let mut tasks = Vec::new();
    for number in 0..450_u16 {
        let mut accept = with_key(begun(world.message(1)), 0, 0);
        let id = accept.message.id;
        if let Some(idempotency) = &mut accept.idempotency {
            idempotency.scope[..2].copy_from_slice(&number.to_be_bytes());
        }
        let (store, sent) = (world.store.clone(), world.sent(id, 0));
        tasks.push(tokio::spawn(async move {
            assert_eq!(store.outbox().accept(accept).await, Ok(Accepted::New));
            store.outbox().part_sent(sent).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    world.clock.advance(31 * DAY);
    assert_eq!(world.store.sweep().await, Ok(Swept { messages: 450, keys: 450, ..Swept::default() }));
    world.store.clone().close().await;
    let file = world.dir.path().join("data/switchboard.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    for table in ["outbox", "outbox_parts", "outbox_timeline", "idempotency_keys", "outbox_joins"] {
        let rows: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

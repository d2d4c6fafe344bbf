//! A database of an earlier version opens, and keeps all that is in it.

use std::fs;
use std::time::Duration;

use domain::message::OutboundMessage;
use rusqlite::{Connection, params};
use store::{Accepted, SagaAccepted, Store};

use crate::support::{
    World, accept, account, begun, chat, make_chat, options, saga_with_key, with_join, with_key,
};

/// The schema before there was work on chats.
const EARLIER: [(i64, &str, &str); 3] = [
    (1, "outbox", include_str!("../../migrations/sqlite/0001_outbox.sql")),
    (2, "accounts", include_str!("../../migrations/sqlite/0002_accounts.sql")),
    (3, "api_keys", include_str!("../../migrations/sqlite/0003_api_keys.sql")),
];

/// The columns that the table had then.
const OUTBOX: &str = "id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, finished_at, \
    join_fingerprint, listener, api_key, address, failure, content";

/// Copies the rows of today's database into one that an earlier program made.
fn downgrade(from: &std::path::Path, to: &std::path::Path) {
    let old = Connection::open(to).unwrap();
    old.execute_batch(
        "CREATE TABLE schema_migrations (
             version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
         CREATE TABLE store_facts (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;",
    )
    .unwrap();
    for (version, name, sql) in EARLIER {
        old.execute_batch(sql).unwrap();
        old.execute("INSERT INTO schema_migrations VALUES ($1, $2, 0)", params![version, name]).unwrap();
    }
    old.execute("ATTACH $1 AS now", [from.to_str().unwrap()]).unwrap();
    for (table, source, columns) in [
        ("store_facts", "store_facts", "*"),
        ("outbox", "outbox", OUTBOX),
        ("outbox_parts", "outbox_parts", "message_id, part, random_id, state, provider_id, text"),
        ("outbox_timeline", "outbox_timeline", "*"),
        ("idempotency_keys", "idempotency_keys", "*"),
        ("outbox_joins", "request_joins", "*"),
        ("chat_bindings", "chat_bindings", "*"),
    ] {
        let copied =
            old.execute(&format!("INSERT INTO main.{table} SELECT {columns} FROM now.{source}"), []).unwrap();
        assert!(copied > 0, "{table}");
    }
    // The caller waited when the earlier program ended.
    old.execute("UPDATE outbox_joins SET open = 0", []).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_the_first_versions_are_kept() {
    let world = World::fresh().await;
    let outbox = world.store.outbox();
    let keyed = begun(world.message(2));
    outbox.accept(with_key(keyed.clone(), 1, 1)).await.unwrap();
    let joined = begun(world.message(1));
    outbox.accept(with_join(joined.clone(), 1)).await.unwrap();
    outbox.unanswered(joined.id).await.unwrap();
    let sent = world.sending(1).await;
    outbox
        .part_sent(store::PartSent { binding: store::Binding::IfUnbound, ..world.sent(sent, 0) })
        .await
        .unwrap();
    let messages: [OutboundMessage; 3] =
        [world.get(keyed.id).await, world.get(joined.id).await, world.get(sent).await];
    let steps = world.steps(sent).await;
    world.store.clone().close().await;

    let earlier = tempfile::tempdir().unwrap();
    fs::create_dir(earlier.path().join("data")).unwrap();
    let (from, to) = (world.dir.path().join("data"), earlier.path().join("data"));
    downgrade(&from.join("switchboard.db"), &to.join("switchboard.db"));
    fs::copy(from.join("master.key"), to.join("master.key")).unwrap();

    let store = Store::open(options(&earlier, &world.clock)).await.unwrap();
    for message in messages {
        assert_eq!(store.outbox().get(message.id).await, Ok(Some(message)));
    }
    let kept = store.outbox().timeline(sent).await.unwrap();
    assert_eq!(kept.into_iter().map(|entry| entry.step).collect::<Vec<_>>(), steps);
    assert_eq!(store.accounts().bindings().await, Ok(vec![(chat(), account("main"))]));
    let again = store.outbox().accept(with_key(world.message(1), 1, 1)).await;
    assert_eq!(again, Ok(Accepted::Repeated(keyed.id)));
    let again = store.outbox().accept(with_join(world.message(1), 1)).await;
    assert_eq!(again, Ok(Accepted::Joined(joined.id)));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(store.outbox().accept(accept(world.message(1))).await, Ok(Accepted::New));
    let saga = saga_with_key(world.saga(make_chat("Demo")), 2, 1);
    assert_eq!(store.sagas().accept(saga).await, Ok(SagaAccepted::New));
}

//! Killed while the store forgets what is past its time: the next sweep removes the rest, and what is new stays.

use std::time::Duration;

use ambient::Clock;
use serde_json::json;
use store::Swept;
use testkit::killed_at;

use super::{Lives, StoreAt, ask, finished, id, tiers};

/// The writes of a sweep, in its order.
const WRITES: [&str; 17] = [
    "store.drop_messages",
    "store.drop_keys",
    "store.drop_joins",
    "store.drop_holds",
    "store.drop_failed_requests",
    "store.drop_sagas",
    "store.drop_failovers",
    "store.drop_unresolved",
    "store.drop_callbacks",
    "store.drop_references",
    "store.drop_uploads",
    "store.drop_sent_counts",
    "store.drop_old_rows",
    "store.drop_alerts",
    "store.drop_alert_notices",
    "store.drop_webhook_deliveries",
    "store.drop_events",
];

pub(super) fn reaches(write: &str) -> bool {
    WRITES.contains(&write)
}

/// Sweeps the store of a world three months later.
async fn sweep(store: StoreAt) -> Swept {
    let clock = Clock::system();
    clock.advance(Duration::from_hours(91 * 24));
    let store = store.open(clock).await;
    let swept = store.sweep().await.expect("sweeps");
    store.events().sweep(store.retention().events).await.expect("sweeps");
    store.close().await;
    swept
}

/// One sweep after the other is killed, each at the next point.
pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    lives.start().await;
    let program = lives.program();
    program.account_is("fifth", "ready").await;
    finished(program, "old", json!({}), "sent").await;
    let old = format!("/v1/messages/{}", id(ask(program, "old", json!({})).await.as_ref()));
    let order = json!({"title": "Order", "members": ["@client_1"], "account": "fifth", "wait": 60});
    assert_eq!(program.post("/v1/chats", &order).await.0, 201);
    assert_eq!(program.send("-1009999999998", "x").await.0, 404);
    lives.kill();

    for write in WRITES {
        let of_write = tiers::known().filter(|point| super::write(point) == write);
        for point in of_write.filter(|point| points.iter().any(|wanted| wanted == point)) {
            let store = StoreAt::of(&lives.world);
            killed_at(point, async move || {
                sweep(store).await;
            })
            .await;
        }
    }
    for is_left in [true, false] {
        let store = StoreAt::of(&lives.world);
        testkit::run(async move || {
            let swept = sweep(store).await;
            assert!(is_left || swept == Swept::default(), "nothing is left: {swept:?}");
        })
        .await;
    }

    lives.start().await;
    let program = lives.program();
    assert_eq!(program.get(&old).await.0, 404);
    program.account_is("fifth", "ready").await;
    finished(program, "new", json!({}), "sent").await;
    assert_eq!(lives.world.sent().await, ["old", "new"]);
}

//! Killed while the store forgets what is past its time: the next sweep removes the rest, and what is new stays.

use std::path::PathBuf;
use std::time::Duration;

use ambient::Clock;
use serde_json::json;
use store::{MasterKey, Store, StoreOptions, Swept};
use testkit::{World, killed_at};

use super::{Lives, ask, finished, id, tiers};

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

/// The store of a world, three months later.
#[derive(Clone)]
struct Later {
    data_dir: PathBuf,
    url: String,
}

impl Later {
    async fn swept(self) -> Swept {
        let clock = Clock::system();
        clock.advance(Duration::from_hours(91 * 24));
        let Self { data_dir, url } = self;
        let master_key = MasterKey::File(data_dir.join("master.key"));
        let store = Store::open(StoreOptions { data_dir, url, clock, master_key }).await.expect("opens");
        let swept = store.sweep().await.expect("sweeps");
        store.events().sweep(store.retention().events).await.expect("sweeps");
        store.close().await;
        swept
    }
}

/// One sweep after the other is killed, each at the next point.
pub(super) async fn kill_at_each(world: World, points: &[String]) {
    let mut lives = Lives::new(world);
    lives.start().await;
    let program = lives.program();
    program.account_is("fifth", "ready").await;
    finished(program, "old", json!({}), "sent").await;
    let old = format!("/v1/messages/{}", id(ask(program, "old", json!({})).await.as_ref()));
    let order = json!({"title": "Order", "members": ["@client_1"], "account": "fifth", "wait": 60});
    assert_eq!(program.post("/v1/chats", &order).await.0, 201);
    assert_eq!(program.send("-1009999999998", "x").await.0, 404);
    lives.kill();

    let database = lives.world.database();
    let url = database.map_or_else(|| "sqlite:switchboard.db".to_owned(), testkit::postgres::Database::url);
    let later = Later { data_dir: lives.world.data_dir("data"), url };
    let free = || lives.world.database().into_iter().for_each(testkit::postgres::Database::end_lease);
    for write in WRITES {
        let of_write = tiers::known().filter(|point| super::write(point) == write);
        for point in of_write.filter(|point| points.iter().any(|wanted| wanted == point)) {
            free();
            let later = later.clone();
            killed_at(point, || async {
                later.swept().await;
            })
            .await;
        }
    }
    free();
    later.clone().swept().await;
    free();
    assert_eq!(later.swept().await, Swept::default(), "nothing is left");

    lives.start().await;
    let program = lives.program();
    assert_eq!(program.get(&old).await.0, 404);
    program.account_is("fifth", "ready").await;
    finished(program, "new", json!({}), "sent").await;
    assert_eq!(lives.world.sent().await, ["old", "new"]);
}

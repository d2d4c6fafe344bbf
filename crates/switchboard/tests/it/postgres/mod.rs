//! The program on PostgreSQL: copied to and from SQLite, backed up, in standby, over TLS, and on bad days of the server and the
//! network.

mod backup;
mod copying;
mod full;
mod opening;
mod outages;
mod standby;
mod tls;

use ambient::Clock;
use serde_json::{Value, json};
use store::{MasterKey, Store, StoreOptions};
use testkit::postgres::Database;
use testkit::{Program, Start, World};

use crate::binary;

pub(crate) use outages::{hasty, link_to};

/// The variable that names the store.
const URL: &str = "SWITCHBOARD_STORE__URL";

tokio::task_local! {
    /// Set where a scenario has its store on PostgreSQL.
    static ON_POSTGRES: ();
}

/// Lets a scenario that begins with [`world`] have its store on PostgreSQL.
pub(crate) async fn on_postgres<T>(scenario: impl Future<Output = T>) -> T {
    ON_POSTGRES.scope((), scenario).await
}

/// A world whose programs have their store where the scenario wants it.
pub(crate) async fn world() -> World {
    let world = crate::crash::tiers::world().await;
    if ON_POSTGRES.try_with(|()| ()).is_err() {
        return world;
    }
    world.with_store_on(database().await)
}

/// A database with the tables of a store that was never used.
pub(crate) async fn database() -> Database {
    Database::migrated(async |url| {
        let folder = tempfile::tempdir().expect("a folder");
        let (data_dir, clock) = (folder.path().join("data"), Clock::system());
        let master_key = MasterKey::File("master.key".into());
        let options = StoreOptions { data_dir, url, clock, master_key };
        Store::open(options).await.expect("opens").close().await;
    })
    .await
}

/// A program that others on the same database may take over from: all have one master key.
pub(crate) fn one_of_several<'a>(world: &World, url: &str, data_dir: &str) -> Start<'a> {
    let mut start = Start::on(world, binary(), data_dir).with_store_at(url);
    start.environment.push(("SWITCHBOARD_MASTER_KEY".to_owned(), "5a".repeat(32)));
    start
}

/// Accepts a text that Telegram has, and whose answer does not come before the faults are taken away.
async fn held(world: &World, program: &Program, text: &str) -> String {
    world.fault("delay", json!({ "method": "messages.sendMessage", "seconds": 3600, "times": 1 })).await;
    world.delete("/calls").await;
    let order = json!({ "chat": "@client_1", "text": text, "wait": 0 });
    let (status, accepted) = program.post("/v1/messages", &order).await;
    assert_eq!(status, 202, "{accepted}");
    program.until("it is on the wire", || async { world.calls("messages.sendMessage").await > 0 }).await;
    accepted["id"].as_str().expect("an id").to_owned()
}

/// Waits until a message is sent.
async fn is_sent(program: &Program, id: &str) {
    let path = format!("/v1/messages/{id}");
    program.until("it is sent", || async { program.get(&path).await.1["state"] == "sent" }).await;
}

/// Sends a text under a key; status and answer, where there is one.
async fn order(program: &Program, key: &str) -> Option<(u16, Value)> {
    let body = json!({ "chat": "@client_1", "text": key });
    let request = program.request("POST", "/v1/messages").header("idempotency-key", key).json(&body);
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

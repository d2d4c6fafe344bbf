//! A server whose disk is full: new work is refused, what was accepted is kept, and all goes on when there is room again.

use std::time::Duration;

use serde_json::json;
use testkit::World;

use super::{database, held, is_sent, one_of_several, order};
use crate::binary;

/// The tables that a message is written to.
const TABLES: [&str; 3] = ["outbox", "outbox_parts", "outbox_timeline"];

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_server_refuses_new_work_alone() {
    let (world, database) = (World::start(binary()).await, database().await);
    let program = one_of_several(&world, &database.url(), "data").ready().await;
    program.account_is("main", "ready").await;
    let id = held(&world, &program, "held").await;

    // What PostgreSQL says where a table cannot grow.
    database.query(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$",
    );
    for table in TABLES {
        database.query(&format!(
            "CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()"
        ));
    }
    let refused = order(&program, "order").await.expect("an answer");
    assert_eq!((refused.0, &refused.1["code"]), (507, &json!("storage_full")), "{}", refused.1);
    let message = json!({ "chat": "client_2", "text": "old" });
    assert_eq!(program.legacy(world.legacy_port(5022), "/send_text", &message).await.0, 503);
    // Telegram says that it has the text, which cannot be written down.
    world.delete("/faults").await;
    program
        .until("the outcome is refused", || async { program.output().contains("does not take a step") })
        .await;
    assert_eq!(order(&program, "order").await.expect("an answer").0, 507);

    for table in TABLES {
        database.query(&format!("DROP TRIGGER no_room ON {table}"));
    }
    program.as_time_goes_by(Duration::from_millis(500), is_sent(&program, &id)).await;
    // The room is looked at once a second.
    program
        .until("work is taken in again", || async {
            order(&program, "order").await.expect("an answer").0 == 200
        })
        .await;
    assert_eq!(world.sent().await, ["held", "order"]);
}

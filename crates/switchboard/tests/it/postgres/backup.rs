//! Backups of a store on PostgreSQL: made while it works, put back into an empty database.

use std::time::Duration;

use ambient::Clock;
use serde_json::{Value, json};
use testkit::World;
use testkit::postgres::Database;

use super::{URL, database, one_of_several, order};
use crate::binary;
use crate::shell::cli::{Ran, cli_on};

fn run(world: &World, data: &str, url: &str, arguments: &[&str]) -> Ran {
    cli_on(world, data, arguments).env(URL, url).env("SWITCHBOARD_MASTER_KEY", &"5a".repeat(32)).run()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_is_put_back_into_an_empty_one() {
    let (world, first, second) = (World::start(binary()).await, database().await, Database::empty());
    let mut program = one_of_several(&world, &first.url(), "data").ready().await;
    program.account_is("main", "ready").await;
    let (_, sent) = order(&program, "sent").await.expect("an answer");
    let tomorrow = Clock::system().now().plus(Duration::from_hours(24)).to_string();
    let later = json!({ "chat": "@client_1", "text": "later", "send_at": tomorrow, "wait": 0 });
    let (status, later) = program.post("/v1/messages", &later).await;
    assert_eq!(status, 202, "{later}");
    let made = run(&world, "data", &first.url(), &["backup", "create", "--json"]).fine();
    let made: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(made["state"], "proven", "{made}");
    let listed = run(&world, "data", &first.url(), &["backup", "list"]).fine();
    assert!(listed.contains("proven"), "{listed}");
    run(&world, "data", &first.url(), &["backup", "check"]).fine();
    order(&program, "since").await.expect("an answer");
    assert_eq!(program.terminate().await, Some(0));

    let name = made["name"].as_str().expect("a name");
    let file = world.data_dir("data").join("backups").join(name);
    let restore = ["restore", file.to_str().expect("UTF-8"), "--yes"];
    let taken = run(&world, "moved", &first.url(), &restore);
    assert!(taken.code == Some(1) && taken.err.contains("another store"), "{taken:?}");
    let output = run(&world, "moved", &second.url(), &restore).fine();
    assert!(output.contains("is in place") && output.contains("1 messages failed"), "{output}");
    assert!(!world.data_dir("moved").join("restored.db").exists());
    let program = one_of_several(&world, &second.url(), "moved").ready().await;
    program.account_is("main", "ready").await;
    let (_, again) = order(&program, "sent").await.expect("an answer");
    assert_eq!(again["id"], sent["id"]);
    let path = format!("/v1/messages/{}", later["id"].as_str().expect("an id"));
    assert_eq!(program.get(&path).await.1["failure"]["code"], "restored");
    assert_eq!(order(&program, "after").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["sent", "since", "after"]);

    // One that was broken off on its way to the server is finished before another one.
    let third = Database::empty();
    let copy = ["store", "copy", "--from", "settings", "--to", "sqlite:restored.db"];
    run(&world, "third", &first.url(), &copy).fine();
    let (code, output) = one_of_several(&world, &third.url(), "third").refused().await;
    assert!(code == Some(1) && output.contains("call `switchboard restore` again"), "{output}");
    let finished = run(&world, "third", &third.url(), &restore);
    assert!(finished.code == Some(1) && finished.err.contains("begun before"), "{finished:?}");
    let rows = third.query("SELECT count(*)::text FROM outbox");
    assert_eq!(rows[0][0].as_deref(), Some("3"));
    assert!(!world.data_dir("third").join("restored.db").exists());
}

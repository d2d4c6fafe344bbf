//! `switchboard store copy`: an installation moves to PostgreSQL and back, and nothing is lost or sent again by it.

use serde_json::Value;
use testkit::postgres::Database;
use testkit::{Start, World};

use super::{URL, order};
use crate::binary;
use crate::shell::cli::cli;

fn copied(world: &World, from: &str, to: &str) -> Value {
    let output = cli(world, &["store", "copy", "--from", from, "--to", to, "--json"]).fine();
    serde_json::from_str(&output).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_postgresql_and_back() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let (_, first) = order(&program, "first").await.expect("an answer");
    let used =
        cli(&world, &["store", "copy", "--from", "sqlite:switchboard.db", "--to", &database.url()]).run();
    assert!(used.code == Some(1) && used.err.contains(&format!("process {}", program.pid())), "{used:?}");
    assert_eq!(program.terminate().await, Some(0));

    // The settings name the new store; a password stays out of the command.
    let there = cli(&world, &["store", "copy", "--from", "sqlite:switchboard.db", "--to", "settings"])
        .env(URL, &database.url())
        .fine();
    assert!(there.contains("are the same on both sides"), "{there}");
    let mut program = Start::on(&world, binary(), "data").with_store_at(&database.url()).ready().await;
    program.account_is("main", "ready").await;
    let (_, again) = order(&program, "first").await.expect("an answer");
    assert_eq!(again["id"], first["id"], "{again}");
    order(&program, "second").await.expect("an answer");
    let full =
        cli(&world, &["store", "copy", "--from", "sqlite:switchboard.db", "--to", &database.url()]).run();
    assert!(full.code == Some(1) && full.err.contains("in use by"), "{full:?}");
    assert_eq!(program.terminate().await, Some(0));
    let full =
        cli(&world, &["store", "copy", "--from", "sqlite:switchboard.db", "--to", &database.url()]).run();
    assert!(full.code == Some(1) && full.err.contains("another store"), "{full:?}");

    let back = copied(&world, &database.url(), "sqlite:back/switchboard.db");
    assert_eq!(back["resumed"], false);
    let tables = back["tables"].as_array().expect("tables");
    let outbox = tables.iter().find(|table| table["name"] == "outbox").expect("the outbox");
    assert_eq!((&outbox["rows"], outbox["checksum"].as_str().map(str::len)), (&2.into(), Some(32)));
    let (old, new) = (world.data_dir("data"), world.data_dir("data/back"));
    std::fs::copy(old.join("master.key"), new.join("master.key")).expect("the key");
    let program = Start::on(&world, binary(), "data/back").ready().await;
    program.account_is("main", "ready").await;
    for text in ["first", "second", "third"] {
        assert_eq!(order(&program, text).await.expect("an answer").0, 200, "{text}");
    }
    assert_eq!(world.sent().await, ["first", "second", "third"]);
}

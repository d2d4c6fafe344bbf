//! Starting on a database that is not as the program wants it, and a text with a character that PostgreSQL does not store.

use std::sync::Arc;
use std::thread;

use serde_json::json;
use testkit::World;
use testkit::postgres::Database;

use super::{database, one_of_several};
use crate::binary;

/// Its tables and their columns.
fn tables(database: &Database) -> Vec<Vec<Option<String>>> {
    let mut shape = shape(database);
    shape.retain(|row| row.len() == 1);
    shape
}

/// What is in a database: its tables with their columns, and the steps of its schema.
fn shape(database: &Database) -> Vec<Vec<Option<String>>> {
    let mut found = database.query(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
    );
    found.extend(database.query("SELECT version, name, applied_at FROM schema_migrations ORDER BY version"));
    found
}

/// The newest step of the schema and one of its tables, as far as they are there.
fn made(database: &Database) -> Vec<Option<String>> {
    database.query("SELECT max(version)::text, to_regclass('outbox')::text FROM schema_migrations").remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_leaves_a_newer_database_alone() {
    let (world, database) = (World::start(binary()).await, database().await);
    database.query("INSERT INTO schema_migrations VALUES (999, 'later', 0); CREATE TABLE later (x BIGINT)");
    let before = shape(&database);
    let (code, output) = one_of_several(&world, &database.url(), "data").refused().await;
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("schema version 999") && output.contains("newer program"), "{output}");
    assert_eq!(shape(&database), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_was_made_half_way_is_completed() {
    let (world, database, whole) = (World::start(binary()).await, Database::empty(), database().await);
    // In the way of one of our tables.
    database.query("CREATE TABLE api_keys (theirs BIGINT)");
    let (code, output) = one_of_several(&world, &database.url(), "data").refused().await;
    assert!(code == Some(1) && output.contains("api_keys"), "{code:?} {output}");
    assert_eq!(made(&database), [None, None], "the step that failed is undone");
    database.query("DROP TABLE api_keys");
    let program = one_of_several(&world, &database.url(), "data").ready().await;
    program.account_is("main", "ready").await;
    assert_eq!(program.send("@client_1", "whole").await.0, 200);
    assert_eq!(tables(&database), tables(&whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_killed_half_way_is_completed() {
    let (world, database, whole) =
        (World::start(binary()).await, Arc::new(Database::empty()), database().await);
    let url = database.url();
    // The schema waits until the other one who makes a table of its name is gone.
    let other = {
        let database = Arc::clone(&database);
        thread::spawn(move || {
            database.try_query("BEGIN; CREATE TABLE api_keys (theirs BIGINT); SELECT pg_sleep(59)")
        })
    };
    let waits = |what: &str| {
        let sql = format!("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND {what}");
        while database.query(&sql).is_empty() {
            thread::yield_now();
        }
    };
    waits("wait_event = 'PgSleep'");
    let mut first = one_of_several(&world, &url, "data").begun();
    waits("wait_event_type = 'Lock' AND application_name = 'switchboard' AND query LIKE 'SET LOCAL %'");
    first.kill();
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'");
    other.join().expect("it ends").expect_err("it was broken off");
    assert_eq!(made(&database), [None, None], "it was in the middle");

    database.end_lease();
    let program = one_of_several(&world, &url, "data").ready().await;
    program.account_is("main", "ready").await;
    assert_eq!(program.send("@client_1", "whole").await.0, 200);
    assert_eq!(tables(&database), tables(&whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_the_character_zero_is_sent_as_elsewhere() {
    let (world, database) = (World::start(binary()).await, database().await);
    let program = one_of_several(&world, &database.url(), "data").ready().await;
    program.account_is("main", "ready").await;
    let (status, sent) = program.post("/v1/messages", &json!({ "chat": "@client_1", "text": "a\0b" })).await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
    let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    assert_eq!(program.get(&path).await.1["text"], "a b");
    assert_eq!(world.sent().await, ["a b"]);
}

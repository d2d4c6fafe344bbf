//! Bad days of the server and of the network between: callers hear 503, nothing that was accepted is lost or sent twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::postgres::Database;
use testkit::{Link, PostgresServer, Program, Replicated, Start, World, free_port};

use super::{database, held, is_sent, one_of_several, order};
use crate::binary;

/// A second of leases that lasts so many milliseconds: a program gives up after six of them.
const SECOND: &str = "100";

/// A line to the server that this database is on.
pub(crate) async fn link_to(database: &Database) -> Link {
    let url = database.url();
    let (_, rest) = url.rsplit_once('@').expect("a user");
    Link::to(rest.split_once('/').expect("a database").0).await
}

/// A program that gives its store up soon.
pub(crate) fn hasty<'a>(world: &World, url: &str) -> Start<'a> {
    let mut start = one_of_several(world, url, "data");
    start.environment.push((store::testing::SECOND_OF_LEASES.to_owned(), SECOND.to_owned()));
    start
}

/// What an old caller is answered.
async fn old_caller(world: &World, program: &Program, text: &str) -> u16 {
    program
        .legacy(world.legacy_port(5022), "/send_text", &json!({ "chat": "client_2", "text": text }))
        .await
        .0
}

/// The program has given its store up.
async fn begins_again(program: &Program) {
    let has_begun = || async { program.output().matches("TEST BUILD").count() == 2 };
    program.until("it has begun again", has_begun).await;
}

/// The program begins again, answers 503 until the line is mended, and then finishes what it had accepted.
async fn recovers(world: &World, program: Program, link: &Link, id: &str) {
    begins_again(&program).await;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
    let ask = || async {
        let url = format!("http://127.0.0.1:{}/send_text", world.legacy_port(5022));
        let response = http.post(url).body(r#"{"chat":"client_2","text":"refused"}"#).send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    };
    program
        .until("callers hear 503", || async {
            ask().await.is_some_and(|(status, text)| status == 503 && text.contains("store_unavailable"))
        })
        .await;
    world.delete("/faults").await;
    let standby = program.as_standby();
    link.mend();
    let program = standby.listening().await;
    is_sent(&program, id).await;
    assert_eq!(order(&program, "after").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["held", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_waited_for() {
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let program = hasty(&world, &link.url(&database.url())).ready().await;
    program.account_is("main", "ready").await;
    let id = held(&world, &program, "held").await;
    link.cut();
    // However long it lasts, nothing that was accepted is given up.
    program.advance(Duration::from_mins(10)).await;
    recovers(&world, program, &link, &id).await;
}

/// What customers wrote, the oldest first.
async fn received(program: &Program) -> Vec<String> {
    let (_, page) = program.get("/v1/messages?direction=in&limit=500").await;
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().rev().filter_map(|item| Some(item["text"].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_received_during_an_outage_are_kept() {
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let program = hasty(&world, &link.url(&database.url())).ready().await;
    program.account_is("main", "ready").await;
    let texts: Vec<String> = (0..60).map(|number| format!("text {number}")).collect();
    let write = async |texts: &[String]| {
        for text in texts {
            let order = json!({ "from": "@client_1", "chat": "main", "text": text });
            world.post("/telegram/messages", &order).await;
        }
    };
    write(&texts[..20]).await;
    program.until("the first are kept", || async { received(&program).await.len() == 20 }).await;
    link.cut();
    write(&texts[20..40]).await;
    // Without its store it reads no more, and begins again.
    begins_again(&program).await;
    write(&texts[40..]).await;
    let standby = program.as_standby();
    link.mend();
    let program = standby.listening().await;
    program.until("all are kept", || async { received(&program).await.len() >= 60 }).await;
    assert_eq!(received(&program).await, texts);
    let events = program.request("GET", "/v1/events?after=1h&type=message.received&limit=500");
    let answer = events.header("accept", "application/json").send().await.expect("an answer");
    let page: Value = answer.json().await.expect("JSON");
    assert_eq!(page["items"].as_array().map(Vec::len), Some(60), "each has one event: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_stalls_for_long_costs_nothing_but_time() {
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let program = hasty(&world, &link.url(&database.url())).ready().await;
    program.account_is("main", "ready").await;
    let id = held(&world, &program, "held").await;
    link.stall();
    recovers(&world, program, &link, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_flight_when_the_store_is_given_up_hears_503() {
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let program = hasty(&world, &link.url(&database.url())).ready().await;
    program.account_is("main", "ready").await;
    let id = held(&world, &program, "held").await;
    link.stall();
    let ports = (0..20).map(async |number: usize| {
        let text = format!("stalled_{number}");
        match number % 4 {
            0 => old_caller(&world, &program, &text).await,
            1 => program.get("/v1/messages").await.0,
            _ => order(&program, &text).await.expect("an answer").0,
        }
    });
    let statuses = futures::future::join_all(ports).await;
    assert_eq!(statuses, [503; 20]);
    begins_again(&program).await;
    world.delete("/faults").await;
    let standby = program.as_standby();
    link.mend();
    let program = standby.listening().await;
    is_sent(&program, &id).await;
    // What was answered with 503 may be asked for again under its key.
    for number in [2, 3, 6, 7] {
        let text = format!("stalled_{number}");
        assert_eq!(order(&program, &text).await.expect("an answer").0, 200);
        let sent = world.sent().await;
        assert_eq!(sent.iter().filter(|sent| **sent == text).count(), 1, "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_stall_and_a_restart_of_the_server_are_not_noticed() {
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let program = one_of_several(&world, &link.url(&database.url()), "data").ready().await;
    program.account_is("main", "ready").await;
    link.stall();
    let mending = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        link.mend();
    };
    let (stalled, ()) = tokio::join!(order(&program, "stalled"), mending);
    assert_eq!(stalled.expect("an answer").0, 200);
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    assert_eq!(order(&program, "restarted").await.expect("an answer").0, 200);
    assert_eq!(old_caller(&world, &program, "old").await, 200);
    assert_eq!(world.sent().await, ["stalled", "restarted", "old"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_again_under_sends_loses_none() {
    let world = World::start(binary()).await;
    let mut server = PostgresServer::start();
    // On a machine so slow that it gives its store up, it begins again on the same port.
    let program = one_of_several(&world, &server.url(), "data").at(free_port()).ready().await;
    program.account_is("main", "ready").await;
    let is_over = AtomicBool::new(false);
    let call = async |caller: &str| {
        let mut sent = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let text = format!("{caller}_{}", sent.len());
            program
                .until("it is sent", || async {
                    order(&program, &text).await.is_some_and(|(status, _)| status == 200)
                })
                .await;
            sent.push(text);
        }
        sent
    };
    let restarting = async {
        for _ in 0..2 {
            let begun = world.sent().await.len();
            program.until("texts leave", || async { world.sent().await.len() > begun + 10 }).await;
            server = tokio::task::spawn_blocking(move || {
                server.restart();
                server
            })
            .await
            .expect("it starts again");
        }
        is_over.store(true, Ordering::Relaxed);
        // It runs until the last text is sent.
        server
    };
    let (first, second, third, _server) =
        tokio::join!(call("first"), call("second"), call("third"), restarting);
    let there = world.sent().await;
    for (caller, sent) in [("first", first), ("second", second), ("third", third)] {
        let of_caller: Vec<_> = there.iter().filter(|text| text.starts_with(caller)).collect();
        assert_eq!(of_caller, sent.iter().collect::<Vec<_>>(), "each once, in order");
    }
}

/// The address of an empty database for a user who may have so many connections.
fn of_a_user(database: &Database, connections: u32) -> String {
    let url = database.url();
    let (server, name) = url.rsplit_once('/').expect("a database");
    let (_, host) = server.rsplit_once('@').expect("a user");
    database.query(&format!("DROP ROLE IF EXISTS {name}"));
    database.query(&format!("CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}"));
    grant(database, connections);
    format!("postgres://{name}@{host}/{name}")
}

/// So many connections the user of the database may have.
fn grant(database: &Database, connections: u32) {
    let url = database.url();
    let (_, name) = url.rsplit_once('/').expect("a database");
    database.query(&format!("ALTER ROLE {name} CONNECTION LIMIT {connections}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_free_connection_is_waited_for() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    let url = of_a_user(&database, 1);
    let mut standby = one_of_several(&world, &url, "data").standing_by().await;
    let output = standby.said("Waiting ").await;
    assert!(output.contains("too many connections"), "{output}");
    grant(&database, 20);
    let program = standby.listening().await;
    program.account_is("main", "ready").await;
    assert_eq!(order(&program, "free").await.expect("an answer").0, 200);
    assert_eq!(world.sent().await, ["free"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_taken_at_work_are_waited_for() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    let url = of_a_user(&database, 20);
    let program = one_of_several(&world, &url, "data").at(free_port()).ready().await;
    program.account_is("main", "ready").await;
    let id = held(&world, &program, "held").await;
    grant(&database, 0);
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    program
        .until("callers hear 503", || async {
            let refused = order(&program, "meanwhile").await;
            refused.is_some_and(|(status, reply)| status == 503 && reply["code"] == "store_unavailable")
        })
        .await;
    grant(&database, 20);
    world.delete("/faults").await;
    program
        .until("callers are served", || async {
            order(&program, "meanwhile").await.is_some_and(|(status, _)| status == 200)
        })
        .await;
    is_sent(&program, &id).await;
    assert_eq!(world.sent().await, ["held", "meanwhile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_of_the_server_takes_over_with_all_messages() {
    let world = World::start(binary()).await;
    let mut servers = Replicated::start();
    let (url, address) = servers.first();
    let link = Link::to(&address).await;
    let program = hasty(&world, &link.url(&url)).ready().await;
    program.account_is("main", "ready").await;
    let id = held(&world, &program, "held").await;
    link.cut();
    link.lead_to(servers.second());
    begins_again(&program).await;
    link.mend();
    let waits = "Waiting      PostgreSQL is not available: cannot execute";
    program.until("a standby is not written to", || async { program.output().contains(waits) }).await;
    link.cut();
    link.lead_to(servers.fail_over());
    recovers(&world, program, &link, &id).await;
}

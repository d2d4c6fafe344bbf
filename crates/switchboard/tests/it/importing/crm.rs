//! The clients of an older program taken over: asked for by their old ids, twice, and taken back; its tables stay as they are.

use serde_json::{Value, json};
use testkit::postgres::Database;
use testkit::{Start, World};

use crate::binary;
use crate::shell::cli::cli;

/// Another program with ids that are UUIDs and numbers, in use.
const OLD: &str = "
    CREATE TABLE clients (id TEXT PRIMARY KEY, telegram_id BIGINT, avito_id TEXT, vk_id BIGINT, whatsapp_id TEXT, phone TEXT,
        name TEXT, shoe_size INT);
    CREATE TABLE appeals (id UUID PRIMARY KEY, client_id TEXT, channel TEXT, external_chat_id TEXT, status TEXT);
    CREATE TABLE messages_history (id BIGSERIAL PRIMARY KEY, tenant_id UUID, appeal_id UUID, message_type TEXT, message_text TEXT,
        channel TEXT, channel_id TEXT, external_message_id TEXT, external_chat_id TEXT, created_at TIMESTAMPTZ DEFAULT now());
    CREATE TABLE client_merges (merged_client_id TEXT, master_client_id TEXT);
    INSERT INTO clients VALUES ('7', 700, NULL, NULL, NULL, '8 (000) 000-00-01', 'Anna', 37),
        ('5d7f0a6e-6a39-4a30-9d3c-2f3e1b1f9a10', NULL, '900', NULL, NULL, NULL, 'Anna A', NULL);
    INSERT INTO appeals VALUES
        ('00000000-0000-0000-0000-00000000000a', '7', 'telegram', '700', 'waiting_operator'),
        ('00000000-0000-0000-0000-00000000000b', '5d7f0a6e-6a39-4a30-9d3c-2f3e1b1f9a10', 'avito', 'u2i-1', 'closed'),
        ('00000000-0000-0000-0000-00000000000c', NULL, 'vk', '55', 'in limbo');
    INSERT INTO messages_history (appeal_id, message_type, message_text, channel, external_chat_id) VALUES
        ('00000000-0000-0000-0000-00000000000a', 'client', 'Is it still there?', 'telegram', '700'),
        ('00000000-0000-0000-0000-00000000000b', 'agent', 'Yes', 'avito', 'u2i-1'),
        ('00000000-0000-0000-0000-00000000000b', 'client', 'stop', 'avito', 'u2i-1');
    INSERT INTO client_merges VALUES ('5d7f0a6e-6a39-4a30-9d3c-2f3e1b1f9a10', '7');
    INSERT INTO clients SELECT 'many-' || n, n + 100000, NULL, NULL, NULL, NULL, 'Client ' || n, NULL FROM generate_series(1, 2000) n;";

fn old_tables(database: &Database) -> Vec<Vec<Option<String>>> {
    let mut found = database.query(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
    );
    found.extend(old_rows(database));
    found
}

fn old_rows(database: &Database) -> Vec<Vec<Option<String>>> {
    let tables = ["clients", "appeals", "messages_history", "client_merges"];
    let rows = |table: &str| database.query(&format!("SELECT t::text FROM public.{table} t ORDER BY 1"));
    tables.into_iter().flat_map(rows).collect()
}

/// The first column of what a view of ours answers.
fn ours(database: &Database, sql: &str) -> Vec<String> {
    database.query(sql).into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_crm_is_asked_for_by_its_old_ids_and_taken_back() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    database.query(OLD);
    let before = old_tables(&database);
    // The store is in the same database, in a schema of its own.
    let own = format!("{}?options=-csearch_path%3Dswitchboard", database.url());
    let program = Start::on(&world, binary(), "data").with_store_at(&own).ready().await;
    let url = database.url();
    let import = |rest: &[&str]| cli(&world, &[&["import", "crm", "--json"], rest].concat()).run().json();
    let from: &[&str] = &["--from", &url];

    let dry = import(&[from, &["--dry-run"]].concat());
    assert_eq!((&dry["run"], &dry["tables"][0]["rows"]), (&Value::Null, &json!(2002)), "{dry}");
    assert_eq!(dry["statuses"]["waiting_operator"], json!({"state": "waiting_us", "appeals": 1}), "{dry}");
    let puzzles = dry["not_understood"].to_string();
    assert!(puzzles.contains("in limbo") && puzzles.contains("clients.shoe_size"), "{puzzles}");
    assert_eq!(program.get("/v1/clients").await.1["items"], json!([]));

    let first = import(from);
    let taken = |answer: &Value, field: &str| answer["taken"][field].as_u64().unwrap_or_default();
    assert_eq!(
        (taken(&first, "clients"), taken(&first, "made"), taken(&first, "merges")),
        (2002, 1, 1),
        "{first}"
    );
    assert_eq!(
        (taken(&first, "appeals"), taken(&first, "messages"), taken(&first, "left")),
        (3, 3, 0),
        "{first}"
    );
    let counted =
        ours(&database, "SELECT count(*)::text FROM switchboard.events WHERE data LIKE '%client_%'");
    assert_eq!(counted, ["0"]);
    let again = import(from);
    assert_eq!(
        (taken(&again, "known"), taken(&again, "clients"), taken(&again, "made")),
        (2009, 0, 0),
        "{again}"
    );

    let view = |sql: &str| ours(&database, sql);
    assert_eq!(view("SELECT name FROM switchboard.clients WHERE id = '7' AND telegram_id = '700'"), ["Anna"]);
    assert_eq!(view("SELECT phone FROM switchboard.clients WHERE avito_id = '900'"), ["+70000000001"]);
    assert_eq!(
        view("SELECT status FROM switchboard.appeals WHERE id = '00000000-0000-0000-0000-00000000000a'"),
        ["waiting_us"]
    );
    assert_eq!(
        view(
            "SELECT message_text FROM switchboard.messages_history WHERE client_id = '7' AND id::bigint < 4 ORDER BY id"
        ),
        ["Is it still there?", "Yes", "stop"]
    );
    // What a program has kept of the old ids leads to the client, also of one who was merged.
    for id in ["7", "5d7f0a6e-6a39-4a30-9d3c-2f3e1b1f9a10"] {
        let (status, client) = program.get(&format!("/v1/clients/{id}")).await;
        assert_eq!((status, &client["name"]), (200, &json!("Anna")), "{client}");
        assert_eq!(client["appeals"].as_array().map(Vec::len), Some(2), "{client}");
    }
    let (status, appeal) = program.get("/v1/appeals/00000000-0000-0000-0000-00000000000a").await;
    assert_eq!((status, &appeal["state"]), (200, &json!("waiting_us")), "{appeal}");
    assert_eq!(program.get("/v1/do-not-contact").await.1["items"], json!([]));
    assert_eq!(world.effects("sendMessage").await.len(), 0);

    let run = first["run"].as_str().expect("a run").to_owned();
    let undone = import(&["--undo", &run]);
    assert_eq!(undone["kept"], 0, "{undone}");
    for name in ["clients", "appeals", "messages_history"] {
        assert_eq!(view(&format!("SELECT count(*)::text FROM switchboard.{name}")), ["0"], "{name}");
    }
    let runs = program.get("/v1/client-imports").await.1;
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(2), "{runs}");
    assert_eq!(taken(&import(from), "clients"), 2002);
    assert_eq!(old_tables(&database), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_tables_in_the_schema_of_the_store_stay() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    database.query(OLD);
    let (before, url) = (old_rows(&database), database.url());
    let program = Start::on(&world, binary(), "data").with_store_at(&url).ready().await;
    let report = cli(&world, &["import", "crm", "--from", &url, "--json"]).run().json();
    assert_eq!(report["taken"]["clients"], 2002, "{report}");
    assert_eq!(program.get("/v1/clients/7").await.1["name"], "Anna");
    assert_eq!(old_rows(&database), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_crm_is_taken_into_a_file_without_a_server() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    database.query(OLD);
    // Nothing serves the data directory; the account is of the settings.
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.terminate().await;
    let url = database.url();
    let ran = cli(&world, &["import", "crm", "--from", &url]).run();
    assert!(ran.out.contains("2,002 clients, 3 appeals, 3 messages, 1 merges"), "{ran:?}");
    let client = cli(&world, &["import", "crm", "--from", &url, "--account", "vk=nothing"]).run();
    assert!(client.code == Some(2) && client.err.contains("no account of vk"), "{client:?}");
    let missing = cli(&world, &["import", "crm"]).run();
    assert!(missing.code == Some(2) && missing.err.contains("--from"), "{missing:?}");
    let again = cli(&world, &["import", "crm", "--from", &url, "--json"]).run().json();
    assert_eq!(again["taken"]["known"], 2009, "{again}");
}

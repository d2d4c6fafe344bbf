//! The database of the old tool taken over: no one of its cycle is written to again, and its tables stay as they are.

use serde_json::json;
use testkit::postgres::Database;
use testkit::{Start, World};

use super::{SEND, is, start, written};
use crate::binary;
use crate::shell::cli::cli;

/// The tables of the old tool, in the middle of a cycle.
const OLD: &str = "
    CREATE TABLE groups (id SERIAL PRIMARY KEY, name TEXT, created_at TIMESTAMP DEFAULT now());
    CREATE TABLE profiles (profile_id TEXT PRIMARY KEY, group_id INT, is_active BOOL, is_blocked BOOL, is_logged_out BOOL, fingerprint TEXT);
    CREATE TABLE tasks (
        id SERIAL PRIMARY KEY, group_id INT, chat_username TEXT, status TEXT, cycles INT DEFAULT 0, next_attempt_at TIMESTAMPTZ
    );
    CREATE TABLE task_attempts (
        id SERIAL PRIMARY KEY, task_id INT, profile_id TEXT, run_id UUID, status TEXT, error TEXT, created_at TIMESTAMPTZ DEFAULT now()
    );
    CREATE TABLE send_log (id SERIAL PRIMARY KEY, profile_id TEXT, chat_username TEXT, status TEXT, sent_at TIMESTAMPTZ DEFAULT now());
    CREATE TABLE messages (id SERIAL PRIMARY KEY, group_id INT, text TEXT, usage_count INT);
    CREATE TABLE screenshots (id SERIAL PRIMARY KEY, path TEXT);
    CREATE TABLE proxies (id SERIAL PRIMARY KEY, host TEXT, port INT, username TEXT, password TEXT);
    INSERT INTO proxies (host, port, username, password) VALUES ('127.0.0.1', 1080, 'demo', 'pass'), ('127.0.0.1', 1081, NULL, NULL);
    INSERT INTO groups (name) VALUES ('Spring');
    INSERT INTO profiles VALUES ('fifth', 1, true, false, false, 'x'), ('p2', 1, false, true, false, 'y'), ('p3', 1, true, false, true, 'z');
    INSERT INTO messages (group_id, text, usage_count) VALUES (1, 'Good day', 7);
    INSERT INTO tasks (group_id, chat_username, status) VALUES
        (1, 'client_1', 'pending'), (1, '@client_2', 'in_progress'), (1, 'https://t.me/client_3', 'pending'),
        (1, 'client_4', 'blocked'), (1, 'client_5', 'pending'), (1, 'no chat', 'pending');
    INSERT INTO tasks (group_id, chat_username, status, next_attempt_at) VALUES (1, 'client_6', 'pending', now() + interval '1 hour');
    INSERT INTO task_attempts (task_id, profile_id, run_id, status, error) VALUES
        (1, 'fifth', '00000000-0000-0000-0000-000000000001', 'success', NULL),
        (2, 'p2', '00000000-0000-0000-0000-000000000001', 'running', NULL),
        (5, 'p2', '00000000-0000-0000-0000-000000000001', 'failed', 'send restriction');
    INSERT INTO send_log (profile_id, chat_username, status) VALUES ('fifth', 'client_1', 'success');";

/// All that is in the old tables, and what tables there are beside ours.
fn old_tables(database: &Database) -> Vec<Vec<Option<String>>> {
    let mut found = database.query(
        "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
         WHERE table_schema = 'public' ORDER BY 1",
    );
    for table in ["groups", "profiles", "tasks", "task_attempts", "send_log", "messages", "screenshots"] {
        found.extend(database.query(&format!("SELECT t::text FROM public.{table} t ORDER BY 1")));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_database_goes_on_here_and_no_one_gets_it_twice() {
    let (world, database) = (World::start(binary()).await, Database::empty());
    database.query(OLD);
    let before = old_tables(&database);
    // The store is in the same database, in a schema of its own.
    let own = format!("{}?options=-csearch_path%3Dswitchboard", database.url());
    let program = Start::on(&world, binary(), "data").with_store_at(&own).ready().await;
    program.account_is("fifth", "ready").await;
    let url = database.url();
    let import = |rest: &[&str]| cli(&world, &[&["import", "campaigns", "--from", &url], rest].concat());
    let dry = import(&["--dry-run", "--json"]).run().json();
    let row = &dry["items"][0];
    assert_eq!((&row["chats"], &row["written"], &row["blocked"]), (&json!(6), &json!(2), &json!(1)), "{dry}");
    assert_eq!(
        (&row["profiles"], &row["profiles_without_account"]),
        (&json!(["fifth"]), &json!(["p2", "p3"]))
    );
    assert_eq!(row["stopped"], json!({"p2": "blocked", "p3": "logged_out"}));
    let output = import(&["--dry-run"]).fine();
    let new_login = "The browser of profile p3 cannot be driven from here: log in again in a new profile";
    assert!(output.contains(new_login) && output.contains("has profile p3 as logged out"), "{output}");
    let puzzles = dry["not_understood"].to_string();
    assert!(puzzles.contains("no chat") && puzzles.contains("profiles.fingerprint"), "{puzzles}");
    assert_eq!(program.get("/v1/campaigns").await.1["items"], json!([]));

    // The owners of the profiles that were stopped have new ones here: they do not send either.
    for profile in ["shop", "stall"] {
        let path = format!("/v1/campaign-profiles/{profile}");
        let made = program.request("PUT", &path).json(&json!({"kind": "chromium"}));
        assert_eq!(made.send().await.expect("an answer").status(), 200);
    }
    let import = |rest: &[&str]| {
        import(&[&["--account", "p2=profile:shop", "--account", "p3=profile:stall"], rest].concat())
    };
    let first = import(&["--json"]).run().json();
    let shop = program.get("/v1/campaign-profiles/shop").await.1;
    assert_eq!((&shop["state"], &shop["reason"]), (&json!("blocked"), &json!("imported")), "{shop}");
    let stall = program.get("/v1/campaign-profiles/stall").await.1;
    assert_eq!(stall["state"], "logged_out", "{stall}");
    let ours =
        database.query("SELECT profile_id FROM switchboard.task_attempts WHERE profile_id LIKE 'profile:%'");
    assert_eq!((ours.len(), ours[0][0].as_deref()), (2, Some("profile:shop")));
    assert_eq!((&dry["proxies"]["added"], &first["proxies"]["added"]), (&json!(2), &json!(2)), "{first}");
    assert_eq!((&first["items"][0]["new_chats"], &first["items"][0]["new_attempts"]), (&json!(6), &json!(3)));
    let again = import(&["--json"]).run().json();
    assert_eq!(again["proxies"]["known"], 2, "{again}");
    let proxies = program.get("/v1/campaign-proxies").await.1;
    assert_eq!(proxies["items"][0]["name"], "socks5://127.0.0.1:1081", "{proxies}");
    assert_eq!((&again["items"][0]["new_chats"], &again["items"][0]["new_attempts"]), (&json!(0), &json!(0)));
    let shown = super::campaign(&program).await;
    assert_eq!(
        (&shown["run"]["state"], &shown["run"]["reason"]),
        (&json!("paused"), &json!("imported")),
        "{shown}"
    );
    assert_eq!((&shown["pending"], &shown["blocked"]), (&json!(3), &json!(1)), "{shown}");
    cli(&world, &["campaign", "groups", "change", "spring", "--delay", "0"]).fine();
    start(&program).await;
    program.until("two are sent", || async { world.effects(SEND).await.len() == 2 }).await;
    let chats: Vec<_> = written(&world).await.into_keys().collect();
    assert_eq!(chats, ["6000000003", "6000000005"]);
    // The old tool wanted to wait with this one.
    program.advance(std::time::Duration::from_hours(1)).await;
    is(&program, "done").await;
    assert!(written(&world).await.contains_key("6000000006"));
    assert_eq!(world.effects(SEND).await.len(), 3);
    let messages = program.get("/v1/campaigns/spring/messages").await.1;
    assert_eq!(messages["items"][0]["usage_count"], 10, "{messages}");
    let late = import(&[]).run();
    assert!(late.code == Some(1) && late.err.contains("not to be sent again"), "{late:?}");
    assert_eq!(old_tables(&database), before);
    let ours = database.query("SELECT count(*)::text FROM switchboard.tasks");
    assert_eq!(ours[0][0].as_deref(), Some("6"));
}

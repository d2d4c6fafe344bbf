//! The program's own log lines: a message's steps in them, the command that reads them, and what must never be in them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use testkit::{PDF, Program, Start, World};

use crate::accounts::stage::{NAME, PASSWORD, Stage};
use crate::backup::files_in;
use crate::binary;
use crate::secrets::Secrets;
use crate::shell::cli::{Cli, cli, cli_on};

/// Tables that have the words of messages: what they are for.
const TABLES_OF_MESSAGES: [&str; 2] = ["outbox", "outbox_parts"];

/// `switchboard logs` on the data of a world.
fn command(world: &World, arguments: &[&str]) -> Cli {
    cli(world, &[&["logs"], arguments].concat())
}

/// What it prints where it has to go well.
fn printed(world: &World, arguments: &[&str]) -> String {
    let ran = command(world, arguments).run();
    assert_eq!(ran.err, "", "{arguments:?}");
    ran.fine()
}

/// The same as JSON, line by line.
fn lines(world: &World, arguments: &[&str]) -> Vec<Value> {
    let printed = printed(world, &[arguments, &["--json"]].concat());
    printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Asks until lines are there: the server writes what it logs a moment later.
async fn until_lines(world: &World, arguments: &[&str], wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..600 {
        found = lines(world, arguments);
        if wanted(&found) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain: {found:#?}");
}

fn messages(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["message"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_trace_the_route_of_a_message_also_after_a_kill() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    let mut follower = command(&world, &["--follow", "--json", "--service", "send_text"]).spawn();

    // The reader has the time of the machine: by that all this is two hours old.
    program.set_back(Duration::from_hours(2)).await;
    let (status, sent) = program.send("@client_1", "a text").await;
    assert_eq!(status, 200, "{sent}");
    let id = sent["id"].as_str().expect("an id").to_owned();
    let steps = ["accepted", "ended"];
    let of_it = ["--subject", &id];
    let found = until_lines(&world, &of_it, |found| found.len() >= steps.len()).await;
    assert_eq!(messages(&found), steps);
    let account = sent["account"].as_str().expect("an account");
    for line in &found {
        assert_eq!((&line["service"], &line["subject"]), (&json!("send_text"), &json!(id)), "{line}");
    }
    assert!(found.iter().all(|line| line["account"] == account), "{found:?}");
    assert_eq!(
        (&found[1]["fields"]["outcome"], &found[1]["fields"]["state"]),
        (&json!("sent"), &json!("sent"))
    );
    // The API has the same lines.
    let (_, page) = program.get(&format!("/v1/logs?subject={id}&order=oldest")).await;
    assert_eq!(page["items"], json!(found));

    // Standard error does not get each step of each message.
    assert!(!program.output().contains(&id), "{}", program.output());

    // Who follows sees the same lines.
    let mut seen = BufReader::new(follower.stdout.take().expect("piped")).lines();
    for wanted in &found {
        let line: Value = serde_json::from_str(&seen.next().expect("a line").expect("reads")).expect("JSON");
        assert_eq!(line, *wanted);
    }
    follower.kill().expect("kills");
    follower.wait().expect("ends");

    world
        .fault(
            "flood_wait",
            json!({ "method": "messages.sendMessage", "seconds": 5, "account": account, "times": 1 }),
        )
        .await;
    let (_, sent) =
        program.post("/v1/messages", &json!({ "chat": "@client_1", "text": "again", "wait": 0 })).await;
    let flooded = sent["id"].as_str().expect("an id").to_owned();
    let found = until_lines(&world, &["--error", "flood_wait"], |found| !found.is_empty()).await;
    assert_eq!((&found[0]["subject"], &found[0]["level"]), (&json!(flooded), &json!("warn")));
    // By importance: what is less than a warning is left out, and nothing else.
    let of_flooded = ["--subject", &flooded];
    let all = lines(&world, &of_flooded);
    assert!(messages(&all).starts_with(&["accepted", "attempted"]), "{all:?}");
    let warned = lines(&world, &["--subject", &flooded, "--level", "warn"]);
    let important: Vec<Value> =
        all.into_iter().filter(|line| line["level"] == "warn" || line["level"] == "error").collect();
    assert!(!important.is_empty() && warned == important, "{warned:?}");
    assert_eq!(lines(&world, &["--subject", &id, "--level", "warn"]), Vec::<Value>::new());
    program.kill();

    // No server runs, and all of it can be read.
    let found = lines(&world, &of_it);
    assert_eq!(messages(&found), steps);
    // By time: from then on, and until then; by how long ago, and by the time of day.
    let between = |times: &[&str]| lines(&world, &[&of_it[..], times].concat()).len();
    assert_eq!((between(&["--since", "1h"]), between(&["--since", "3h"])), (0, steps.len()));
    assert_eq!((between(&["--until", "1h"]), between(&["--until", "3h"])), (steps.len(), 0));
    assert_eq!(between(&["--since", "3h", "--until", "1h"]), steps.len());
    let ended = found[1]["at"].as_str().expect("a time");
    assert_eq!(messages(&lines(&world, &["--subject", &id, "--since", ended])).last(), Some(&"ended"));
    let before = lines(&world, &["--subject", &id, "--until", ended]);
    assert!(messages(&before).starts_with(&["accepted"]) && before.len() < steps.len(), "{before:?}");
    let text = printed(&world, &["--subject", &id, "--grep", "OUTCOME=sent", "-n", "1"]);
    assert!(text.contains(" info  send_text   ended subject=msg_"), "{text}");
    assert_eq!(printed(&world, &["--since", "3h", "--grep", "OUTCOME=sent", "--match-case"]), "");

    // The next run goes on behind it.
    let program = Start::on(&world, binary(), "data").ready().await;
    drop(program);
    assert_eq!(messages(&lines(&world, &of_it)), steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_is_among_the_errors() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let (status, sent) = program.send("@nobody_at_all", "a text").await;
    assert_eq!((status, &sent["code"]), (404, &json!("chat_not_found")), "{sent}");
    let errors = ["--level", "error", "--error", "cannot_resolve"];
    let found = until_lines(&world, &errors, |found| !found.is_empty()).await;
    assert_eq!(messages(&found), ["ended"], "{found:?}");
    for account in program.get("/v1/accounts").await.1["items"].as_array().expect("accounts") {
        let pause = format!("/v1/accounts/{}/actions/pause", account["name"].as_str().expect("a name"));
        assert_eq!(program.post(&pause, &json!({})).await.0, 200);
    }
    let (status, sent) = program.send("@client_1", "a text").await;
    assert_eq!(status, 503, "{sent}");
    let answered = |line: &Value| line["message"] == "answered" && line["fields"]["status"] == json!("503");
    until_lines(&world, &["--level", "error"], |found| found.iter().any(answered)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_is_wrong() {
    let world = World::start(binary()).await;
    let nothing = cli_on(&world, "nowhere", &["logs"]).run();
    assert!(
        nothing.code == Some(1)
            && nothing.err.contains("there are no logs in")
            && nothing.err.contains("--data-dir"),
        "{nothing:?}"
    );
    for (arguments, word) in [
        (["--since", "yesterday"], "10m"),
        (["--level", "loud"], "debug"),
        (["--service", "sendtext"], "send_text"),
        (["--error", "flod"], "flood_wait"),
    ] {
        let refused = command(&world, &arguments).run();
        assert!(refused.code == Some(2) && refused.err.contains(word), "{refused:?}");
    }
}

/// What must not be found, and where it is looked for.
struct Search {
    /// Never and nowhere.
    secrets: Secrets,
    /// In no log and in no table but those of messages.
    words: Vec<String>,
}

impl Search {
    /// Looks for everything in something that was logged.
    fn in_logs(&self, place: &str, text: &str) {
        self.secrets.not_in(place, text);
        for word in &self.words {
            assert!(!text.contains(word.as_str()), "{place} has the words {word:?}");
        }
    }

    /// Looks through every value of every table.
    fn in_database(&self, file: &Path) {
        let database = rusqlite::Connection::open(file).expect("opens");
        let tables: Vec<String> = {
            let mut names =
                database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").expect("prepares");
            let names = names.query_map([], |row| row.get(0)).expect("reads");
            names.map(|name| name.expect("a name")).collect()
        };
        assert!(tables.iter().any(|table| table == "outbox"), "{tables:?}");
        let mut with_words = BTreeSet::new();
        for table in &tables {
            let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\"")).expect("prepares");
            let columns = rows.column_count();
            let mut rows = rows.query([]).expect("reads");
            while let Some(row) = rows.next().expect("reads") {
                for column in 0..columns {
                    let bytes = match row.get_ref(column).expect("a value") {
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                        _ => continue,
                    };
                    let unsealed = self.secrets.found(&bytes);
                    assert_eq!(unsealed, None, "the table {table} has it");
                    let finds = |words: &String| memchr::memmem::find(&bytes, words.as_bytes()).is_some();
                    if self.words.iter().any(finds) {
                        with_words.insert(table.clone());
                    }
                }
            }
        }
        assert!(with_words.contains("outbox"), "the search finds what is there: {with_words:?}");
        let strange: Vec<_> =
            with_words.iter().filter(|table| !TABLES_OF_MESSAGES.contains(&table.as_str())).collect();
        assert!(strange.is_empty(), "words of messages are in {strange:?}");
    }
}

/// Words that appear nowhere else.
fn marker(what: &str) -> String {
    format!("marker-{what}-51c0ffee")
}

/// Sends, edits, uploads and fails, so that each kind of words goes through the program.
async fn say(program: &Program, world: &World, run: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut say = |what: &str| {
        let marked = marker(&format!("{run}-{what}"));
        texts.push(marked.clone());
        marked
    };
    let (_, sent) = program.send("@client_1", &say("text")).await;
    assert_eq!(sent["state"], "sent", "{sent}");
    let edit = json!({ "text": say("edit") });
    let path = format!(
        "/v1/chats/{}/messages/{}",
        sent["chat_id"].as_str().unwrap_or_default(),
        sent["message_ids"][0]
    );
    program.patch(&path, &edit).await;
    let upload = program.request("POST", "/v1/uploads?filename=price.pdf");
    let mut file = PDF.to_vec();
    file.extend(say("file").as_bytes());
    let uploaded = upload.body(file).send().await.expect("an answer").text().await.expect("a body");
    let uploaded: Value = serde_json::from_str(&uploaded).expect("JSON");
    let body =
        json!({ "chat": "@client_1", "text": say("caption"), "media": [{ "upload": uploaded["id"] }] });
    let (_, sent) = program.post("/v1/messages", &body).await;
    assert_eq!(sent["state"], "sent", "{sent}");
    // Each way to be refused, each time with words.
    program.send("@nobody_is_called_this", &say("lost")).await;
    let broken =
        json!({ "chat": "@client_1", "text": format!("<b>{}", say("broken")), "parse_mode": "html" });
    assert_eq!(program.post("/v1/messages", &broken).await.0, 422);
    let wrong_type = json!({ "chat": "@client_1", "text": [say("list")] });
    assert_eq!(program.post("/v1/messages", &wrong_type).await.0, 422);
    let request = program.request("POST", "/v1/messages").header("content-type", "application/json");
    request.body(format!("{{\"text\": \"{}", say("cut"))).send().await.expect("an answer");
    world
        .fault(
            "rpc_error",
            json!({ "method": "messages.sendMessage", "code": 400, "message": "MESSAGE_TOO_LONG", "times": 1 }),
        )
        .await;
    program.send("@client_1", &say("refused")).await;
    let port = world.legacy_port(5022);
    let old = json!({ "chat_id": "@client_1", "message": say("old"), "text": say("older") });
    program.legacy(port, "/send_text", &old).await;
    // In the address, where it does not belong.
    program.get(&format!("/v1/messages?text={}", say("query"))).await;
    program.get(&format!("/v1/{}", say("path"))).await;
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_words_are_in_no_log_or_foreign_table() {
    let stage = Stage::with_password().await;
    let data_dir = stage.world.data_dir("data");
    let started = |format: &str| Start {
        environment: vec![
            ("SWITCHBOARD_LOG__LEVEL".to_owned(), "trace".to_owned()),
            ("SWITCHBOARD_LOG__FORMAT".to_owned(), format.to_owned()),
        ],
        ..Start::on(&stage.world, binary(), "data")
    };
    let mut search = Search { secrets: Secrets::default(), words: Vec::new() };
    let mut answers = String::new();
    let mut hear = |(_, answer): (u16, Value)| answers.push_str(&answer.to_string());

    let mut program = started("text").ready().await;
    let mut account = stage.account();
    account["proxy"] = json!(format!("socks5://demo:{}@localhost:1", marker("proxy")));
    hear(program.post("/v1/accounts", &account).await);
    hear(program.patch(&format!("/v1/accounts/{NAME}"), &json!({ "proxy": null })).await);
    let login = format!("/v1/accounts/{NAME}/login");
    hear(program.post(&login, &json!({ "by": "phone" })).await);
    let code = stage.code().await;
    hear(program.post(&format!("{login}/code"), &json!({ "code": code })).await);
    hear(program.post(&format!("{login}/password"), &json!({ "password": marker("wrong-password") })).await);
    hear(program.post(&format!("{login}/password"), &json!({ "password": PASSWORD })).await);
    program.account_is(NAME, "ready").await;
    // The one answer that has to show a key.
    let (status, made) = program.post("/v1/keys", &json!({ "name": "n8n", "scopes": ["read"] })).await;
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().expect("a key").to_owned();
    assert_eq!(program.status_with(&key, "/v1/accounts").await, 200);
    assert_eq!(program.status_with(&marker("wrong-key"), "/v1/accounts").await, 401);
    hear(program.get("/v1/keys").await);
    hear(program.get(&format!("/v1/accounts/{NAME}")).await);
    for (what, secret) in [
        ("password", PASSWORD.to_owned()),
        ("wrong password", marker("wrong-password")),
        ("proxy's password", marker("proxy")),
        ("application's secret", stage.api_hash.clone()),
        ("API key", key),
        ("wrong API key", marker("wrong-key")),
        ("bootstrap key", testkit::KEY.to_owned()),
        ("phone number", stage.phone.trim_start_matches('+').to_owned()),
        // Five digits are found by chance: the code is looked for as it would be written.
        ("login code", format!("\"{code}\"")),
        ("login code", format!("={code}")),
    ] {
        search.secrets.plant(what, secret);
    }
    search.words = say(&program, &stage.world, "text").await;
    program.terminate().await;
    assert!(program.output().contains("TRACE"), "everything is logged:\n{}", program.output());
    search.in_logs("standard error as text", &program.output());

    let mut program = started("json").ready().await;
    program.account_is(NAME, "ready").await;
    search.words.extend(say(&program, &stage.world, "json").await);
    for path in
        ["/v1/accounts", "/v1/audit?limit=500", "/v1/doctor?facts=true", "/v1/overview?limit=100", "/metrics"]
    {
        let answer = program.get(path).await;
        assert_eq!(answer.0, 200, "{path}: {}", answer.1);
        hear(answer);
    }
    let response = program.request("GET", "/v1/logs/download?format=json").send().await.expect("an answer");
    search.in_logs("the download", &response.text().await.expect("a body"));
    // Killed with its hands full.
    let body = json!({ "chat": "@client_1", "text": marker("killed"), "wait": 0 });
    search.words.push(marker("killed"));
    program.post("/v1/messages", &body).await;
    program.kill();
    assert!(program.output().contains("\"level\":\"TRACE\""), "everything is logged");
    search.in_logs("standard error as JSON", &program.output());

    let kept = printed(&stage.world, &["--since", "1d", "--json"]);
    assert!(kept.contains("\"trace\"") && kept.contains("\"accepted\""), "everything is kept");
    search.in_logs("the command's JSON", &kept);
    search.in_logs("the command's text", &printed(&stage.world, &["--since", "1d"]));
    search.secrets.not_in("an answer", &answers);
    assert!(search.secrets.not_below(&data_dir) > 8);
    search.in_database(&data_dir.join("switchboard.db"));

    // Nor are they in what is carried elsewhere.
    let made = cli(&stage.world, &["backup", "create", "--json"]).run();
    search.in_logs("backup create", &made.all());
    let made = made.json();
    assert_eq!(made["state"], "proven", "{made}");
    let packed = files_in(&data_dir.join("backups").join(made["name"].as_str().expect("a name")));
    for (name, bytes) in &packed {
        search.secrets.not_in(&format!("{name} in the backup"), bytes);
    }
    println!("{:?}", packed.iter().map(|(name, bytes)| (name, bytes.len())).collect::<Vec<_>>());
    let (_, database) = packed.iter().find(|(name, _)| name.ends_with("switchboard.db")).expect("a database");
    let unpacked = stage.world.data_dir("unpacked.db");
    std::fs::write(&unpacked, database).expect("writes");
    search.in_database(&unpacked);
}

//! The settings of a running program, read again: what applies holds, what is wrong changes nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, World, free_port};

use crate::binary;
use crate::shell::cli::{cli, started};

fn keys(answer: &Value, field: &str) -> Vec<String> {
    let keys = answer[field].as_array().expect("a list").iter();
    keys.map(|key| key.as_str().expect("a key").to_owned()).collect()
}

fn reload(world: &World) -> Value {
    cli(world, &["reload", "--json"]).run().json()
}

async fn limit(program: &Program) -> Value {
    program.get("/v1/accounts/main").await.1["limits"]["messages_per_hour"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_limit_holds_without_a_restart() {
    let (world, program) = started(&["main"]).await;
    let pid = program.pid();
    assert_eq!(limit(&program).await, Value::Null);
    world.edit_settings(|text| {
        let limited = text.replacen("name = \"main\"\n", "name = \"main\"\nmessages_per_hour = 2\n", 1);
        format!("{limited}\n[limits]\nbody = \"1KiB\"\n[log]\nformat = \"json\"\n")
    });
    let output = cli(&world, &["reload"]).run().fine();
    assert!(output.contains("Applied           telegram.accounts[main].messages_per_hour"), "{output}");
    assert!(
        output.contains("                  limits.body") && output.contains("Needs a restart   log.format"),
        "{output}"
    );

    assert_eq!(limit(&program).await, 2);
    program.account_is("main", "ready").await;
    let by_main =
        |text: &str| json!({ "chat": "@client_1", "text": text, "account": "main", "on_flood": "fail" });
    for text in ["one", "two"] {
        assert_eq!(program.post("/v1/messages", &by_main(text)).await.0, 200);
    }
    let (status, refused) = program.post("/v1/messages", &by_main("three")).await;
    assert_eq!((status, &refused["code"]), (429, &json!("limit_reached")), "{refused}");
    assert_eq!(program.send("@client_1", &"x".repeat(2000)).await.0, 413);

    let again = reload(&world);
    assert_eq!(
        (keys(&again, "applied"), keys(&again, "needs_restart")),
        (vec![], vec!["log.format".to_owned()])
    );
    assert_eq!(program.pid(), pid);
    let (_, audit) = program.get("/v1/audit?limit=10").await;
    let is_first =
        |entry: &&Value| entry["action"] == "reload_settings" && entry["details"]["applied"].is_string();
    let entry = audit["items"].as_array().expect("items").iter().find(is_first);
    assert!(entry.expect("an entry").to_string().contains("limits.body"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_change_nothing() {
    let (world, program) = started(&["main"]).await;
    let text = std::fs::read_to_string(world.settings_file()).expect("reads");
    world.edit_settings(|text| {
        let limited = text.replacen("name = \"main\"\n", "name = \"main\"\nmessages_per_hour = 2\n", 1);
        format!("{limited}\n[limits]\nbody = \"1TB\"\n")
    });
    let line = std::fs::read_to_string(world.settings_file()).expect("reads").lines().count();
    let ran = cli(&world, &["reload"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    let output = ran.all();
    let place = format!("switchboard.toml:{line}:");
    assert!(
        output.contains(&place) && output.contains("`limits.body` must be a size from 1KiB to 64MiB"),
        "{output}"
    );
    assert!(output.contains("Nothing was changed"), "{output}");
    assert_eq!(limit(&program).await, Value::Null);
    // One that is gone is no file without settings.
    std::fs::remove_file(world.settings_file()).expect("removed");
    let (status, problem) = program.post("/v1/settings/reload", &json!({})).await;
    assert_eq!((status, &problem["code"]), (422, &json!("settings_wrong")), "{problem}");
    std::fs::write(world.settings_file(), text).expect("writes");
    assert_eq!(keys(&reload(&world), "applied"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_and_accounts_come_and_go() {
    let (world, program) = started(&["main", "backup_1"]).await;
    let (old, new) = (world.legacy_port(5022), testkit::free_port());
    let body = json!({ "chat": "@client_1", "text": "by an old port" });
    assert_eq!(program.legacy(old, "/send_text", &body).await.0, 200);
    let before = std::fs::read_to_string(world.settings_file()).expect("reads");
    world.edit_settings(|text| {
        let moved = text.replace(&format!("port = {old},"), &format!("port = {new},"));
        let (head, tail) =
            moved.split_once("[[telegram.accounts]]\nname = \"backup_1\"").expect("the account");
        let rest = tail.find("[[telegram.accounts]]").expect("further accounts");
        let owner = "[[alerts.targets]]\nname = \"owner\"\nkind = \"telegram\"\nchat = \"@demo_owner\"\n";
        format!("{head}{}\n{owner}", &tail[rest..])
    });
    let answer = reload(&world);
    let applied = keys(&answer, "applied");
    for key in [
        format!("legacy.ports[{old}]"),
        format!("legacy.ports[{new}]"),
        "telegram.accounts[backup_1]".into(),
        "alerts.targets[owner]".into(),
    ] {
        assert!(applied.contains(&key), "{key}: {answer}");
    }
    assert_eq!(answer["not_applied"], json!([]));
    let (_, targets) = program.get("/v1/alert-targets").await;
    assert_eq!(targets["items"][0]["name"], "owner", "{targets}");
    program
        .until("the new port is open", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", new)).await.is_ok()
        })
        .await;
    assert_eq!(program.legacy(new, "/send_text", &body).await.0, 200);
    program
        .until("the old port is closed", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", old)).await.is_err()
        })
        .await;
    assert_eq!(program.get("/v1/accounts/backup_1").await.0, 404);
    let (_, listeners) = program.get("/v1/listeners").await;
    let named = |port: u16| listeners.to_string().contains(&format!("\"{port}\""));
    assert!(named(new) && !named(old), "{listeners}");

    // On a signal, as the service manager sends it.
    std::fs::write(world.settings_file(), before).expect("writes");
    let hup = Command::new("kill").args(["-HUP", &program.pid().to_string()]).status().expect("runs");
    assert!(hup.success());
    program.account_is("backup_1", "ready").await;
    program
        .until("the first port is open again", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", old)).await.is_ok()
        })
        .await;
    assert_eq!(program.legacy(old, "/send_text", &body).await.0, 200);
    assert_eq!(world.sent().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_of_webhooks_are_opened_and_closed_again() {
    let (world, program) = started(&["main"]).await;
    let receiver = Receiver::start().await;
    let hook = json!({ "url": receiver.address(), "events": ["message.*"] });
    let (status, refused) = program.post("/v1/webhooks", &hook).await;
    assert!(status == 422 && refused.to_string().contains("allow_private"), "{refused}");

    let before = std::fs::read_to_string(world.settings_file()).expect("reads");
    world.edit_settings(|text| format!("{text}\n[events]\nallow_private = [\"127.0.0.1/32\"]\n"));
    let answer = reload(&world);
    assert_eq!(keys(&answer, "applied"), ["events.allow_private"], "{answer}");
    assert_eq!(keys(&answer, "needs_restart"), Vec::<String>::new());
    let (status, made) = program.post("/v1/webhooks", &hook).await;
    assert_eq!(status, 201, "{made}");
    program.account_is("main", "ready").await;
    assert_eq!(program.send("@client_1", "one").await.0, 200);
    program.until("the webhook hears", || async { !receiver.bodies().is_empty() }).await;

    // One that is there is judged at each connection.
    std::fs::write(world.settings_file(), before).expect("writes");
    assert_eq!(keys(&reload(&world), "applied"), ["events.allow_private"]);
    assert_eq!(program.send("@client_1", "two").await.0, 200);
    let path = format!("/v1/webhooks/{}/attempts", made["id"].as_str().expect("an id"));
    program
        .until("an attempt is refused", || async {
            program.get(&path).await.1.to_string().contains("allow_private")
        })
        .await;
    let two = receiver.bodies().iter().filter(|body| body["type"] == "message.sent").count();
    assert!(two <= 1, "nothing is posted any more");
}

/// Writes a new certificate for localhost, and its key, to the files that the settings name.
fn renew(folder: &Path) -> reqwest::Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("tls.pem"), made.cert.pem()).expect("writes");
    std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).expect("writes");
    reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).expect("a certificate")
}

/// Whether the program answers a client that believes this certificate alone.
async fn answers(port: u16, shown: &reqwest::Certificate) -> bool {
    let client = reqwest::Client::builder().tls_certs_only([shown.clone()]).timeout(Duration::from_secs(30));
    let answer =
        client.build().expect("a client").get(format!("https://localhost:{port}/health/live")).send();
    answer.await.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_after_a_reload() {
    let world = World::start(binary()).await;
    let folder = world.data_dir("certificates");
    std::fs::create_dir_all(&folder).expect("a folder");
    let first = renew(&folder);
    let files = ["tls.pem", "tls.key"].map(|name| folder.join(name));
    let [certificate, key] = files;
    world.edit_settings(|text| format!("{text}\n[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n"));
    let port = free_port();
    let server = cli(&world, &["up", "--listen", &format!("127.0.0.1:{port}")]);
    let server = tokio::spawn(server.beside());
    let starts = async {
        while !answers(port, &first).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), starts).await.expect("it speaks TLS");

    let second = renew(&folder);
    assert!(answers(port, &first).await && !answers(port, &second).await, "the files are not read again");
    let output = cli(&world, &["reload"]).run().fine();
    assert!(output.contains("tls.certificate"), "{output}");
    assert!(answers(port, &second).await && !answers(port, &first).await);
    server.abort();
}

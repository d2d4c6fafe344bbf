//! Backups end to end: made while work goes on, put back elsewhere and over what is there, and nothing is sent twice by it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ambient::Clock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;
use crate::secrets::Secrets;
use crate::shell::cli::cli_on;

const HOUR: Duration = Duration::from_hours(1);

/// Runs a command on a data directory; its exit code, and all it printed.
fn command(world: &World, data: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let ran = cli_on(world, data, arguments).run();
    (ran.code, ran.all())
}

fn fine(world: &World, data: &str, arguments: &[&str]) -> String {
    let (code, output) = command(world, data, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {output}");
    output
}

fn refused(world: &World, data: &str, arguments: &[&str]) -> String {
    let (code, output) = command(world, data, arguments);
    assert_eq!(code, Some(1), "{arguments:?}: {output}");
    output
}

async fn running(world: &World, data: &str) -> Program {
    let program = Start::on(world, binary(), data).ready().await;
    // The first may have a flood wait that was put back with the rest.
    program.account_is("backup_1", "ready").await;
    program
}

/// Makes a backup; the path of its file.
fn backup(world: &World, data: &str) -> String {
    let made: Value =
        serde_json::from_str(&fine(world, data, &["backup", "create", "--json"])).expect("JSON");
    assert_eq!(made["state"], "proven", "{made}");
    let name = made["name"].as_str().expect("a name");
    world.data_dir(data).join("backups").join(name).to_str().expect("UTF-8").to_owned()
}

async fn is(program: &Program, id: &Value, state: &str) -> Value {
    let path = format!("/v1/messages/{}", id.as_str().expect("an id"));
    program.until(state, || async { program.get(&path).await.1["state"] == state }).await;
    program.get(&path).await.1
}

/// The next text of the first account waits for an hour.
async fn flood(world: &World) {
    let flood = json!({ "account": "main", "method": "messages.sendMessage", "seconds": 3600, "times": 1 });
    world.fault("flood_wait", flood).await;
}

/// It is over, and what waited is sent.
async fn the_wait_is_over(program: &Program, id: &Value) {
    program.advance(2 * HOUR).await;
    program.as_time_goes_by(Duration::from_secs(1), is(program, id, "sent")).await;
}

fn in_a_day() -> String {
    Clock::system().now().plus(24 * HOUR).to_string()
}

async fn count(world: &World, text: &str) -> usize {
    world.sent().await.iter().filter(|sent| *sent == text).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_is_restored_elsewhere() {
    let world = World::start(binary()).await;
    let mut program = running(&world, "data").await;
    let (status, first) = program.send("@client_1", "before").await;
    assert_eq!(status, 200);
    let sending = async {
        for number in 0..30 {
            let sent = program.send("@client_2", &format!("meanwhile {number}")).await;
            assert_eq!(sent.0, 200, "{}", sent.1);
        }
    };
    let making = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let making = scope.spawn(|| backup(&world, "data"));
            tokio::runtime::Handle::current().block_on(sending);
            making.join().expect("a backup")
        })
    });
    assert_eq!(program.terminate().await, Some(0));

    // The key is not in it, and without it nothing is put back.
    let output = refused(&world, "moved", &["restore", &making, "--yes"]);
    assert!(output.contains("master key"), "{output}");
    let (old, new) = (world.data_dir("data"), world.data_dir("moved"));
    fs::copy(old.join("master.key"), new.join("master.key")).expect("the key");
    let output = fine(&world, "moved", &["restore", &making, "--yes"]);
    assert!(output.contains("is in place"), "{output}");
    let program = running(&world, "moved").await;
    assert_eq!(is(&program, &first["id"], "sent").await["text"], "before");
    // A caller with a key gets in as before, and the accounts need no new login.
    assert_eq!(program.send("@client_1", "after").await.0, 200);
    let sent = world.sent().await;
    let mut once = sent.clone();
    once.sort();
    once.dedup();
    assert_eq!((once.len(), sent.len()), (32, 32), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_waiting_in_a_backup_are_not_sent_again() {
    let world = World::start(binary()).await;
    let mut program = running(&world, "data").await;
    flood(&world).await;
    let order = json!({ "chat": "@client_1", "text": "it waited", "wait": 0 });
    let post = || async {
        let request = program.request("POST", "/v1/messages").header("idempotency-key", "waits").json(&order);
        request.send().await.expect("an answer").json::<Value>().await.expect("JSON")
    };
    let waiting = post().await;
    let later = json!({ "chat": "@client_1", "text": "for later", "send_at": in_a_day(), "wait": 0 });
    let (status, later) = program.post("/v1/messages", &later).await;
    assert_eq!((status, &later["state"]), (202, &json!("scheduled")));
    let file = backup(&world, "data");
    // The server goes on, sends it, and dies.
    the_wait_is_over(&program, &waiting["id"]).await;
    program.kill();

    let looked = fine(&world, "data", &["restore", &file, "--dry-run"]);
    assert!(looked.contains("2 messages failed") && looked.contains("Nothing is wrong"), "{looked}");
    let output = fine(&world, "data", &["restore", &file, "--yes"]);
    assert!(output.contains("2 messages failed") && output.contains("replaced-"), "{output}");
    let program = running(&world, "data").await;
    for id in [&waiting["id"], &later["id"]] {
        let message = is(&program, id, "failed").await;
        assert_eq!(message["failure"]["code"], "restored", "{message}");
    }
    // A caller that asks with the same key learns of it, and nothing new begins.
    let request = program.request("POST", "/v1/messages").header("idempotency-key", "waits").json(&order);
    let again: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(again["id"], waiting["id"], "{again}");
    // The wait that it was in is over, and the time of the other has come.
    program.advance(30 * HOUR).await;
    program.pass_calmly(60).await;
    assert_eq!((count(&world, "it waited").await, count(&world, "for later").await), (1, 0));
    // A person may have it sent all the same; it goes with the random_id that it had, by which Telegram still knows it.
    let retry = format!("/v1/messages/{}/retry", waiting["id"].as_str().expect("an id"));
    assert!(program.post(&retry, &json!({})).await.0 < 300);
    is(&program, &waiting["id"], "sent").await;
    assert_eq!(count(&world, "it waited").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_waiting_in_a_backup_are_sent_on_request() {
    let world = World::start(binary()).await;
    let mut program = running(&world, "data").await;
    flood(&world).await;
    let (_, waiting) =
        program.post("/v1/messages", &json!({ "chat": "@client_1", "text": "moves", "wait": 0 })).await;
    assert_eq!(program.terminate().await, Some(0));
    // Also while no server runs.
    let file = backup(&world, "data");
    fs::create_dir(world.data_dir("moved")).expect("a folder");
    fs::copy(world.data_dir("data").join("master.key"), world.data_dir("moved").join("master.key"))
        .expect("the key");
    fine(&world, "moved", &["restore", &file, "--waiting", "send", "--yes"]);
    let program = running(&world, "moved").await;
    the_wait_is_over(&program, &waiting["id"]).await;
    assert_eq!(count(&world, "moves").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_say_what_is_wrong() {
    let world = World::start(binary()).await;
    let mut program = running(&world, "data").await;
    let output = refused(&world, "data", &["backup", "check"]);
    assert!(
        output.contains("there is no backup in") && output.contains("switchboard backup create"),
        "{output}"
    );
    assert!(fine(&world, "data", &["backup", "list"]).contains("There is no backup in"));
    let file = backup(&world, "data");
    let listed = fine(&world, "data", &["backup", "list"]);
    assert!(listed.contains("proven") && listed.contains("7 are kept"), "{listed}");
    let output = refused(&world, "data", &["backup", "check", "../../etc/passwd"]);
    assert!(output.contains("no backup of this name"), "{output}");
    let output = refused(&world, "data", &["restore", &file, "--yes"]);
    assert!(output.contains("systemctl stop switchboard"), "{output}");
    let (code, output) = {
        assert_eq!(program.terminate().await, Some(0));
        command(&world, "data", &["restore", &file])
    };
    assert!(code == Some(2) && output.contains("--yes"), "{code:?} {output}");
    let output = refused(&world, "data", &["restore", "/nowhere/backup.tar.gz", "--yes"]);
    assert!(output.contains("/nowhere/backup.tar.gz"), "{output}");

    // One that became damaged is reported, by its trial and by the doctor.
    let whole = fs::read(&file).expect("the backup");
    fs::write(&file, &whole[..whole.len() / 2]).expect("written");
    let output = refused(&world, "data", &["backup", "check"]);
    assert!(output.contains("cannot be put back") && output.contains("not whole"), "{output}");
    let output = refused(&world, "data", &["restore", &file, "--yes"]);
    assert!(output.contains("not whole"), "{output}");
    assert_eq!(found(&doctor(&world, "data")), ["backup_broken"]);
}

/// The files in a backup, each with its name and its bytes.
pub(crate) fn files_in(backup: &Path) -> Vec<(String, Vec<u8>)> {
    let unpacked = tempfile::tempdir().expect("a folder");
    let ran = Command::new("tar").arg("-xzf").arg(backup).arg("-C").arg(unpacked.path()).output();
    let ran = ran.expect("runs");
    assert!(ran.status.success(), "{ran:?}");
    let (mut folders, mut found) = (vec![unpacked.path().to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("reads").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(unpacked.path()).expect("lies in it").display().to_string();
                found.push((name, fs::read(&path).expect("reads")));
            }
        }
    }
    found
}

/// The beginnings of the keys that the sessions of the settings' accounts are.
fn session_keys(world: &World) -> Vec<Vec<u8>> {
    const KEY: usize = 256;
    let settings = fs::read_to_string(world.settings_file()).expect("the settings");
    let strings = settings.split('"').filter(|text| text.starts_with('1') && text.len() > KEY);
    let key = |text: &str| {
        let bytes = URL_SAFE.decode(&text[1..]).expect("base64");
        bytes[bytes.len() - KEY..][..32].to_vec()
    };
    strings.map(key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_key_nor_what_it_seals_can_be_read_from_a_backup() {
    const HASH: &str = "5099aa17c0ffee005099aa17c0ffee00";
    let world = World::start(binary()).await;
    let program = running(&world, "data").await;
    let sixth = json!({
        "name": "sixth", "api_id": 5099, "api_hash": HASH, "phone": "+70000099001",
        "proxy": "socks5://demo:planted-proxy-word@localhost:1",
    });
    let hook = json!({
        "name": "hook", "kind": "webhook", "url": "https://example.com/planted-address", "secret": "planted-signing-word",
    });
    let anna = json!({ "name": "anna", "role": "admin", "password": "planted password of anna" });
    for (path, order) in [("/v1/accounts", sixth), ("/v1/alert-targets", hook), ("/v1/users", anna)] {
        let (status, made) = program.post(path, &order).await;
        assert_eq!(status, 201, "{path}: {made}");
    }
    let (_, made) = program.post("/v1/keys", &json!({ "name": "n8n", "scopes": ["send"] })).await;
    let api_key = made["key"].as_str().expect("a key");
    let master = fs::read_to_string(world.data_dir("data").join("master.key")).expect("the key");
    let master = master.trim();
    let bytes = (0..master.len()).step_by(2).map(|at| u8::from_str_radix(&master[at..at + 2], 16));
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>().expect("hexadecimal");
    let mut secrets = Secrets::default();
    secrets.plant("master key", master);
    secrets.plant("master key, its bytes", bytes);
    for word in [
        HASH,
        "70000099001",
        "planted-proxy-word",
        "planted-address",
        "planted-signing-word",
        "planted password of anna",
        testkit::KEY,
        api_key,
        api_key.trim_start_matches("swb_"),
    ] {
        secrets.plant("word", word);
    }
    let sessions = session_keys(&world);
    assert!(sessions.len() >= 5, "{}", sessions.len());
    for session in sessions {
        secrets.plant("session key", session);
    }

    let files = files_in(Path::new(&backup(&world, "data")));
    // The search finds what is there.
    let mut known = Secrets::default();
    known.plant("name", "sixth");
    assert!(
        files.iter().any(|(name, bytes)| name.ends_with("switchboard.db") && known.found(bytes).is_some())
    );
    for (name, bytes) in &files {
        let path = Path::new(name);
        let is_secret = path.ends_with("master.key") || path.extension().is_some_and(|end| end == "toml");
        assert!(!is_secret, "{name}");
        secrets.not_in(name, bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_made_daily_and_missed_ones_reported() {
    let world = World::start(binary()).await;
    let program = running(&world, "data").await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), <[&str; 0]>::default());
    let proven = || async {
        let (_, all) = program.get("/v1/backups").await;
        all["items"].as_array().expect("items").iter().filter(|one| one["state"] == "proven").count()
    };
    program
        .as_time_goes_by(Duration::from_mins(1), program.until("the first", || async { proven().await == 1 }))
        .await;
    program
        .as_time_goes_by(Duration::from_mins(30), program.until("the next", || async { proven().await == 2 }))
        .await;
    let (_, audit) = program.get("/v1/audit?limit=200").await;
    let by_hand =
        audit["items"].as_array().expect("items").iter().any(|entry| entry["action"] == "create_backup");
    assert!(!by_hand, "no one asked for them");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_missing_old_and_unproven_backups() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n[backup]\nevery = \"0s\"\ndrill_every = \"0s\"\n"));
    let program = running(&world, "data").await;
    program.advance(Duration::from_hours(30)).await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), ["backup_none"]);
    let file = backup(&world, "data");
    program.advance(Duration::from_secs(6)).await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), <[&str; 0]>::default());
    program.advance(Duration::from_hours(8 * 24)).await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), ["backup_old"]);
    program.advance(Duration::from_hours(30 * 24)).await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), ["backup_old", "backup_untried"]);
    // One is tried again and the finding about it is gone; the file may be elsewhere by now.
    fine(&world, "data", &["backup", "check"]);
    program.advance(Duration::from_secs(6)).await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), ["backup_old"]);
    fs::remove_file(Path::new(&file)).expect("moved away");
    program.advance(Duration::from_secs(6)).await;
    assert_eq!(found(&program.get("/v1/doctor").await.1), ["backup_old"]);
}

/// The report of the command.
fn doctor(world: &World, data: &str) -> Value {
    let (_, output) = command(world, data, &["doctor", "--offline", "--json"]);
    serde_json::from_str(&output).expect("JSON")
}

/// The codes of what is found of backups.
fn found(report: &Value) -> Vec<&str> {
    let sections = report["sections"].as_array().expect("sections");
    let section =
        sections.iter().find(|section| section["area"] == "backups").expect("backups are looked at");
    assert_eq!(section["looked"], "wholly", "{section}");
    section["findings"].as_array().expect("findings").iter().filter_map(|one| one["code"].as_str()).collect()
}

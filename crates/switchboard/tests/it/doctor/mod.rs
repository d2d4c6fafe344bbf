//! `switchboard doctor`: with a server, without one, and where something is wrong on purpose.

mod channels;
mod commands;
mod errors;
mod machine;
mod network;
mod old_installation;
mod server;
mod sessions;
mod units;
mod webhooks;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};
use tokio::sync::RwLock;

use crate::shell::cli::{Ran, cli};
use crate::{binary, python};

/// The doctor sees the whole machine: a test that puts something there which others must not find has it alone.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// A program of another's, until it is dropped.
struct Foreign(Child);

impl Foreign {
    /// Runs Python, and waits until it says that it is where it is wanted.
    fn python(source: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(python::path());
        command.args(["-c", source]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("it says something");
        assert_eq!(line, "ready\n");
        Self(child)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the doctor on the data of a world; its exit code, what it wrote, and what it complained of.
async fn doctor(world: &World, arguments: &[&str]) -> (Option<i32>, String, String) {
    let running = cli(world, &[&["doctor"], arguments].concat()).beside();
    let Ran { code, out, err, .. } =
        tokio::time::timeout(Duration::from_mins(1), running).await.expect("it ends");
    (code, out, err)
}

/// The report as JSON, and the exit code.
async fn examined(world: &World, arguments: &[&str]) -> (Option<i32>, Value) {
    let (code, out, err) = doctor(world, &[arguments, &["--json"]].concat()).await;
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}{err}")))
}

/// What was found in an area.
fn section<'a>(report: &'a Value, area: &str) -> &'a Value {
    let sections = report["sections"].as_array().expect("sections");
    sections.iter().find(|section| section["area"] == area).expect("an area")
}

fn findings(report: &Value) -> Vec<&Value> {
    let sections = report["sections"].as_array().expect("sections").iter();
    sections.flat_map(|section| section["findings"].as_array().expect("findings")).collect()
}

/// The one finding of a kind.
fn finding<'a>(report: &'a Value, code: &str) -> &'a Value {
    let mut found = findings(report).into_iter().filter(|finding| finding["code"] == code);
    let one = found.next().unwrap_or_else(|| panic!("no {code}: {report:#}"));
    assert!(found.next().is_none(), "{code} is there twice: {report:#}");
    one
}

/// The codes of all that is wrong.
fn wrong(report: &Value) -> Vec<&str> {
    let all = findings(report).into_iter().filter(|finding| finding["severity"] != "note");
    all.map(|finding| finding["code"].as_str().expect("a word")).collect()
}

/// A world whose settings file, which has secrets in it, is closed to others.
async fn closed_world() -> World {
    let world = World::start(binary()).await;
    close(&world);
    world
}

/// Closes the settings file to others. It names a free port, because another test may have the usual one.
fn close(world: &World) {
    let listen = format!("listen = \"127.0.0.1:{}\"\n", testkit::free_port());
    world.edit_settings(|text| if text.contains("listen = ") { text } else { listen + &text });
    fs::set_permissions(world.settings_file(), Permissions::from_mode(0o600)).expect("set");
}

async fn well(world: &World) -> Program {
    let program = Start::on(world, binary(), "data").ready().await;
    for account in ACCOUNTS {
        program.account_is(account, "ready").await;
    }
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_installation_is_well_with_and_without_server() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let mut program = well(&world).await;
    let (code, report) = examined(&world, &[]).await;
    assert_eq!((code, wrong(&report)), (Some(0), vec![]), "{report:#}");
    assert_eq!((&report["server"]["pid"], &report["inside"]), (&json!(program.pid()), &Value::Null));
    let seen = |area: &str| section(&report, area)["looked"].clone();
    for area in
        ["ports", "accounts", "store", "queue", "clock", "network", "memory", "disk", "files", "errors"]
    {
        assert_eq!(seen(area), "wholly", "{area}: {report:#}");
    }
    let (code, out, _) = doctor(&world, &[]).await;
    assert!(code == Some(0) && out.contains("Nothing is wrong"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80 || line.contains("/tmp")), "{out}");
    let hash =
        world.get("/telegram/accounts").await["items"][0]["api_hash"].as_str().expect("a text").to_owned();
    assert!(!out.contains(&hash) && !report.to_string().contains(&hash));

    let (status, shown) = program.get("/v1/doctor").await;
    assert_eq!(
        (status, &shown["server"], &shown["inside"]),
        (200, &report["server"], &Value::Null),
        "{shown:#}"
    );
    program.terminate().await;
    let (code, report) = examined(&world, &["--offline"]).await;
    assert_eq!((code, wrong(&report)), (Some(1), vec!["server_absent"]), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_port_names_its_holder() {
    let _machine = MACHINE.write().await;
    let world = closed_world().await;
    let holder = TcpListener::bind(("127.0.0.1", world.legacy_port(5022))).expect("binds");
    let own = std::process::id();
    let judge = |report: &Value| {
        let taken = finding(report, "port_taken");
        // Words of another program's command may be secret: its name says enough.
        let line = taken["evidence"][0].as_str().expect("a line");
        assert!(line.starts_with(&format!("process {own}: ")) && line.contains(", since 20"), "{taken:#}");
        assert_eq!(taken["fix"]["kind"], "setting", "{taken:#}");
    };
    judge(&examined(&world, &["--offline"]).await.1);
    let program = well(&world).await;
    judge(&examined(&world, &[]).await.1);
    drop((holder, program));
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_name_the_command_that_fixes_them() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let program = well(&world).await;
    world.fault("session_revoked", json!({"account": "main"})).await;
    program.account_is("main", "needs_login").await;
    let (status, _) = program.post("/v1/services/leave_chat/actions/stop", &json!({})).await;
    assert_eq!(status, 200);
    let (code, report) = examined(&world, &[]).await;
    assert_eq!(code, Some(1));
    let down = finding(&report, "account_down");
    assert_eq!(down["subject"], "account main", "{report:#}");
    let command = |finding: &Value| finding["fix"]["command"].as_str().expect("a command").to_owned();
    assert!(command(down).starts_with("switchboard account login main --config "), "{down:#}");
    assert!(command(finding(&report, "service_stopped")).starts_with("switchboard service start leave_chat"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_sessions_are_reported() {
    let _machine = MACHINE.write().await;
    let world = crate::importing::stage::world().await;
    close(&world);
    let folder = world.data_dir("keys");
    fs::create_dir(&folder).expect("made");
    let named = folder.join("main.session");
    crate::importing::stage::file(&world, &named, &[]).await;
    fs::copy(&named, folder.join("copy.session")).expect("copied");
    let spare = session_files::Session::new(
        2,
        session_files::Key::new(domain::Secret::new(Box::new([7; 256]))).expect("a key"),
    );
    session_files::write_telethon(&folder.join("spare.session"), &spare).expect("written");
    for file in ["main.session", "copy.session", "spare.session"] {
        fs::set_permissions(folder.join(file), Permissions::from_mode(0o600)).expect("set");
    }
    let account = |name: &str, file: &str| {
        format!(
            "\n[[telegram.accounts]]\nname = \"{name}\"\napi_id = 1000001\napi_hash = \"0123456789abcdef0123456789abcdef\"\nsessions = [{{ file = \"{}\" }}]\n",
            folder.join(file).display()
        )
    };
    world.edit_settings(|text| {
        let accounts = account("moved", "main.session") + &account("lost", "nowhere.session");
        text.replacen("\n[legacy]", &format!("{accounts}\n[legacy]"), 1)
    });
    let open = fs::File::open(&named).expect("opens");
    let (code, report) = examined(&world, &["--offline"]).await;
    drop(open);
    assert_eq!(code, Some(1));
    assert_eq!(finding(&report, "session_missing")["subject"], "account lost");
    assert!(
        finding(&report, "session_unnamed")["subject"]
            .as_str()
            .is_some_and(|file| file.ends_with("spare.session"))
    );
    assert_eq!(finding(&report, "session_twice")["evidence"].as_array().map(Vec::len), Some(2));
    let shared = finding(&report, "session_shared");
    assert!(shared["evidence"].to_string().contains(&std::process::id().to_string()), "{shared:#}");
    assert_eq!(shared["fix"]["kind"], "advice", "a foreign program is left alone: {shared:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn causes_of_a_failed_start_are_found_offline() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let mut program = well(&world).await;
    program.terminate().await;
    let data = world.data_dir("data");
    let key = data.join("master.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("set");
    let (code, report) = examined(&world, &["--offline"]).await;
    assert_eq!(code, Some(1));
    let chmod = json!(format!("chmod 600 {}", key.display()));
    assert_eq!(finding(&report, "store_unusable")["fix"]["command"], chmod, "{report:#}");
    assert_eq!(finding(&report, "file_open_to_others")["fix"]["command"], chmod);
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("set");

    // A process that has the directory and does not answer.
    let lock = fs::File::open(data.join("switchboard.lock")).expect("opens");
    lock.try_lock().expect("no one has it");
    let (code, report) = examined(&world, &["--offline"]).await;
    assert_eq!(
        (code, &finding(&report, "server_deaf")["severity"]),
        (Some(1), &json!("error")),
        "{report:#}"
    );
    drop(lock);

    fs::write(data.join("switchboard.db"), vec![b'x'; 9000]).expect("written");
    world.edit_settings(|text| format!("lisen = \"127.0.0.1:1\"\n{text}"));
    let (_, report) = examined(&world, &["--offline"]).await;
    let settings = finding(&report, "settings_wrong");
    assert!(settings["evidence"].to_string().contains("lisen"), "{settings:#}");
    world.edit_settings(|text| text.replacen("lisen = \"127.0.0.1:1\"\n", "", 1));
    let (_, report) = examined(&world, &["--offline"]).await;
    assert!(
        finding(&report, "store_unusable")["summary"].as_str().is_some_and(|why| why.contains("damaged"))
    );
}

//! An old installation with real processes: masters of gunicorn on the old ports, an orphan, a unit in a crash loop, a
//! taken port; the table, the findings, and the plan that an import takes.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::World;

use super::{MACHINE, close, doctor, examined, finding, findings};
use crate::importing::stage;
use crate::python;

/// The secret in the old scripts, which must never be shown.
const HASH: &str = "feedfacefeedfacefeedfacefeedface";

/// The number of the message with which the service manager says that it starts a unit again.
const RESTART: &str = "5eb03494b6584870a536b337290809b3";

/// The old scripts and what is beside them.
struct Old {
    folder: PathBuf,
    /// An address that no other test listens on: the old ports are real ones.
    host: String,
}

impl Old {
    async fn new(world: &World) -> Self {
        let folder = world.data_dir("old");
        fs::create_dir_all(folder.join("systemd")).expect("made");
        let folder = fs::canonicalize(folder).expect("there");
        let pid = std::process::id();
        let old = Self { folder, host: format!("127.{}.{}.1", 64 + pid % 64, (pid / 64) % 250) };
        old.write("create_chat.py", &script("create_chat", "main_create", "main", ""));
        old.write(
            "send_text.py",
            &script("send_text", "main_text", "main", "HELD = open('main_text.session', 'rb')"),
        );
        old.write("leave_chat.py", &script("leave_chat", "fifth_leeve", "fifth", "PORT = 5028"));
        old.write(
            "monitor.py",
            "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(host='0.0.0.0', port=5099)\n",
        );
        let unit = |name: &str, command: &str| {
            let text = format!(
                "[Service]\nExecStart={command}\nWorkingDirectory={}\nRestart=always\n",
                old.folder.display()
            );
            old.write(&format!("systemd/{name}"), &text);
        };
        unit("monitor.service", &format!("/usr/bin/python3 {}/monitor.py", old.folder.display()));
        unit("leave.service", "/usr/bin/gunicorn -b 0.0.0.0:5028 leave_chat:app");
        stage::file(world, &old.folder.join("main_text.session"), &[]).await;
        old.session("main_create.session", 3);
        old.session("spare.session", 4);
        fs::copy(old.folder.join("spare.session"), old.folder.join("spare copy.session")).expect("copied");
        old.write("broken.session", "no session");
        old
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("written");
    }

    fn session(&self, name: &str, byte: u8) {
        let key = session_files::Key::new(domain::Secret::new(Box::new([byte; 256]))).expect("a key");
        let session = session_files::Session::new(2, key);
        session_files::write_telethon(&self.folder.join(name), &session).expect("written");
    }

    /// A master of gunicorn whose number is in a file.
    fn gunicorn(&self, port: u16, module: &str) -> String {
        let (python, host, folder) = (python::path(), &self.host, self.folder.display());
        format!(
            "exec {python} -m gunicorn -b {host}:{port} -w 1 --chdir '{folder}' --no-control-socket --pid '{folder}/{module}.pid' {module}:app >/dev/null 2>&1"
        )
    }

    /// The number of a master, when it listens.
    async fn master(&self, port: u16, module: &str) -> u32 {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let listens = tokio::net::TcpStream::connect((self.host.as_str(), port)).await.is_ok();
            let pid = fs::read_to_string(self.folder.join(format!("{module}.pid"))).ok();
            if let Some(pid) = pid.filter(|_| listens).and_then(|pid| pid.trim().parse().ok()) {
                return pid;
            }
            assert!(Instant::now() < deadline, "{module} does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A journal as `journalctl --output=json` writes it: the monitor is started again for the 111th time, a minute ago.
    fn journal(&self) -> PathBuf {
        let now =
            fs::metadata(self.folder.join("monitor.py")).and_then(|file| file.modified()).expect("a time");
        let now = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_micros();
        let mut text = String::new();
        for (unit, last) in [("monitor.service", 111), ("shop.service", 7)] {
            for number in 0..6_u64 {
                let at = now - u128::from(10_000_000 * (6 - number));
                writeln!(
                    text,
                    "{}",
                    json!({"__REALTIME_TIMESTAMP": at.to_string(), "MESSAGE_ID": RESTART, "UNIT": unit, "N_RESTARTS": (last - 5 + number).to_string()})
                )
                .expect("written");
            }
        }
        let entry = json!({"__REALTIME_TIMESTAMP": now.to_string(), "_SYSTEMD_UNIT": "monitor.service", "MESSAGE": format!("Address already in use {HASH}")});
        writeln!(text, "{entry}").expect("written");
        let file = self.folder.join("journal.json");
        fs::write(&file, text).expect("written");
        file
    }
}

/// An old script: what it says is what the survey reads; what gunicorn runs of it is the function at its end.
pub(super) fn script(service: &str, session: &str, account: &str, more: &str) -> String {
    format!(
        "API_ID = 1000001\nAPI_HASH = '{HASH}'\nACCOUNT = '{account}'\nROUTE = '/{service}'\n{more}\n\n\
         def connect():\n    from telethon import TelegramClient\n    return TelegramClient('{session}', API_ID, API_HASH)\n\n\
         def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n"
    )
}

/// A process that is ended with the test: a child of it, or an orphan.
struct Ended(Option<Child>, u32);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.1.to_string()).status();
        if let Some(child) = &mut self.0 {
            let _ = child.wait();
        }
    }
}

fn shell(line: &str) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().expect("a shell")
}

/// The old ports in the settings, on the address of this test; without 5028, which the scripts serve.
fn settings(world: &World, host: &str) {
    world.edit_settings(|text| {
        let (before, _) = text.split_once("[legacy]").expect("the ports");
        let port = |port: u16, service: &str| {
            format!("{{ port = {port}, service = \"{service}\", listen = \"{host}\" }}")
        };
        format!(
            "{before}[legacy]\nports = [\n{},\n{},\n{},\n]\n",
            port(5021, "create_chat"),
            port(5022, "send_media"),
            port(5023, "send_media")
        )
    });
    close(world);
}

/// The table of a report, with the numbers of processes replaced. Columns are as wide as their widest cell, so that only
/// the cells are compared.
fn table(text: &str, pids: &[(u32, &str)]) -> String {
    let mut table = String::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        writeln!(table, "{}", cells.join(" | ")).expect("written");
    }
    for (pid, name) in pids {
        table = table.replace(&pid.to_string(), name);
    }
    table
}

const TABLE: &str = "\
PORT | SCRIPT | SERVES | ACCOUNT | API_ID | SESSION | STARTED BY | ALIVE
5021 | create_chat.py | create_chat | main | 1000001 | main_create.session | none (orphan) | orphan, ORPHAN
5022 | send_text.py | send_text | main | 1000001 | main_text.session | TEST | yes, CHILD
5028 | leave_chat.py | leave_chat | fifth | 1000001 | fifth_leeve (missing) | leave.service | no
5099 | monitor.py | - | ? | - | - | monitor.service | crash loop, 111 restarts
- | - | - | ? | - | broken.session | - | no
- | - | - | ? | - | spare copy.session | - | no
- | - | - | ? | - | spare.session | - | no
";

#[tokio::test(flavor = "multi_thread")]
async fn an_old_installation_is_surveyed_and_its_plan_is_carried_out() {
    let _machine = MACHINE.write().await;
    let world = stage::world().await;
    let old = Old::new(&world).await;
    settings(&world, &old.host);

    // The parent of the first is gone at once; the second is a child of this test.
    let mut gone = shell(&format!("({}) &", old.gunicorn(5021, "create_chat")));
    gone.wait().expect("it ends");
    let orphan = Ended(None, old.master(5021, "create_chat").await);
    let child = shell(&old.gunicorn(5022, "send_text"));
    let child = Ended(Some(child), old.master(5022, "send_text").await);
    let foreign = TcpListener::bind((old.host.as_str(), 5023)).expect("binds");
    let neighbour = TcpListener::bind((old.host.as_str(), 5026)).expect("binds");

    let (folder, journal) = (old.folder.to_str().expect("UTF-8"), old.journal());
    let plan = old.folder.join("plan.toml");
    let arguments = [
        "--offline",
        "--legacy",
        folder,
        "--journal",
        journal.to_str().expect("UTF-8"),
        "--write-plan",
        plan.to_str().expect("UTF-8"),
    ];
    let (code, out, err) = doctor(&world, &arguments).await;
    let own = fs::read_to_string("/proc/self/comm").expect("a name");
    let by_test = format!("{} ({})", own.trim(), std::process::id());
    let shown = table(&out.replace(&by_test, "TEST"), &[(orphan.1, "ORPHAN"), (child.1, "CHILD")]);
    assert_eq!(shown, TABLE, "{out}{err}");
    assert_eq!(code, Some(1));
    assert!(!out.contains(HASH) && !err.contains(HASH));

    let (_, report) = examined(&world, &arguments[..5]).await;
    let command = |code: &str| finding(&report, code)["fix"]["command"].as_str().map(str::to_owned);
    assert_eq!(command("orphan"), Some(format!("kill {}", orphan.1)));
    assert_eq!(finding(&report, "port_not_taken")["subject"], "port 5028");
    assert_eq!(finding(&report, "port_differs")["subject"], "port 5022");
    assert_eq!(finding(&report, "legacy_session_missing")["subject"], "fifth_leeve");
    let of = |code: &str| {
        let all = findings(&report).into_iter().filter(|one| one["code"] == code);
        all.map(|one| {
            (one["subject"].as_str().expect("a text"), one["fix"]["kind"].as_str().expect("a word"))
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        of("port_taken"),
        [("port 5021", "command"), ("port 5022", "command"), ("port 5023", "setting")]
    );
    assert_eq!(of("crash_loop"), [("monitor.service", "command"), ("shop.service", "nothing")]);
    assert!(
        of("foreign_neighbour").iter().any(|(subject, fix)| subject.contains("5026") && *fix == "nothing")
    );
    let stops: Vec<String> = findings(&report)
        .into_iter()
        .filter_map(|one| one["fix"]["command"].as_str().map(str::to_owned))
        .filter(|command| command.starts_with("kill"))
        .collect();
    let known = [format!("kill {}", orphan.1), format!("kill {}", child.1)];
    assert!(!stops.is_empty() && stops.iter().all(|stop| known.contains(stop)), "{stops:?}");
    assert!(!report.to_string().contains(HASH));
    drop((orphan, child, foreign, neighbour));

    carried_out(&world, &plan).await;
}

/// The plan is taken as it is.
async fn carried_out(world: &World, plan: &Path) {
    let text = fs::read_to_string(plan).expect("a plan");
    assert!(!text.contains(HASH), "{text}");
    let file = plan.to_str().expect("UTF-8");
    let arguments = [
        "account",
        "import",
        "--plan",
        file,
        "--api-id",
        "1000001",
        "--api-hash-env",
        "DEMO_API_HASH",
        "--json",
        "--yes",
    ];
    let mut dry = arguments.to_vec();
    dry.push("--dry-run");
    let planned = stage::fine(world, &dry).await;
    assert_eq!((&planned["dry_run"], &planned["notes"]), (&json!(true), &json!([])), "{planned:#}");
    let report = stage::fine(world, &arguments).await;
    let rows = report["sessions"].as_array().expect("sessions");
    assert_eq!(rows.len(), 3, "{report:#}");
    let row = |name: &str| {
        rows.iter().find(|row| row["file"].as_str().is_some_and(|file| file.ends_with(name))).expect("a row")
    };
    // The script calls its account `main`; whose it is, Telegram says.
    let moved = row("main_text.session");
    assert_eq!((&moved["what"], &moved["account"]), (&json!("new"), &json!("demo_backup_1")), "{report:#}");
    assert_eq!(moved["purposes"], json!(["send_text"]));
    assert_eq!(row("spare copy.session")["what"], "signed_out", "{report:#}");
}

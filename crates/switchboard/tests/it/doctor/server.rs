//! A server in trouble, brought about for real: a store that another program has locked, a port whose connections are used up,
//! memory that is nearly gone, a message that may not be sent, and a command of another version.

use std::fs::{self};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, World};

use super::{Foreign, MACHINE, closed_world, examined, finding, findings, section, well};
use crate::binary;

/// The doctor's report while time goes by for the server, so that what it waits for comes at once.
async fn examined_meanwhile(world: &World, program: &Program) -> Value {
    let examining = examined(world, &["--offline"]);
    let (code, report) = program.as_time_goes_by(Duration::from_millis(200), examining).await;
    assert_eq!(code, Some(1), "{report:#}");
    report
}

/// Waits until this is no longer reported. Nothing else is looked at: after a leap of time accounts connect again.
async fn gone(program: &Program, world: &World, code: &str) {
    let well = || async {
        let (_, report) = examined(world, &["--offline"]).await;
        findings(&report).iter().all(|finding| finding["code"] != code)
    };
    program.until("it is well again", well).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_store_is_reported_until_released() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let program = well(&world).await;
    // A person looks into the database with another tool, and leaves a transaction open.
    let database = rusqlite::Connection::open(world.data_dir("data").join("switchboard.db")).expect("opens");
    database.busy_timeout(Duration::from_secs(10)).expect("set");
    database.execute_batch("BEGIN EXCLUSIVE").expect("no one else writes");
    let report = examined_meanwhile(&world, &program).await;
    let silent = finding(&report, "store_silent");
    assert_eq!(silent["severity"], "error", "{silent:#}");
    assert!(silent["summary"].as_str().is_some_and(|text| text.contains("takes no writes")), "{silent:#}");
    assert_eq!(silent["evidence"], json!(["nothing was written within 3 s"]), "{silent:#}");
    // It can still be read: what waits is seen.
    assert_eq!(section(&report, "queue")["looked"], "wholly", "{report:#}");

    database.execute_batch("ROLLBACK").expect("lets go");
    gone(&program, &world, "store_silent").await;
    assert_eq!(program.send("@client_1", "It writes again.").await.0, 200);
}

/// Opens connections and says nothing on them.
const SAYS_NOTHING: &str = "\
import resource, socket, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) for _ in range(int(sys.argv[2]))]
print('ready', flush=True)
sys.stdin.read()
";

/// The most connections of one port.
const CONNECTIONS: u32 = 2048;

#[tokio::test(flavor = "multi_thread")]
async fn exhausted_port_is_reported() {
    let _machine = MACHINE.write().await;
    let world = closed_world().await;
    let program = well(&world).await;
    let port = world.legacy_port(5022);
    let foreign = Foreign::python(SAYS_NOTHING, &[&port.to_string(), &CONNECTIONS.to_string()]);
    let report = examined_meanwhile(&world, &program).await;
    let silent = finding(&report, "listener_silent");
    assert_eq!((&silent["severity"], &silent["subject"]), (&json!("error"), &json!(format!("port {port}"))));
    assert_eq!(silent["evidence"], json!(["no answer within 4 s"]), "{silent:#}");
    drop(foreign);
    gone(&program, &world, "listener_silent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_server_is_reported_by_its_pid() {
    let _machine = MACHINE.write().await;
    let world = closed_world().await;
    let program = well(&world).await;
    // It has its ports and its control socket, and a caller that connects is kept waiting.
    let signal = |name: &str| {
        let sent = Command::new("kill").args(["-s", name, &program.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    };
    signal("STOP");
    let mut list = tokio::process::Command::new(binary());
    list.args(["account", "list", "--config"])
        .arg(world.settings_file())
        .arg("--data-dir")
        .arg(world.data_dir("data"));
    let ((code, report), listed) = tokio::join!(examined(&world, &["--offline"]), list.output());
    signal("CONT");
    let listed = listed.expect("runs");
    let errors = String::from_utf8_lossy(&listed.stderr);
    assert!(!listed.status.success() && errors.contains("does not answer; `switchboard doctor`"), "{errors}");
    let deaf = finding(&report, "server_deaf");
    assert_eq!((code, &deaf["severity"]), (Some(1), &json!("error")), "{report:#}");
    let summary = format!("Process {} holds the data directory and does not answer.", program.pid());
    assert_eq!(
        (&deaf["summary"], &deaf["evidence"]),
        (&json!(summary), &json!(["the server did not answer within 5 s"]))
    );
    // It is no foreign program that has the ports.
    let foreign = findings(&report).into_iter().find(|one| one["summary"].to_string().contains("foreign"));
    assert_eq!(foreign, None);
    let (_, report) = examined(&world, &["--offline"]).await;
    assert!(findings(&report).iter().all(|one| one["code"] != "server_deaf"), "{report:#}");
}

/// A control group of the test's own, below that of the test; gone when it is dropped and empty.
struct Group {
    folder: PathBuf,
    limit: &'static str,
}

impl Group {
    /// Makes one where memory can be limited, whichever generation of control groups this machine has; says why it cannot where
    /// that is forbidden, as in a container that shares its host's groups.
    fn new() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").expect("reads");
        let mounts = fs::read_to_string("/proc/self/mounts").expect("reads");
        let mut refusals = Vec::new();
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let old = controllers.split(',').any(|name| name == "memory");
            if !old && !controllers.is_empty() {
                continue;
            }
            let kind = if old { "cgroup" } else { "cgroup2" };
            let is_it = |words: &[&str]| {
                words.get(2) == Some(&kind) && (!old || words[3].split(',').any(|option| option == "memory"))
            };
            let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
            let Some(base) = mounts.find_map(|words| is_it(&words).then(|| words[1].to_owned())) else {
                continue;
            };
            let name = format!("switchboard-test-{}", std::process::id());
            let folder = Path::new(&base).join(path.trim_start_matches('/')).join(name);
            let limit = if old { "memory.limit_in_bytes" } else { "memory.max" };
            let group = Self { folder, limit };
            match fs::create_dir(&group.folder) {
                Ok(()) if group.folder.join(limit).exists() => return Some(group),
                Ok(()) => refusals.push(format!("{} has no {limit}", group.folder.display())),
                Err(error) => refusals.push(format!("{}: {error}", group.folder.display())),
            }
        }
        testkit::not_tried(&format!(
            "that a full group of processes is found: no one may limit the memory of one here ({})",
            refusals.join("; ")
        ));
        None
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes take a moment to go.
        let script = "for _ in $(seq 100); do rmdir \"$1\" 2>/dev/null && exit; sleep 0.02; done; exit 1";
        let gone = Command::new("sh").args(["-c", script, "sh"]).arg(&self.folder).status();
        if !gone.is_ok_and(|status| status.success()) {
            eprintln!("{} is still in use", self.folder.display());
        }
    }
}

/// What a process has in memory, in bytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn low_memory_and_oom_kills_are_reported() {
    let _machine = MACHINE.write().await;
    let world = closed_world().await;
    let Some(group) = Group::new() else { return };
    let program = well(&world).await;
    let is_there =
        |report: &Value, code: &str| findings(report).iter().any(|finding| finding["code"] == code);

    // What it has already was counted where it began; the limit is for what the system is asked about.
    group.write("cgroup.procs", &program.pid().to_string());
    group.write(group.limit, &(resident(program.pid()) * 3).to_string());
    let (_, report) = examined(&world, &["--offline"]).await;
    assert!(!is_there(&report, "memory_high") && !is_there(&report, "memory_killed"), "{report:#}");
    // It gives memory back while it rests, now and then between the setting of the limit and the look at it.
    let mut looked = (None, Value::Null);
    for _ in 0..10 {
        group.write(group.limit, &(resident(program.pid()) * 100 / 88).to_string());
        looked = examined(&world, &["--offline"]).await;
        if is_there(&looked.1, "memory_high") {
            break;
        }
    }
    let (code, report) = looked;
    let high = finding(&report, "memory_high");
    assert_eq!((code, &high["severity"]), (Some(1), &json!("warning")), "{high:#}");
    assert!(
        high["summary"].as_str().is_some_and(|text| text.contains(" 8") || text.contains(" 9")),
        "{high:#}"
    );
    assert!(!is_there(&report, "memory_killed"), "{report:#}");

    // Another process of the group wants more than there is; the system ends it, as the one that it would miss least.
    let script =
        "echo 1000 > /proc/self/oom_score_adj && echo $$ > \"$1/cgroup.procs\" && exec tail /dev/zero";
    let greedy = Command::new("sh").args(["-c", script, "sh"]).arg(&group.folder).status().expect("runs");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&greedy), Some(9), "{greedy}");
    let (_, report) = examined(&world, &["--offline"]).await;
    let killed = finding(&report, "memory_killed");
    assert!(killed["summary"].as_str().is_some_and(|text| text.ends_with(" 1 so far.")), "{killed:#}");
    assert_eq!(program.send("@client_1", "It lives.").await.0, 200);
}

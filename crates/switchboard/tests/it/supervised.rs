//! The program as the service manager sees it: what it reports over `NOTIFY_SOCKET`, and what its units would be.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{Start, World};

use crate::binary;

/// Listens in the place of the service manager, and keeps what it hears.
struct Manager {
    datagrams: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    fn listen(path: &std::path::Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("binds");
        let datagrams = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&datagrams);
        std::thread::spawn(move || {
            let mut datagram = [0; 4096];
            while let Ok(length) = socket.recv(&mut datagram) {
                kept.lock().expect("lock").push(String::from_utf8_lossy(&datagram[..length]).into_owned());
            }
        });
        Self { datagrams }
    }

    fn datagrams(&self) -> Vec<String> {
        self.datagrams.lock().expect("lock").clone()
    }

    /// Waits until it has heard so many datagrams that have this line.
    async fn hears(&self, line: &str, times: usize) {
        let count = || self.datagrams().iter().filter(|text| text.lines().any(|one| one == line)).count();
        let waiting = async {
            while count() < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let limit = Duration::from_mins(1);
        assert!(tokio::time::timeout(limit, waiting).await.is_ok(), "{line}: {:?}", self.datagrams());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_manager_gets_every_notification() {
    let world = World::start(binary()).await;
    let folder = tempfile_folder(&world);
    let path = folder.join("notify");
    let manager = Manager::listen(&path);
    let mut start = Start::on(&world, binary(), "data");
    start.environment = vec![
        ("NOTIFY_SOCKET".to_owned(), path.to_str().expect("UTF-8").to_owned()),
        ("WATCHDOG_USEC".to_owned(), "400000".to_owned()),
    ];
    let mut program = start.ready().await;
    manager.hears("READY=1", 1).await;
    manager.hears("WATCHDOG=1", 3).await;
    assert!(!manager.datagrams().iter().any(|text| text.contains("STOPPING")));
    let is_status = |text: &String| text.starts_with("STATUS=") && text.contains("accounts can work");
    assert!(manager.datagrams().iter().any(is_status), "{:?}", manager.datagrams());
    let hup = Command::new("kill").args(["-HUP", &program.pid().to_string()]).status().expect("runs");
    assert!(hup.success());
    manager.hears("RELOADING=1", 1).await;
    manager.hears("READY=1", 2).await;
    assert_eq!(program.terminate().await, Some(0));
    manager.hears("STOPPING=1", 1).await;
    let datagrams = manager.datagrams();
    let position =
        |line: &str| datagrams.iter().position(|text| text.lines().any(|one| one == line)).expect("heard");
    assert!(
        position("READY=1") < position("WATCHDOG=1") && position("WATCHDOG=1") < position("STOPPING=1"),
        "{datagrams:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_store_stops_the_watchdog_pings() {
    let world = World::start(binary()).await;
    let path = tempfile_folder(&world).join("notify");
    let manager = Manager::listen(&path);
    let mut start = Start::on(&world, binary(), "data");
    start.environment = vec![
        ("NOTIFY_SOCKET".to_owned(), path.to_str().expect("UTF-8").to_owned()),
        ("WATCHDOG_USEC".to_owned(), "600000".to_owned()),
    ];
    let program = start.ready().await;
    manager.hears("WATCHDOG=1", 2).await;
    program.arm("store.round_trip", 0).await;
    let silent = "STATUS=The store does not answer";
    program.until("it stands still", || program.stopped_at("store.round_trip")).await;
    // A slow disk may have been silent before as well.
    let silences = || manager.datagrams().iter().filter(|text| *text == silent).count();
    manager.hears(silent, silences() + 1).await;
    let (offset, before) = (manager.datagrams().len(), silences());
    // Three times of the watchdog go by: a service manager would have ended it long before.
    manager.hears(silent, before + 6).await;
    let since: Vec<String> = manager.datagrams().split_off(offset);
    assert!(since.iter().all(|text| text == silent), "{since:?}");

    program.release("store.round_trip").await;
    let before = manager.datagrams().iter().filter(|text| *text == "WATCHDOG=1").count();
    manager.hears("WATCHDOG=1", before + 2).await;
}

fn tempfile_folder(world: &World) -> std::path::PathBuf {
    let folder = world.data_dir("service-manager");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watchdog_that_is_for_another_process_is_not_fed() {
    let world = World::start(binary()).await;
    let path = tempfile_folder(&world).join("notify");
    let manager = Manager::listen(&path);
    let mut start = Start::on(&world, binary(), "data");
    start.environment = vec![
        ("NOTIFY_SOCKET".to_owned(), path.to_str().expect("UTF-8").to_owned()),
        ("WATCHDOG_USEC".to_owned(), "100000".to_owned()),
        ("WATCHDOG_PID".to_owned(), "1".to_owned()),
    ];
    let mut program = start.ready().await;
    manager.hears("READY=1", 1).await;
    assert_eq!(program.terminate().await, Some(0));
    manager.hears("STOPPING=1", 1).await;
    assert!(!manager.datagrams().iter().any(|text| text.contains("WATCHDOG")), "{:?}", manager.datagrams());
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let ran = Command::new(binary()).args(arguments).output().expect("runs");
    let outputs = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (ran.status.code(), outputs.concat())
}

#[test]
fn the_units_are_shown_anywhere() {
    let (code, output) = run(&[
        "service",
        "install",
        "--print",
        "--config",
        "/etc/switchboard/switchboard.toml",
        "--master-key",
        "/etc/switchboard/master.key",
        "--memory-max",
        "1G",
    ]);
    assert_eq!(code, Some(0), "{output}");
    for wanted in [
        "# --- /etc/systemd/system/switchboard.service ---",
        "# --- /etc/systemd/system/switchboard-alert@.service ---",
        "Type=notify",
        "MemoryMax=1G",
        "LoadCredential=master.key:/etc/switchboard/master.key",
        "up --config /etc/switchboard/switchboard.toml --data-dir /var/lib/switchboard",
        "OnFailure=switchboard-alert@%n.service",
    ] {
        assert!(output.contains(wanted), "{wanted}: {output}");
    }
    let (code, output) = run(&["service", "install", "--print", "--memory-max", "none"]);
    assert!(code == Some(0) && !output.lines().any(|line| line == "MemoryMax=512M"), "{output}");
}

#[test]
fn an_option_that_no_unit_can_have_is_wrong_usage() {
    for (arguments, named) in [
        (["service", "install", "--print", "--memory-max", "lots"], "--memory-max"),
        (["service", "install", "--print", "--name", "a/b"], "--name"),
        (["service", "install", "--print", "--data-dir", "/srv/elsewhere"], "--data-dir"),
    ] {
        let (code, output) = run(&arguments);
        assert!(code == Some(2) && output.contains(named), "{arguments:?}: {output}");
    }
}

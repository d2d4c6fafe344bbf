//! Child processes whose output is kept and shown when a test fails.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

/// How long a process may take to do what a test waits for. Machines that build at the same time are slow.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// How long a process that has ended may leave its last words in the pipes.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Below the range that systems take ports from by themselves, so that no other program gets one of these by chance.
const PORTS: Range<u16> = 12_000..30_000;

/// How many tests that run at once have ports of their own.
const SHARES: u16 = 32;

/// A port that is free. No other call in this process got it, and no test that runs beside this one: the port is still this test's
/// while the program that listens on it is down.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let ports = share();
    for _ in ports.clone() {
        let port = ports.start + GIVEN.fetch_add(1, Ordering::Relaxed) % (ports.end - ports.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port from {} to {} is free", ports.start, ports.end);
}

/// The ports of this test. nextest numbers the tests that run at once.
fn share() -> Range<u16> {
    let slot = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").ok().and_then(|slot| slot.parse::<u32>().ok());
    let share = slot.unwrap_or_else(std::process::id) % u32::from(SHARES);
    let size = (PORTS.end - PORTS.start) / SHARES;
    let start = PORTS.start + size * u16::try_from(share).unwrap_or(0);
    start..start + size
}

/// A running child; killed when dropped.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
    /// They end with the pipes that they read.
    readers: [JoinHandle<()>; 2],
}

impl Process {
    pub(crate) fn start(binary: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SWITCHBOARD_")) {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        let mut child = command.spawn().expect("the binary starts");
        let output = Arc::new(Mutex::new(String::new()));
        let readers = [
            collect(child.stdout.take().expect("piped"), output.clone()),
            collect(child.stderr.take().expect("piped"), output.clone()),
        ];
        Self { child, output, readers }
    }

    /// Its number among the processes of the machine.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has printed.
    pub(crate) fn output(&self) -> String {
        self.output.lock().expect("lock").clone()
    }

    /// Waits until it has printed something that `wanted` finds.
    pub(crate) async fn printed<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = wanted(&self.output()) {
                return found;
            }
            if let Some(status) = self.child.try_wait().expect("waits") {
                let output = self.last_words().await;
                if let Some(found) = wanted(&output) {
                    return found;
                }
                panic!("the program ended ({status}) with:\n{output}");
            }
            assert!(Instant::now() < deadline, "waited in vain; it printed:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All it has printed, after its end: the pipes may still hold its last words.
    pub(crate) async fn last_words(&self) -> String {
        let deadline = Instant::now() + LAST_WORDS;
        // Processes that it started may have the pipes still, and need not end.
        while Instant::now() < deadline && !self.readers.iter().all(JoinHandle::is_finished) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.output()
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end and returns the exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end; it printed:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- output of process {} ----\n{}", self.child.id(), self.output());
        }
    }
}

fn collect(pipe: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut output = into.lock().expect("lock");
            output.push_str(&line);
            output.push('\n');
        }
    })
}

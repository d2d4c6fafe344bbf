//! The pipe to the browser: commands one way, answers and events the other, each a JSON text that ends with a zero byte.

use std::collections::HashMap;
use std::env;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::TIMEOUT;
use super::record::Record;

/// Names the browser's program. `cargo xtask test` sets it.
const PROGRAM: &str = "SWITCHBOARD_TEST_CHROMIUM_SHELL";

/// The browser reads commands from its file 3 and writes to its file 4.
const AS_FILES_3_AND_4: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

const FLAGS: [&str; 13] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
];

type Answer = Result<Value, String>;

#[derive(Default)]
struct Shared {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    records: Mutex<HashMap<String, Arc<Mutex<Record>>>>,
}

/// The browser as a process.
pub(super) struct Pipe {
    commands: mpsc::Sender<String>,
    last_id: AtomicU64,
    shared: Arc<Shared>,
    _child: Child,
    _profile: tempfile::TempDir,
}

impl Pipe {
    pub(super) fn open() -> Self {
        let program = env::var(PROGRAM).unwrap_or_else(|_| {
            panic!("{PROGRAM} does not say where Chromium is: run these tests with `cargo xtask test`")
        });
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", AS_FILES_3_AND_4, "sh", &program]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("Chromium starts");
        let shared = Arc::new(Shared::default());
        let (commands, orders) = mpsc::channel(64);
        tokio::spawn(write(child.stdin.take().expect("piped"), orders));
        tokio::spawn(read(child.stdout.take().expect("piped"), Arc::clone(&shared)));
        Self { commands, last_id: AtomicU64::new(0), shared, _child: child, _profile: profile }
    }

    /// Notes what happens in a tab from now on.
    pub(super) fn note(&self, session: &str) -> Arc<Mutex<Record>> {
        let record = Arc::<Mutex<Record>>::default();
        self.shared.records.lock().expect("a lock").insert(session.to_owned(), Arc::clone(&record));
        record
    }

    /// Does a command; a refusal fails the test.
    pub(super) async fn call(&self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        match self.ask(session, method, parameters).await {
            Ok(answer) => answer,
            Err(why) => panic!("{method}: {why}"),
        }
    }

    /// Does a command, and returns what came of it.
    pub(super) async fn ask(&self, session: Option<&str>, method: &str, parameters: Value) -> Answer {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut order = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            order["sessionId"] = json!(session);
        }
        let (sender, receiver) = oneshot::channel();
        self.shared.waiting.lock().expect("a lock").insert(id, sender);
        self.commands.send(order.to_string()).await.map_err(|_| "the browser is gone".to_owned())?;
        match timeout(TIMEOUT, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the browser ended".to_owned()),
            Err(_) => Err("the browser does not answer".to_owned()),
        }
    }
}

async fn write(mut pipe: ChildStdin, mut orders: mpsc::Receiver<String>) {
    while let Some(order) = orders.recv().await {
        if pipe.write_all(order.as_bytes()).await.is_err() || pipe.write_all(&[0]).await.is_err() {
            return;
        }
    }
}

async fn read(pipe: ChildStdout, shared: Arc<Shared>) {
    let mut pipe = BufReader::new(pipe);
    let mut text = Vec::new();
    while pipe.read_until(0, &mut text).await.is_ok_and(|count| count > 0) {
        text.pop();
        let message: Value = serde_json::from_slice(&text).expect("JSON");
        text.clear();
        if let Some(id) = message["id"].as_u64() {
            let answer = match &message["error"] {
                Value::Null => Ok(message["result"].clone()),
                error => Err(error["message"].as_str().unwrap_or_default().to_owned()),
            };
            if let Some(sender) = shared.waiting.lock().expect("a lock").remove(&id) {
                // The caller may have given up.
                let _ = sender.send(answer);
            }
        } else if let Some(session) = message["sessionId"].as_str() {
            let record = shared.records.lock().expect("a lock").get(session).cloned();
            if let Some(record) = record {
                let method = message["method"].as_str().unwrap_or_default();
                record.lock().expect("a lock").take(method, &message["params"]);
            }
        }
    }
    shared.waiting.lock().expect("a lock").clear();
}

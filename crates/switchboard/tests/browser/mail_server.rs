//! A mail server that nobody here wrote, and what it was brought.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::chromium::PATIENCE;

/// Names the Python that has aiosmtpd. `cargo xtask test` sets it.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";

/// The one that speaks TLS from the first byte and takes mail from `demo`; ended when dropped.
pub(crate) struct MailServer {
    running: Child,
    folder: PathBuf,
}

impl MailServer {
    /// Starts it; its files come into this folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let python = std::env::var_os(PYTHON).unwrap_or_else(|| {
            panic!("{PYTHON} names no Python that has aiosmtpd: run these tests with `cargo xtask test`")
        });
        std::fs::create_dir_all(folder).expect("a folder");
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/mailbox.py")).arg(folder);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        Self { running: command.spawn().expect("starts"), folder: folder.to_owned() }
    }

    /// The certificate of whom to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Where it takes mail, with name and password.
    pub(crate) async fn address(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(text) = std::fs::read_to_string(self.folder.join("ports.json")) {
                let ports: Value = serde_json::from_str(&text).expect("JSON");
                return format!("smtps://demo:word%20of%20mail@127.0.0.1:{}", ports["tls"]);
            }
            assert!(Instant::now() < deadline, "the mail server does not start");
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// The mails that it took, in order.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("events.jsonl")).expect("events");
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        events.filter(|event| event["server"] == "tls" && event["mail"].is_string()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

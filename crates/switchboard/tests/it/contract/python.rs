//! The Python that has `requests` and Telethon: clients that no one here wrote.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::stage::Stage;

/// Names it.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";

/// Runs a script and returns what it prints.
pub(super) async fn run(script: &str, arguments: &[&str]) -> String {
    let Some(python) = std::env::var_os(PYTHON) else {
        panic!("{PYTHON} names no Python that has requests: run `cargo xtask test`, which sets it up");
    };
    let running = tokio::process::Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(Duration::from_mins(4), running).await;
    let output = ended.expect("Python hangs").expect("Python starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    told
}

/// A chat as Telethon sees it, signed in as this account.
pub(super) async fn seen(stage: &Stage, account: &str, chat: &str) -> Value {
    let told = run("seen.py", &[stage.world.control(), account, chat]).await;
    serde_json::from_str(&told).unwrap_or_else(|_| panic!("no JSON: {told}"))
}

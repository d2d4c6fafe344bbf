//! The Python that has the clients which no one here wrote: Telethon, Kurigram, `requests`, Schemathesis, a mail server.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::World;
use tokio::process::Command;

/// Names it.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";

/// How long a script may take.
const TIMEOUT: Duration = Duration::from_mins(4);

/// Where it is.
pub(crate) fn path() -> String {
    std::env::var(PYTHON).unwrap_or_else(|_| {
        panic!("{PYTHON} is not set: run `cargo xtask test`, which makes a Python and sets it")
    })
}

/// A script of the tests that is to be run.
pub(crate) fn script(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name)).args(arguments);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a script and returns what it prints.
pub(crate) async fn run(name: &str, arguments: &[&str]) -> String {
    let running = script(name, arguments).output();
    let output = tokio::time::timeout(TIMEOUT, running).await.expect("Python hangs").expect("Python starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    printed
}

/// The same where that is JSON.
pub(crate) async fn run_json(name: &str, arguments: &[&str]) -> Value {
    let printed = run(name, arguments).await;
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("no JSON: {printed}"))
}

/// A chat as Telethon sees it, signed in as this account.
pub(crate) async fn telethon_view(world: &World, account: &str, chat: &str) -> Value {
    run_json("telethon_view.py", &[world.control(), account, chat]).await
}

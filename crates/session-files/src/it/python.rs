//! Telethon and Kurigram, run as they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";

pub(crate) fn script() -> Command {
    let Some(python) = std::env::var_os(PYTHON) else {
        panic!(
            "{PYTHON} names no Python that has Telethon and Kurigram: run `cargo xtask test`, which sets it up"
        );
    };
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/foreign.py"));
    command
}

fn run(arguments: &[&str]) -> Value {
    let output = script().args(arguments).stdin(Stdio::null()).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an answer")
}

/// A session made by a library: its file, and its string.
pub(crate) fn make(library: &str, folder: &Path, key: &[u8; 256]) -> (PathBuf, String) {
    let made = run(&["make", library, folder.to_str().expect("a path"), &hex::encode(key)]);
    (made["path"].as_str().expect("a path").into(), made["string"].as_str().expect("a string").to_owned())
}

pub(crate) fn show(library: &str, what: &str) -> Value {
    run(&["show", library, what])
}

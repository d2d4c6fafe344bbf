//! Telethon as an outsider: a client that no one here wrote.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use grammers_tl_types::{LAYER, name_for_id};

use crate::it::control::Port;

/// Names the Python that has Telethon.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";

/// Runs a script with that Python and returns what it prints.
async fn run(script: &str, arguments: &[&str]) -> String {
    let Some(python) = std::env::var_os(PYTHON) else {
        panic!("{PYTHON} names no Python that has Telethon: run `cargo xtask test`, which sets it up");
    };
    let running = tokio::process::Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/telethon").join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(Duration::from_mins(3), running).await;
    let output = ended.expect("Telethon hangs").expect("Python starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

#[tokio::test]
async fn telethon_uses_the_sandbox_as_it_would_use_telegram() {
    fine("outsider.py").await;
}

/// Runs a script against a sandbox of its own.
async fn fine(script: &str) {
    let port = Port::open().await;
    let stdout = run(script, &[&port.running.control.to_string()]).await;
    assert!(stdout.trim_end().ends_with("fine"), "{stdout}");
    port.running.stop().await;
}

#[tokio::test]
async fn telethon_sends_files_and_fetches_them() {
    fine("files.py").await;
}

#[tokio::test]
async fn telethon_signs_in_by_phone_by_password_and_by_qr() {
    fine("signing.py").await;
}

/// A session that was made by signing in outlives the sandbox.
#[tokio::test]
async fn a_signed_in_session_survives_a_restart() {
    let port = Port::open().await;
    let session = run("returning.py", &[&port.running.control.to_string()]).await;
    let Port { running, folder, .. } = port;
    running.stop().await;
    let port = Port::open_in(folder).await;
    let stdout = run("returning.py", &[&port.running.control.to_string(), session.trim()]).await;
    assert_eq!(stdout.trim(), "demo_backup_1");
    port.running.stop().await;
}

/// What Telethon knows and the product's library does not has another constructor there: none of it may be sent.
#[tokio::test]
async fn the_two_layers_differ_only_in_unsent_types() {
    let stdout = run("constructors.py", &[]).await;
    let mut lines = stdout.lines();
    assert_eq!((lines.next(), LAYER), (Some("229"), 230), "look again at what differs");
    let different: Vec<&str> = lines
        .filter_map(|line| line.split_once(' '))
        .filter(|(id, _)| name_for_id(u32::from_str_radix(id, 16).unwrap()) == "(unknown)")
        .map(|(_, name)| name)
        .collect();
    assert_eq!(
        different,
        [
            "TlsBlockString",
            "InputPasskeyCredentialFirebasePNV",
            "InitFirebasePnvLoginRequest",
            "CheckUsernameRequest",
            "SetCustomVerificationRequest",
            "BotVerifierSettings",
            "BotVerification",
        ]
    );
}

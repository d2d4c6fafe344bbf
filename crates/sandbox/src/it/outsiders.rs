//! Each pretend provider as clients see it that no one here wrote. For Wappi and Instagram none was found.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::it::control::Port;

/// Names the Python that has the clients.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";
/// Names the folder of npm's package `smpp`.
const SMPP: &str = "SWITCHBOARD_TEST_SMPP";

fn given(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_else(|| {
        panic!("{name} is not set: run `cargo xtask test`, which installs the clients and sets it")
    })
}

async fn is_fine(mut command: tokio::process::Command) {
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let ended = tokio::time::timeout(Duration::from_mins(2), running).await;
    let output = ended.expect("the client hangs").expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let is_fine = output.status.success() && printed.trim_end().ends_with("fine");
    assert!(is_fine, "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outsiders").join(name)
}

/// Runs a script of Python against a sandbox of its own.
async fn python(name: &str) {
    let port = Port::open().await;
    let mut command = tokio::process::Command::new(given(PYTHON));
    command.current_dir(port.folder.path());
    command.arg(script(name)).arg(port.running.control.to_string()).arg(&port.running.settings_file);
    is_fine(command).await;
    port.running.stop().await;
}

#[tokio::test]
async fn aiogram_is_a_bot_of_telegram() {
    python("aiogram_bot.py").await;
}

#[tokio::test]
async fn vkbottle_is_a_community_of_vk() {
    python("vkbottle_community.py").await;
}

#[tokio::test]
async fn maxapi_is_a_bot_of_max() {
    python("maxapi_bot.py").await;
}

#[tokio::test]
async fn avito_api_is_an_account_of_avito() {
    python("avito_account.py").await;
}

#[tokio::test]
async fn twilios_library_sends_and_accepts_signed_requests() {
    python("twilio_client.py").await;
}

#[tokio::test]
async fn imapclient_and_smtplib_use_the_mail_server() {
    python("mail_client.py").await;
}

#[tokio::test]
async fn openais_library_chats_and_has_voices_transcribed() {
    python("openai_client.py").await;
}

#[tokio::test]
async fn npms_smpp_uses_the_message_centre() {
    let port = Port::open().await;
    let settings = std::fs::read_to_string(&port.running.settings_file).unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    let channels = settings["channels"].as_array().unwrap();
    let address = channels.iter().find_map(|account| account.get("smpp")?.as_str()).unwrap();
    let mut command = tokio::process::Command::new("node");
    command
        .arg(script("smpp_client.cjs"))
        .arg(given(SMPP))
        .arg(port.running.control.to_string())
        .arg(address);
    is_fine(command).await;
    port.running.stop().await;
}

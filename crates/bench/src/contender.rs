//! The two that are compared: Switchboard, and the Python service it replaces.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::program::{Program, empty_folder, free_port};
use crate::world::{Account, World};
use crate::{http, program};

/// How long a contender may take to be ready.
const STARTING: Duration = Duration::from_secs(90);

/// How long the first reading of all dialogs may take; it goes gently.
const READING: Duration = Duration::from_mins(10);

/// The key to the product's API in a run.
const KEY: &str = "swb_bench_0123456789abcdef";

/// A server that takes `POST /send_text`.
pub(crate) struct Contender {
    pub(crate) program: Program,
    /// Where it takes `POST /send_text`.
    pub(crate) send_text: SocketAddr,
    /// How long it took from its start to ready.
    pub(crate) ready_after: Duration,
}

/// Switchboard, with its main listener.
pub(crate) struct Switchboard {
    pub(crate) contender: Contender,
    pub(crate) main: SocketAddr,
    /// How long it took from its start until each account was ready.
    pub(crate) accounts_ready_after: Duration,
    pub(crate) accounts: usize,
}

/// The first person of the dashboard, and the password that a run gives them.
pub(crate) const ADMIN: &str = "admin";
pub(crate) const ADMIN_PASSWORD: &str = "only-for-this-bench";

/// The header that opens the product's API.
pub(crate) fn authorization() -> String {
    format!("Authorization: Bearer {KEY}\r\n")
}

/// Starts Switchboard on the world with these accounts (none named: all), with nothing known from before.
pub(crate) async fn switchboard(
    binary: &Path,
    world: &World,
    accounts: &[&str],
    data: &Path,
    logs: &Path,
) -> Result<Switchboard> {
    empty_folder(data)?;
    switchboard_again(binary, world, accounts, data, logs).await
}

/// Starts Switchboard on a store at an address, of an earlier run or not.
pub(crate) async fn switchboard_on(
    binary: &Path,
    world: &World,
    accounts: &[&str],
    (data, store): (&Path, &str),
    logs: &Path,
) -> Result<Switchboard> {
    started(binary, world, accounts, (data, Some(store)), logs).await
}

/// Starts Switchboard on the data of an earlier run.
pub(crate) async fn switchboard_again(
    binary: &Path,
    world: &World,
    accounts: &[&str],
    data: &Path,
    logs: &Path,
) -> Result<Switchboard> {
    started(binary, world, accounts, (data, None), logs).await
}

async fn started(
    binary: &Path,
    world: &World,
    accounts: &[&str],
    (data, store): (&Path, Option<&str>),
    logs: &Path,
) -> Result<Switchboard> {
    let main = free_port()?;
    let send_text = free_port()?;
    let mut command = program::isolated_command(binary);
    command
        .arg("up")
        .arg("--config")
        .arg(world.settings(accounts, send_text)?)
        .arg("--data-dir")
        .arg(data)
        .args(["--listen", &main.to_string()])
        // One address has a quarter of them at most.
        .env("SWITCHBOARD_LIMITS__CONNECTIONS", "48000")
        .env("SWITCHBOARD_PUBLIC_URL", format!("http://{main}"))
        .env("SWITCHBOARD_BOOTSTRAP_KEY", KEY)
        .env("SWITCHBOARD_ADMIN_PASSWORD", ADMIN_PASSWORD);
    if let Some(store) = store {
        command.env("SWITCHBOARD_STORE__URL", store);
    }
    let mut program = Program::start("switchboard", command, logs)?;
    let ((), ready_after) = program
        .ready(STARTING, || async { http::send(main, "GET", "/health/ready", "").await.map(|_| ()) })
        .await?;
    let (accounts, accounts_ready_after) =
        program.ready(STARTING, || async { all_ready(&all_accounts(main).await?) }).await?;
    program
        .ready(STARTING, || async { healthy(&http::get(send_text, "/health", "").await?) })
        .await
        .context("the legacy port")?;
    let contender = Contender { program, send_text, ready_after };
    Ok(Switchboard { contender, main, accounts_ready_after, accounts })
}

/// Switchboard before it has any account.
pub(crate) struct Empty {
    pub(crate) program: Program,
    pub(crate) main: SocketAddr,
    /// Its settings file.
    pub(crate) settings: PathBuf,
}

/// Starts Switchboard on the world, with no account and nothing known from before.
pub(crate) async fn without_accounts(
    binary: &Path,
    world: &World,
    data: &Path,
    logs: &Path,
) -> Result<Empty> {
    empty_folder(data)?;
    without_accounts_again(binary, world, data, logs).await
}

/// The same on data that is there already.
pub(crate) async fn without_accounts_again(
    binary: &Path,
    world: &World,
    data: &Path,
    logs: &Path,
) -> Result<Empty> {
    let main = free_port()?;
    let settings = world.settings_without_accounts()?;
    let mut command = program::isolated_command(binary);
    command
        .arg("up")
        .arg("--config")
        .arg(&settings)
        .arg("--data-dir")
        .arg(data)
        .args(["--listen", &main.to_string()])
        .env("SWITCHBOARD_BOOTSTRAP_KEY", KEY)
        .env("SWITCHBOARD_ADMIN_PASSWORD", ADMIN_PASSWORD);
    let mut program = Program::start("switchboard", command, logs)?;
    program
        .ready(STARTING, || async { http::send(main, "GET", "/health/ready", "").await.map(|_| ()) })
        .await?;
    Ok(Empty { program, main, settings })
}

impl Switchboard {
    /// Waits until every account has read its dialogs.
    pub(crate) async fn all_read(&mut self) -> Result<()> {
        let main = self.main;
        let ((), _) = self
            .contender
            .program
            .ready(READING, || async { all_complete(&all_accounts(main).await?) })
            .await
            .context("the first reading of the dialogs")?;
        Ok(())
    }
}

/// Starts Flask and Telethon under gunicorn, one worker with 32 threads, signed in as the account.
pub(crate) async fn baseline(
    python: &Path,
    sources: &Path,
    account: &Account,
    logs: &Path,
) -> Result<Contender> {
    let send_text = free_port()?;
    let mut command = program::isolated_command(python);
    command
        .current_dir(sources)
        .args(["-m", "gunicorn", "--workers", "1", "--worker-class", "gthread", "--threads", "32"])
        .arg("--no-control-socket")
        .args([
            "--timeout",
            "120",
            "--keep-alive",
            "75",
            "--bind",
            &send_text.to_string(),
            "baseline:application",
        ])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BASELINE_DC_ID", account.dc_id.to_string())
        .env("BASELINE_HOST", &account.host)
        .env("BASELINE_PORT", account.port.to_string())
        .env("BASELINE_AUTH_KEY", &account.auth_key)
        .env("BASELINE_API_ID", account.api_id.to_string())
        .env("BASELINE_API_HASH", &account.api_hash);
    let mut program = Program::start("baseline", command, logs)?;
    let ((), ready_after) =
        program.ready(STARTING, || async { healthy(&http::get(send_text, "/health", "").await?) }).await?;
    Ok(Contender { program, send_text, ready_after })
}

/// What the legacy `GET /health` says of a service that takes work.
fn healthy(answer: &Value) -> Result<()> {
    if answer["status"] == "ok" { Ok(()) } else { bail!("/health says {answer}") }
}

/// All accounts, page by page.
async fn all_accounts(main: SocketAddr) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/accounts?limit=500{cursor}");
        let page: Page = http::get(main, &path, &authorization()).await?;
        all.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

/// A page of a list.
#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
}

/// Whether each account knows its dialogs.
fn all_complete(items: &[Value]) -> Result<()> {
    match items.iter().find(|account| account["dialogs_complete"] != true) {
        Some(account) => bail!("account {} still reads its dialogs", account["name"]),
        None => Ok(()),
    }
}

/// The number of accounts, when each of them is ready, or would be but for a flood wait that a scenario gave it.
fn all_ready(items: &[Value]) -> Result<usize> {
    let is_up = |account: &Value| account["state"] == "ready" || account["state"] == "flood_wait";
    match items.iter().find(|account| !is_up(account)) {
        Some(account) => bail!("account {} is {}", account["name"], account["state"]),
        None if items.is_empty() => bail!("there are no accounts"),
        None => Ok(items.len()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_accounts_must_be_ready() {
        let ready = json!({"name": "main", "state": "ready"});
        assert_eq!(all_ready(&[ready.clone(), ready.clone()]).unwrap(), 2);
        let error = all_ready(&[ready, json!({"name": "fifth", "state": "connecting"})]).unwrap_err();
        assert_eq!(error.to_string(), "account \"fifth\" is \"connecting\"");
        assert!(all_ready(&[]).is_err());
    }

    #[test]
    fn every_account_must_have_read_its_dialogs() {
        let read = json!({"name": "main", "dialogs_complete": true});
        assert!(all_complete(std::slice::from_ref(&read)).is_ok());
        let other = json!({"name": "fifth", "dialogs_complete": false});
        assert!(all_complete(&[read, other]).unwrap_err().to_string().contains("fifth"));
    }

    #[test]
    fn health_is_one_word() {
        assert!(healthy(&json!({"status": "ok"})).is_ok());
        assert!(healthy(&json!({"status": "not_ready"})).is_err());
    }
}

//! The pretend Telegram that both sides talk to: `switchboard sandbox` as a process of its own, and its control port.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ledger::{PressRow, Row};
use crate::program::{Program, empty_folder, free_port};
use crate::{http, program, settings};

/// How long the world may take to be there.
const STARTING: Duration = Duration::from_mins(1);

/// An account of the world, with all that a client needs to be it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) dc_id: i32,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) auth_key: String,
    pub(crate) api_id: i32,
    pub(crate) api_hash: String,
}

/// A running world.
pub(crate) struct World {
    pub(crate) program: Program,
    control: SocketAddr,
    folder: PathBuf,
    accounts: Vec<Account>,
    read_up_to: u64,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

impl World {
    /// Starts a world in a fresh folder, with five accounts and this many dialogs over all of them, and waits until it
    /// is there.
    pub(crate) async fn start(
        switchboard: &Path,
        folder: &Path,
        logs: &Path,
        dialogs: usize,
    ) -> Result<Self> {
        Self::of_size(switchboard, folder, logs, 5, dialogs).await
    }

    /// Starts a world with this many accounts and dialogs.
    pub(crate) async fn of_size(
        switchboard: &Path,
        folder: &Path,
        logs: &Path,
        accounts: usize,
        dialogs: usize,
    ) -> Result<Self> {
        empty_folder(folder)?;
        let control = free_port()?;
        let mut command = program::isolated_command(switchboard);
        command
            .args(["sandbox", "--telegram", "127.0.0.1:0", "--seed", "1"])
            .args([
                "--accounts",
                &accounts.to_string(),
                "--dialogs",
                &dialogs.to_string(),
                "--control",
                &control.to_string(),
                "--data-dir",
            ])
            .arg(folder);
        let mut program = Program::start("sandbox", command, logs)?;
        let file = folder.join("switchboard.toml");
        let (accounts, _) = program
            .ready(STARTING, || async {
                if !file.is_file() {
                    bail!("{} is not there", file.display());
                }
                items(control, "/telegram/accounts").await
            })
            .await?;
        Ok(Self { program, control, folder: folder.to_owned(), accounts, read_up_to: 0 })
    }

    pub(crate) fn account(&self, name: &str) -> Result<&Account> {
        let known =
            || self.accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>().join(", ");
        self.accounts
            .iter()
            .find(|account| account.name == name)
            .with_context(|| format!("the world has no account `{name}`, only {}", known()))
    }

    /// Gives these accounts one session more each, in the settings that are written after this.
    pub(crate) fn give_more_sessions(&self, accounts: &[&str]) -> Result<()> {
        let file = self.folder.join("switchboard.toml");
        let text = fs::read_to_string(&file).context("cannot read the world's settings")?;
        let more: Result<Vec<_>> =
            accounts.iter().map(|name| Ok((*name, settings::session(self.account(name)?)?))).collect();
        let text = settings::with_more_sessions(&text, &more?)?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Lets webhooks be on this machine, and so many events be kept, in the settings that are written after this.
    pub(crate) fn keep_events(&self, most: usize) -> Result<()> {
        let file = self.folder.join("switchboard.toml");
        let text = fs::read_to_string(&file).context("cannot read the world's settings")?;
        fs::write(&file, settings::with_events(&text, most)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// Names who answers clients, and after which silence, in the settings that are written after this.
    pub(crate) fn answer_by(&self, responder: &str, silence: Duration) -> Result<()> {
        let file = self.folder.join("switchboard.toml");
        let text = fs::read_to_string(&file).context("cannot read the world's settings")?;
        fs::write(&file, settings::with_responder(&text, responder, silence)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// Gives the world's settings so many copies more of an account of a channel; their names.
    pub(crate) fn copy_channel(&self, of: &str, copies: usize) -> Result<Vec<String>> {
        let file = self.folder.join("switchboard.toml");
        let text = fs::read_to_string(&file).context("cannot read the world's settings")?;
        let (text, names) = settings::with_copies(&text, of, copies)?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(names)
    }

    /// A customer writes through an account of a channel; the provider's chat.
    pub(crate) async fn customer_writes(&self, channel: &str, account: &str, from: &str) -> Result<String> {
        let message =
            serde_json::json!({ "channel": channel, "account": account, "from": from, "text": "Hello" });
        let done = http::post(self.control, "/customers/messages", "", &message).await?;
        done["chat_id"].as_str().map(str::to_owned).with_context(|| format!("{account} has no chat: {done}"))
    }

    /// Writes the world's settings once more beside the first ones, with only these accounts (none named: all)
    /// and one legacy port, and returns where they are.
    pub(crate) fn settings(&self, accounts: &[&str], send_text: SocketAddr) -> Result<PathBuf> {
        let text = fs::read_to_string(self.folder.join("switchboard.toml"))
            .context("cannot read the world's settings")?;
        let narrowed = settings::narrowed(&text, accounts, send_text.port())?;
        let file = self.folder.join("bench.toml");
        fs::write(&file, narrowed).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Writes the world's settings once more, without any account and without legacy ports.
    pub(crate) fn settings_without_accounts(&self) -> Result<PathBuf> {
        let text = fs::read_to_string(self.folder.join("switchboard.toml"))
            .context("cannot read the world's settings")?;
        let file = self.folder.join("bench_empty.toml");
        fs::write(&file, settings::without_accounts(&text)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub(crate) async fn files(&self) -> Result<Vec<serde_json::Value>> {
        items(self.control, "/telegram/files").await
    }

    /// Writes as a person of this world.
    pub(crate) async fn write(&self, from: &str, chat: &str, text: &str) -> Result<()> {
        let message = serde_json::json!({ "from": from, "chat": chat, "text": text });
        http::post(self.control, "/telegram/messages", "", &message).await?;
        Ok(())
    }

    /// People write to accounts by turns, so many messages in a second; answered once they are written.
    pub(crate) async fn traffic(&self, from: &[String], to: &[String], count: usize) -> Result<()> {
        let order = serde_json::json!({ "from": from, "to": to, "count": count, "per_second": count });
        http::post(self.control, "/telegram/traffic", "", &order).await.map(drop)
    }

    /// The messages sent since this was last asked, by whatever account.
    pub(crate) async fn new_rows(&mut self) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let page: Vec<Row> = items(self.control, &format!("/ledger?after={}", self.read_up_to)).await?;
            let Some(last) = page.last() else { break };
            self.read_up_to = last.seq;
            rows.extend(page.into_iter().filter(|row| row.method.starts_with("messages.send")));
        }
        http::send(self.control, "DELETE", "/ledger", "").await?;
        Ok(rows)
    }

    /// Adds to the settings that are written after this.
    pub(crate) fn add_settings(&self, text: &str) -> Result<()> {
        let file = self.folder.join("switchboard.toml");
        let old = fs::read_to_string(&file).context("cannot read the world's settings")?;
        fs::write(&file, format!("{old}\n{text}")).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Names the browser of profiles in the settings that are written after this.
    pub(crate) fn browse(&self, chromium: &str) -> Result<()> {
        let file = self.folder.join("switchboard.toml");
        let text = fs::read_to_string(&file).context("cannot read the world's settings")?;
        fs::write(&file, settings::with_browser(&text, chromium)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// The address of the pretend Web K.
    pub(crate) async fn web_k(&self) -> Result<String> {
        let place: serde_json::Value = http::get(self.control, "/web-k", "").await?;
        place["url"].as_str().map(str::to_owned).context("the world has no Web K")
    }

    /// Scans the code that a page of Web K shows, as the owner of an account.
    pub(crate) async fn scan(&self, account: &str) -> Result<()> {
        let order = serde_json::json!({ "account": account });
        http::post(self.control, "/web-k/log-ins", "", &order).await.map(|_| ())
    }

    /// Lets a bot do something.
    pub(crate) async fn play(&self, bot: &str, order: &serde_json::Value) -> Result<()> {
        http::post(self.control, &format!("/telegram/bots/{bot}/play"), "", order).await.map(|_| ())
    }

    /// Tells a bot what to do about presses.
    pub(crate) async fn rules(&self, bot: &str, rules: &serde_json::Value) -> Result<()> {
        http::put(self.control, &format!("/telegram/bots/{bot}/rules"), "", rules).await.map(drop)
    }

    /// The presses of buttons since they were last asked for, refused ones too.
    pub(crate) async fn new_presses(&mut self) -> Result<Vec<PressRow>> {
        let mut rows = Vec::new();
        loop {
            let path = format!("/ledger?after={}&limit=5000", self.read_up_to);
            let page: Vec<PressRow> = items(self.control, &path).await?;
            let Some(last) = page.last() else { break };
            self.read_up_to = last.seq;
            rows.extend(page.into_iter().filter(|row| row.press.is_some()));
        }
        Ok(rows)
    }

    /// How many calls of a method there were, from all accounts, since the calls were last forgotten.
    pub(crate) async fn calls(&self, method: &str) -> Result<u64> {
        let counts: Vec<serde_json::Value> = items(self.control, &format!("/calls?method={method}")).await?;
        Ok(counts.iter().filter_map(|row| row["count"].as_u64()).sum())
    }

    pub(crate) async fn forget_calls(&self) -> Result<()> {
        http::send(self.control, "DELETE", "/calls", "").await.map(|_| ())
    }

    /// Makes a supergroup of two accounts and returns its id.
    pub(crate) async fn make_chat(&self, title: &str, creator: &str, member: &str) -> Result<String> {
        let order = serde_json::json!({ "title": title, "creator": creator, "members": [member] });
        let made = http::post(self.control, "/telegram/chats", "", &order).await?;
        made["chat_id"].as_str().map(str::to_owned).context("the new chat has no id")
    }

    pub(crate) async fn fault(&self, fault: &serde_json::Value) -> Result<()> {
        http::post(self.control, "/faults", "", fault).await.map(|_| ())
    }

    /// Takes all faults away.
    pub(crate) async fn forget_faults(&self) -> Result<()> {
        http::send(self.control, "DELETE", "/faults", "").await.map(|_| ())
    }

    /// The methods that clients asked for and the world does not know.
    pub(crate) async fn unknown_methods(&self) -> Result<Vec<serde_json::Value>> {
        items(self.control, "/unknown").await
    }

    /// Ends the world.
    pub(crate) async fn stop(self) -> Result<()> {
        self.program.stop().await
    }
}

async fn items<T: DeserializeOwned>(control: SocketAddr, path: &str) -> Result<Vec<T>> {
    let items: Items<T> = http::get(control, path, "").await?;
    Ok(items.items)
}

//! `switchboard sandbox` as a process of its own, so that the product can be killed while the world goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use sandbox::{Running, Sandbox, SandboxOptions};

use crate::here::Up;
use crate::postgres::Database;
use crate::process::{Process, free_port};

/// The old ports in the settings file, those of channels last.
const OLD_PORTS: [u16; 14] =
    [5021, 5022, 5023, 5024, 5025, 5028, 5029, 5030, 8765, 8766, 8767, 8768, 8769, 8770];

/// Names the file of the key that all sandboxes of a run share: to make one is most of what a start costs.
const SANDBOX_KEY: &str = "SWITCHBOARD_TEST_SANDBOX_KEY";

/// The accounts of a world, by priority.
pub const ACCOUNTS: [&str; 5] = ["main", "backup_1", "backup_2", "backup_3", "fifth"];

/// Takes the accounts of channels and the line of their old ports out of the settings: most tests are about none, and each would ask
/// its provider for news.
fn cut_channels(settings: &mut String) -> (String, String) {
    let Some(start) = settings.find("\n[[channels]]") else { return Default::default() };
    let end = settings.find("\n[legacy]").filter(|end| *end > start).unwrap_or(settings.len());
    let channels = settings.drain(start..end).collect();
    let mut ports = String::new();
    if let Some(start) = settings.find("channel_ports = [")
        && let Some(length) = settings[start..].find("]\n")
    {
        ports = settings.drain(start..start + length + 2).collect();
    }
    (channels, ports)
}

/// Where a world runs.
enum Life {
    Process { _process: Process },
    Here { running: Option<Running> },
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Self::Here { running } = self
            && let Some(running) = running.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(running.stop());
        }
    }
}

/// A pretend outside world.
pub struct World {
    _life: Life,
    folder: tempfile::TempDir,
    control: String,
    http: reqwest::Client,
    legacy_ports: BTreeMap<u16, u16>,
    /// The accounts of channels, as the settings file has them.
    channels: String,
    /// The line of their old ports.
    channel_ports: String,
    /// How customers are answered there.
    pipeline: String,
    /// The store of its programs, if that is not in their data directory.
    pub(crate) database: Option<Database>,
    /// Runs its programs in the process of the test.
    pub(crate) here: Option<Up>,
}

impl World {
    /// Starts one with five accounts.
    pub async fn start(binary: &Path) -> Self {
        Self::start_with(binary, &[]).await
    }

    /// Starts one with further arguments of `switchboard sandbox`.
    pub async fn start_with(binary: &Path, arguments: &[&str]) -> Self {
        Self::start_at(binary, "127.0.0.1", arguments).await
    }

    /// Starts one whose Telegram is at another address of this machine.
    pub async fn start_at(binary: &Path, host: &str, arguments: &[&str]) -> Self {
        let telegram = format!("{host}:0");
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("world");
        let mut all = vec!["sandbox", "--telegram", &telegram, "--control", "127.0.0.1:0", "--data-dir"];
        all.push(data_dir.to_str().expect("UTF-8"));
        all.extend(arguments);
        let key = std::env::var(SANDBOX_KEY).ok();
        let environment: Vec<_> = key.iter().map(|key| (SANDBOX_KEY, &**key)).collect();
        let mut process = Process::start(binary, &all, &environment);
        process.printed(|output| output.contains("Settings").then_some(())).await;
        let control = process
            .printed(|output| {
                let line = output.lines().find(|line| line.starts_with("Control"))?;
                line.split_whitespace().nth(1).map(str::to_owned)
            })
            .await;
        Self::around(Life::Process { _process: process }, folder, control)
    }

    /// Starts one with five accounts in this process, and its programs too.
    pub async fn here(up: Up) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // As `switchboard sandbox` has them.
        let options = SandboxOptions { dialogs: 150, ..SandboxOptions::new(folder.path().join("world")) };
        let running = Sandbox::start(options.on_free_ports()).await.expect("a sandbox");
        let control = format!("http://{}", running.control);
        Self { here: Some(up), ..Self::around(Life::Here { running: Some(running) }, folder, control) }
    }

    fn around(life: Life, folder: tempfile::TempDir, control: String) -> Self {
        let settings_file = folder.path().join("world/switchboard.toml");
        let mut settings = std::fs::read_to_string(settings_file).expect("the settings");
        let (mut channels, mut channel_ports) = cut_channels(&mut settings);
        let pipeline =
            channels.find("\n[pipeline]").map(|start| channels.split_off(start)).unwrap_or_default();
        let mut legacy_ports = BTreeMap::new();
        for old in OLD_PORTS {
            let new = free_port();
            for text in [&mut settings, &mut channel_ports] {
                let moved = text.replace(&format!("port = {old},"), &format!("port = {new},"));
                if moved != *text {
                    legacy_ports.insert(old, new);
                    *text = moved;
                }
            }
        }
        assert!(!legacy_ports.is_empty(), "the settings name no old port:\n{settings}");
        std::fs::write(folder.path().join("switchboard.toml"), settings).expect("writes");
        let http = reqwest::Client::builder()
            .tls_certs_only([])
            .timeout(Duration::from_mins(1))
            .build()
            .expect("a client");
        Self {
            _life: life,
            folder,
            control,
            http,
            legacy_ports,
            channels,
            channel_ports,
            pipeline,
            database: None,
            here: None,
        }
    }

    /// The settings name a database as the store.
    #[must_use]
    pub fn with_store_on(self, database: Database) -> Self {
        self.edit_settings(|text| format!("{text}\n[store]\nurl = \"{}\"\n", database.url()));
        Self { database: Some(database), ..self }
    }

    /// The store of its programs, where it is on a server.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// The settings file for the product, its old ports moved to free ones.
    pub fn settings_file(&self) -> PathBuf {
        self.folder.path().join("switchboard.toml")
    }

    /// Puts the accounts of channels and their old ports into the settings, which leave them out else; providers reach the program
    /// at this address.
    pub fn with_channels(&self, public_url: &str) {
        let (channels, ports) = (&self.channels, &self.channel_ports);
        self.edit_settings(|text| {
            let text = text.replacen("\n[legacy]\n", &format!("\n[legacy]\n{ports}"), 1);
            format!("public_url = \"{public_url}\"\n{text}\n{channels}")
        });
    }

    /// The same, and customers are answered by the pretend model once they have been silent for so long.
    pub fn with_pipeline(&self, public_url: &str, silence: &str) {
        self.with_channels(public_url);
        let pipeline = self.pipeline.replace("silence = \"2s\"", &format!("silence = \"{silence}\""));
        self.edit_settings(|text| text + &pipeline);
    }

    /// Changes the settings file's text.
    pub fn edit_settings(&self, edit: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(self.settings_file()).expect("reads");
        std::fs::write(self.settings_file(), edit(text)).expect("writes");
    }

    /// A fresh folder beside the world's.
    pub fn data_dir(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where an old port was moved to, such as 5022 for `send_text`; those of channels are there [`World::with_channels`] alone.
    pub fn legacy_port(&self, old: u16) -> u16 {
        *self.legacy_ports.get(&old).unwrap_or_else(|| panic!("the settings do not name port {old}"))
    }

    /// Sends the news of invite links to this address.
    pub fn call_back(&self, url: &str, group_id: &str) {
        let line = format!("invite_callback = {{ url = \"{url}\", group_id = \"{group_id}\" }}");
        self.edit_settings(|text| text.replacen("[legacy]", &format!("[legacy]\n{line}"), 1));
    }

    /// `http://address:port` of the control port.
    pub fn control(&self) -> &str {
        &self.control
    }

    /// `GET` on the control port.
    pub async fn get(&self, path: &str) -> Value {
        self.call(self.http.get(format!("{}{path}", self.control))).await
    }

    /// `POST` on the control port.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.control));
        self.call(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// `PUT` on the control port.
    pub async fn put(&self, path: &str, body: &Value) -> Value {
        let request = self.http.put(format!("{}{path}", self.control));
        self.call(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// What Telegram knows of an account.
    pub async fn account(&self, name: &str) -> Value {
        let accounts = self.get("/telegram/accounts").await;
        let mut accounts = accounts["items"].as_array().expect("items").iter();
        accounts.find(|account| account["name"] == name).expect("the account").clone()
    }

    /// The code that waits for this phone, the newest if there are several.
    pub async fn code(&self, phone: &str) -> String {
        let codes = self.get("/telegram/codes").await;
        let mut codes = codes["items"].as_array().expect("items").iter();
        let code = codes.rfind(|code| code["phone"] == phone).expect("a code");
        code["code"].as_str().expect("a text").to_owned()
    }

    /// Lets all references to files expire.
    pub async fn expire_files(&self) {
        self.post("/telegram/files/expire", &json!({})).await;
    }

    /// `DELETE` on the control port.
    pub async fn delete(&self, path: &str) {
        self.call(self.http.delete(format!("{}{path}", self.control))).await;
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.expect("the control port answers");
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        assert!(status.is_success(), "the control port says {status}: {body}");
        if body.is_empty() { Value::Null } else { serde_json::from_str(&body).expect("JSON") }
    }

    /// Sets a fault; further fields over the defaults.
    pub async fn fault(&self, name: &str, more: Value) {
        let mut fault = json!({ "provider": "telegram", "fault": name });
        let Value::Object(more) = more else { panic!("an object") };
        fault.as_object_mut().expect("an object").extend(more);
        self.post("/faults", &fault).await;
    }

    /// The ledger, in order.
    pub async fn ledger(&self) -> Vec<Value> {
        let ledger = self.get("/ledger").await;
        ledger["items"].as_array().expect("items").clone()
    }

    /// The effects of one method, in order.
    pub async fn effects(&self, method: &str) -> Vec<Value> {
        let mut rows = self.ledger().await;
        rows.retain(|row| row["method"] == method);
        rows
    }

    /// The effects in one chat, as their methods, in order.
    pub async fn effects_in(&self, chat_id: &str) -> Vec<String> {
        let rows = self.ledger().await;
        let inside = rows.iter().filter(|row| row["chat_id"] == chat_id);
        inside.map(|row| row["method"].as_str().expect("a method").to_owned()).collect()
    }

    /// The texts of the ledger's sent messages, in order.
    pub async fn sent(&self) -> Vec<String> {
        let rows = self.effects("messages.sendMessage").await;
        rows.iter().map(|row| row["text"].as_str().expect("a text").to_owned()).collect()
    }

    /// The ids of the chats with this title, oldest first.
    pub async fn chats_titled(&self, title: &str) -> Vec<String> {
        let chats = self.get("/telegram/chats").await;
        let chats = chats["items"].as_array().expect("items");
        let named = chats.iter().filter(|chat| chat["title"] == title);
        named.map(|chat| chat["chat_id"].as_str().expect("an id").to_owned()).collect()
    }

    /// The id of the one chat with this title.
    pub async fn chat_titled(&self, title: &str) -> String {
        let mut found = self.chats_titled(title).await;
        assert_eq!(found.len(), 1, "chats titled {title}: {found:?}");
        found.remove(0)
    }

    /// Who is in a chat and as what, by username without the `@`.
    pub async fn members(&self, chat_id: &str) -> BTreeMap<String, String> {
        let chats = self.get("/telegram/chats").await;
        let mut chats = chats["items"].as_array().expect("items").iter();
        let chat = chats.find(|chat| chat["chat_id"] == chat_id).expect("the chat");
        let members = chat["members"].as_array().expect("members").iter();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        members.map(|member| (word(&member["username"]), word(&member["role"]))).collect()
    }

    /// Makes a chat that no account made through the product; with `?silent=true` in the path no one is notified.
    pub async fn make_chat(&self, path: &str, order: &Value) -> String {
        let made = self.post(path, order).await;
        made["chat_id"].as_str().expect("an id").to_owned()
    }

    /// How many calls of this method there were.
    pub async fn calls(&self, method: &str) -> u64 {
        let calls = self.get(&format!("/calls?method={method}")).await;
        calls["items"].as_array().expect("items").iter().filter_map(|row| row["count"].as_u64()).sum()
    }

    /// Fails if the product asked for a method that the world does not know.
    pub async fn assert_nothing_unknown(&self) {
        let unknown = self.get("/unknown").await;
        assert_eq!(unknown["items"], json!([]), "methods the world does not know");
    }
}

/// The settings without the table of one account, and without the ports that are pinned to it.
pub fn without_account(settings: &str, name: &str) -> String {
    let (named, pinned) = (format!("name = \"{name}\""), format!("account = \"{name}\""));
    let lines: Vec<&str> = settings.lines().collect();
    let (mut kept, mut leaves_out) = (String::new(), false);
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with('[') {
            leaves_out = *line == "[[telegram.accounts]]" && lines.get(at + 1) == Some(&named.as_str());
        }
        if !leaves_out && !line.contains(&pinned) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

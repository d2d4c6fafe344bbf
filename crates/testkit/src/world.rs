//! `switchboard sandbox` as a process of its own, so that the product can be killed while the world goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Process, free_port};

/// A pretend outside world.
pub struct World {
    _process: Process,
    folder: tempfile::TempDir,
    control: String,
    http: reqwest::Client,
    legacy_port: u16,
}

impl World {
    /// Starts one with five accounts.
    pub async fn start(binary: &Path) -> Self {
        Self::start_with(binary, &[]).await
    }

    /// Starts one with further arguments of `switchboard sandbox`.
    pub async fn start_with(binary: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("world");
        let mut all = vec!["sandbox", "--telegram", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data-dir"];
        all.push(data_dir.to_str().expect("UTF-8"));
        all.extend(arguments);
        let mut process = Process::start(binary, &all, &[]);
        process.printed(|output| output.contains("Settings").then_some(())).await;
        let control = process
            .printed(|output| {
                let line = output.lines().find(|line| line.starts_with("Control"))?;
                line.split_whitespace().nth(1).map(str::to_owned)
            })
            .await;
        let legacy_port = free_port();
        let settings = std::fs::read_to_string(data_dir.join("switchboard.toml")).expect("the settings");
        let moved = settings.replace("port = 5022", &format!("port = {legacy_port}"));
        assert_ne!(settings, moved, "the settings name the old port:\n{settings}");
        std::fs::write(folder.path().join("switchboard.toml"), moved).expect("writes");
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().expect("a client");
        Self { _process: process, folder, control, http, legacy_port }
    }

    /// The settings file for the product, its old port moved to a free one.
    pub fn settings_file(&self) -> PathBuf {
        self.folder.path().join("switchboard.toml")
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

    /// The port of `send_text` in the settings.
    pub fn legacy_port(&self) -> u16 {
        self.legacy_port
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

    /// The texts of the ledger's sent messages, in order.
    pub async fn sent(&self) -> Vec<String> {
        let ledger = self.get("/ledger").await;
        let rows = ledger["items"].as_array().expect("items").clone();
        rows.into_iter()
            .filter(|row| row["method"] == "messages.sendMessage")
            .map(|row| row["text"].as_str().expect("a text").to_owned())
            .collect()
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

//! The quick start with an account of one's own, typed as written: from nothing to a file that was sent.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{World, free_port};

use crate::importing::stage;
use crate::readme::{Typed, commands, matches};
use crate::shell::Shell;
use crate::{binary, pages};

/// How long the gateway may take to get ready. Machines that build at the same time are slow.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What is written and typed in the page's section, in order.
fn section() -> Vec<pages::Block> {
    let page = pages::page("docs/quick-start.md");
    let (_, after) = page.split_once("\n## With an account of yours\n").expect("the section");
    pages::blocks(after.split("\n## ").next().expect("its end"))
}

/// A person with a machine, an account, and the page.
pub(crate) struct Stranger {
    pub(crate) world: World,
    pub(crate) shell: Shell,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
    http: reqwest::Client,
    /// The gateway, when it was started, and what it says.
    gateway: Option<(tokio::process::Child, PathBuf)>,
}

impl Stranger {
    pub(crate) async fn new() -> Self {
        let world = World::start(binary()).await;
        let (folder, port) = (world.data_dir("stranger"), free_port());
        fs::create_dir_all(folder.join("sessions")).expect("made");
        fs::write(folder.join("price-list.pdf"), "%PDF-1.4 all prices").expect("written");
        let mut shell = Shell::new(folder.clone());
        shell.place("target/release/switchboard", binary());
        shell.place("/usr/local/bin", shell.bin());
        shell.tell(&format!("cd '{}'", folder.display()));
        // The usual place may be in use on the machine that runs the tests.
        shell.tell(&format!("export SWITCHBOARD_DATA_DIR='{}'", folder.join("data").display()));
        let http = reqwest::Client::builder().tls_certs_only([]).timeout(TIMEOUT).build().expect("a client");
        Self { world, shell, port, folder, http, gateway: None }
    }

    /// Writes the settings of the page, for a Telegram that is on this machine.
    fn writes(&self, settings: &str) {
        let world = fs::read_to_string(self.world.settings_file()).expect("the settings");
        let (before, _) = world.split_once("[[telegram.accounts]]").expect("accounts");
        let (_, telegram) = before.split_once("[telegram]").expect("a Telegram");
        assert!(settings.contains(":5099"), "{settings}");
        let settings = settings.replace(":5099", &format!(":{}", self.port));
        let text = format!("{settings}\n[telegram]{telegram}");
        fs::write(self.folder.join("switchboard.toml"), text).expect("written");
    }

    /// Puts the session file where the page's settings have it.
    fn brings_a_session(&self) {
        let settings = fs::read_to_string(self.world.settings_file()).expect("the settings");
        stage::session_of(&settings, "main", "", &self.folder.join("sessions/main.session"));
    }

    /// Leaves the gateway running; the key that it prints.
    pub(crate) async fn starts(&mut self, command: &str) -> String {
        let log = self.folder.join("said");
        let mut child = self.shell.leaves_running(command, &log);
        let since = Instant::now();
        let key = loop {
            let text = fs::read_to_string(&log).expect("reads");
            if let Some(line) = text.lines().find_map(|line| line.trim().strip_prefix("export KEY=")) {
                break line.to_owned();
            }
            let ended = child.try_wait().expect("waits");
            assert!(ended.is_none() && since.elapsed() < TIMEOUT, "{ended:?}: {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.gateway = Some((child, log));
        key
    }

    /// The status of a call with a key, and what it answers.
    pub(crate) async fn asks(&self, key: &str, path: &str) -> (u16, serde_json::Value) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = self.http.get(url).header("x-api-key", key).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Waits until the account is in this state, its dialogs read if it is ready: a reader of the page is slower.
    async fn sees(&self, key: &str, state: &str) {
        let since = Instant::now();
        loop {
            let (_, account) = self.asks(key, "/v1/accounts/main").await;
            let complete = state != "ready" || account["dialogs_complete"] == true;
            if account["state"] == state && complete {
                return;
            }
            assert!(since.elapsed() < TIMEOUT, "not {state}: {account}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Signs in as the page on accounts says, which the quick start names.
    async fn signs_in(&self) {
        assert!(pages::page("docs/accounts.md").contains("\n$ switchboard account login main\n"));
        let mut signing = self.shell.in_pty("switchboard account login main --config switchboard.toml");
        signing.shows("Enter the code", 1).await;
        signing.types(&self.world.code("+70000000001").await);
        assert_eq!(signing.ended().await, Some(0), "{}", signing.screen());
        assert!(signing.screen().contains("Signed in as @demo_main."), "{}", signing.screen());
    }
}

/// Whether a table is as the page has it. How many calls there were depends on the hour.
fn is_table(expected: &str, got: &str) -> bool {
    let rows = |text: &str| -> Vec<Vec<String>> {
        let lines = text.trim().lines().map(|line| line.split_whitespace().map(str::to_owned));
        let mut rows: Vec<Vec<String>> = lines.map(Iterator::collect).collect();
        for row in rows.iter_mut().skip(1) {
            assert!(row.pop().is_some_and(|calls| calls.parse::<u32>().is_ok()), "{text}");
        }
        rows
    };
    rows(expected) == rows(got)
}

/// Types the whole section; `session` is whether there is the file that the settings name.
async fn follow(session: bool) {
    let mut stranger = Stranger::new().await;
    let hash = stranger.world.account("main").await["api_hash"].as_str().expect("a text").to_owned();
    let (mut key, mut listed, mut made, mut sent) = (String::new(), false, None, None);
    for block in section() {
        if block.language == "toml" {
            stranger.writes(&block.text);
            if session {
                stranger.brings_a_session();
            }
            continue;
        }
        assert_eq!(block.language, "console", "{}", block.text);
        for Typed { command, answer } in commands(&block.text) {
            if command == "cargo build --release" {
                // It was built: a test runs what there is.
            } else if command.starts_with("export ") {
                stranger.shell.tell(&command.replace('…', &hash));
            } else if command.starts_with("switchboard up ") {
                key = stranger.starts(&command).await;
                assert_eq!(stranger.asks(&key, "/v1/keys").await.0, 200, "the first key has all scopes");
                if !session {
                    stranger.sees(&key, "needs_login").await;
                    stranger.signs_in().await;
                }
                stranger.sees(&key, "ready").await;
            } else {
                let (got, code, errors) = stranger.shell.runs(&command).await;
                assert_eq!(code, Some(0), "{command}\n{got}{errors}");
                if command.starts_with("switchboard account list") {
                    listed = is_table(&answer, &got);
                    assert!(listed, "{command}\nanswers\n{got}\nnot\n{answer}");
                } else {
                    assert!(matches(&answer, &got), "{command}\nanswers\n{got}\nnot\n{answer}");
                }
                if command.starts_with("switchboard key create") {
                    made = Some(got.trim().to_owned());
                } else if command.starts_with("switchboard send") {
                    sent = Some(got);
                }
            }
        }
    }
    assert!(listed, "the page lists the accounts");
    let made = made.expect("the page makes a key");
    let statuses = (stranger.asks(&made, "/v1/messages").await.0, stranger.asks(&made, "/v1/keys").await.0);
    assert_eq!(statuses, (200, 403), "the new key may send and read");
    let sent = sent.expect("the page sends");
    let id = sent.split(['(', ')']).nth(1).expect("the message's id");
    let (status, message) = stranger.asks(&key, &format!("/v1/messages/{id}")).await;
    assert_eq!((status, &message["state"]), (200, &json!("sent")), "{message}");
    let ledger = stranger.world.ledger().await;
    let [row] = ledger.as_slice() else { panic!("{ledger:?}") };
    let effect = (&row["method"], &row["account"], &row["text"], &row["media"]["file_name"]);
    let wanted = ("messages.sendMedia", "main", "Our prices", "price-list.pdf");
    assert_eq!(effect, (&json!(wanted.0), &json!(wanted.1), &json!(wanted.2), &json!(wanted.3)), "{row}");
    stranger.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_sends_a_file_with_a_session_file() {
    follow(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_sends_a_file_after_signing_in() {
    follow(false).await;
}

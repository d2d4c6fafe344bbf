//! The stage of the contract: a pretend world, the program with every old port on a free one, and what is asked of both.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Hoster, PDF, PNG, Program, Start, World, films, free_port};

use super::caller::{Call, Reply};
use super::shape::misfit;
use crate::binary;

pub(super) const CREATE: u16 = 5021;
pub(super) const TEXT: u16 = 5022;
pub(super) const MEDIA: u16 = 5023;
pub(super) const LEAVE: u16 = 5024;

/// What is in the settings, and how the world is before the program starts.
pub(super) struct Setup {
    /// Lines before the first section.
    pub(super) top: String,
    /// Lines of the section `[legacy]`.
    pub(super) legacy: String,
    /// The ports: the old number, and what the settings say besides the port.
    pub(super) ports: Vec<(u16, &'static str)>,
    /// Faults from the start, with their fields.
    pub(super) faults: Vec<(&'static str, Value)>,
    /// Whether there are accounts.
    pub(super) accounts: bool,
    /// Whether to wait until all accounts are ready.
    pub(super) until_ready: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            top: String::new(),
            legacy: String::new(),
            ports: vec![
                (CREATE, "service = \"create_chat\""),
                (TEXT, "service = \"send_text\""),
                (MEDIA, "service = \"send_media\""),
                (LEAVE, "service = \"leave_chat\""),
                (5025, "service = \"create_chat\", account = \"backup_1\""),
                (5028, "service = \"leave_chat\", account = \"fifth\""),
                (5029, "service = \"create_chat\", account = \"backup_2\""),
                (5030, "service = \"create_chat\", account = \"backup_3\""),
            ],
            faults: Vec::new(),
            accounts: true,
            until_ready: true,
        }
    }
}

/// The world and the program.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) program: Program,
    /// A server that addresses of files may lead to.
    pub(super) hoster: Hoster,
    ports: BTreeMap<u16, u16>,
}

impl Stage {
    /// Every port, nothing special.
    pub(super) async fn plain() -> Self {
        Self::with(Setup::default()).await
    }

    pub(super) async fn with(setup: Setup) -> Self {
        let world = World::start(binary()).await;
        let ports: BTreeMap<u16, u16> = setup.ports.iter().map(|(old, _)| (*old, free_port())).collect();
        let lines: Vec<String> =
            setup.ports.iter().map(|(old, line)| format!("  {{ port = {}, {line} }}", ports[old])).collect();
        world.edit_settings(|text| {
            let own = text.split("\n[legacy]").next().expect("something");
            let own = if setup.accounts { own } else { own.split("\n[[").next().expect("something") };
            format!(
                "media.allow_private = [\"127.0.0.1/32\"]\n{}\n{own}\n[legacy]\n{}\nports = [\n{}\n]\n",
                setup.top,
                setup.legacy,
                lines.join(",\n")
            )
        });
        for (name, more) in setup.faults {
            world.fault(name, more).await;
        }
        let start = Start::on(&world, binary(), "data");
        let program = if setup.until_ready { start.ready().await } else { start.listening().await };
        let (mp4, mov) = (films::film(b"isom", true), films::film(b"qt  ", true));
        for (name, bytes) in [
            ("photo.png", PNG),
            ("price.pdf", PDF),
            ("notes.txt", b"nobody knows what this is"),
            ("film.mp4", &mp4),
            ("film.mov", &mov),
            ("film.mkv", films::MATROSKA),
            ("film.avi", films::AVI),
        ] {
            std::fs::write(world.data_dir("data").join("media").join(name), bytes).expect("writes");
        }
        let stage = Self { world, program, hoster: Hoster::start().await, ports };
        if setup.accounts && setup.until_ready {
            stage.all_ready().await;
        }
        stage
    }

    /// Waits until every account is ready and knows its dialogs.
    pub(super) async fn all_ready(&self) {
        for name in ACCOUNTS {
            self.program.account_is(name, "ready").await;
        }
        let known = Call::new(self.port(TEXT), "GET", "/stats");
        self.program
            .until("the dialogs are read", || {
                let known = known.clone();
                async move {
                    let stats = known.send().await.json();
                    stats["accounts"].as_array().is_some_and(|all| {
                        all.iter().all(|account| account["cache_size"].as_u64() >= Some(60))
                    })
                }
            })
            .await;
    }

    /// SIGKILL, and a start on the same data.
    pub(super) async fn restart_hard(&mut self) {
        self.program.kill();
        self.program = Start::on(&self.world, binary(), "data").ready().await;
    }

    /// Where the old port is now.
    pub(super) fn port(&self, old: u16) -> u16 {
        self.ports[&old]
    }

    /// A call of the old port.
    pub(super) fn call(&self, old: u16, path: &str, body: &Value) -> Call {
        Call::new(self.port(old), "POST", path).json(body)
    }

    pub(super) fn get(&self, old: u16, path: &str) -> Call {
        Call::new(self.port(old), "GET", path)
    }

    pub(super) async fn create(&self, body: &Value) -> Reply {
        self.call(CREATE, "/create_chat", body).send().await
    }

    pub(super) async fn send_text(&self, body: &Value) -> Reply {
        self.call(TEXT, "/send_text", body).send().await
    }

    pub(super) async fn send_media(&self, body: &Value) -> Reply {
        self.call(MEDIA, "/send_media", body).send().await
    }

    pub(super) async fn leave(&self, body: &Value) -> Reply {
        self.call(LEAVE, "/leave_chat", body).send().await
    }

    /// Makes a chat with these people and returns its id.
    pub(super) async fn made(&self, title: &str, usernames: &[&str]) -> String {
        let reply = self.create(&json!({ "title": title, "usernames": usernames })).await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["status"]), (200, &json!("ok")), "{answer}");
        answer["chat_id"].as_str().expect("a chat id").to_owned()
    }

    /// Lets the clock run ahead while something goes on.
    pub(super) async fn hurrying<T>(&self, by: Duration, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(50)) => self.program.advance(by).await,
            }
        }
    }

    /// A chat of the world, by its id.
    pub(super) async fn chat(&self, chat_id: &str) -> Value {
        let chats = self.world.get("/telegram/chats").await;
        let mut chats = chats["items"].as_array().expect("items").iter();
        chats.find(|chat| chat["chat_id"] == chat_id).cloned().unwrap_or_else(|| panic!("no chat {chat_id}"))
    }
}

impl Reply {
    /// Fails unless status and body are so.
    pub(super) fn must_be(&self, status: u16, shape: &Value) {
        assert_eq!(self.status, status, "{}", self.text);
        let misfit = misfit(shape, &self.json());
        assert!(misfit.is_none(), "{}: {}", misfit.unwrap_or_default(), self.text);
    }
}

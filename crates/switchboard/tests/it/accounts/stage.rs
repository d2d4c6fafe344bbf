//! A world where one account of Telegram is not yet in the settings, and the command line on it.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::{Program, Seat, Start, World};

use crate::binary;

/// The account that the settings do not name.
pub(crate) const NAME: &str = "fifth";

/// A two-step password that appears nowhere else.
pub(crate) const PASSWORD: &str = "correct horse battery staple 5099";

/// Terms of service that Telegram may show.
pub(crate) const TERMS: &str = "Be kind to each other.";

/// The world, and what Telegram knows of the account.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) phone: String,
    pub(crate) api_id: i64,
    pub(crate) api_hash: String,
    pub(crate) user_id: i64,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let world = World::start(binary()).await;
        world.edit_settings(|text| testkit::without_account(&text, NAME));
        let accounts = world.get("/telegram/accounts").await;
        let mut accounts = accounts["items"].as_array().expect("items").iter();
        let one = accounts.find(|account| account["name"] == NAME).expect("the account");
        let text = |field: &str| one[field].as_str().expect("a text").to_owned();
        let number = |field: &str| one[field].as_i64().expect("a number");
        let (phone, api_hash) = (text("phone"), text("api_hash"));
        let (api_id, user_id) = (number("api_id"), number("user_id"));
        Self { world, phone, api_id, api_hash, user_id }
    }

    /// The same where signing in takes the password too.
    pub(crate) async fn with_password() -> Self {
        let stage = Self::new().await;
        let rules = json!({ "password": PASSWORD, "hint": "four words and a port" });
        stage.world.put(&format!("/telegram/accounts/{NAME}/sign-in"), &rules).await;
        stage
    }

    /// Whoever signs in is shown terms of service from now on, until they are accepted.
    pub(crate) async fn show_terms(&self) {
        self.world.put(&format!("/telegram/accounts/{NAME}/sign-in"), &json!({ "terms": TERMS })).await;
    }

    /// The product on it.
    pub(crate) async fn program(&self) -> Program {
        let program = Start::on(&self.world, binary(), "data").ready().await;
        program.account_is("main", "ready").await;
        program
    }

    /// The body that adds the account.
    pub(crate) fn account(&self) -> Value {
        json!({ "name": NAME, "api_id": self.api_id, "api_hash": self.api_hash, "phone": self.phone, "priority": 5 })
    }

    /// Adds the account over the API.
    pub(crate) async fn add(&self, program: &Program) {
        let (status, added) = program.post("/v1/accounts", &self.account()).await;
        assert_eq!(
            (status, &added["state"], &added["reason"]),
            (201, &json!("needs_login"), &json!("no_session")),
            "{added}"
        );
    }

    /// The code, once Telegram has sent it.
    pub(crate) async fn code(&self) -> String {
        for _ in 0..3_000 {
            let codes = self.world.get("/telegram/codes").await;
            let mut codes = codes["items"].as_array().expect("items").iter();
            if let Some(code) = codes.rfind(|code| code["phone"] == self.phone.as_str()) {
                return code["code"].as_str().expect("a text").to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no code was sent to the account");
    }

    /// A code that is not the one.
    pub(crate) async fn wrong_code(&self) -> &'static str {
        if self.code().await == "00000" { "00001" } else { "00000" }
    }

    /// Somebody accepts what a QR code shows.
    pub(crate) async fn accept(&self, url: &str) {
        self.world.post("/telegram/login-tokens/accept", &json!({ "token": url, "account": NAME })).await;
    }

    fn place(&self) -> [String; 4] {
        let path = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
        let (settings, data) = (path(self.world.settings_file()), path(self.world.data_dir("data")));
        ["--config".to_owned(), settings, "--data-dir".to_owned(), data]
    }

    /// Runs `switchboard account …` with these lines as its input; exit code, output, errors.
    pub(crate) fn command(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut child = self.spawn(arguments);
        // A command that wants no input may have ended already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        ended(child)
    }

    /// Starts `switchboard account …` with its input open.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SWITCHBOARD_")) {
            command.env_remove(name);
        }
        command.arg("account").args(arguments).args(self.place()).env("DEMO_API_HASH", &self.api_hash);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("runs")
    }

    /// The same where it has to go well; its output.
    pub(crate) fn fine(&self, arguments: &[&str]) -> String {
        let (code, output, errors) = self.command(arguments, "");
        assert_eq!(code, Some(0), "{arguments:?}: {output}{errors}");
        output
    }

    /// Starts `switchboard account …` with somebody at the terminal.
    pub(crate) fn seat(&self, arguments: &[&str]) -> Seat {
        let arguments = self.arguments(arguments);
        Seat::at(binary(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The same at a terminal of so many columns.
    pub(crate) fn seat_of_width(&self, arguments: &[&str], columns: u16) -> Seat {
        let arguments = self.arguments(arguments);
        Seat::at_a_screen(binary(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), (columns, 50))
    }

    fn arguments(&self, given: &[&str]) -> Vec<String> {
        ["account"].iter().chain(given).map(|word| (*word).to_owned()).chain(self.place()).collect()
    }

    /// Sends a text as the account.
    pub(crate) async fn send(&self, program: &Program, text: &str, wait: u32) -> (u16, Value) {
        let body = json!({ "chat": "@client_1", "text": text, "account": NAME, "wait": wait });
        program.post("/v1/messages", &body).await
    }
}

/// Waits for the end of a command: exit code, output, errors.
pub(crate) fn ended(child: Child) -> (Option<i32>, String, String) {
    let ended = child.wait_with_output().expect("ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

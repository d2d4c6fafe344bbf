//! A world where one account of Telegram is not yet in the settings, and the command line on it.

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;
use crate::postgres::world;
use crate::shell::cli::{Cli, cli};

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
        let world = world().await;
        world.edit_settings(|text| testkit::without_account(&text, NAME));
        let one = world.account(NAME).await;
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

    /// A person who signs in is shown terms of service from now on, until they are accepted.
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

    /// Accepts what a QR code shows.
    pub(crate) async fn accept(&self, url: &str) {
        self.world.post("/telegram/login-tokens/accept", &json!({ "token": url, "account": NAME })).await;
    }

    /// `switchboard account …`, with the application's secret at hand.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Cli {
        cli(&self.world, &[&["account"], arguments].concat()).env("DEMO_API_HASH", &self.api_hash)
    }

    /// Sends a text as the account.
    pub(crate) async fn send(&self, program: &Program, text: &str, wait: u32) -> (u16, Value) {
        let body = json!({ "chat": "@client_1", "text": text, "account": NAME, "wait": wait });
        program.post("/v1/messages", &body).await
    }
}

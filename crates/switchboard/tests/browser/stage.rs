//! A pretend world, the program with a known first password, and a browser in which its owner is signed in.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};
use tokio::time::{Instant, sleep};

use crate::binary;
use crate::chromium::{Chromium, Person, Tab};

pub(crate) const NAME: &str = "admin";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// All that a test of the pages needs.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) program: Program,
    pub(crate) browser: Chromium,
    pub(crate) owner: Person,
}

impl Stage {
    /// Every account is ready.
    pub(crate) async fn start() -> Self {
        Self::with(|text| text).await
    }

    /// With other settings.
    pub(crate) async fn with(edit: impl FnOnce(String) -> String) -> Self {
        let world = World::start(binary()).await;
        world.edit_settings(|text| edit(text) + "\n[events]\nallow_private = [\"127.0.0.1/32\"]\n\n[pipeline]\nenabled = true\nresponder = \"human\"\n");
        let program = run(&world, &[]).await;
        Self::of(world, program).await
    }

    /// The settings do not name this account: Telegram alone knows it.
    pub(crate) async fn without(name: &str) -> Self {
        Self::with(|text| testkit::without_account(&text, name)).await
    }

    /// Of a program that runs already: every account that the settings name is ready.
    pub(crate) async fn of(world: World, program: Program) -> Self {
        let settings = std::fs::read_to_string(world.settings_file()).expect("the settings");
        for name in ACCOUNTS.into_iter().filter(|name| settings.contains(&name_line(name))) {
            program.account_is(name, "ready").await;
        }
        let browser = Chromium::start().await;
        let owner = browser.person().await;
        Self { world, program, browser, owner }
    }

    /// Adds an account that only Telegram knows so far, over the API; no one has signed in to it.
    pub(crate) async fn add(&self, name: &str) {
        let known = self.world.account(name).await;
        let order = json!({ "name": name, "api_id": known["api_id"], "api_hash": known["api_hash"], "phone": known["phone"] });
        let (status, added) = self.program.post("/v1/accounts", &order).await;
        assert_eq!(status, 201, "{added}");
    }

    /// Signs in to an account over the API, and waits until it works.
    pub(crate) async fn sign_in_to(&self, name: &str) {
        let login = format!("/v1/accounts/{name}/login");
        let (status, reply) = self.program.post(&login, &json!({ "by": "phone" })).await;
        assert_eq!(status, 200, "{reply}");
        let code = self.world.code(self.world.account(name).await["phone"].as_str().expect("a phone")).await;
        let (status, reply) = self.program.post(&format!("{login}/code"), &json!({ "code": code })).await;
        assert_eq!((status, &reply["state"]), (200, &json!("done")), "{reply}");
        self.program.account_is(name, "ready").await;
    }

    /// A tab in which no one is signed in yet.
    pub(crate) async fn stranger(&self) -> Tab {
        self.browser.person().await.tab(self.program.address()).await
    }

    /// A tab in which the owner is signed in.
    pub(crate) async fn tab(&self) -> Tab {
        let tab = self.owner.tab(self.program.address()).await;
        tab.open("/sign-in").await;
        if tab.text("location.pathname").await == "/sign-in" {
            sign_in(&tab, NAME, PASSWORD).await;
        }
        tab
    }

    /// Beats go by, so many seconds of the program's time, and never faster than the sessions of accounts without a fault are
    /// answered: on a slow machine a leap over an answer that is under way looks like a deaf session.
    pub(crate) async fn pass(&self, seconds: u64) {
        const STEP: u64 = 4;
        // 24 seconds: a session asks something 20 seconds after its last answer by itself, and gives 10 for the answer.
        const UNANSWERED: usize = 6;
        let mut past = vec![self.program.now().await];
        let mut checks_sessions = true;
        for _ in 0..seconds.div_ceil(STEP) {
            self.program.advance(Duration::from_secs(STEP)).await;
            past.push(self.program.now().await);
            // The beats of a round are real calls.
            sleep(Duration::from_millis(100)).await;
            if checks_sessions && let Some(latest) = past.len().checked_sub(UNANSWERED) {
                checks_sessions = self.sound_sessions_are_answered(&past[latest]).await;
            }
        }
    }

    /// Waits until the sessions of accounts without a fault were answered at this time or later. False when they are not: a
    /// fault of another kind, such as a store that does not answer, keeps the rounds of beats from asking them.
    async fn sound_sessions_are_answered(&self, latest: &str) -> bool {
        let second = |instant: &str| instant[..19].to_owned();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let faults = self.world.get("/faults").await;
            let faults = faults["items"].as_array().expect("items").clone();
            let has_fault = |account: &Value| {
                faults.iter().any(|fault| fault["account"].is_null() || fault["account"] == account["name"])
            };
            let (_, accounts) = self.program.get("/v1/accounts?limit=200").await;
            let accounts = accounts["items"].as_array().expect("items");
            let mut lines = accounts
                .iter()
                .filter(|account| !has_fault(account))
                .filter_map(|account| account["lines"].as_array())
                .flatten()
                .filter(|line| line["state"] == "ready");
            let is_answered =
                |line: &Value| line["last_answer_at"].as_str().is_some_and(|at| second(at) >= second(latest));
            if lines.all(is_answered) {
                return true;
            }
            sleep(Duration::from_millis(10)).await;
        }
        false
    }
}

/// Starts the program on a world's settings, with the first password.
pub(crate) async fn run(world: &World, arguments: &[&str]) -> Program {
    let mut start = beginning(world);
    start.arguments.extend(arguments.iter().map(|&one| one.to_owned()));
    start.ready().await
}

/// How the program is started on a world's settings, with the first password.
pub(crate) fn beginning(world: &World) -> Start<'static> {
    let mut start = Start::on(world, binary(), "data");
    start.environment.push(("SWITCHBOARD_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()));
    start
}

/// The line of the settings that names an account.
fn name_line(name: &str) -> String {
    format!("name = \"{name}\"")
}

/// Fills in the form at the door and waits for the page behind it.
pub(crate) async fn sign_in(tab: &Tab, name: &str, password: &str) {
    tab.fill("#name", name).await;
    tab.fill("#password", password).await;
    tab.press("main button.primary").await;
    tab.until("location.pathname !== '/sign-in' && document.readyState === 'complete'").await;
}

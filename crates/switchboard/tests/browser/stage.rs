//! A pretend world, the program with a known first password, and a browser in which its owner is signed in.

use std::time::Duration;

use testkit::{Program, Start, World};
use tokio::time::sleep;

use crate::binary;
use crate::chromium::{Chromium, Person, Tab};

pub(crate) const NAME: &str = "admin";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The accounts of the world.
pub(crate) const ACCOUNTS: [&str; 5] = ["main", "backup_1", "backup_2", "backup_3", "fifth"];

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
        world.edit_settings(edit);
        let program = run(&world, &[]).await;
        for name in ACCOUNTS {
            program.account_is(name, "ready").await;
        }
        let browser = Chromium::start().await;
        let owner = browser.person().await;
        Self { world, program, browser, owner }
    }

    /// A tab in which nobody is signed in yet.
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

    /// Beats go by, so many seconds of the program's time.
    pub(crate) async fn pass(&self, seconds: u64) {
        let step = 10;
        for _ in 0..seconds.div_ceil(step) {
            self.program.advance(Duration::from_secs(step)).await;
            // The beats of a round are real calls.
            sleep(Duration::from_millis(150)).await;
        }
    }
}

/// Starts the program on a world's settings, with the first password.
pub(crate) async fn run(world: &World, arguments: &[&str]) -> Program {
    let mut start = Start::on(world, binary(), "data");
    start.environment.push(("SWITCHBOARD_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()));
    start.arguments.extend(arguments.iter().map(|&one| one.to_owned()));
    start.ready().await
}

/// Fills in the form at the door and waits for what lies behind it.
pub(crate) async fn sign_in(tab: &Tab, name: &str, password: &str) {
    tab.fill("#name", name).await;
    tab.fill("#password", password).await;
    tab.press("main button.primary").await;
    tab.until("location.pathname !== '/sign-in' && document.readyState === 'complete'").await;
}

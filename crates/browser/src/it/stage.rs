//! A pretend Web K, and a profile whose browser is ended with the test.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use ambient::Clock;
use browser::{Engine, Failure, Lease, Limits, Local, Order, Outcome, Target, WebK};
use outbound::{AllowList, Allowed};
use sandbox::telegram::{FaultOrder, LogIn};
use sandbox::{Running, Sandbox, SandboxOptions};
use serde_json::{Value, json};

/// Names the browser's program. `cargo xtask test` sets it.
const CHROMIUM: &str = "SWITCHBOARD_TEST_CHROMIUM";

/// Names the driver's program. `cargo xtask test` sets it.
const DRIVER: &str = "SWITCHBOARD_TEST_CHROMEDRIVER";

/// `firefox` where these tests drive that one, and its programs. `cargo xtask test --browser firefox` sets them.
const BROWSER: &str = "SWITCHBOARD_TEST_BROWSER";
const FIREFOX: &str = "SWITCHBOARD_TEST_FIREFOX";
const FIREFOX_DRIVER: &str = "SWITCHBOARD_TEST_GECKODRIVER";

/// What a test plays on.
pub(crate) struct Stage {
    pub(crate) sandbox: Running,
    pub(crate) profile: Local,
    pub(crate) clock: Clock,
    folder: tempfile::TempDir,
}

/// What the owner lists for programs on this machine.
pub(crate) fn loopback() -> Allowed {
    Allowed::new(AllowList::Campaigns, vec!["127.0.0.0/8".parse().unwrap()])
}

/// The program of a variable, or what the system calls it.
pub(crate) fn program(variable: &str, usual: &str) -> PathBuf {
    let named = env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(&named))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("there is no {named}: run these tests with `cargo xtask test`, which installs it")
    })
}

/// The browser that the tests drive.
pub(crate) fn engine() -> Engine {
    match env::var(BROWSER).as_deref() {
        Ok("firefox") => Engine::Firefox,
        _ => Engine::Chromium,
    }
}

pub(crate) fn driver(engine: Engine) -> PathBuf {
    match engine {
        Engine::Chromium => program(DRIVER, "chromedriver"),
        Engine::Firefox => program(FIREFOX_DRIVER, "geckodriver"),
    }
}

pub(crate) fn browser(engine: Engine) -> PathBuf {
    match engine {
        Engine::Chromium => program(CHROMIUM, "chromium"),
        Engine::Firefox => program(FIREFOX, "firefox"),
    }
}

/// A machine without a screen, on which tests may be root.
pub(crate) fn arguments(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Chromium => &[
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-extensions",
        ],
        Engine::Firefox => &["--headless"],
    }
}

/// For what happens: a slow machine may take its time.
pub(crate) fn generous() -> Limits {
    let long = Duration::from_mins(2);
    let look = Duration::from_millis(100);
    Limits { page_load: long, search: long, open: long, send: long, answer: long, look, ..Limits::default() }
}

/// For messages of which nothing comes.
pub(crate) fn quick() -> Limits {
    let short = Duration::from_secs(1);
    Limits { send: short, answer: short, ..generous() }
}

/// For pages and chats that do not come, on a machine where others take seconds.
pub(crate) fn quick_pages() -> Limits {
    let short = Duration::from_secs(5);
    Limits { page_load: short, open: short, ..generous() }
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = folder.path().join("world");
        std::fs::create_dir(&world).expect("a folder");
        let sandbox = Sandbox::start(SandboxOptions::new(world).on_free_ports()).await.expect("a sandbox");
        let engine = engine();
        let profile = Local {
            engine,
            folder: folder.path().join("profile"),
            program: browser(engine),
            driver: driver(engine),
            arguments: arguments(engine).iter().copied().map(str::to_owned).collect(),
            proxy: None,
        };
        Self { sandbox, profile, clock: Clock::system(), folder }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}/k/", self.sandbox.web_k)
    }

    pub(crate) async fn lease(&self) -> Lease {
        self.profile.lease(&self.clock).await.expect("a lease")
    }

    pub(crate) async fn web_k<'a>(&self, lease: &'a Lease, limits: Limits) -> WebK<'a> {
        WebK::attach(lease.session(), &self.address(), self.clock.clone(), limits).await.expect("a page")
    }

    /// A page that an account is logged in on: its owner scanned the code.
    pub(crate) async fn logged_in<'a>(&self, lease: &'a Lease, account: &str) -> WebK<'a> {
        let web_k = self.web_k(lease, generous()).await;
        assert!(matches!(web_k.arrive().await, Err(Failure::LoggedOut(_))));
        // The card comes before its code.
        while web_k.facts().await.expect("a page").card != Some(browser::Card::Code) {}
        self.sandbox
            .telegram
            .log_in_to_web_k(&LogIn { account: account.to_owned(), code: None })
            .expect("a code that is shown");
        while let Err(error) = web_k.arrive().await {
            assert!(matches!(error, Failure::LoggedOut(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        web_k
    }

    pub(crate) fn fault(&self, order: Value) -> u64 {
        let mut order = order;
        if order.get("provider").is_none() {
            order["provider"] = "web_k".into();
        }
        let order: FaultOrder = serde_json::from_value(order).expect("a fault");
        self.sandbox.telegram.add_fault(order).expect("a fault")
    }

    pub(crate) fn once(&self, fault: &str) {
        self.fault(json!({ "fault": fault, "times": 1 }));
    }

    /// The texts of the ledger.
    pub(crate) fn texts(&self) -> Vec<String> {
        let rows = self.sandbox.telegram.ledger(0, 1_000);
        rows.iter().map(|row| row.text.to_string()).collect()
    }

    /// The process of the profile's browser.
    pub(crate) fn browser(&self) -> Option<u32> {
        let lock = match self.profile.engine {
            Engine::Chromium => "profile/chromium/SingletonLock",
            Engine::Firefox => "profile/firefox/lock",
        };
        let target = std::fs::read_link(self.folder.path().join(lock)).ok()?;
        target.to_string_lossy().rsplit_once(['-', '+'])?.1.parse().ok()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(process) = self.browser() {
            end(process);
        }
    }
}

/// Whether a process has not ended. One that has, and that no one has asked about, has no command line.
pub(crate) fn is_running(process: u32) -> bool {
    std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// Kills a process of the test's own.
pub(crate) fn end(process: u32) {
    let _ = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
}

pub(crate) fn named(name: &str, text: &str) -> Order {
    Order { target: Target::Name(name.to_owned()), text: text.to_owned(), file: None, known: None }
}

/// Prepares a message and sends it.
pub(crate) async fn deliver(web_k: &WebK<'_>, order: &Order) -> Outcome {
    match web_k.prepare(order).await {
        Ok(prepared) => web_k.send(&prepared).await,
        Err(failure) => Outcome::Failed(failure),
    }
}

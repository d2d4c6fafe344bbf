//! A real Chromium, spoken to over a pipe in its own protocol: no driver between, no port open.

mod axe;
mod clipboard;
mod files;
mod keyboard;
mod pipe;
mod pointer;
mod record;
mod tab;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

pub(crate) use keyboard::Key;
pub(crate) use tab::{Tab, Theme};

use pipe::Pipe;

/// How long a page may take for what a test waits for. Machines that build at the same time are slow.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// A browser with a fresh profile. It ends when this is dropped.
pub(crate) struct Chromium {
    pipe: Arc<Pipe>,
}

/// A person with cookies of their own.
pub(crate) struct Person {
    pipe: Arc<Pipe>,
    context: String,
}

impl Chromium {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let pipe = Arc::new(Pipe::open());
        let version = pipe.call(None, "Browser.getVersion", json!({})).await;
        assert!(version["product"].as_str().is_some_and(|name| name.contains("Chrome")), "{version}");
        Self { pipe }
    }

    /// A new person, whom no site knows.
    pub(crate) async fn person(&self) -> Person {
        let made = self.pipe.call(None, "Target.createBrowserContext", json!({})).await;
        let context = made["browserContextId"].as_str().expect("a context").to_owned();
        Person { pipe: Arc::clone(&self.pipe), context }
    }
}

impl Person {
    /// A tab of theirs for the pages of one site.
    pub(crate) async fn tab(&self, site: &str) -> Tab {
        let order = json!({ "url": "about:blank", "browserContextId": self.context });
        let made = self.pipe.call(None, "Target.createTarget", order).await;
        Tab::attach(Arc::clone(&self.pipe), &made["targetId"], site).await
    }
}

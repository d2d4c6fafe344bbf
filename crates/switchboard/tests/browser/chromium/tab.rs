//! A tab: goes to pages, asks what is on them, types.

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::pipe::Pipe;
use super::record::Record;
use super::{Key, TIMEOUT};

/// Between two looks at a page.
pub(super) const MOMENT: Duration = Duration::from_millis(25);

/// What a person's system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Dark ink on light paper.
    Light,
    /// Light ink on dark paper.
    Dark,
}

/// A tab of a site.
pub(crate) struct Tab {
    pipe: Arc<Pipe>,
    session: String,
    site: String,
    record: Arc<Mutex<Record>>,
}

impl Tab {
    pub(super) async fn attach(pipe: Arc<Pipe>, target: &Value, site: &str) -> Self {
        let order = json!({ "targetId": target, "flatten": true });
        let attached = pipe.call(None, "Target.attachToTarget", order).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let record = pipe.note(&session);
        let tab = Self { pipe, session, site: site.to_owned(), record };
        for domain in ["Page", "Runtime", "Network", "Log", "Audits"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        tab.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true })).await;
        // A page that knows its zone does not load itself a second time for it.
        tab.call("Emulation.setTimezoneOverride", json!({ "timezoneId": "UTC" })).await;
        tab.cookie("zone", "0").await;
        tab.look(1280, Theme::Light).await;
        tab
    }

    /// The site's address.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// Does a command of the browser's protocol.
    pub(crate) async fn call(&self, method: &str, parameters: Value) -> Value {
        self.pipe.call(Some(&self.session), method, parameters).await
    }

    /// Sets a cookie of the site.
    pub(crate) async fn cookie(&self, name: &str, value: &str) {
        let cookie = json!({ "name": name, "value": value, "url": self.site, "sameSite": "Lax" });
        self.call("Network.setCookie", cookie).await;
    }

    /// How wide the window is, in CSS pixels, and what the system prefers. A narrow one is a phone's.
    pub(crate) async fn look(&self, width: u32, theme: Theme) {
        let (height, phone) = if width < 600 { (844, true) } else { (800, false) };
        let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", window).await;
        let scheme = if theme == Theme::Dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        // Colours on their way to others would be judged, and drawn, as neither.
        let settle =
            "document.getAnimations().forEach((one) => one instanceof CSSTransition && one.finish())";
        let _ = self.try_tell(settle).await;
    }

    /// Whether the pages' scripts run.
    pub(crate) async fn scripts(&self, run: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// Goes to a path of the site and waits until all of the page is there.
    pub(crate) async fn open(&self, path: &str) {
        let address = format!("{}{path}", self.site);
        let going = self.call("Page.navigate", json!({ "url": address })).await;
        assert!(going["errorText"].is_null(), "{address}: {going}");
        let Some(loader) = going["loaderId"].as_str() else { return };
        let deadline = Instant::now() + TIMEOUT;
        while !self.record.lock().expect("a lock").loaded.contains(loader) {
            assert!(Instant::now() < deadline, "{address} does not load\n{}", self.described().await);
            sleep(MOMENT).await;
        }
    }

    /// What an expression is worth on the page; `None` while the page is on its way to another.
    pub(super) async fn try_tell(&self, expression: &str) -> Option<Value> {
        let order = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let reply = self.pipe.ask(Some(&self.session), "Runtime.evaluate", order).await.ok()?;
        if !reply["exceptionDetails"].is_null() {
            return None;
        }
        Some(reply["result"]["value"].clone())
    }

    /// What an expression is worth on the page.
    pub(crate) async fn tell(&self, expression: &str) -> Value {
        let order = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let reply = self.call("Runtime.evaluate", order).await;
        assert!(reply["exceptionDetails"].is_null(), "{expression}: {}", reply["exceptionDetails"]);
        reply["result"]["value"].clone()
    }

    /// The same as text; nothing for what is none.
    pub(crate) async fn text(&self, expression: &str) -> String {
        self.tell(expression).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until it holds; panics after `TIMEOUT`.
    pub(crate) async fn until(&self, expression: &str) {
        let deadline = Instant::now() + TIMEOUT;
        while self.try_tell(expression).await != Some(Value::Bool(true)) {
            assert!(
                Instant::now() < deadline,
                "waited in vain for: {expression}\n{}",
                self.described().await
            );
            sleep(MOMENT).await;
        }
    }

    /// Waits until the tab is at this path.
    pub(crate) async fn is_at(&self, path: &str) {
        let at = format!("location.pathname + location.search === {}", json!(path));
        self.until(&format!("{at} && document.readyState === 'complete'")).await;
    }

    /// Presses keys, one after the other.
    pub(crate) async fn keys(&self, keys: &[Key]) {
        for key in keys {
            for stroke in key.strokes() {
                self.call("Input.dispatchKeyEvent", stroke).await;
            }
        }
    }

    /// Types where the focus is.
    pub(crate) async fn types(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses a field and writes over what is in it.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        self.press(selector).await;
        self.tell("document.activeElement.select?.()").await;
        self.types(text).await;
    }

    /// What the browser complained about since it was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        mem::take(&mut self.record.lock().expect("a lock").complaints)
    }

    /// The addresses that were asked for since this was last read.
    pub(crate) fn requested_urls(&self) -> Vec<String> {
        mem::take(&mut self.record.lock().expect("a lock").requested_urls)
    }

    /// The bytes that came since this was last read.
    pub(crate) fn weight(&self) -> u64 {
        mem::take(&mut self.record.lock().expect("a lock").bytes)
    }

    /// Where the tab is and what it shows, for the message of a test that fails.
    pub(super) async fn described(&self) -> String {
        let page = "location.href + '\\n' + (document.activeElement?.outerHTML || '').slice(0, 300) + '\\n'
            + document.body.innerText.slice(0, 3000)";
        let page = self.try_tell(page).await.unwrap_or_default();
        let complaints = self.complaints();
        format!("{}\ncomplaints: {complaints:?}", page.as_str().unwrap_or("no page"))
    }
}

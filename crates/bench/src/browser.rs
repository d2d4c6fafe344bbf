//! A headless Chromium behind its WebDriver: a real pointer presses real buttons, and the page itself says when it painted.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http;
use crate::program::{Program, empty_folder, free_port, isolated_command};

/// How long the driver may take to be there.
const STARTING: Duration = Duration::from_secs(30);

/// The names that Chromium goes by.
pub(crate) const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The name of an element's id in the protocol (W3C WebDriver, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running browser with one window. Dropped, it is killed.
pub(crate) struct Browser {
    address: SocketAddr,
    session: String,
    _driver: Program,
}

impl Browser {
    /// Starts it with a fresh profile in the folder.
    pub(crate) async fn start(folder: &Path, logs: &Path) -> Result<Self> {
        let driver = found(&["chromedriver"])?;
        let binary = found(&NAMES)?;
        let profile = folder.join("profile");
        empty_folder(&profile)?;
        let address = free_port()?;
        let mut command = isolated_command(Path::new(&driver));
        command.arg(format!("--port={}", address.port()));
        let mut driver = Program::start("chromedriver", command, logs)?;
        driver.ready(STARTING, || async { http::send(address, "GET", "/status", "").await }).await?;
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1440,900",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": binary, "args": arguments },
        } } });
        let answer = http::post(address, "/session", "", &wanted).await.context("the browser")?;
        let session = answer["value"]["sessionId"].as_str().context("the browser gave no session")?;
        Ok(Self { address, session: session.to_owned(), _driver: driver })
    }

    /// Opens an address and waits until the page is loaded.
    pub(crate) async fn open(&self, address: &str) -> Result<()> {
        self.post("url", &json!({ "url": address })).await.map(|_| ())
    }

    /// Presses the first element that the selector finds, with the pointer. It is moved to the middle of the window before, where
    /// no note lies over it.
    pub(crate) async fn press(&self, selector: &str) -> Result<()> {
        let quoted = Value::from(selector);
        let middle = r#"{ block: "center", behavior: "instant" }"#;
        let moved = format!("(document.querySelector({quoted})?.scrollIntoView({middle}), true)");
        self.ask::<bool>(&moved).await?;
        let element = self.element(selector).await?;
        self.post(&format!("element/{element}/click"), &json!({})).await.map(|_| ())
    }

    /// Writes into a field, in the place of what is there. `\u{e007}` is the enter key.
    pub(crate) async fn write(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.element(selector).await?;
        self.post(&format!("element/{element}/clear"), &json!({})).await?;
        self.post(&format!("element/{element}/value"), &json!({ "text": text })).await.map(|_| ())
    }

    /// What an expression of the page comes to; a promise is waited for.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, expression: &str) -> Result<T> {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let found = self.devtools("Runtime.evaluate", &parameters).await?;
        if let Some(thrown) = found.get("exceptionDetails") {
            bail!("the page threw {}", thrown["exception"]["description"]);
        }
        serde_json::from_value(found["result"]["value"].clone())
            .map_err(|error| anyhow!("the page answers {}: {error}", found["result"]))
    }

    /// Forgets all files that the browser keeps.
    pub(crate) async fn forget_files(&self) -> Result<()> {
        self.devtools("Network.clearBrowserCache", &json!({})).await.map(|_| ())
    }

    pub(crate) async fn close(self) -> Result<()> {
        http::send(self.address, "DELETE", &format!("/session/{}", self.session), "").await.map(|_| ())
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn element(&self, selector: &str) -> Result<String> {
        let found = self.post("element", &json!({ "using": "css selector", "value": selector })).await?;
        found[ELEMENT].as_str().map(str::to_owned).with_context(|| format!("no element is {selector}"))
    }

    async fn post(&self, command: &str, body: &Value) -> Result<Value> {
        let path = format!("/session/{}/{command}", self.session);
        let mut answer = http::post(self.address, &path, "", body).await?;
        Ok(answer["value"].take())
    }
}

/// The first of these programs that is installed.
pub(crate) fn found(names: &[&str]) -> Result<String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
        .map(|file| file.to_string_lossy().into_owned())
        .with_context(|| format!("{} is not installed; Debian has it as chromium-driver", names[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_any_of_its_names() {
        assert!(found(&["no-such-program", "sh"]).unwrap().ends_with("/sh"));
        assert!(found(&["no-such-program"]).unwrap_err().to_string().contains("no-such-program"));
    }
}

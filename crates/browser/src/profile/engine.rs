//! What Chromium and Firefox differ in: how they are started, where they say their port, how a driver attaches to them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use super::running::Port;

/// Which browser it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Chromium,
    Firefox,
}

/// The port is open on loopback alone; the tab counts as visible, since what it shows is drawn only then; and the window is wide enough
/// for both columns. What calls home beside the page is off: it would go through the profile's proxy, and takes memory.
const SWITCHES: [&str; 11] = [
    "--remote-debugging-port=0",
    "--remote-debugging-address=127.0.0.1",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-background-timer-throttling",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,900",
];

/// The same of Firefox, which listens on loopback alone anyway.
const MARIONETTE: [&str; 5] = ["--marionette", "--no-remote", "--width=1440", "--height=900", "--profile"];

/// Where Firefox reads its settings.
const USER_SETTINGS: &str = "user.js";

impl Engine {
    /// Its own directory, inside that of the profile.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    /// Where it writes its port, when it chose it itself.
    pub(super) const fn port_file(self) -> &'static str {
        match self {
            Self::Chromium => "DevToolsActivePort",
            Self::Firefox => "MarionetteActivePort",
        }
    }

    /// The link to the machine and the process that has the directory, and what precedes the process.
    pub(super) const fn lock(self) -> (&'static str, char) {
        match self {
            Self::Chromium => ("SingletonLock", '-'),
            Self::Firefox => ("lock", '+'),
        }
    }

    /// How long one that runs may not answer: a Firefox takes no one else until it knows that its driver is gone.
    pub(super) const fn start_timeout(self) -> Duration {
        match self {
            Self::Chromium => Duration::ZERO,
            Self::Firefox => Duration::from_secs(10),
        }
    }

    /// What starts it on a directory.
    ///
    /// # Errors
    /// Its settings cannot be written.
    pub(super) fn command(
        self,
        program: &Path,
        folder: &Path,
        proxy: Option<&str>,
    ) -> std::io::Result<Command> {
        let mut command = Command::new(program);
        match self {
            Self::Chromium => {
                command.args(SWITCHES).arg(format!("--user-data-dir={}", folder.display()));
                command.args(proxy.map(|proxy| format!("--proxy-server={proxy}")));
            }
            Self::Firefox => {
                std::fs::write(folder.join(USER_SETTINGS), user_settings(proxy))?;
                command.args(MARIONETTE).arg(folder);
            }
        }
        Ok(command)
    }

    /// What starts its driver on a free port.
    pub(super) fn driver_arguments(self, port: u16) -> Vec<String> {
        match self {
            Self::Chromium => vec!["--port=0".to_owned()],
            Self::Firefox => {
                let port = format!("--marionette-port={port}");
                ["--port=0", "--connect-existing", &port].map(str::to_owned).to_vec()
            }
        }
    }

    /// What a session is asked for, to be one on the browser that runs.
    pub(super) fn capabilities(self, port: u16) -> Value {
        match self {
            Self::Chromium => {
                json!({ "goog:chromeOptions": { "debuggerAddress": format!("127.0.0.1:{port}") } })
            }
            Self::Firefox => json!({ "browserName": "firefox" }),
        }
    }

    /// Reads the file of its port.
    pub(super) fn port(self, text: &str) -> Option<Port> {
        match self {
            Self::Chromium => Port::read(text),
            Self::Firefox => Port::of_marionette(text),
        }
    }
}

/// The settings of a Firefox: a port of its choice, nothing of a first start, its proxy. Without one it goes as the machine does.
fn user_settings(proxy: Option<&str>) -> String {
    let mut settings = vec![
        ("marionette.port", json!(0)),
        ("browser.shell.checkDefaultBrowser", json!(false)),
        ("browser.aboutwelcome.enabled", json!(false)),
        ("datareporting.policy.dataSubmissionEnabled", json!(false)),
        // A file that was written before is read again: what it does not name would stay.
        ("network.proxy.type", json!(if proxy.is_some() { 1 } else { 5 })),
    ];
    if let Some((host, port)) = proxy.and_then(|proxy| proxy.rsplit_once("://")?.1.rsplit_once(':')) {
        settings.extend([
            ("network.proxy.socks", json!(host)),
            ("network.proxy.socks_port", json!(port.parse::<u16>().unwrap_or_default())),
            ("network.proxy.socks_version", json!(5)),
            ("network.proxy.socks_remote_dns", json!(true)),
            ("network.proxy.allow_hijacking_localhost", json!(true)),
        ]);
    }
    let mut text = String::new();
    for (name, value) in settings {
        let _ = writeln!(text, "user_pref({name:?}, {value});");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_firefox_goes_through_its_proxy_alone() {
        let text = user_settings(Some("socks5://127.0.0.1:1080"));
        for line in [
            r#"user_pref("network.proxy.type", 1);"#,
            r#"user_pref("network.proxy.socks", "127.0.0.1");"#,
            r#"user_pref("network.proxy.socks_port", 1080);"#,
            r#"user_pref("network.proxy.socks_remote_dns", true);"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert!(!user_settings(None).contains("socks"));
    }
}

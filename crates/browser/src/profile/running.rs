//! A browser that runs on a directory already: one that can be attached to, or one that cannot.

use std::path::Path;
use std::time::Duration;

use ambient::Clock;
use outbound::{Client, NamedBy};
use serde::Deserialize;

use super::engine::Engine;
use super::marionette;

/// A browser that is there answers at once.
const PROBE: Duration = Duration::from_secs(2);

/// Between two looks at a browser that starts or ends.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Where a browser is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    /// Names this very browser, where it is a Chromium.
    path: Option<String>,
}

impl Port {
    /// Reads the file that a browser leaves in its directory; after its death it is still there.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (number, path) = text.split_once('\n')?;
        let path = path.trim();
        let number = number.trim().parse().ok().filter(|number| *number > 0)?;
        path.starts_with("/devtools/browser/").then(|| Self { number, path: Some(path.to_owned()) })
    }

    /// The same of Firefox: a number alone.
    pub(super) fn of_marionette(text: &str) -> Option<Self> {
        let number = text.trim().parse().ok().filter(|number| *number > 0)?;
        Some(Self { number, path: None })
    }

    /// Whether that browser answers there, and no other.
    pub(super) async fn answers(&self) -> bool {
        if let Some(path) = &self.path {
            let version = version(self.number).await;
            return version.is_some_and(|version| version.web_socket_debugger_url.ends_with(path));
        }
        let greeted = tokio::time::timeout(PROBE, marionette::greeted(self.number)).await;
        greeted.is_ok_and(|greeted| greeted.is_ok())
    }
}

/// Whether a browser answers on a port.
pub(super) async fn is_there(port: u16) -> bool {
    version(port).await.is_some()
}

async fn version(port: u16) -> Option<Version> {
    let address = format!("http://127.0.0.1:{port}/json/version");
    let client = Client::builder(NamedBy::Settings(address.clone())).timeout(PROBE).build().ok()?;
    let answer = client.send(client.get(&address)).await.ok()?;
    answer.json().await.ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    web_socket_debugger_url: String,
}

/// The process that a directory's lock names: the link says `machine-process` or `address:+process`.
fn locked_by(target: &str, before: char) -> Option<u32> {
    target.rsplit_once(before)?.1.parse().ok().filter(|process| *process > 0)
}

/// The browser that has a directory, if it is alive. Its number may be another program's by now, which does not name the directory.
pub(super) fn holder(engine: Engine, folder: &Path) -> Option<u32> {
    let (name, before) = engine.lock();
    let target = std::fs::read_link(folder.join(name)).ok()?;
    let process = locked_by(&target.to_string_lossy(), before)?;
    started_at(process)?;
    let line = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
    String::from_utf8_lossy(&line).contains(&*folder.to_string_lossy()).then_some(process)
}

/// When a process began, in ticks since the start of the machine: with its number, that is which process it is. None if it is dead.
pub(super) fn started_at(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    began(&stat)
}

/// Waits until the process that has this number, and began then, has ended.
pub(super) async fn ended(process: u32, began: u64, clock: &Clock) {
    while started_at(process) == Some(began) {
        clock.sleep(LOOK).await;
    }
}

fn began(stat: &str) -> Option<u64> {
    // The name of the program may have blanks and brackets in it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then_some(())?;
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_left_by_a_browser_are_read() {
        let text = "41234\n/devtools/browser/4c1a\n";
        assert_eq!(
            Port::read(text),
            Some(Port { number: 41_234, path: Some("/devtools/browser/4c1a".to_owned()) })
        );
        for bad in ["", "41234", "0\n/devtools/browser/x", "x\n/devtools/browser/x", "41234\n/elsewhere"] {
            assert_eq!(Port::read(bad), None, "{bad}");
        }
        assert_eq!(Port::of_marionette("2829\n").map(|port| port.number), Some(2_829));
        assert_eq!(Port::of_marionette(text), None);
        assert_eq!(locked_by("my-machine-4711", '-'), Some(4_711));
        assert_eq!(locked_by("127.0.0.1:+4711", '+'), Some(4_711));
        assert_eq!(locked_by("my-machine", '-'), None);
        assert_eq!(locked_by("4711", '-'), None);
    }

    #[test]
    fn a_process_is_identified_by_its_start() {
        let fields = (4..=30).map(|field| field.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(began(&format!("7 (a) b) S {fields}")), Some(22));
        assert_eq!(began(&format!("7 (a) Z {fields}")), None);
        assert_eq!(began("7 (a"), None);
        assert!(started_at(std::process::id()).is_some());
        assert_eq!(started_at(u32::MAX), None);
    }
}

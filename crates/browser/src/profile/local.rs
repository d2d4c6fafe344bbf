//! A browser of our own on a directory: started with a port to attach to, and attached to again when it is there already.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use tokio::process::Child;

use super::engine::Engine;
use super::forwarder::{Forwarder, Proxy};
use super::running::{LOOK, Port, holder};
use super::{Lease, Ours, ProfileError, attached, lock, memory, private_folder};

/// How long a browser may take to open its port.
const STARTING: Duration = Duration::from_mins(1);

/// The proxy that the browser was started with.
const PROXY: &str = "proxy.address";

/// A profile of the kind `chromium` or `firefox`.
#[derive(Debug, Clone)]
pub struct Local {
    pub engine: Engine,
    /// The directory of the profile. Who can read it has the account.
    pub folder: PathBuf,
    /// The browser's program.
    pub program: PathBuf,
    /// `chromedriver`, of the same version, or `geckodriver`. It is never downloaded.
    pub driver: PathBuf,
    /// Further switches: `--headless=new` on a machine without a screen, or `--headless`.
    pub arguments: Vec<String>,
    /// How the browser reaches Telegram: through a forwarder on loopback, which lasts as long as the lease.
    pub proxy: Option<Proxy>,
}

impl Local {
    /// Attaches to the browser on the directory, which is started if there is none. Of two leases on one directory one is refused.
    pub async fn lease(&self, clock: &Clock) -> Result<Lease, ProfileError> {
        private_folder(&self.folder)?;
        let lock = lock(&self.folder)?;
        let browser = self.folder.join(self.engine.folder());
        private_folder(&browser)?;
        let running = running(self.engine, &browser, clock).await?;
        let forwarder = match &self.proxy {
            Some(proxy) => Some(Forwarder::start(proxy, &self.folder, running.is_some(), clock).await?),
            None => None,
        };
        let proxy = forwarder.as_ref().map(|forwarder| format!("socks5://127.0.0.1:{}", forwarder.port));
        let note = self.folder.join(PROXY);
        let started_with = tokio::fs::read_to_string(&note).await.unwrap_or_default();
        let port = match running {
            Some(_) if started_with != proxy.as_deref().unwrap_or_default() => {
                return Err(ProfileError::ProxyChanged);
            }
            Some(port) => port,
            None => {
                let kept = tokio::fs::write(&note, proxy.as_deref().unwrap_or_default()).await;
                kept.map_err(|source| ProfileError::File { path: note, source })?;
                self.start(&browser, proxy, clock).await?
            }
        };
        let location = (port.number, &*self.driver, &*self.folder);
        let mut lease = attached(self.engine, location, lock, clock).await?;
        let process = holder(self.engine, &browser);
        lease.ours = Some(Ours { engine: self.engine, port: port.number, process, clock: clock.clone() });
        Ok(Lease { _forwarder: forwarder, ..lease })
    }

    async fn start(&self, folder: &Path, proxy: Option<String>, clock: &Clock) -> Result<Port, ProfileError> {
        let meminfo = tokio::fs::read_to_string("/proc/meminfo").await.unwrap_or_default();
        enough(memory::available(&meminfo))?;
        let port_file = folder.join(self.engine.port_file());
        match tokio::fs::remove_file(&port_file).await {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(ProfileError::File { path: port_file, source });
            }
            Ok(()) | Err(_) => {}
        }
        let command = self.engine.command(&self.program, folder, proxy.as_deref());
        let mut command = command.map_err(|source| ProfileError::File { path: folder.to_owned(), source })?;
        command
            .args(&self.arguments)
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // It outlives this program, and what ends this program at a terminal does not reach it.
        command.kill_on_drop(false).process_group(0);
        let start = |source| ProfileError::Start { program: self.program.clone(), source };
        let mut child = command.spawn().map_err(start)?;
        let opened = clock.timeout(STARTING, self.opened(&mut child, &port_file, clock)).await;
        if opened.is_err() {
            // Up later, it would hold the directory with the proxy of now.
            let _ = child.kill().await;
        }
        opened.map_err(|_| self.not_up("it opened no port"))?
    }

    async fn opened(&self, child: &mut Child, file: &Path, clock: &Clock) -> Result<Port, ProfileError> {
        loop {
            if let Ok(text) = tokio::fs::read_to_string(file).await
                && let Some(port) = self.engine.port(&text)
                && port.answers().await
            {
                return Ok(port);
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.not_up(&format!(
                    "it ended with {status}; start it by hand as the same user to see why; Chromium refuses to run as root, so \
                     give Switchboard a user of its own"
                )));
            }
            clock.sleep(LOOK).await;
        }
    }

    fn not_up(&self, words: &str) -> ProfileError {
        ProfileError::NotUp { program: self.program.clone(), words: words.to_owned() }
    }
}

/// The browser that runs on a directory, if one does. One that cannot be attached to is an error: a second one on the same directory
/// would damage the login.
async fn running(engine: Engine, folder: &Path, clock: &Clock) -> Result<Option<Port>, ProfileError> {
    let begun = clock.running();
    loop {
        let port_file = tokio::fs::read_to_string(folder.join(engine.port_file())).await.ok();
        if let Some(port) = port_file.as_deref().and_then(|port_file| engine.port(port_file))
            && port.answers().await
        {
            return Ok(Some(port));
        }
        match holder(engine, folder) {
            None => return Ok(None),
            Some(_) if clock.running().saturating_sub(begun) < engine.start_timeout() => {
                clock.sleep(LOOK).await;
            }
            Some(process) => return Err(ProfileError::Running { folder: folder.to_owned(), process }),
        }
    }
}

/// Where it is not known how much memory is free, the browser is tried.
fn enough(available: Option<u64>) -> Result<(), ProfileError> {
    match available {
        Some(available) if available < memory::NEEDED => {
            Err(ProfileError::Memory { available, needed: memory::NEEDED })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::process::Command;

    use super::*;

    fn profile(folder: &Path, program: &str) -> Local {
        Local {
            engine: Engine::Chromium,
            folder: folder.to_owned(),
            program: program.into(),
            driver: "chromedriver".into(),
            arguments: Vec::new(),
            proxy: None,
        }
    }

    #[test]
    fn too_little_memory_is_refused_with_advice() {
        assert!(enough(Some(1_024)).is_ok());
        assert!(enough(None).is_ok());
        let refused = enough(Some(1_023)).unwrap_err().to_string();
        assert!(refused.contains("1023 MB") && refused.contains("endpoint"), "{refused}");
    }

    #[tokio::test]
    async fn a_directory_of_a_browser_without_a_port_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let browser = folder.path().join(Engine::Chromium.folder());
        std::fs::create_dir(&browser).unwrap();
        let mut other = Command::new("sh");
        other.args(["-c", "read line"]).arg(&browser).stdin(Stdio::piped()).kill_on_drop(true);
        let other = other.spawn().unwrap();
        let process = other.id().unwrap();
        std::os::unix::fs::symlink(format!("machine-{process}"), browser.join("SingletonLock")).unwrap();
        // An earlier browser left its port, and nothing answers there.
        std::fs::write(browser.join(Engine::Chromium.port_file()), "9\n/devtools/browser/old\n").unwrap();
        let refused = profile(folder.path(), "false").lease(&Clock::system()).await.unwrap_err();
        assert!(matches!(refused, ProfileError::Running { process: it, .. } if it == process), "{refused}");
        drop(other);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_or_ends_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let refused = profile(folder.path(), "/nowhere/chromium").lease(&clock).await.unwrap_err();
        assert!(refused.to_string().contains("apt-get install chromium chromium-driver"), "{refused}");
        let refused = profile(folder.path(), "false").lease(&clock).await.unwrap_err();
        assert!(refused.to_string().contains("it ended with"), "{refused}");
    }

    #[test]
    fn one_directory_has_one_lease() {
        let folder = tempfile::tempdir().unwrap();
        let profile = profile(folder.path(), "false");
        let held = lock(&profile.folder).unwrap();
        assert!(matches!(lock(&profile.folder).unwrap_err(), ProfileError::Leased(_)));
        drop(held);
        lock(&profile.folder).unwrap();
    }
}

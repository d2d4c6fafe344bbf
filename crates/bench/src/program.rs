//! A program under measurement: started with a log of its own, watched while it gets ready, stopped with all it started.

use std::env;
use std::fs::{self, File};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

/// How long a program may take to stop before it is killed.
const STOPPING: Duration = Duration::from_secs(20);

/// How often a program is asked whether it is ready.
const ASKING: Duration = Duration::from_millis(5);

/// A running program. Dropped, it is killed with everything it started.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    group: u32,
    log: PathBuf,
    started: Instant,
}

impl Program {
    /// Starts the command in a process group of its own, with its output in `NAME.log` in the folder.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let shown = format!("{command:?}");
        let mut command = tokio::process::Command::from(command);
        command.process_group(0).kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {name} as {shown}"))?;
        let group = child.id().with_context(|| format!("{name} ended at once"))?;
        Ok(Self { name, child, group, log, started })
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.group
    }

    /// Waits until the question is answered. Returns the answer and how long after the start it came.
    pub(crate) async fn ready<T, F>(
        &mut self,
        within: Duration,
        mut question: impl FnMut() -> F,
    ) -> Result<(T, Duration)>
    where
        F: Future<Output = Result<T>>,
    {
        loop {
            let error = match timeout(within, question()).await {
                Ok(Ok(answer)) => return Ok((answer, self.started.elapsed())),
                Ok(Err(error)) => error,
                Err(_) => anyhow!("it does not answer"),
            };
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("ended with {status}")));
            }
            if self.started.elapsed() > within {
                return Err(self.failed(&format!("is not ready after {} s: {error:#}", within.as_secs())));
            }
            sleep(ASKING).await;
        }
    }

    /// Asks the program to stop and waits; what does not stop is an error.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.signal("TERM", "");
        match timeout(STOPPING, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(self.failed(&format!("was asked to stop and ended with {status}"))),
            Ok(Err(error)) => Err(self.failed(&format!("cannot be waited for: {error}"))),
            Err(_) => Err(self.failed(&format!("did not stop in {} s", STOPPING.as_secs()))),
        }
    }

    /// An error with the end of the log.
    fn failed(&self, how: &str) -> anyhow::Error {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        anyhow!("{} {how}; the end of its log {}:\n{}", self.name, self.log.display(), last_lines(&text, 15))
    }

    /// Sends a signal to the process, or with `-` before its number to the whole group.
    fn signal(&self, signal: &str, whom: &str) {
        let line = format!("kill -s {signal} -- {whom}{} 2>/dev/null", self.group);
        // A process that is already gone needs no signal.
        let _ = Command::new("sh").args(["-c", &line]).status();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal("KILL", "-");
    }
}

/// A command without the settings that the person who runs the bench has for a Switchboard of their own.
pub(crate) fn isolated_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SWITCHBOARD_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// A port of loopback that is free now.
pub(crate) fn free_port() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?)
}

pub(crate) fn empty_folder(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot empty {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// Refuses a program that is not there, before anything is started.
pub(crate) fn must_be_there(path: &Path) -> Result<()> {
    if path.is_file() {
        Ok(())
    } else {
        bail!("{} is not there; `cargo xtask bench` makes it", path.display())
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("", 2), "");
    }

    fn shell(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("switchboard-bench-{}-{name}", std::process::id()));
        empty_folder(&path).unwrap();
        path
    }

    #[tokio::test]
    async fn a_program_that_ends_early_is_shown_with_its_log() {
        let folder = folder("early");
        let mut program = Program::start("early", shell("echo why; exit 3"), &folder).unwrap();
        let error = program
            .ready::<(), _>(Duration::from_secs(30), || async { bail!("not yet") })
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("why"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_program_is_polled_until_ready_and_then_stopped() {
        let folder = folder("asked");
        let line = "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done";
        let mut program = Program::start("asked", shell(line), &folder).unwrap();
        let log = folder.join("asked.log");
        let (answer, _) = program
            .ready(Duration::from_secs(30), || async {
                let text = fs::read_to_string(&log)?;
                if text == "up\n" { Ok(7) } else { bail!("not yet") }
            })
            .await
            .unwrap();
        assert_eq!(answer, 7);
        program.stop().await.unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}

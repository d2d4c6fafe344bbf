//! A driver of our own: started for a lease, ended with it, and ended by the next one if the program was killed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::ProfileError;
use super::running::started_at;

/// How long a driver may take to listen.
const STARTING: Duration = Duration::from_secs(30);

/// Which driver works on a directory: its process, and when that began.
const NOTE: &str = "driver.process";

/// How often a driver that ends at once is started. chromedriver takes a free port of `::1` and ends where another program has the
/// same port of `127.0.0.1`.
const STARTS: u32 = 3;

/// A driver that listens. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Driver {
    _child: Child,
    pub(super) address: String,
}

impl Driver {
    /// Starts one on a free port of loopback.
    pub(super) async fn start(
        program: &Path,
        arguments: Vec<String>,
        folder: &Path,
        clock: &Clock,
    ) -> Result<Self, ProfileError> {
        end_left_behind(folder);
        let mut output = String::new();
        for _ in 0..STARTS {
            match Self::start_once(program, &arguments, folder, clock).await? {
                Ok(driver) => return Ok(driver),
                Err(last_line) => output = last_line,
            }
        }
        Err(ProfileError::NotUp { program: program.to_owned(), words: format!("it ended: {output}") })
    }

    /// The driver, or the last line of one that ended.
    async fn start_once(
        program: &Path,
        arguments: &[String],
        folder: &Path,
        clock: &Clock,
    ) -> Result<Result<Self, String>, ProfileError> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.kill_on_drop(true).process_group(0);
        let start = |source| ProfileError::Start { program: program.to_owned(), source };
        let not_up =
            |words: &str| ProfileError::NotUp { program: program.to_owned(), words: words.to_owned() };
        let mut child = command.spawn().map_err(start)?;
        if let Some(process) = child.id() {
            remember(folder, process)?;
        }
        let output = child.stdout.take().ok_or_else(|| not_up("it has no output"))?;
        let mut lines = BufReader::new(output).lines();
        let reading = async {
            let mut last = String::new();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(port) = port(&line) {
                    return Ok(port);
                }
                last = line;
            }
            Err(last)
        };
        let port = clock.timeout(STARTING, reading).await.map_err(|_| not_up("it does not say its port"))?;
        Ok(port.map(|port| Self { _child: child, address: format!("http://127.0.0.1:{port}") }))
    }
}

/// The port in the line that says that the driver listens.
fn port(line: &str) -> Option<u16> {
    let line = line.strip_suffix('.').unwrap_or(line);
    let line =
        ["successfully on port ", "Listening on 127.0.0.1:"].iter().find_map(|words| line.rsplit_once(words));
    line?.1.trim().parse().ok()
}

fn remember(folder: &Path, process: u32) -> Result<(), ProfileError> {
    let Some(began) = started_at(process) else { return Ok(()) };
    let path = folder.join(NOTE);
    std::fs::write(&path, format!("{process} {began}")).map_err(|source| ProfileError::File { path, source })
}

/// Ends the driver of a program that was killed. Its number alone would not do: another process may have it by now.
fn end_left_behind(folder: &Path) {
    let Ok(note) = std::fs::read_to_string(folder.join(NOTE)) else { return };
    if let Some(process) = still_there(&note)
        && let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw)
        && let Err(error) = kill_process(pid, Signal::KILL)
    {
        tracing::warn!(%error, process, "a driver that was left behind does not end");
    }
}

fn still_there(note: &str) -> Option<u32> {
    let (process, began) = note.trim().split_once(' ')?;
    let (process, began): (u32, u64) = (process.parse().ok()?, began.parse().ok()?);
    (started_at(process) == Some(began)).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_says_its_port() {
        assert_eq!(port("ChromeDriver was started successfully on port 37219."), Some(37_219));
        assert_eq!(port("1795553925668\tgeckodriver\tINFO\tListening on 127.0.0.1:40993"), Some(40_993));
        assert_eq!(port("Starting ChromeDriver 156.0 on port 0"), None);
        assert_eq!(port("ChromeDriver was started successfully on port x."), None);
    }

    #[tokio::test]
    async fn a_driver_whose_port_was_taken_starts_again() {
        let folder = tempfile::tempdir().unwrap();
        let script = "cd \"$1\"; if test -e tried; then echo started successfully on port 9.; read line; fi; >tried; echo taken";
        let arguments = |script: &str| {
            vec!["-c".to_owned(), script.to_owned(), "sh".to_owned(), folder.path().display().to_string()]
        };
        let clock = Clock::system();
        let shell = Path::new("/bin/sh");
        let driver = Driver::start(shell, arguments(script), folder.path(), &clock).await.unwrap();
        assert_eq!(driver.address, "http://127.0.0.1:9");
        let refused = Driver::start(shell, arguments("echo taken"), folder.path(), &clock).await.unwrap_err();
        assert!(refused.to_string().contains("it ended: taken"), "{refused}");
    }

    #[tokio::test]
    async fn only_the_very_driver_that_was_left_behind_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
        let process = child.id().unwrap();
        let began = started_at(process).unwrap();
        std::fs::write(folder.path().join(NOTE), format!("{process} {}", began + 1)).unwrap();
        end_left_behind(folder.path());
        assert!(child.try_wait().unwrap().is_none());
        remember(folder.path(), process).unwrap();
        end_left_behind(folder.path());
        assert!(!child.wait().await.unwrap().success());
    }
}

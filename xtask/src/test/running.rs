//! A test program that runs: its output as it comes, and its end.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

use super::programs::TestProgram;
use super::watchdog::Watchdog;

pub(super) struct Running {
    child: Child,
    pub(super) ended: Option<ExitStatus>,
    /// A file: its end is known although a process that a test left may keep it open.
    output: File,
    /// What was read and not taken.
    read: Vec<u8>,
    /// The end of the lines among it that the watchdog has seen.
    seen: usize,
    watchdog: Watchdog,
}

impl Running {
    /// Starts the program in its package's folder, with the variables of this command; what it writes goes to this file.
    pub(super) fn start(program: &TestProgram, given: &Command, output: &Path) -> Result<Self> {
        let mut command = Command::new(&program.executable);
        for (name, value) in given.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let writer = File::create(output).with_context(|| format!("cannot write {}", output.display()))?;
        let child = command
            .args(given.get_args())
            .current_dir(&program.folder)
            .env("CARGO_MANIFEST_DIR", &program.folder)
            .stdin(Stdio::null())
            .stdout(writer)
            .spawn()
            .with_context(|| format!("cannot start {}", program.executable.display()))?;
        let output = File::open(output).with_context(|| format!("cannot read {}", output.display()))?;
        let title = format!("     Running {} ({})\n", program.source.display(), program.executable.display());
        let (read, seen) = (title.clone().into_bytes(), title.len());
        Ok(Self { child, ended: None, output, read, seen, watchdog: Watchdog::new() })
    }

    /// Reads on. A program that hangs is killed.
    pub(super) fn look(&mut self) -> Result<()> {
        if self.ended.is_some() {
            return Ok(());
        }
        self.watchdog.bite(self.child.id());
        self.ended = self.child.try_wait().context("cannot wait for a test program")?;
        self.output.read_to_end(&mut self.read).context("cannot read what the tests write")?;
        let unseen = self.read.get(self.seen..).unwrap_or_default();
        let whole = unseen.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in String::from_utf8_lossy(unseen.get(..whole).unwrap_or_default()).lines() {
            self.watchdog.read(line);
        }
        self.seen += whole;
        Ok(())
    }

    /// The whole lines that came since the last call; of a program that has ended, all that is left.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let end = if self.ended.is_some() { self.read.len() } else { self.seen };
        self.seen -= end.min(self.seen);
        self.read.drain(..end).collect()
    }
}

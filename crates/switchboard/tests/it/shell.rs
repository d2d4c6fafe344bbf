//! A shell in which commands of a page are typed as written, on a machine where the page's places are elsewhere.

pub(crate) mod cli;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use testkit::Pty;

/// How long a command may take.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A person at a shell.
pub(crate) struct Shell {
    /// Where it is opened.
    folder: PathBuf,
    /// What the pages call a place, and what it is here.
    places: Vec<(String, String)>,
    /// Lines before each command: where it is, and which variables there are.
    prelude: String,
}

impl Shell {
    /// One in a folder of its own, whose commands are looked for in [`Self::bin`] first.
    pub(crate) fn new(folder: PathBuf) -> Self {
        fs::create_dir_all(folder.join("bin")).expect("made");
        let shell = Self { folder, places: Vec::new(), prelude: String::new() };
        let path = format!("export PATH='{}':\"$PATH\"\n", shell.bin().display());
        Self { prelude: path, ..shell }
    }

    /// Where its commands are.
    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// Gives it a command that is a script.
    pub(crate) fn has(&self, name: &str, script: &str) {
        let file = self.bin().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
    }

    /// What the pages call `there` is `here`. What was said first counts first.
    pub(crate) fn place(&mut self, there: &str, here: impl AsRef<Path>) {
        self.places.push((there.to_owned(), here.as_ref().to_str().expect("UTF-8").to_owned()));
    }

    /// A text of a page with this machine's places.
    pub(crate) fn here(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    /// Lets it know for all that follows: a variable, or where to go.
    pub(crate) fn tell(&mut self, line: &str) {
        let line = self.here(line);
        self.prelude.push_str(&line);
        self.prelude.push('\n');
    }

    fn typed(&self, command: &str) -> String {
        format!("set -e\n{}\n{}", self.prelude, self.here(command))
    }

    /// A command that goes on by itself, what it says in a file.
    pub(crate) fn leaves_running(&self, command: &str, log: &Path) -> tokio::process::Child {
        let file = fs::File::create(log).expect("a file");
        tokio::process::Command::new("bash")
            .args(["-c", &self.typed(&format!("exec {command}"))])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stderr(file.try_clone().expect("clones"))
            .stdout(file)
            .kill_on_drop(true)
            .spawn()
            .expect("bash")
    }

    /// Types a command; what it printed on its standard output and how it ended, and what on the other one.
    pub(crate) async fn runs(&self, command: &str) -> (String, Option<i32>, String) {
        let running = tokio::process::Command::new("bash")
            .args(["-c", &self.typed(command)])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ran = tokio::time::timeout(TIMEOUT, running).await.expect("it ends").expect("bash");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&ran.stdout), ran.status.code(), text(&ran.stderr))
    }

    /// Types a command that is to go well; all that it printed.
    pub(crate) async fn types(&self, command: &str) -> String {
        let (out, code, err) = self.runs(command).await;
        // The doctor ends with 1 when he finds something, which is what he is asked for.
        let findings = command.contains(" doctor ") && code == Some(1);
        assert!(code == Some(0) || findings, "{command}\n{code:?}\n{out}{err}");
        out + &err
    }

    /// A person who waits at the terminal for what a command asks.
    pub(crate) fn in_pty(&self, command: &str) -> Pty {
        Pty::at_a_screen(Path::new("bash"), &["-c", &self.typed(command)], (160, 40))
    }

    /// Types a command that asks a question, and says yes.
    pub(crate) async fn agrees(&self, command: &str) -> String {
        let mut pty = self.in_pty(command);
        pty.shows("[y/N]", 1).await;
        pty.types("y");
        assert_eq!(pty.ended().await, Some(0), "{command}\n{}", pty.screen());
        pty.screen()
    }
}

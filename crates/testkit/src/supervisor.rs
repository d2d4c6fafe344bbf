//! A script that starts servers of PostgreSQL for a test: they end with its standard input.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs};

use crate::postgres::{query, server};

/// The script as it runs. What it started ends when this is dropped.
pub(crate) struct Supervisor {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Supervisor {
    /// Runs a script with the programs of the server that all tests share, as its owner.
    pub(crate) fn start(script: &str, arguments: &[String], environment: &[(&str, &str)]) -> Self {
        let one = |sql: &str| {
            let found = query(&server(), sql).expect("an answer").into_iter().flatten().flatten().next();
            found.expect("a value")
        };
        let programs = one("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
        let owner = fs::metadata(one("SHOW data_directory")).expect("the server is on this machine");
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = [programs.into()].into_iter().chain(env::split_paths(&inherited));
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "supervisor"])
            .args(arguments)
            .env("PATH", env::join_paths(path).expect("a path"))
            .envs(environment.iter().copied())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if rustix::process::getuid().is_root() {
            // The server refuses to run as root.
            command.uid(owner.uid()).gid(owner.gid());
        }
        let mut child = command.spawn().expect("a shell");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("piped"));
        Self { child, input, output: BufReader::new(output) }
    }

    /// Lets it take its next step.
    pub(crate) fn go_on(&mut self) {
        self.input.as_mut().expect("open").write_all(b"\n").expect("the script reads");
    }

    /// Waits until it says this.
    pub(crate) fn reported(&mut self, word: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the script writes");
        assert_eq!(line.trim_end(), word, "PostgreSQL's words are above");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.input.take());
        if let Err(error) = self.child.wait() {
            eprintln!("cannot wait for the end of PostgreSQL: {error}");
        }
    }
}

//! A PostgreSQL with a synchronous standby, for a test that lets the standby take over.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;
use std::{env, fs};

use crate::postgres::{query, server};
use crate::process::{TIMEOUT, free_port};

/// Two servers, of the same programs and the same owner as the one that all tests share. They end when this is dropped.
pub struct Replicated {
    supervisor: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    ports: [u16; 2],
}

impl Replicated {
    /// Starts both. From here on, what the first commits is on the second.
    pub fn start() -> Self {
        let one = |sql: &str| {
            let found = query(&server(), sql).expect("an answer").into_iter().flatten().flatten().next();
            found.expect("a value")
        };
        let programs = one("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
        let owner = fs::metadata(one("SHOW data_directory")).expect("the server is on this machine");
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = [programs.into()].into_iter().chain(env::split_paths(&inherited));
        let ports = [free_port(), free_port()];
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("replicated.sh"), "replicated.sh"])
            .args(ports.map(|port| port.to_string()))
            .env("PATH", env::join_paths(path).expect("a path"))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if rustix::process::getuid().is_root() {
            // The server refuses to run as root.
            command.uid(owner.uid()).gid(owner.gid());
        }
        let mut supervisor = command.spawn().expect("a shell");
        let (input, output) = (supervisor.stdin.take(), supervisor.stdout.take().expect("piped"));
        let mut both = Self { supervisor, input, output: BufReader::new(output), ports };
        both.said("ready");
        query(&both.url(0), "ALTER SYSTEM SET synchronous_standby_names = '*'").expect("set");
        query(&both.url(0), "SELECT pg_reload_conf()").expect("read");
        both.is_synchronous();
        both
    }

    fn is_synchronous(&self) {
        let deadline = Instant::now() + TIMEOUT;
        let states = "SELECT sync_state FROM pg_stat_replication WHERE sync_state = 'sync'";
        while query(&self.url(0), states).expect("an answer").is_empty() {
            assert!(Instant::now() < deadline, "the second server does not follow the first one");
            query(&self.url(0), "SELECT pg_sleep(0.02)").expect("an answer");
        }
    }

    fn url(&self, number: usize) -> String {
        format!("postgres://postgres@{}/postgres", self.address(number))
    }

    fn address(&self, number: usize) -> String {
        format!("127.0.0.1:{}", self.ports[number])
    }

    /// The database on the server that is in charge first, and that server's `host:port`.
    pub fn first(&self) -> (String, String) {
        (self.url(0), self.address(0))
    }

    /// Ends the first server without a word and lets the second take over; the second one's `host:port`.
    pub fn fail_over(&mut self) -> String {
        self.input.as_mut().expect("open").write_all(b"\n").expect("the supervisor reads");
        self.said("promoted");
        self.address(1)
    }

    fn said(&mut self, word: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the supervisor writes");
        assert_eq!(line.trim_end(), word, "PostgreSQL's words are above");
    }
}

impl Drop for Replicated {
    fn drop(&mut self) {
        // The supervisor ends with its standard input.
        drop(self.input.take());
        if let Err(error) = self.supervisor.wait() {
            eprintln!("cannot wait for the end of PostgreSQL: {error}");
        }
    }
}

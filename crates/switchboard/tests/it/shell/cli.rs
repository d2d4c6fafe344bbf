//! The program on a world's settings, and its command line on the same data.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use testkit::{Program, Pty, Start, World};

use crate::binary;

/// `switchboard …` on the data of a world.
pub(crate) struct Cli {
    /// What was typed, without where the data are.
    typed: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    typed: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command on the data directory `data` of a world.
pub(crate) fn cli(world: &World, arguments: &[&str]) -> Cli {
    cli_on(world, "data", arguments)
}

/// The same on another data directory.
pub(crate) fn cli_on(world: &World, data: &str, arguments: &[&str]) -> Cli {
    let path = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
    let typed = arguments.join(" ");
    let mut arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    arguments.extend(["--data-dir".to_owned(), path(world.data_dir(data))]);
    // The lines of the log are read without any settings.
    if arguments[0] != "logs" {
        arguments.extend(["--config".to_owned(), path(world.settings_file())]);
    }
    Cli { typed, arguments, environment: Vec::new() }
}

impl Cli {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SWITCHBOARD_")) {
            command.env_remove(name);
        }
        command.args(&self.arguments).envs(self.environment.iter().cloned()).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it over pipes.
    pub(crate) fn spawn(&self) -> Child {
        self.command().spawn().expect("starts")
    }

    /// Runs it without any input.
    pub(crate) fn run(&self) -> Ran {
        self.given("")
    }

    /// Runs it with this input.
    pub(crate) fn given(&self, input: &str) -> Ran {
        let mut child = self.spawn();
        // A command that wants no input may have ended already.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        Ran { typed: self.typed.clone(), ..Ran::of(child) }
    }

    /// Runs it beside what else the test does; dropped, it is killed.
    pub(crate) async fn beside(self) -> Ran {
        let mut command = tokio::process::Command::from(self.command());
        Ran::from(command.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("runs"))
    }

    /// Runs it where it has to go well; its output.
    pub(crate) fn fine(&self) -> String {
        self.run().fine()
    }

    /// Starts it at a terminal that does not say how large it is.
    pub(crate) fn pty(&self) -> Pty {
        Pty::at(binary(), &self.words())
    }

    /// Starts it at a terminal of so many columns.
    pub(crate) fn pty_of_width(&self, columns: u16) -> Pty {
        Pty::at_a_screen(binary(), &self.words(), (columns, 50))
    }

    fn words(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }
}

impl Ran {
    /// Waits for the end of a command.
    pub(crate) fn of(child: Child) -> Self {
        Self::from(child.wait_with_output().expect("ends"))
    }

    /// What it printed on its standard output, after an exit code of 0.
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.all());
        self.out
    }

    /// The same for an output of JSON.
    pub(crate) fn json(self) -> Value {
        let out = self.fine();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// What a terminal shows of it: the command, what it printed, how it ended.
    pub(crate) fn shown(&self) -> String {
        format!("$ switchboard {}\n{}[{}]\n\n", self.typed, self.all(), self.code.unwrap_or(-1))
    }

    /// All it printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl From<std::process::Output> for Ran {
    fn from(ran: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { typed: String::new(), code: ran.status.code(), out: text(ran.stdout), err: text(ran.stderr) }
    }
}

/// Starts the program on a world; these accounts are ready.
pub(crate) async fn running(world: &World, accounts: &[&str]) -> Program {
    let program = Start::on(world, binary(), "data").ready().await;
    for account in accounts {
        program.account_is(account, "ready").await;
    }
    program
}

/// Starts a world and the program on it; these accounts are ready.
pub(crate) async fn started(accounts: &[&str]) -> (World, Program) {
    let world = World::start(binary()).await;
    let program = running(&world, accounts).await;
    (world, program)
}

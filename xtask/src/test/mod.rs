//! The tests: what they need is installed while cargo builds them all with one set of features, so that each crate is built once;
//! then the test programs run, some at a time.

mod authorities;
mod leftovers;
mod panics;
mod programs;
mod running;
mod scratch;
mod tally;
mod watchdog;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{ErrorKind, IsTerminal, Write};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use anyhow::{Context, Result, bail};
use clap::Args;

use self::panics::Panics;
use self::programs::TestProgram;
use self::running::Running;
use self::scratch::Scratch;
use self::tally::Tally;
use crate::postgres::{self, Server};
use crate::workspace::{Package, Workspace, testing_features};
use crate::{age, browser, dovecot, iproute2, npm, program, python, redis, systemd};

/// Where a test finds the Python that has Telethon and the other foreign clients.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";
/// Where Python keeps the bytecode of what it imports.
const BYTECODE_AT: &str = "PYTHONPYCACHEPREFIX";
/// Forbids Python to keep bytecode.
const NO_BYTECODE: &str = "PYTHONDONTWRITEBYTECODE";
/// Where tests find npm's SMPP, a client and server that no one here wrote.
const SMPP_AT: &str = "SWITCHBOARD_TEST_SMPP";
const SMPP: npm::Package = npm::Package { name: "smpp", version: "0.5.1" };

/// How many test programs run at a time. Most end with a few tests that wait, which leaves the cores idle.
const PROGRAMS: usize = 2;

/// How many tests of a program run at a time.
const THREADS: &str = "RUST_TEST_THREADS";

/// Where stores of tests find their schema made; the first one makes it.
const MIGRATED_STORE: &str = "MIGRATED_STORE";

/// The crate whose tests drive browser profiles.
const PROFILES: &str = "browser";

/// What `cargo xtask test` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only tests whose name contains this
    filter: Option<String>,
    /// Only the tests of this crate
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// The tests of browser profiles alone, in another browser than Chromium
    #[arg(long, value_name = "NAME", value_parser = ["firefox"], conflicts_with = "package")]
    browser: Option<String>,
    /// Install nothing: use what is there, or run without it
    #[arg(long)]
    no_install: bool,
}

/// Runs the tests and says whether all passed. Without a filter, no test at all is a failure too.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let started = Instant::now();
    let messages = workspace.installed().join("built.json");
    let mut build = build(workspace, arguments, &messages)?;
    let mut given = given(arguments);
    let scratch = Scratch::in_memory()?;
    if let Some(scratch) = &scratch {
        given.env(leftovers::SCRATCH, scratch.path());
        given.env(MIGRATED_STORE, scratch.path().join("migrated.db"));
        authorities::give(&mut given, scratch.path())?;
    }
    let prepared = prepare(workspace, arguments, &mut given, scratch.as_ref().map(Scratch::path));
    if prepared.is_err() {
        build.kill().context("cannot stop the build of the tests")?;
    }
    let status = build.wait().context("cannot wait for the build of the tests")?;
    let server = prepared?;
    if !status.success() {
        bail!("the tests could not be built");
    }
    let members: Vec<_> = workspace.members().collect();
    let programs = programs::built(&fs::read_to_string(&messages)?, &workspace.root, &members)?;
    println!("tests were built within {:.0} s", started.elapsed().as_secs_f64());
    let mut shown = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let (tally, panics, failed) = watch(programs, &given, &workspace.installed(), &mut shown)?;
    drop((server, scratch));
    print!("\n{panics}");
    for line in &failed {
        println!("{line}");
    }
    println!("\ntests took {:.0} s", started.elapsed().as_secs_f64());
    println!("{tally}");
    let empty = tally.executed() == 0 && arguments.filter.is_none();
    if empty {
        eprintln!("error: no test was run");
    }
    Ok(failed.is_empty() && tally.failed == 0 && !empty)
}

/// Starts to build the tests while what they need is installed. What cargo says of the programs goes to this file.
fn build(workspace: &Workspace, arguments: &Arguments, messages: &Path) -> Result<Child> {
    let mut command = cargo_test(workspace, arguments)?;
    command.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    fs::create_dir_all(workspace.installed())?;
    let writer = File::create(messages).with_context(|| format!("cannot write {}", messages.display()))?;
    eprintln!("$ {}", program::line(&command));
    command.stdin(Stdio::null()).stdout(writer);
    command.spawn().with_context(|| format!("cannot start `{}`", program::line(&command)))
}

/// The arguments and variables of each test program.
fn given(arguments: &Arguments) -> Command {
    let mut given = Command::new("");
    program::forget(&mut given);
    given.args(&arguments.filter);
    // Most tests wait for other processes a part of their time.
    if env::var_os(THREADS).is_none() {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        given.env(THREADS, (cores + 1).to_string());
    }
    if io::stdout().is_terminal() {
        given.args(["--color", "always"]);
    }
    given
}

fn cargo_test(workspace: &Workspace, arguments: &Arguments) -> Result<Command> {
    let mut command = program::cargo(&workspace.root);
    // There are no tests in docs, and rustdoc reads each crate again to learn that.
    command.args(["test", "--tests"]);
    let only = arguments.browser.as_ref().map(|_| PROFILES).or(arguments.package.as_deref());
    let wanted = |package: &&Package| only.is_none_or(|name| name == package.name);
    match only {
        Some(name) if workspace.members().any(|package| package.name == *name) => {
            command.args(["--package", name]);
        }
        Some(name) => bail!("there is no crate `{name}` in the workspace"),
        None => {
            command.arg("--workspace");
        }
    }
    let features = testing_features(workspace.members().filter(wanted));
    if !features.is_empty() {
        command.arg("--features").arg(features.join(","));
    }
    Ok(command)
}

/// Gives the tests what they need beside Rust. The server is theirs until it is dropped.
fn prepare(
    workspace: &Workspace,
    arguments: &Arguments,
    command: &mut Command,
    scratch: Option<&Path>,
) -> Result<Option<Server>> {
    if !arguments.no_install {
        systemd::ANALYZER.ensure()?;
        age::AGE.ensure()?;
        dovecot::DOVECOT.ensure()?;
        iproute2::IP.ensure()?;
        redis::REDIS.ensure()?;
    }
    browser::give(workspace, command, !arguments.no_install)?;
    if arguments.browser.is_some() {
        browser::give_firefox(workspace, command, !arguments.no_install)?;
    }
    give_python(workspace, arguments, command)?;
    give_smpp(workspace, arguments, command)?;
    postgres::give(command, !arguments.no_install, scratch)
}

fn give_python(workspace: &Workspace, arguments: &Arguments, command: &mut Command) -> Result<()> {
    if env::var_os(PYTHON).is_some() {
        return Ok(());
    }
    let folder = workspace.installed().join("venv");
    command.env(BYTECODE_AT, workspace.installed().join("bytecode")).env_remove(NO_BYTECODE);
    if !arguments.no_install {
        let requirements = workspace.root.join("crates/testkit/python/requirements.txt");
        command.env(PYTHON, python::environment(&folder, &requirements)?);
    } else if python::interpreter(&folder).exists() {
        command.env(PYTHON, python::interpreter(&folder));
    }
    Ok(())
}

fn give_smpp(workspace: &Workspace, arguments: &Arguments, command: &mut Command) -> Result<()> {
    if env::var_os(SMPP_AT).is_some() {
        return Ok(());
    }
    let folder = workspace.installed().join("smpp");
    if !arguments.no_install {
        SMPP.ensure(&folder)?;
    }
    let path = SMPP.path(&folder);
    command.envs(path.exists().then_some((SMPP_AT, path)));
    Ok(())
}

/// How long a full pipe is left to its reader, where a program that shares it has made it one that does not wait.
const FULL: Duration = Duration::from_millis(10);

fn show(shown: &mut impl Write, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match shown.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::park_timeout(FULL),
            Err(error) => return Err(error).context("cannot show what the tests write"),
        }
    }
    Ok(())
}

/// The time between two reads of what the programs write.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the programs, shows every line, adds up their results, keeps their panics, and kills a program that hangs. The lines of one
/// program are not mixed with those of another: those of the first that runs are shown as they come, the others after it.
fn watch(
    programs: Vec<TestProgram>,
    given: &Command,
    folder: &Path,
    shown: &mut impl Write,
) -> Result<(Tally, Panics, Vec<String>)> {
    let (mut tally, mut panics, mut failed) = (Tally::default(), Panics::default(), Vec::new());
    let mut waiting = programs.into_iter();
    let mut begun: VecDeque<(TestProgram, Running)> = VecDeque::new();
    loop {
        while begun.iter().filter(|(_, running)| running.ended.is_none()).count() < PROGRAMS
            && let Some(program) = waiting.next()
        {
            let running = Running::start(&program, given, &output(folder, &program))?;
            begun.push_back((program, running));
        }
        begun.iter_mut().try_for_each(|(_, running)| running.look())?;
        while let Some((program, running)) = begun.front_mut() {
            let lines = running.take();
            show(shown, &lines)?;
            for line in String::from_utf8_lossy(&lines).lines() {
                tally.read(line);
                panics.read(line);
            }
            let Some(status) = running.ended else { break };
            if !status.success() {
                failed.push(format!("{} failed: {status}", program.source.display()));
            }
            begun.pop_front();
        }
        if begun.is_empty() && waiting.len() == 0 {
            return Ok((tally, panics, failed));
        }
        thread::park_timeout(LOOK);
    }
}

/// Where a program's output is kept.
fn output(folder: &Path, program: &TestProgram) -> PathBuf {
    folder.join(program.executable.with_extension("out").file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A shell by this name, which finds its script in the folder where it runs.
    fn program(folder: &Path, name: &str, script: &str) -> TestProgram {
        let (executable, home) = (folder.join(name), folder.join(format!("of_{name}")));
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("script"), script).unwrap();
        symlink("/bin/sh", &executable).unwrap();
        TestProgram { executable, folder: home, source: name.into() }
    }

    #[test]
    fn programs_run_beside_each_other_and_are_shown_in_turn() {
        let folder = env::temp_dir().join(format!("switchboard-xtask-{}", std::process::id()));
        let first = "until [ -e ../begun ]; do sleep 0.01; done; echo 'test result: ok. 2 passed; 0 failed'";
        let second = "touch ../begun; echo 'test result: FAILED. 1 passed; 1 failed'; printf $WORD; exit 101";
        let programs = vec![program(&folder, "first", first), program(&folder, "second", second)];
        let mut given = Command::new("");
        given.args(["-c", ". ./script"]).env("WORD", "given");
        let mut shown = Vec::new();
        let (tally, _, failed) = watch(programs, &given, &folder, &mut shown).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        let lines: Vec<_> = shown.lines().map(|line| line.trim().split(" (").next().unwrap()).collect();
        let results = ["test result: ok. 2 passed; 0 failed", "test result: FAILED. 1 passed; 1 failed"];
        assert_eq!(lines, ["Running first", results[0], "Running second", results[1], "given"]);
        assert_eq!((tally.passed, tally.failed), (3, 1));
        assert_eq!(failed, ["second failed: exit status: 101"]);
    }
}

//! The tests: what they need is installed, then cargo runs them all with one set of features, so that each crate is built once.

mod authorities;
mod leftovers;
mod panics;
mod scratch;
mod tally;
mod watchdog;

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, IsTerminal, Write};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use anyhow::{Context, Result, bail};
use clap::Args;

use self::panics::Panics;
use self::scratch::Scratch;
use self::tally::Tally;
use self::watchdog::Watchdog;
use crate::postgres::{self, Server};
use crate::workspace::{Package, Workspace, testing_features};
use crate::{age, browser, dovecot, iproute2, npm, program, python, redis, systemd};

/// Where a test finds the Python that has Telethon and the other foreign clients.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";
/// Where they find npm's SMPP, a client and server that no one here wrote.
const SMPP_AT: &str = "SWITCHBOARD_TEST_SMPP";
const SMPP: npm::Package = npm::Package { name: "smpp", version: "0.5.1" };

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
    let mut build = build(workspace, arguments)?;
    let mut command = command(workspace, arguments)?;
    let scratch = Scratch::in_memory()?;
    if let Some(scratch) = &scratch {
        command.env(leftovers::SCRATCH, scratch.path());
        command.env(MIGRATED_STORE, scratch.path().join("migrated.db"));
        authorities::give(&mut command, scratch.path())?;
    }
    let prepared = prepare(workspace, arguments, &mut command, scratch.as_ref().map(Scratch::path));
    if prepared.is_err() {
        build.kill().context("cannot stop the build of the tests")?;
    }
    build.wait().context("cannot wait for the build of the tests")?;
    let server = prepared?;
    let (tally, panics, ended_well) = watch(&mut command)?;
    drop((server, scratch));
    print!("\n{panics}");
    println!("\ntests took {:.0} s", started.elapsed().as_secs_f64());
    println!("{tally}");
    let empty = tally.executed() == 0 && arguments.filter.is_none();
    if empty {
        eprintln!("error: no test was run");
    }
    Ok(ended_well && tally.failed == 0 && !empty)
}

/// Starts to build the tests while what they need is installed. A build that fails fails again where they are run.
fn build(workspace: &Workspace, arguments: &Arguments) -> Result<Child> {
    let mut command = cargo_test(workspace, arguments)?;
    command.arg("--no-run").stdin(Stdio::null());
    command.spawn().with_context(|| format!("cannot start `{}`", program::line(&command)))
}

fn command(workspace: &Workspace, arguments: &Arguments) -> Result<Command> {
    let mut command = cargo_test(workspace, arguments)?;
    if let Some(filter) = &arguments.filter {
        command.arg(filter);
    }
    // Most tests wait for other processes a part of their time.
    if env::var_os(THREADS).is_none() {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        command.env(THREADS, (2 * cores).to_string());
    }
    if io::stdout().is_terminal() {
        command.args(["--", "--color", "always"]);
    }
    Ok(command)
}

fn cargo_test(workspace: &Workspace, arguments: &Arguments) -> Result<Command> {
    let mut command = program::cargo(&workspace.root);
    // There are no tests in docs, and rustdoc reads each crate again to learn that.
    command.args(["test", "--no-fail-fast", "--tests"]);
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

fn show(shown: &mut File, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match shown.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::park_timeout(FULL),
            Err(error) => return Err(error).context("cannot show what the tests write"),
        }
    }
    Ok(())
}

/// How often it is looked whether cargo has ended: a process that a test left keeps its output open.
const LOOK: Duration = Duration::from_secs(5);

/// Runs cargo, shows every line, counts what the test programs say at their ends, keeps their panics, and kills one that
/// hangs.
fn watch(command: &mut Command) -> Result<(Tally, Panics, bool)> {
    let line = program::line(command);
    eprintln!("$ {line}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let output = child.stdout.take().context("cargo has no output to read")?;
    let (tell, lines) = mpsc::sync_channel(64);
    // It ends with the last process that keeps the output open.
    thread::spawn(move || BufReader::new(output).split(b'\n').try_for_each(|line| tell.send(line)));
    let (mut tally, mut panics, mut watchdog) = (Tally::default(), Panics::default(), Watchdog::new());
    let mut shown = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    loop {
        let line = match lines.recv_timeout(watchdog.time_left().min(LOOK)) {
            Ok(line) => line.context("cannot read what the tests write")?,
            Err(RecvTimeoutError::Timeout) => {
                if child.try_wait().context("cannot wait for the tests")?.is_some() {
                    break;
                }
                watchdog.bite(child.id());
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        show(&mut shown, &[&line, b"\n".as_slice()].concat())?;
        let line = String::from_utf8_lossy(&line);
        tally.read(&line);
        panics.read(&line);
        watchdog.read(&line);
    }
    let status = child.wait().context("cannot wait for the tests")?;
    Ok((tally, panics, status.success()))
}

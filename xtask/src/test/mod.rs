//! The tests: what they need is installed while cargo builds them all; then nextest runs them.

mod authorities;
mod leftovers;
mod report;
mod scratch;

use std::num::NonZero;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};
use clap::Args;

use self::report::Report;
use self::scratch::Scratch;
use crate::postgres::{self, Server};
use crate::workspace::Workspace;
use crate::{age, browser, dovecot, iproute2, n8n, npm, program, python, redis, systemd, test_build, tools};

/// Where a test finds the Python that has Telethon and the other foreign clients.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";
/// Where Python keeps the bytecode of what it imports.
const BYTECODE_AT: &str = "PYTHONPYCACHEPREFIX";
/// Forbids Python to keep bytecode.
const NO_BYTECODE: &str = "PYTHONDONTWRITEBYTECODE";
/// Where tests find npm's SMPP, a client and server of other authors.
const SMPP_AT: &str = "SWITCHBOARD_TEST_SMPP";
const SMPP: npm::Package = npm::Package { name: "smpp", version: "0.5.1" };

/// The settings of nextest in `.config/nextest.toml`.
const PROFILE: &str = "ci";
/// How many tests run at a time.
const THREADS: &str = "NEXTEST_TEST_THREADS";
/// Tests for each core: most wait for other processes a part of their time.
const TESTS_A_CORE: usize = 4;

/// The file with the key of all sandboxes; the first one makes it.
const SANDBOX_KEY: &str = "SWITCHBOARD_TEST_SANDBOX_KEY";
/// The folder for whatever else the tests of a run share.
const SHARED: &str = "SWITCHBOARD_TEST_SHARED";

/// Tells tests that may look deeper that the slow tests run.
const SLOW: &str = "SWITCHBOARD_TEST_SLOW";

/// The crate of the program, which is released without the feature `testing`.
const PRODUCT: &str = "switchboard";

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
    /// The slow tests too; without a NAME also browser profiles in Firefox, the workflows of n8n and a check of the released program
    #[arg(long)]
    slow: bool,
    /// The tests of browser profiles alone, in another browser than Chromium
    #[arg(long, value_name = "NAME", value_parser = ["firefox"], conflicts_with = "package")]
    browser: Option<String>,
    /// Install nothing: use what is there, or run without it
    #[arg(long)]
    no_install: bool,
}

impl Arguments {
    /// Whether the slow runs beside the ordinary one belong to this run.
    fn is_everything(&self) -> bool {
        self.slow && self.filter.is_none() && self.package.is_none() && self.browser.is_none()
    }

    fn crate_alone(&self) -> Option<&str> {
        self.browser.as_ref().map(|_| PROFILES).or(self.package.as_deref())
    }
}

/// Runs the tests and says whether all passed. No test at all is a failure too.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let started = Instant::now();
    let mut build = build(workspace, arguments)?;
    let scratch = Scratch::new()?;
    let prepared = prepare(workspace, arguments, scratch.path());
    if prepared.is_err() {
        build.kill().context("cannot stop the build of the tests")?;
    }
    let status = build.wait().context("cannot wait for the build of the tests")?;
    let (mut given, server) = prepared?;
    if !status.success() {
        bail!("the tests could not be built");
    }
    println!("build of the tests: {:.0} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let mut report = Report::default();
    let mut passed = nextest(workspace, arguments, arguments.crate_alone(), &given, &mut report)?;
    if arguments.is_everything() {
        browser::give_firefox(workspace, &mut given, !arguments.no_install)?;
        passed &= nextest(workspace, arguments, Some(PROFILES), &given, &mut report)?;
        passed &= n8n::run(workspace)?;
        // All other builds of a run have the code of test builds, and none compiles what takes its place.
        passed &= program::succeeds(program::cargo(&workspace.root).args(["check", "--package", PRODUCT]))?;
    }
    report.read_not_tried(&scratch.shared())?;
    drop((server, scratch));
    println!("tests: {:.0} s\n{report}", started.elapsed().as_secs_f64());
    Ok(passed)
}

/// Starts to build the tests while what they need is installed.
fn build(workspace: &Workspace, arguments: &Arguments) -> Result<Child> {
    let mut command = program::cargo(&workspace.root);
    command.args(["test", test_build::ALL_TARGETS, "--no-run", "--quiet"]);
    test_build::choose(workspace, arguments.crate_alone(), &mut command)?;
    eprintln!("$ {}", program::line(&command));
    command.stdin(Stdio::null());
    command.spawn().with_context(|| format!("cannot start `{}`", program::line(&command)))
}

/// Runs the test programs of the workspace, or of a crate, with these variables.
fn nextest(
    workspace: &Workspace,
    arguments: &Arguments,
    only: Option<&str>,
    given: &Command,
    report: &mut Report,
) -> Result<bool> {
    let mut command = tools::command(workspace, "nextest", !arguments.no_install)?;
    command.args(["run", "--profile", PROFILE, "--cargo-quiet", test_build::ALL_TARGETS]);
    test_build::choose(workspace, only, &mut command)?;
    if arguments.slow {
        command.arg("--ignore-default-filter").env(SLOW, "1");
    }
    command.args(&arguments.filter);
    for (name, value) in given.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if env::var_os(THREADS).is_none() {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        command.env(THREADS, (cores * TESTS_A_CORE).to_string());
    }
    // nextest writes it below the workspace, also where cargo has another target directory.
    let file = workspace.root.join("target/nextest").join(PROFILE).join("junit.xml");
    if file.exists() {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    let passed = program::succeeds(&mut command)?;
    if file.exists() {
        report.read(&fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(passed)
}

/// Returns the variables of the tests, once what they name is there. The server is theirs until it is dropped.
fn prepare(
    workspace: &Workspace,
    arguments: &Arguments,
    scratch: &Path,
) -> Result<(Command, Option<Server>)> {
    let install = !arguments.no_install;
    let mut given = Command::new("");
    given.env(leftovers::SCRATCH, scratch);
    given.env(SANDBOX_KEY, scratch.join("sandbox-key.pem"));
    given.env(SHARED, scratch::shared(scratch));
    authorities::give(&mut given, scratch)?;
    if install {
        tools::command(workspace, "nextest", true)?;
        systemd::ANALYZER.ensure()?;
        age::AGE.ensure()?;
        iproute2::IP.ensure()?;
        redis::REDIS.ensure()?;
        if arguments.slow {
            dovecot::DOVECOT.ensure()?;
        }
    }
    browser::give(workspace, &mut given, install)?;
    if arguments.browser.is_some() {
        browser::give_firefox(workspace, &mut given, install)?;
    }
    give_python(workspace, install, &mut given)?;
    give_smpp(workspace, install, &mut given)?;
    let server = postgres::give(&mut given, install, scratch)?;
    Ok((given, server))
}

fn give_python(workspace: &Workspace, install: bool, given: &mut Command) -> Result<()> {
    if env::var_os(PYTHON).is_some() {
        return Ok(());
    }
    let requirements = workspace.root.join("crates/testkit/python/requirements.txt");
    let folder = if install {
        python::environment(workspace, &requirements)?
    } else {
        python::folder(workspace, &requirements)?
    };
    given.env(BYTECODE_AT, workspace.shared_installed().join("bytecode")).env_remove(NO_BYTECODE);
    let interpreter = python::interpreter(&folder);
    given.envs(interpreter.exists().then_some((PYTHON, interpreter)));
    Ok(())
}

fn give_smpp(workspace: &Workspace, install: bool, given: &mut Command) -> Result<()> {
    if env::var_os(SMPP_AT).is_some() {
        return Ok(());
    }
    if install {
        SMPP.ensure(workspace)?;
    }
    let path = SMPP.path(workspace);
    given.envs(path.exists().then_some((SMPP_AT, path)));
    Ok(())
}

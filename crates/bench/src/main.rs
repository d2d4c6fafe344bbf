//! Side-by-side benchmarks: Switchboard and the Python service it replaces, on one machine, in one run, against one
//! pretend Telegram. `cargo xtask bench` builds what is needed and starts this.

mod browser;
mod contender;
mod http;
mod latency;
mod ledger;
mod library;
mod load;
mod machine;
mod postgres;
mod program;
mod report;
mod scenario;
mod settings;
mod usage;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use serde_json::Map;

use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::{
    Pace, Stage, added_latency, browser_profile, campaigns, channels, choosing, conversations, costs,
    dashboard, dead_channel, drill, failover, flows, followed, hooks, idle, import, logs, many_files,
    postgresql, readers, received, replay, search, send_text, sizes, ten_million, upload, webhooks,
};
use crate::usage::Ticks;

#[derive(Parser)]
#[command(name = "bench", about = "Side-by-side benchmarks against the Python baseline")]
struct CommandLine {
    /// The build of Switchboard to measure
    #[arg(long, value_name = "FILE")]
    switchboard: PathBuf,
    /// The profile that it was built with
    #[arg(long, value_name = "NAME")]
    profile: String,
    /// A build of Switchboard whose clock can be moved
    #[arg(long, value_name = "FILE")]
    testing: Option<PathBuf>,
    /// The Python that has the baseline's packages
    #[arg(long, value_name = "FILE")]
    python: PathBuf,
    /// The folder of the baseline's source
    #[arg(long, value_name = "DIR")]
    baseline: PathBuf,
    /// The folder with n8n
    #[arg(long, value_name = "DIR")]
    n8n: Option<PathBuf>,
    /// The address of a PostgreSQL that waits for its disk, whose user may make databases
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Where data and logs are put; on the disk that is to be measured
    #[arg(long, value_name = "DIR")]
    work_dir: PathBuf,
    /// Short rounds: shows that it works, measures roughly
    #[arg(long)]
    quick: bool,
    /// Run this scenario alone (may be given more than once)
    #[arg(long, value_name = "NAME")]
    only: Vec<Scenario>,
    /// Write the tables to this file too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the numbers as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Scenario {
    Choosing,
    Idle,
    Sizes,
    Failover,
    Import,
    Logs,
    Dashboard,
    Search,
    ManyFiles,
    Upload,
    Costs,
    DeadChannel,
    Campaigns,
    BrowserProfile,
    Drill,
    Hooks,
    Channels,
    Conversations,
    Webhooks,
    Replay,
    Received,
    Flows,
    Readers,
    Followed,
    AddedLatency,
    SendText,
    Postgres,
    TenMillion,
}

/// One thread, so that the load takes as little of the machine as it can.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let outcome = tokio::select! {
        outcome = run(&command_line) => outcome,
        // What was started is ended when the run is dropped.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command_line: &CommandLine) -> Result<bool> {
    program::must_be_there(&command_line.switchboard)?;
    program::must_be_there(&command_line.python)?;
    fs::create_dir_all(&command_line.work_dir)
        .with_context(|| format!("cannot make {}", command_line.work_dir.display()))?;
    let stage = Stage {
        switchboard: command_line.switchboard.canonicalize()?,
        testing: command_line.testing.as_deref().map(Path::canonicalize).transpose()?,
        // Not the true path: a Python environment is known by the path it is started as.
        python: std::path::absolute(&command_line.python)?,
        baseline: command_line.baseline.canonicalize().context("cannot find the baseline's source")?,
        n8n: command_line.n8n.clone(),
        work: command_line.work_dir.canonicalize()?,
        postgres: command_line.postgres.clone(),
        ticks: Ticks::of_this_system()?,
        pace: if command_line.quick { Pace::QUICK } else { Pace::FULL },
    };
    let mut report = Report {
        command: typed(command_line),
        machine: Machine::look(&stage.work)?,
        baseline: versions(&stage)?,
        rounds: stage.pace.rounds,
        round_seconds: stage.pace.round.as_secs(),
        numbers: Map::new(),
        sections: Vec::new(),
        broken_off: Vec::new(),
        goals: Vec::new(),
    };
    for scenario in Scenario::value_variants() {
        if !command_line.only.is_empty() && !command_line.only.contains(scenario) {
            continue;
        }
        eprintln!("measuring {scenario:?} …");
        if let Err(error) = measure(*scenario, &stage, &mut report).await {
            eprintln!("{scenario:?} broke off: {error:#}");
            report.broken_off.push(format!("{scenario:?}: {error:#}"));
        }
    }
    let text = report.markdown();
    println!("{text}");
    // A run that broke off must not take the place of one that did not.
    if let Some(file) = &command_line.out
        && report.broken_off.is_empty()
    {
        let old = fs::read_to_string(file).unwrap_or_default();
        fs::write(file, with_builds_of(&old, text))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(file) = &command_line.json {
        let numbers = serde_json::to_vec_pretty(&report)?;
        fs::write(file, numbers).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if !report.is_good() {
        eprintln!("not all goals were reached; data and logs are in {}", stage.work.display());
    }
    Ok(report.is_good())
}

/// Runs a scenario and adds what it measured to the report.
async fn measure(scenario: Scenario, stage: &Stage, report: &mut Report) -> Result<()> {
    let value = scenario.to_possible_value().context("a scenario without a name")?;
    let name = value.get_name();
    match scenario {
        Scenario::Idle => report.add(name, &idle::run(stage).await?),
        Scenario::Conversations => report.add(name, &conversations::run(stage).await?),
        Scenario::Choosing => report.add(name, &choosing::run(stage.pace.choices)),
        Scenario::Sizes => report.add(name, &sizes::run(stage).await?),
        Scenario::Failover => report.add(name, &failover::run(stage).await?),
        Scenario::Import => report.add(name, &import::run(stage).await?),
        Scenario::Logs => report.add(name, &logs::run(stage).await?),
        Scenario::Dashboard => report.add(name, &dashboard::run(stage).await?),
        Scenario::Search => report.add(name, &search::run(stage).await?),
        Scenario::ManyFiles => report.add(name, &many_files::run(stage).await?),
        Scenario::Upload => report.add(name, &upload::run(stage).await?),
        Scenario::Costs => report.add(name, &costs::run(stage).await?),
        Scenario::DeadChannel => report.add(name, &dead_channel::run(stage).await?),
        Scenario::Campaigns => report.add(name, &campaigns::run(stage).await?),
        Scenario::BrowserProfile => report.add(name, &browser_profile::run(stage).await?),
        Scenario::Drill => report.add(name, &drill::run(stage).await?),
        Scenario::Hooks => report.add(name, &hooks::run(stage).await?),
        Scenario::Channels => report.add(name, &channels::run(stage).await?),
        Scenario::Webhooks => report.add(name, &webhooks::run(stage).await?),
        Scenario::Replay => report.add(name, &replay::run(stage).await?),
        Scenario::Received => report.add(name, &received::run(stage).await?),
        Scenario::Flows => report.add(name, &flows::run(stage).await?),
        Scenario::Readers => report.add(name, &readers::run(stage).await?),
        Scenario::Followed => report.add(name, &followed::run(stage).await?),
        Scenario::AddedLatency => report.add(name, &added_latency::run(stage).await?),
        Scenario::SendText => report.add(name, &send_text::run(stage).await?),
        Scenario::Postgres => report.add(name, &postgresql::run(stage).await?),
        Scenario::TenMillion => report.add(name, &ten_million::run(stage).await?),
    }
    .context("the numbers are no JSON")
}

/// The command that a person types to get this.
fn typed(command_line: &CommandLine) -> String {
    let mut typed = format!("cargo xtask bench --profile {}", command_line.profile);
    if command_line.quick {
        typed.push_str(" --quick");
    }
    for scenario in &command_line.only {
        if let Some(value) = scenario.to_possible_value() {
            typed = typed + " --only " + value.get_name();
        }
    }
    if let Some(file) = &command_line.out {
        typed = typed + " --out " + &file.to_string_lossy();
    }
    typed
}

/// The heading of what people measure and write into the file themselves: it stays when the file is written again.
const BUILDS: &str = "\n## Builds and checks\n";

fn with_builds_of(old: &str, new: String) -> String {
    match old.find(BUILDS) {
        Some(at) => format!("{}\n{}", new.trim_end(), &old[at..]),
        None => new,
    }
}

/// What the baseline is made of.
fn versions(stage: &Stage) -> Result<String> {
    let line = "import platform, importlib.metadata as m; \
                print('Python', platform.python_version() + ', ' + ', '.join(f'{n} {m.version(n)}' for n in ('Flask', 'gunicorn', 'Telethon', 'cryptg', 'playwright', 'FastAPI', 'uvicorn', 'redis')))";
    let output = Command::new(&stage.python)
        .args(["-c", line])
        .output()
        .context("cannot start the baseline's Python")?;
    if !output.status.success() {
        bail!("the baseline's packages are missing: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typed_command_leaves_out_what_the_tool_adds() {
        let command_line = CommandLine::parse_from([
            "bench",
            "--switchboard=s",
            "--profile=dist",
            "--python=p",
            "--baseline=b",
            "--work-dir=w",
            "--quick",
            "--only=send_text",
            "--out=docs/bench.md",
        ]);
        let typed_by_a_person =
            "cargo xtask bench --profile dist --quick --only send_text --out docs/bench.md";
        assert_eq!(typed(&command_line), typed_by_a_person);
    }

    #[test]
    fn a_new_report_keeps_the_builds_of_the_old_one() {
        let old = "# Benchmarks\n\nold\n\n## Builds and checks\n\n| build |\n";
        let kept = with_builds_of(old, "# Benchmarks\n\nnew\n".to_owned());
        assert_eq!(kept, "# Benchmarks\n\nnew\n\n## Builds and checks\n\n| build |\n");
        assert_eq!(with_builds_of("", "new\n".to_owned()), "new\n");
    }
}

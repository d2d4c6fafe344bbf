//! Side-by-side benchmarks: Switchboard and the Python service it replaces, on one machine, in one run, against one
//! pretend Telegram. `cargo xtask bench` builds what is needed and starts this.

mod browser;
mod contender;
mod goals;
mod http;
mod latency;
mod ledger;
mod library;
mod load;
mod machine;
mod program;
mod report;
mod scenario;
mod settings;
mod usage;
mod world;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::{
    Pace, Stage, added_latency, choosing, dashboard, failover, idle, import, logs, many_files, search,
    send_text, sizes, upload,
};
use crate::usage::Ticks;

#[derive(Parser)]
#[command(name = "bench", about = "Side-by-side benchmarks against the Python baseline")]
struct CommandLine {
    /// The release build of Switchboard
    #[arg(long, value_name = "FILE")]
    switchboard: PathBuf,
    /// The Python that has the baseline's packages
    #[arg(long, value_name = "FILE")]
    python: PathBuf,
    /// The folder of the baseline's source
    #[arg(long, value_name = "DIR")]
    baseline: PathBuf,
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
    AddedLatency,
    SendText,
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
        // Not the true path: a Python environment is known by the path it is started as.
        python: std::path::absolute(&command_line.python)?,
        baseline: command_line.baseline.canonicalize().context("cannot find the baseline's source")?,
        work: command_line.work_dir.canonicalize()?,
        ticks: Ticks::of_this_system()?,
        pace: if command_line.quick { Pace::QUICK } else { Pace::FULL },
    };
    let mut report = Report {
        command: typed(command_line),
        machine: Machine::look(&stage.work)?,
        baseline: versions(&stage)?,
        rounds: stage.pace.rounds,
        round_seconds: stage.pace.round.as_secs(),
        send_text: None,
        added_latency: None,
        idle: None,
        choosing: None,
        failover: None,
        sizes: None,
        upload: None,
        many_files: None,
        import: None,
        logs: None,
        dashboard: None,
        search: None,
        broken_off: Vec::new(),
        goals: Vec::new(),
    };
    for scenario in Scenario::value_variants() {
        if !command_line.only.is_empty() && !command_line.only.contains(scenario) {
            continue;
        }
        eprintln!("measuring {scenario:?} …");
        let outcome = match scenario {
            Scenario::Idle => idle::run(&stage).await.map(|found| report.idle = Some(found)),
            Scenario::Choosing => {
                report.choosing = Some(choosing::run(stage.pace.choices));
                Ok(())
            }
            Scenario::Sizes => sizes::run(&stage).await.map(|found| report.sizes = Some(found)),
            Scenario::Failover => failover::run(&stage).await.map(|found| report.failover = Some(found)),
            Scenario::Import => import::run(&stage).await.map(|found| report.import = Some(found)),
            Scenario::Logs => logs::run(&stage).await.map(|found| report.logs = Some(found)),
            Scenario::Dashboard => dashboard::run(&stage).await.map(|found| report.dashboard = Some(found)),
            Scenario::Search => search::run(&stage).await.map(|found| report.search = Some(found)),
            Scenario::ManyFiles => many_files::run(&stage).await.map(|found| report.many_files = Some(found)),
            Scenario::Upload => upload::run(&stage).await.map(|found| report.upload = Some(found)),
            Scenario::AddedLatency => {
                added_latency::run(&stage).await.map(|found| report.added_latency = Some(found))
            }
            Scenario::SendText => send_text::run(&stage).await.map(|found| report.send_text = Some(found)),
        };
        if let Err(error) = outcome {
            eprintln!("{scenario:?} broke off: {error:#}");
            report.broken_off.push(format!("{scenario:?}: {error:#}"));
        }
    }
    report.judge();
    let text = report.markdown();
    println!("{text}");
    // A run that broke off must not take the place of one that did not.
    if let Some(file) = &command_line.out
        && report.broken_off.is_empty()
    {
        fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
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

/// The command that a person types to get this.
fn typed(command_line: &CommandLine) -> String {
    let mut typed = "cargo xtask bench".to_owned();
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

/// What the baseline is made of.
fn versions(stage: &Stage) -> Result<String> {
    let line = "import platform, importlib.metadata as m; \
                print('Python', platform.python_version() + ', ' + ', '.join(f'{n} {m.version(n)}' for n in ('Flask', 'gunicorn', 'Telethon', 'cryptg')))";
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
            "--python=p",
            "--baseline=b",
            "--work-dir=w",
            "--quick",
            "--only=send_text",
            "--out=docs/bench.md",
        ]);
        assert_eq!(typed(&command_line), "cargo xtask bench --quick --only send_text --out docs/bench.md");
    }
}

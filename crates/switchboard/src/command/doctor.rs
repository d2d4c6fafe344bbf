//! `switchboard doctor`: problems of the server and its machine, and their fixes; the survey of an old installation.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use anyhow::Context;
use config::{Settings, SettingsError};
use doctor::{Examination, Fix, Patient, Report, ServerReply, Style, examine};
use hyper::Method;
use legacy_survey::{Alive, Row};
use machine::{Journal, Root};

use crate::control;
use crate::output::{say, say_json};
use crate::reply::ApiError;
use crate::terminal::WrongUsage;
use crate::{Location, table};

/// How long a server may take to show that it is alive; examining itself takes longer.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// How long the server may take to examine itself.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The width where there is no terminal, and the most that is used of one.
const WIDTH: usize = 80;
const WIDEST: usize = 120;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    location: Location,

    /// Survey an installation of the old scripts too: unit files, scripts, session files and processes
    #[arg(long, value_name = "DIR")]
    legacy: Option<PathBuf>,

    /// Write a plan to import the sessions of the old installation
    #[arg(long, value_name = "FILE", requires = "legacy")]
    write_plan: Option<PathBuf>,

    /// Read the journal from a file written by `journalctl --output=json` [default: the journal of this machine]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Do not connect to Telegram and other hosts
    #[arg(long)]
    offline: bool,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// There are problems, and the report has printed them: the exit code is 1.
#[derive(Debug, thiserror::Error)]
#[error("something is wrong; the report says what")]
pub(crate) struct SomethingIsWrong;

impl Doctor {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let data_dir = self.location.data_dir()?;
        let legacy = self.legacy.as_deref().map(folder).transpose()?;
        let servers = ask(&data_dir).await;
        let server_settings =
            servers.as_ref().ok().and_then(|report| report.as_ref()?.inside.as_ref()?.settings_file.clone());
        // Where no file is named, that of the server counts.
        let settings_file = self.location.settings_file()?.or(server_settings);
        let settings = Settings::load_at_start(settings_file.as_deref(), crate::location::environment())
            .map(|(settings, _)| settings)
            .map_err(|error| problems(&error));
        let inquiry = match &servers {
            Ok(Some(report)) => match &report.inside {
                Some(inside) => ServerReply::Server(inside.clone()),
                None => ServerReply::Unresponsive("it says nothing about itself".to_owned()),
            },
            Ok(None) => ServerReply::Absent,
            Err(why) => ServerReply::Unresponsive(why.clone()),
        };
        let patient = Patient {
            version: env!("CARGO_PKG_VERSION"),
            root: Root::default(),
            master_key: super::up::master_key(&data_dir).map_err(|error| crate::output::explain(&error)),
            settings_file,
            settings: settings.clone(),
            journal: self.journal.clone().map_or(Journal::System, Journal::Export),
            // Whether the server reaches them is what counts, and it has tried.
            reach: !self.offline && !matches!(servers, Ok(Some(_))),
            import: format!("switchboard account import --plan {}", self.plan_file()),
            legacy,
            data_dir,
            clock: Clock::system(),
        };
        let Examination { report, plan } = examine(patient, inquiry).await;
        let report = match servers {
            Ok(Some(servers)) => report.beside(servers, settings.as_ref()),
            Ok(None) | Err(_) => report,
        };
        let report = self.with_location(Report { inside: None, ..report });
        if let (Some(file), Some(plan)) = (&self.write_plan, &plan) {
            write(file, &legacy_survey::plan_text(plan)?)?;
            eprintln!(
                "The plan is in {}; look at it, stop the old scripts, and import with --plan.",
                file.display()
            );
        }
        if self.json {
            say_json(&serde_json::to_value(&report)?);
        } else {
            if self.legacy.is_some() {
                print_rows(&report.legacy);
            }
            say!("{}", report.text(style()));
        }
        if report.is_well() { Ok(()) } else { Err(SomethingIsWrong.into()) }
    }

    fn plan_file(&self) -> String {
        self.write_plan.as_ref().map_or_else(|| "FILE".to_owned(), |file| file.display().to_string())
    }

    /// Commands that are to be typed name the same place as this one did.
    fn with_location(&self, mut report: Report) -> Report {
        let given = [("--config", &self.location.config), ("--data-dir", &self.location.data_dir)];
        let more: String = given
            .into_iter()
            .filter_map(|(option, path)| Some(format!(" {option} {}", doctor::quoted(path.as_ref()?))))
            .collect();
        let name_it = |command: &mut String| {
            let ours = ["switchboard ", "sudo switchboard "].iter().any(|ours| command.starts_with(ours));
            if ours && !command.starts_with("switchboard settings") {
                command.push_str(&more);
            }
        };
        for section in &mut report.sections {
            for finding in &mut section.findings {
                if let Fix::Command { command, .. } = &mut finding.fix {
                    name_it(command);
                }
            }
            section.facts.iter_mut().filter_map(|fact| fact.command.as_mut()).for_each(name_it);
        }
        report
    }
}

fn folder(given: &Path) -> anyhow::Result<PathBuf> {
    let real = std::fs::canonicalize(given).map_err(|error| format!("{}: {error}", given.display()));
    let real = real.and_then(|real| {
        if real.is_dir() { Ok(real) } else { Err(format!("{}: not a folder", given.display())) }
    });
    real.map_err(|why| WrongUsage(format!("--legacy needs the folder of the old scripts; {why}")).into())
}

/// What is wrong with settings, a line each.
fn problems(error: &SettingsError) -> Vec<String> {
    match error {
        SettingsError::Wrong { problems } => problems.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}

/// The report of the server that runs on a data directory, with what only it knows; nothing when none runs.
async fn ask(data_dir: &Path) -> Result<Option<Report>, String> {
    let Some(control) = control::find(data_dir).await else { return Ok(None) };
    let lives = control.call_within(SIGN_OF_LIFE, Method::GET, "/health/live", None).await;
    lives.map_err(|error| crate::output::explain(&error))?;
    match control.call_within(TIMEOUT, Method::GET, "/v1/doctor?facts=true", None).await {
        Ok(report) => serde_json::from_value(report)
            .map(Some)
            .map_err(|error| format!("its answer is of another version: {error}")),
        Err(error) if ApiError::of(&error).is_some_and(|refused| refused.code == "not_found") => {
            Err("the server that runs is an older version, which cannot be asked".to_owned())
        }
        Err(error) => Err(crate::output::explain(&error)),
    }
}

fn style() -> Style {
    let width = table::terminal_width();
    Style {
        width: width.map_or(WIDTH, |width| usize::from(width).clamp(40, WIDEST)),
        colours: std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let named = || format!("the plan file {}", file.display());
    let mut new =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).with_context(named)?;
    new.write_all(text.as_bytes()).with_context(named)
}

fn print_rows(rows: &[Row]) {
    if rows.is_empty() {
        say!("No script, session or process of an old installation is there.\n");
        return;
    }
    let mut shown = table::with_header([
        "PORT",
        "SCRIPT",
        "SERVES",
        "ACCOUNT",
        "API_ID",
        "SESSION",
        "STARTED BY",
        "ALIVE",
    ]);
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    for row in rows {
        let services: Vec<&str> = row.services.iter().map(|service| service.as_str()).collect();
        shown.add_row([
            or_dash(row.port.map(|port| port.to_string()).unwrap_or_default()),
            or_dash(row.script.clone().unwrap_or_default()),
            or_dash(services.join(", ")),
            row.account.clone().unwrap_or_else(|| "?".to_owned()),
            or_dash(row.api_ids.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")),
            or_dash(row.sessions.join(", ")),
            or_dash(row.started_by.clone()),
            match &row.alive {
                Alive::Yes { pid } => format!("yes, {pid}"),
                Alive::Orphan { pid } => format!("orphan, {pid}"),
                Alive::CrashLoop { restarts } => format!("crash loop, {restarts} restarts"),
                Alive::No => "no".to_owned(),
            },
        ]);
    }
    say!("{shown}\n");
}

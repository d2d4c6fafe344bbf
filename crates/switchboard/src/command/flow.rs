//! `switchboard flow`: the flows, which press the buttons of bots.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use domain::AccountName;
use hyper::Method;
use serde_json::{Value, json};

use crate::Location;
use crate::api_client::{ApiClient, ApiOptions};
use crate::output::{say, say_json};
use crate::table::{self, cell};

const PATH: &str = "/v1/flows";

/// The greatest file of flows or of messages that is read.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Flow {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the flows, and how each is on its accounts
    #[command(after_help = "Examples:\n  switchboard flow list\n  switchboard flow list --json")]
    List(ApiOptions),
    /// Show a flow, and how it is on its accounts
    #[command(after_help = "Examples:\n  switchboard flow show trip")]
    Show(One),
    /// Check a file of flows, or all files of the folder, and whether their accounts are there; needs no server
    #[command(after_help = "Exit codes: 0 all is well, 1 something is wrong.\n\nExamples:\n  \
            switchboard flow check\n  switchboard flow check flows/trip.toml\n  switchboard flow check flows/trip.toml --json")]
    Check {
        /// The file [default: all of the folder `flows` beside the settings file]
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        location: Location,
    },
    /// Let a flow begin runs
    #[command(after_help = "Examples:\n  switchboard flow start trip")]
    Start(One),
    /// End the runs of a flow, and let it begin no other until it is started
    #[command(after_help = "Examples:\n  switchboard flow stop trip")]
    Stop(One),
    /// Show the latest runs, or what happened in one of them
    #[command(after_help = "Examples:\n  switchboard flow log\n  switchboard flow log trip --limit 5\n  \
            switchboard flow log run_01…")]
    Log {
        /// The name of a flow, or the id of a run
        which: Option<String>,
        /// How many runs
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Show how fast the latest runs were, stage by stage
    #[command(after_help = "Examples:\n  switchboard flow stats trip\n  switchboard flow stats trip --json")]
    Stats(One),
    /// Try a flow on the newest messages of its chat, without pressing anything; needs a running server
    #[command(after_help = "Examples:\n  switchboard flow run trip --dry")]
    Run {
        /// The name of the flow
        name: String,
        /// Press nothing: a flow runs by itself when its bot writes
        #[arg(long, required = true)]
        dry: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Try a flow on messages of a file, or on those that it hopes for, without asking its bot
    #[command(
        after_help = "The file is JSON: {\"messages\": [{\"id\": 1, \"text\": \"New trip from Tver\", \
            \"buttons\": [[\"Book\", \"Details\"]]}, …]}. The same id again is an edit.\n\n\
            Without a file the messages are made of the flow itself, so that all its buttons are pressed.\n\n\
            Examples:\n  switchboard flow simulate trip\n  switchboard flow simulate trip messages.json"
    )]
    Simulate {
        /// The name of the flow
        name: String,
        /// The file with the messages
        file: Option<PathBuf>,
        #[command(flatten)]
        options: ApiOptions,
    },
}

/// Which flow.
#[derive(clap::Args)]
struct One {
    /// The name of the flow
    name: String,
    #[command(flatten)]
    options: ApiOptions,
}

impl Flow {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => {
                let api = ApiClient::open(&options.location).await?;
                let items = api.list(PATH).await;
                api.close().await;
                options.print_list(&items?, |items| match rows(items) {
                    rows if rows.is_empty() => {
                        "There are no flows. A section [[flows]] of the settings makes one.".to_owned()
                    }
                    rows => table::of(&rows, COLUMNS).to_string(),
                });
                Ok(())
            }
            Action::Show(One { name, options }) => {
                options.call(Method::GET, &format!("{PATH}/{name}"), None, shown).await
            }
            Action::Check { file: Some(file), json, location } => {
                let text = read(&file)?;
                let checked = match accounts(&location).await {
                    Some(accounts) => match config::check_flows(&text, &file, &accounts) {
                        Ok((flows, doubts)) if doubts.is_empty() => Ok(flows),
                        Ok((_, problems)) | Err(problems) => Err(problems),
                    },
                    None => config::read_flows(&text, &file),
                };
                report(&file.display().to_string(), checked, json)
            }
            Action::Check { file: None, json, location } => {
                let (settings, mut problems) = location.settings_at_start()?;
                if let Some(accounts) = accounts(&location).await {
                    problems.extend(settings.flows.iter().flat_map(|flow| unknown_accounts(flow, &accounts)));
                }
                let checked = if problems.is_empty() { Ok(settings.flows) } else { Err(problems) };
                report("the folder of flows", checked, json)
            }
            Action::Start(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/start"), None, shown).await
            }
            Action::Stop(One { name, options }) => {
                options.call(Method::POST, &format!("{PATH}/{name}/stop"), None, shown).await
            }
            Action::Log { which: Some(id), options, .. } if id.starts_with("run_") => {
                options.call(Method::GET, &format!("/v1/flow-runs/{id}"), None, timeline).await
            }
            Action::Log { which, limit, options } => {
                let flow = which.map(|name| format!("&flow={name}")).unwrap_or_default();
                let path = format!("/v1/flow-runs?limit={limit}{flow}");
                let page = options.location.call(Method::GET, &path, None).await?;
                let items = page["items"].as_array().cloned().unwrap_or_default();
                options.print_list(&items, |items| {
                    if items.is_empty() {
                        "There were none.".to_owned()
                    } else {
                        table::of(items, RUNS).to_string()
                    }
                });
                Ok(())
            }
            Action::Stats(One { name, options }) => {
                options.call(Method::GET, &format!("{PATH}/{name}/stats"), None, measured).await
            }
            Action::Run { name, dry: _, options } => {
                options.call(Method::POST, &format!("{PATH}/{name}/dry-run"), None, simulated).await
            }
            Action::Simulate { name, file, options } => {
                let body: Value = match &file {
                    Some(file) => serde_json::from_str(&read(file)?)
                        .with_context(|| format!("{} is not JSON", file.display()))?,
                    None => serde_json::json!({}),
                };
                let path = format!("{PATH}/{name}/simulate");
                options.call(Method::POST, &path, Some(&body), simulated).await
            }
        }
    }
}

/// The accounts of the settings, and those of the server or of the data directory. None where they cannot be read.
async fn accounts(location: &Location) -> Option<Vec<AccountName>> {
    // Nothing is made where there is no data directory yet.
    if !location.data_dir().is_ok_and(|data_dir| data_dir.is_dir()) {
        let settings = location.settings().ok()?;
        return Some(settings.telegram.accounts.into_iter().map(|account| account.name).collect());
    }
    let listed = async {
        let api = ApiClient::open(location).await?;
        let items = api.list("/v1/accounts").await;
        api.close().await;
        items
    };
    match listed.await {
        Ok(items) => Some(items.iter().filter_map(|item| item["name"].as_str()?.parse().ok()).collect()),
        Err(error) => {
            eprintln!("The accounts cannot be read, so those of the flows are not checked: {error:#}");
            None
        }
    }
}

/// What is said of accounts of a flow that are not there. The settings do not say in which line they are.
fn unknown_accounts(flow: &config::FlowSettings, accounts: &[AccountName]) -> Vec<config::Problem> {
    let problem = |fault: config::FlowFault| config::Problem {
        place: config::SettingSource::Defaults,
        key: format!("flow {}: {}", flow.name, fault.key),
        message: fault.message,
    };
    flow.unknown_accounts(accounts).into_iter().map(problem).collect()
}

const COLUMNS: [(&str, &str); 9] = [
    ("FLOW", "name"),
    ("ACCOUNT", "account"),
    ("WATCHES", "watch"),
    ("STATE", "state"),
    ("WHY", "reason"),
    ("DONE", "done"),
    ("SKIPPED", "skipped_text"),
    ("FAILED", "failed_text"),
    ("LAST RUN", "last_run_at"),
];

const RUNS: [(&str, &str); 7] = [
    ("RUN", "id"),
    ("FLOW", "flow"),
    ("ACCOUNT", "account"),
    ("BEGAN", "began_at"),
    ("STATE", "state"),
    ("STEP", "step"),
    ("WHY", "code"),
];

/// A row for each account of each flow.
fn rows(flows: &[Value]) -> Vec<Value> {
    let row = |flow: &Value, account: &Value| {
        let mut row = account.clone();
        row["name"] = flow["name"].clone();
        row["watch"] = flow["watch"].clone();
        for field in ["skipped", "failed"] {
            row[format!("{field}_text")] = Value::String(counts(&account[field]));
        }
        row
    };
    let of_flow = |flow: &Value| -> Vec<Value> {
        flow["accounts"].as_array().into_iter().flatten().map(|account| row(flow, account)).collect()
    };
    flows.iter().flat_map(of_flow).collect()
}

/// Counts by reason, such as `busy 2, stale 1`.
fn counts(counts: &Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    counts.map(|(why, count)| format!("{why} {count}")).collect::<Vec<_>>().join(", ")
}

fn shown(flow: &Value) -> String {
    table::of(&rows(std::slice::from_ref(flow)), COLUMNS).to_string()
}

/// What happened in a run, in milliseconds.
fn timeline(run: &Value) -> String {
    let head = ["id", "flow", "account", "state", "code"].map(|field| cell(run, field)).join("  ");
    format!("{}\n{}", head.trim_end(), moments(&run["timeline"]))
}

fn moments(timeline: &Value) -> String {
    let mut table = table::with_header(["MS", "WHAT", "STEP", ""]);
    for moment in timeline.as_array().into_iter().flatten() {
        let micros = moment["at_us"].as_u64().unwrap_or_default();
        let at = format!("{}.{:03}", micros / 1000, micros % 1000);
        table.add_row([at, cell(moment, "stage"), cell(moment, "step"), cell(moment, "note")]);
    }
    table.to_string()
}

fn measured(stats: &Value) -> String {
    let counted = stats["states"].as_object().into_iter().flatten();
    let counted: Vec<_> = counted.map(|(state, count)| format!("{count} {state}")).collect();
    let columns = [
        ("STAGE", "stage"),
        ("COUNT", "count"),
        ("P50 µs", "p50_us"),
        ("P90 µs", "p90_us"),
        ("P99 µs", "p99_us"),
        ("MOST µs", "most_us"),
    ];
    let times = stats["stages"].as_array().cloned().unwrap_or_default();
    let runs = if stats["runs"] == 1 { "run" } else { "runs" };
    let why = counts(&stats["codes"]);
    let why = if why.is_empty() { why } else { format!("\nNot done: {why}") };
    format!("{} {runs}: {}{why}\n{}", stats["runs"], counted.join(", "), table::of(&times, columns))
}

fn simulated(simulation: &Value) -> String {
    let mut text = String::new();
    for message in simulation["messages"].as_array().into_iter().flatten() {
        text.extend([
            "Message ",
            &message["message"].to_string(),
            "\n",
            &moments(&message["timeline"]),
            "\n",
        ]);
    }
    match simulation["state"].as_str() {
        Some(state) => text.extend(["The run is ", state, "."]),
        None => text.push_str("No run begins."),
    }
    text
}

fn read(file: &std::path::Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    anyhow::ensure!(size <= LARGEST, "{} is larger than {LARGEST} bytes", file.display());
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Says what was found, and fails where something is wrong.
fn report(
    what: &str,
    checked: Result<Vec<config::FlowSettings>, Vec<config::Problem>>,
    as_json: bool,
) -> anyhow::Result<()> {
    if as_json {
        let problem = |problem: &config::Problem| {
            let (line, column) = match &problem.place {
                config::SettingSource::File { line, column, .. } => (Some(line), Some(column)),
                _ => (None, None),
            };
            json!({"line": line, "column": column, "key": problem.key, "message": problem.message})
        };
        let flows: Vec<_> = checked.iter().flatten().map(|flow| flow.name.clone()).collect();
        let problems: Vec<_> = checked.as_ref().err().into_iter().flatten().map(problem).collect();
        say_json(&json!({"flows": flows, "problems": problems}));
    }
    match checked {
        Ok(flows) => {
            if !as_json {
                let names: Vec<_> = flows.iter().map(|flow| flow.name.as_str()).collect();
                say!(
                    "All is well: {}.",
                    if names.is_empty() { "no flows".to_owned() } else { names.join(", ") }
                );
            }
            Ok(())
        }
        Err(problems) => {
            if !as_json {
                for problem in &problems {
                    eprintln!("{problem}");
                }
            }
            anyhow::bail!("{what} has {} to put right", problems.len())
        }
    }
}

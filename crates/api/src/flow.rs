//! Flows, their runs, and how fast they were.

use std::collections::BTreeMap;

use domain::{AccountName, ChatId, ChatRef, FlowMoment, FlowRunId, Timestamp};
use serde::{Deserialize, Serialize};
use store::StoredFlowRun;
use utoipa::ToSchema;

/// A flow: it watches a chat and presses the buttons of a bot.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// Its name.
    #[schema(example = "trip")]
    pub name: String,
    /// The chat whose messages it watches.
    #[schema(value_type = String, example = "@demo_trips_bot")]
    pub watch: ChatRef,
    /// How many steps it has.
    #[schema(example = 3)]
    pub steps: usize,
    /// The hours in which runs begin; nothing when all do.
    #[schema(example = "06:00-23:30 Europe/Moscow")]
    pub active: Option<String>,
    /// How many runs may be under way at once, on each account.
    #[schema(example = 5)]
    pub at_once: u8,
    /// How many runs that press or send something may begin within any hour, on each account.
    #[schema(example = 6)]
    pub per_hour: Option<u32>,
    /// After so many runs that came to their end it stops.
    #[schema(example = 3)]
    pub stop_after: Option<u32>,
    /// All of it, as a file of flows has it.
    #[schema(example = "[[flows]]\nname = \"trip\"\n…")]
    pub definition: String,
    /// How it is on each of its accounts.
    pub accounts: Vec<FlowOnAccount>,
}

/// A flow on one account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowOnAccount {
    /// The account that watches and presses.
    #[schema(value_type = String, example = "main")]
    pub account: AccountName,
    /// `watching`, `running`, `waiting` (its account or its chat is not found yet), or `stopped` until someone starts it.
    #[schema(example = "watching")]
    pub state: String,
    /// Why it waits or is stopped.
    #[schema(example = "by_hand")]
    pub reason: Option<String>,
    /// Runs that came to their end since it was started: what `stop_after` counts.
    #[schema(example = 2)]
    pub done: u32,
    /// Runs that pressed or sent something within the last hour: what `per_hour` counts.
    #[schema(example = 1)]
    pub runs_last_hour: usize,
    /// How often a message that begins a run began none, by why: `busy`, `hours`, `per_hour`, `cooldown`, `stale`,
    /// `other_run` or `stopped`. It counts as far back as runs are kept.
    #[schema(example = json!({"cooldown": 1}))]
    pub skipped: BTreeMap<String, u64>,
    /// How many runs failed or were cut, by why, such as `no_button`. It counts as far back as runs are kept.
    #[schema(example = json!({"no_button": 2}))]
    pub failed: BTreeMap<String, u64>,
    /// The last run.
    #[schema(value_type = Option<String>, example = "run_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub last_run_id: Option<FlowRunId>,
    /// When it began.
    pub last_run_at: Option<Timestamp>,
    /// How it is.
    #[schema(example = "done")]
    pub last_run_state: Option<String>,
    /// Why it ended before its last step.
    #[schema(example = "no_button")]
    pub last_run_code: Option<String>,
}

/// A run of a flow.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowRun {
    /// Its id.
    #[schema(value_type = String, example = "run_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub id: FlowRunId,
    /// The name of the flow.
    #[schema(example = "trip")]
    pub flow: String,
    /// The account that pressed.
    #[schema(value_type = String, example = "main")]
    pub account: AccountName,
    /// The chat with the message that began it.
    #[schema(value_type = String, example = "5500000003")]
    pub chat_id: ChatId,
    /// That message.
    #[schema(example = 1042)]
    pub message_id: i32,
    /// When the message came in.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// `running`, `done`, `failed`, `stopped`, `cut` by the end of the program or by an account that was away, or `skipped`
    /// where the message fitted and nothing was pressed.
    #[schema(example = "done")]
    pub state: String,
    /// Why it ended before its last step, such as `no_button`.
    pub code: Option<String>,
    /// The step that it is at, from 1.
    #[schema(example = 3)]
    pub step: u16,
    /// What happened, in order.
    pub timeline: Vec<FlowRunMoment>,
}

/// Something that happened in a run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowRunMoment {
    /// Microseconds since the update with the message came in.
    #[schema(example = 412)]
    pub at_us: u64,
    /// `seen`, `matched`, `pressed`, `answered`, `refused`, `expected`, `sent`, `address`, `failed`, `restarted`,
    /// `interrupted`, `skipped` or `ended`.
    #[schema(example = "pressed")]
    pub stage: String,
    /// The step that it is about, from 1.
    pub step: Option<u16>,
    /// More of it: the label of a button, or why.
    #[schema(example = "Book")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub note: Option<String>,
}

/// How fast the latest runs of a flow were.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowStats {
    /// How many runs were looked at: the latest 1,000 at most.
    pub runs: u64,
    /// How they are, by state.
    #[schema(example = json!({"done": 40, "failed": 2}))]
    pub states: BTreeMap<String, u64>,
    /// Why those that are not done ended, or began no run.
    #[schema(example = json!({"no_button": 1, "busy": 1}))]
    pub codes: BTreeMap<String, u64>,
    /// How long each stage took, measured from the moment before which it waits for.
    pub stages: Vec<FlowStageTimes>,
}

/// How long one stage of the runs of a flow took, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowStageTimes {
    /// `match`: from the update to when it was known that it begins a run. `press`: from the update to the first press. `answer`: from a press to its answer. `expect`: from a press to the text
    /// that was expected of it. `run`: from the update to the end.
    #[schema(example = "press")]
    pub stage: String,
    /// How many there are.
    pub count: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub most_us: u64,
    /// How many took at most 1, 2, 4, 8, … times 64 microseconds, and not half of that.
    pub histogram: Vec<u64>,
}

/// A flow that was written while the program ran, as it was written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowDefinition {
    /// Its name.
    #[schema(example = "trip")]
    pub name: String,
    /// The flow, as a file of flows has it.
    #[schema(example = "[[flows]]\nname = \"trip\"\n…")]
    pub text: String,
    /// When it was changed last: what a change of it names.
    pub changed_at: Timestamp,
    /// Who changed it: the name of a user, the id of an API key, or `this machine`.
    #[schema(example = "anna")]
    pub changed_by: String,
    /// All that keeps it from being in use.
    pub problems: Vec<FlowProblem>,
}

/// A file of the folder `flows` beside the settings file, as it is now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowFile {
    /// Where it is.
    #[schema(example = "/etc/switchboard/flows/trip.toml")]
    pub file: String,
    /// The names of its flows, where all is well.
    #[schema(example = json!(["trip"]))]
    pub flows: Vec<String>,
    /// All that is wrong, in the order of the file. It is left out at a start, and a reload changes nothing before it is right.
    pub problems: Vec<FlowProblem>,
}

/// What is wrong with flows that are not in use yet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowCheck {
    /// The names of the flows, where all is well.
    #[schema(example = json!(["trip"]))]
    pub flows: Vec<String>,
    /// All that is wrong, in the order of the text.
    pub problems: Vec<FlowProblem>,
    /// What keeps a flow from watching for now: an account that is not there.
    pub warnings: Vec<FlowProblem>,
}

/// Something that is wrong in the text of a flow.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowProblem {
    /// The line, from 1.
    #[schema(example = 6)]
    pub line: Option<usize>,
    /// The character of the line, from 1.
    #[schema(example = 13)]
    pub column: Option<usize>,
    /// The key.
    #[schema(example = "flows[0].trigger.regex")]
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a flow would do on messages, tried without pressing anything.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowSimulation {
    /// What it would do on each of the messages, in their order.
    pub messages: Vec<FlowSimulated>,
    /// How the run would be after the last of them; nothing when none begins.
    #[schema(example = "done")]
    pub state: Option<String>,
}

/// What a flow would do on one message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowSimulated {
    /// Which message, from 1.
    pub message: usize,
    /// What it would do.
    pub timeline: Vec<FlowRunMoment>,
}

impl Flow {
    /// A flow, and what the settings say of it.
    pub fn of(view: flows::FlowView, settings: &config::FlowSettings) -> Self {
        let flows::FlowView { name, watch, steps, on } = view;
        Self {
            name,
            watch,
            steps,
            active: settings.active.clone(),
            at_once: settings.limits.at_once,
            per_hour: settings.limits.per_hour.map(u32::from),
            stop_after: settings.limits.stop_after.map(u32::from),
            definition: settings.to_toml().unwrap_or_default(),
            accounts: on.into_iter().map(FlowOnAccount::from).collect(),
        }
    }
}

impl From<flows::FlowOnAccount> for FlowOnAccount {
    fn from(view: flows::FlowOnAccount) -> Self {
        Self {
            account: view.account,
            state: view.state.as_str().to_owned(),
            reason: view.reason,
            done: view.done,
            runs_last_hour: view.acted,
            skipped: view.skipped,
            failed: view.failed,
            last_run_id: view.last_run.as_ref().map(|run| run.id),
            last_run_at: view.last_run.as_ref().map(|run| run.began_at),
            last_run_state: view.last_run.as_ref().map(|run| run.state.as_str().to_owned()),
            last_run_code: view.last_run.and_then(|run| run.code),
        }
    }
}

impl From<FlowMoment> for FlowRunMoment {
    fn from(moment: FlowMoment) -> Self {
        let FlowMoment { at_us, stage, step, note } = moment;
        Self { at_us, stage: stage.as_str().to_owned(), step, note }
    }
}

impl From<StoredFlowRun> for FlowRun {
    fn from(run: StoredFlowRun) -> Self {
        Self {
            id: run.id,
            flow: run.flow,
            account: run.account,
            chat_id: run.chat_id,
            message_id: run.message_id.get(),
            began_at: run.began_at,
            ended_at: run.ended_at,
            state: run.state.as_str().to_owned(),
            code: run.code,
            step: run.step,
            timeline: run.moments.into_iter().map(FlowRunMoment::from).collect(),
        }
    }
}

impl From<config::Problem> for FlowProblem {
    fn from(problem: config::Problem) -> Self {
        let (line, column) = match problem.place {
            config::SettingSource::File { line, column, .. } => (Some(line), Some(column)),
            config::SettingSource::Environment(_) | config::SettingSource::Defaults => (None, None),
        };
        Self { line, column, key: problem.key, message: problem.message }
    }
}

impl From<config::FlowFile> for FlowFile {
    fn from(read: config::FlowFile) -> Self {
        Self {
            file: read.file.display().to_string(),
            flows: read.flows.into_iter().map(|flow| flow.name).collect(),
            problems: read.problems.into_iter().map(FlowProblem::from).collect(),
        }
    }
}

impl From<flows::StoredDefinition> for FlowDefinition {
    fn from(kept: flows::StoredDefinition) -> Self {
        let flows::StoredDefinition { definition, problems } = kept;
        Self {
            name: definition.name,
            text: definition.text,
            changed_at: definition.changed_at,
            changed_by: definition.changed_by,
            problems: problems.into_iter().map(FlowProblem::from).collect(),
        }
    }
}

impl From<flows::StageTimes> for FlowStageTimes {
    fn from(times: flows::StageTimes) -> Self {
        Self {
            stage: times.stage.as_str().to_owned(),
            count: times.count,
            p50_us: times.p50,
            p90_us: times.p90,
            p99_us: times.p99,
            most_us: times.most,
            histogram: times.histogram,
        }
    }
}

impl From<flows::Simulation> for FlowSimulation {
    fn from(simulation: flows::Simulation) -> Self {
        let messages = simulation.messages.into_iter().zip(1..).map(|(moments, message)| FlowSimulated {
            message,
            timeline: moments.into_iter().map(FlowRunMoment::from).collect(),
        });
        Self { messages: messages.collect(), state: simulation.state.map(|state| state.as_str().to_owned()) }
    }
}

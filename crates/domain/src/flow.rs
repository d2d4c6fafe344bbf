//! Runs of flows: how far one is, and what happened in it, to the microsecond.

use serde::{Deserialize, Serialize};

/// How a run is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowRunState {
    /// It is under way.
    Running,
    /// Its last step is done.
    Done,
    /// A step failed.
    Failed,
    /// Someone stopped the flow, or its account can do nothing any more.
    Stopped,
    /// The program ended in the middle of it, or its account was away when its step was to be done. What it pressed is not
    /// pressed again.
    Cut,
    /// The message fitted and nothing was pressed: the limits or the hours of the flow forbade it, or it came too late.
    Skipped,
}

enum_words!(FlowRunState);

/// What happened in a run.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowStage {
    /// The update with the message came in.
    Seen,
    /// The message was one that begins a run.
    Matched,
    /// A press was handed to the connection.
    Pressed,
    /// The bot answered a press, or Telegram in its place.
    Answered,
    /// A press was refused.
    Refused,
    /// The text that a step waits for was read.
    Expected,
    /// A text was handed over to be sent.
    Sent,
    /// The step came to a button with an address, which is not opened.
    Address,
    /// A step failed.
    Failed,
    /// The run began again with its first step.
    Restarted,
    /// Updates may have been missed: keyboards are not known until they change.
    Interrupted,
    /// No run began, though the message fitted.
    Skipped,
    /// The run ended.
    Ended,
}

enum_words!(FlowStage);

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowMoment {
    /// Microseconds since the update came in.
    pub at_us: u64,
    /// What.
    pub stage: FlowStage,
    /// The step that it is about, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u16>,
    /// More of it: the label of a button, or why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

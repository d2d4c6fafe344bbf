//! Flows: they watch a chat from a user account and press the buttons of a bot, step by step, the moment it offers something.
//!
//! A [`Flow`] is what the settings say, compiled. A [`Machine`] is one on one account: pure, what is heard goes in and what is
//! to be done comes out. [`Flows`] feeds them with what comes in. [`FlowControl`] is how people see and switch them.

mod control;
mod definition;
mod limits;
mod machine;
mod pattern;
mod rehearsal;
mod service;
mod simulation;
mod times;
mod tracked_messages;

pub use control::{ControlError, FlowControl, FlowOnAccount, FlowState, FlowView, LastRun};
pub use definition::{Captures, Flow, InvalidFlow};
pub use limits::Skip;
pub use machine::{Action, Input, Machine, Now, RunRecord};
pub use rehearsal::rehearsal;
pub use service::{
    DryRunError, EditError, FlowAlarm, Flows, FlowsCounted, FlowsError, FlowsParts, OneFlowCounted,
    PressOutcome, StoredDefinition,
};
pub use simulation::{Shown, Simulation, simulate};
pub use times::{StageTimes, TimedStage, stage_times};

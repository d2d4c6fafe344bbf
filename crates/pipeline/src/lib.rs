//! What clients write, on its way to an answer.
//!
//! The store has all that is durable: batches with the time at which they are complete, turns with their stage. [`Pipeline`] brings
//! turns from stage to stage, and asks the responder: a model ([`ai`]), another program ([`webhook`]), or people.

pub mod ai;
mod batch;
mod fields;
mod files;
pub mod inbound;
mod model;
mod notices;
pub mod old_database;
mod people;
mod queue;
mod replay;
mod respond;
mod rules;
mod send;
mod service;
mod voices;
pub mod webhook;

pub use batch::{TurnContext, batch};
pub use model::WrongModel;
pub use notices::Notices;
pub use people::{Reply, ReplyError};
pub use queue::{DeadLetter, QueueState};
pub use service::{Pipeline, PipelineError, PipelineParts};

/// The points round the acknowledgement of what was taken from a list, where a test can stop the program.
pub const FAILPOINTS: &[&str] = &["pipeline.acknowledge.before", "pipeline.acknowledge.after"];

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as pipeline;
#[cfg(test)]
mod it;

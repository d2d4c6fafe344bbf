//! A language model that answers customers, through any endpoint that speaks as OpenAI's.
//!
//! * [`prompt`] makes what the model is asked, [`judgement`] says what its answer comes to, and [`budget`] whether it may be asked: all
//!   three are pure.
//! * [`Chat`] asks, [`Transcriber`] has a voice written down.
//! * [`tools`] are what the model may do beside answering.
//!
//! One answer takes rounds: [`budget::Budget::ask`], [`Chat::ask`], [`budget::Budget::settle`], [`judgement::judge`]. While the decision is
//! [`judgement::Decision::Continue`], its messages are added and the model is asked again.

pub mod answer;
pub mod budget;
mod client;
mod endpoint;
pub mod judgement;
mod message;
pub mod prompt;
mod reasoning;
mod stream;
pub mod tools;
mod transcription;
pub(crate) mod uses;

#[cfg(test)]
mod corpus;

pub use client::{Ceiling, Chat};
pub use endpoint::{AskError, Endpoint, WrongEndpoint};
pub use message::Message;
pub use transcription::{Recording, Transcriber, TranscriptionError};

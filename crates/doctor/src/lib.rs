//! The doctor: examines settings, machine and server, and reports what is wrong, the evidence, and the fix.
//!
//! * `finding` and `report` are what he says; `text` is how a person reads it.
//! * `check` decides over plain facts; `gather` brings them; `inside` is what only the running server knows.
//! * `legacy` compares an old installation with the settings.
//! * `examine` is one examination from beginning to end.

mod check;
mod examine;
mod finding;
mod gather;
mod inside;
mod legacy;
mod report;
mod text;

pub(crate) use check::finding;
pub use check::sessions::quoted;
pub use check::settings::fingerprint as settings_fingerprint;
pub use examine::{Examination, Patient, ServerReply, examine};
pub use finding::{Code, Finding, Fix, Severity};
pub use inside::{
    AccountFact, AlertTargetFact, ChannelFact, ForwardedFact, Inside, ListenerFact, ListenerFactState,
    StockFact,
};
pub use report::{Area, Fact, Looked, Report, Section, Server};
pub use text::Style;

#[cfg(test)]
mod troubles_tests;

//! The doctor: looks at settings, machine and server, and says what is wrong, by what that shows, and what mends it.
//!
//! * `finding` and `report` are what he says; `text` is how a person reads it.
//! * `check` decides over plain facts; `gather` brings them; `inside` is what only the running server can tell.
//! * `examine` is one examination from beginning to end.

mod check;
mod examine;
mod finding;
pub(crate) mod gather;
mod inside;
mod report;
mod text;

pub(crate) use check::finding;
pub use check::sessions::quoted;
pub use check::settings::fingerprint as settings_fingerprint;
pub use examine::{Asked, Examination, Patient, examine};
pub use finding::{Code, Finding, Fix, Severity};
pub use inside::{
    AccountFact, AlertTargetFact, ForwardedFact, Inside, ListenerFact, ListenerFactState, StockFact,
};
pub use report::{Area, Fact, Looked, Report, Section, Server};
pub use text::Style;

//! Whether everything works: a beat of each card every twenty seconds, strips of the last two hours, the overview.

mod calendar;
mod card;
mod cards;
mod cause;
#[cfg(test)]
mod channel_tests;
mod check_cycle;
mod evaluation;
#[cfg(test)]
mod evaluation_tests;
mod health;
mod history;
mod minute;
mod observation;
mod overview;
mod port_call;
mod process;
mod strip;
mod tally;
mod unable;

pub use card::{ActionSet, Advice, Card, CardAction, CardId, CardKind, InvalidCardId, Lamp, Stuck, Unable};
pub use cause::Causes;
pub use health::{Health, HealthParts, Port, PortLoad, PortState, Ports};
pub use minute::{Beat, Minute, ProbeOutcome, Round, STRIP};
pub use overview::{CardFilter, Counts, Cursor, Facts, InvalidCursor, LARGEST_PAGE, Overview, Process};
pub use process::{Usage, usage};
pub use tally::Amount;
pub use telegram::{Clearing, ClearingError, ClearingView, Phase};

#[cfg(test)]
mod it;

//! The scripts that came before: what a script says of itself, which of them run and who started them, and the table that
//! an auditor of a whole installation would write, with what differs from the settings and a plan to take it over.

mod difference;
mod folder;
mod plan;
mod python_words;
mod running;
mod script;
mod survey;
mod table;

pub(crate) use folder::{Contents, contents};
pub use plan::plan_text;
pub(crate) use running::{Running, StartedBy, running};
pub(crate) use script::Script;
pub(crate) use survey::{Facts, Surveyed, survey};
pub use table::{Alive, Row};

/// The ports of the old scripts, their dashboard's last.
pub(crate) const OLD_PORTS: [u16; 9] = [5021, 5022, 5023, 5024, 5025, 5028, 5029, 5030, 5099];

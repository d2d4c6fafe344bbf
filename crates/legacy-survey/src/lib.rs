//! The survey of an installation of the old Python scripts: what a script says of itself, which of them run and who started
//! them, the table that an auditor would write, and the plan to take it over; and the flows that scripts become which press
//! buttons.
//!
//! It goes once no one moves from the scripts any more.

pub mod channels;
pub mod flows;
mod folder;
mod plan;
mod python_words;
mod running;
mod script;
mod table;

pub use folder::{Contents, SessionFile, contents};
pub use plan::{plan, plan_text};
pub use running::{Running, StartedBy, running};
pub use script::{Script, script_of};
pub use table::{Alive, Row, ScriptRecord, api_ids, rows, script_records};

/// The ports of the old scripts, their dashboard's last.
pub const OLD_PORTS: [u16; 9] = [5021, 5022, 5023, 5024, 5025, 5028, 5029, 5030, 5099];

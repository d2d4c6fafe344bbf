//! Old scripts that press buttons: what their `.env` files say, and the flows that they become.

mod env_file;
mod meaning;
mod panel;
mod survey;
mod text;

pub use env_file::{EnvFile, Variable};
pub use meaning::Meaning;
pub use panel::{Panel, panel};
pub use survey::{Named, OldControl, OldFlow, OldFlows, Press, SecretNames, Trigger, exportable, survey};
pub use text::{ExistingAccount, OldSettings, SecretLocation, text};

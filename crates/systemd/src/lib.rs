//! The program as a service: its units, how they come onto a machine and go, and what is reported to the service manager.

mod diff;
mod given;
mod install;
mod notify;
mod systemd;
mod text;

pub use given::Given;
pub use install::{InstallError, Installed, Plan, Planned, UninstallError, Uninstalled};
pub use notify::{Notifier, WatchdogTime};
pub use systemd::{Status, Systemd, SystemdError};
pub use text::{Account, InvalidUnit, UnitOptions};

#[cfg(test)]
mod it;

//! `ip`, with which the drill of a move makes networks of its own.

use std::process::Command;

use crate::program;
use crate::system_packages::Wanted;

/// `ip`, in namespaces alone.
pub(crate) const IP: Wanted = Wanted {
    name: "`ip`",
    packages: &["iproute2"],
    is_there: || program::is_fine(Command::new("ip").arg("-V")),
};

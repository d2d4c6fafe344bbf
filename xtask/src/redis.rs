//! Redis, whose lists other programs share with ours: each test that needs one starts a server of its own.

use std::process::Command;

use crate::program;
use crate::system_packages::Wanted;

/// `redis-server`.
pub(crate) const REDIS: Wanted = Wanted {
    name: "Redis",
    packages: &["redis-server"],
    is_there: || program::is_fine(Command::new("redis-server").arg("--version")),
};

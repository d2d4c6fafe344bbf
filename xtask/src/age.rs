//! `age`, with which others open what we encrypted: tests hold ours against it.

use std::process::Command;

use crate::program;
use crate::system_packages::Wanted;

/// `age` and `age-keygen`.
pub(crate) const AGE: Wanted = Wanted {
    name: "`age`",
    packages: &["age"],
    is_there: || program::is_fine(Command::new("age").arg("--version")),
};

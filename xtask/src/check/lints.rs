//! Lints: clippy is silent over every target of every crate, with the code that only test builds have.

use std::io;
use std::process::Stdio;

use anyhow::Result;

use crate::program;
use crate::workspace::{Workspace, testing_features};

/// Shows what clippy says on the standard error.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut clippy = program::cargo(&workspace.root);
    clippy.args(["clippy", "--workspace", "--all-targets", "--features"]);
    clippy.arg(testing_features(workspace.members()).join(","));
    clippy.args(["--", "-D", "warnings"]).stdout(Stdio::from(io::stderr()));
    let fine = program::succeeds(&mut clippy)?;
    Ok(if fine { Vec::new() } else { vec!["clippy has warnings (shown above)".to_owned()] })
}

//! Formatting: rustfmt has nothing to change.

use std::io;
use std::process::Stdio;

use anyhow::Result;

use crate::program;
use crate::workspace::Workspace;

/// Shows what rustfmt would change, on the standard error.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut command = program::cargo(&workspace.root);
    command.args(["fmt", "--all", "--check"]).stdout(Stdio::from(io::stderr()));
    let fine = program::succeeds(&mut command)?;
    Ok(if fine { Vec::new() } else { vec!["run `cargo fmt --all`".to_owned()] })
}

//! Unused: cargo-shear finds no dependency that no source names, none in the wrong table, and no source file outside every module.

use std::io;
use std::process::Stdio;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{program, tools};

/// Shows what cargo-shear finds on the standard error.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut shear = tools::command(workspace, "shear", true)?;
    shear.arg("--deny-warnings").stdout(Stdio::from(io::stderr()));
    let fine = program::succeeds(&mut shear)?;
    Ok(if fine { Vec::new() } else { vec!["cargo-shear found something unused (shown above)".to_owned()] })
}

//! Lints: clippy is silent, without and with the code that only test builds have.

use std::io;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::program;
use crate::workspace::{Workspace, testing_features};

/// Runs clippy once over what is released and, where crates have a feature `testing`, once more with it over everything.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    if !program::succeeds(&mut clippy(workspace, &[]))? {
        findings.push("clippy has warnings (shown above)".to_owned());
    }
    let features = testing_features(workspace.members());
    if !features.is_empty() && !program::succeeds(&mut clippy(workspace, &features))? {
        findings.push(format!("clippy has warnings with {} (shown above)", features.join(" and ")));
    }
    Ok(findings)
}

fn clippy(workspace: &Workspace, features: &[String]) -> Command {
    let mut command = program::cargo(&workspace.root);
    command.arg("clippy");
    if !features.is_empty() {
        command.args(["--workspace", "--all-targets", "--features"]).arg(features.join(","));
    }
    command.args(["--", "-D", "warnings"]).stdout(Stdio::from(io::stderr()));
    command
}

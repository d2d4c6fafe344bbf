//! Dependencies: cargo-deny accepts the licence, the name, the source and the advisories of every crate, as `deny.toml` says.

use std::io;
use std::process::Stdio;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{advisories, program, tools};

/// Returns what cargo-deny refuses.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let refuses = |arguments: &[&str]| -> Result<bool> {
        let mut deny = tools::command(workspace, "deny", true)?;
        deny.args(["check", "--deny", "warnings"]).args(arguments).stdout(Stdio::from(io::stderr()));
        Ok(!program::succeeds(&mut deny)?)
    };
    let mut findings = Vec::new();
    if refuses(&["bans", "licenses", "sources"])? {
        findings.push("cargo-deny refuses a crate (shown above)".to_owned());
    }
    findings.extend(advisories::finding(workspace)?);
    Ok(findings)
}

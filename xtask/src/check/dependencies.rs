//! Dependencies: cargo-deny accepts the licence, the name, the source and the advisories of every crate, as `deny.toml` says.

use std::io;
use std::process::Stdio;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{program, tools};

/// Checks the advisories only where their database can be fetched: the others need no network.
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
    if !program::is_fine(tools::command(workspace, "deny", true)?.args(["fetch", "db"])) {
        eprintln!("advisories: not checked, the database could not be fetched");
    } else if refuses(&["--disable-fetch", "advisories"])? {
        findings.push("cargo-deny knows an advisory against a crate (shown above)".to_owned());
    }
    Ok(findings)
}

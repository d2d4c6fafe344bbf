//! Lints: clippy is silent over every target of every crate, with the code that only test builds have.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::workspace::Workspace;
use crate::{program, test_build};

/// A line of what cargo writes about a build, with the fields used here.
#[derive(Deserialize)]
struct Line {
    message: Option<Diagnostic>,
}

/// What the compiler says about a place in the code.
#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: String,
}

/// Builds the tests by clippy's compiler, and shows on the standard error what it says.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    if test_build::linting_compiler().is_none() {
        bail!("clippy is not there: `rustup component add clippy`");
    }
    let mut cargo = program::cargo(&workspace.root);
    cargo.args(["test", test_build::ALL_TARGETS, "--no-run"]);
    cargo.args(["--message-format", "json-diagnostic-rendered-ansi"]);
    test_build::choose(workspace, None, &mut cargo)?;
    eprintln!("$ {}", program::line(&cargo));
    let mut running = cargo.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let output = running.stdout.take().context("cargo has no standard output")?;
    let mut warnings = 0;
    for line in BufReader::new(output).lines() {
        if let Some(warning) = warning(&line.context("cannot read what cargo writes")?) {
            eprint!("{warning}");
            warnings += 1;
        }
    }
    let built = running.wait().context("cannot wait for cargo")?.success();
    Ok(match (built, warnings) {
        (true, 0) => Vec::new(),
        (true, count) => vec![format!("clippy has warnings, shown above: {count}")],
        (false, _) => vec!["the tests could not be built; the errors are above".to_owned()],
    })
}

/// The text of the warning or error in a line.
fn warning(line: &str) -> Option<String> {
    let message = serde_json::from_str::<Line>(line).ok()?.message?;
    matches!(message.level.as_str(), "warning" | "error").then_some(message.rendered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_found_among_the_lines() {
        let message = |level: &str| {
            format!(
                r#"{{"reason":"compiler-message","message":{{"level":"{level}","rendered":"unused\n","code":null}}}}"#
            )
        };
        assert_eq!(warning(&message("warning")).as_deref(), Some("unused\n"));
        assert_eq!(warning(&message("error")).as_deref(), Some("unused\n"));
        assert_eq!(warning(&message("note")), None);
        assert_eq!(warning(r#"{"reason":"build-finished","success":true}"#), None);
    }
}

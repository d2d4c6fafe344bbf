//! Other programs: how they are started, and how their end is judged.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Variables that `cargo run` sets for this tool and that would make the cargo below it rebuild what has not changed.
const INHERITED: [&str; 5] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_NAME",
    "CARGO_PRIMARY_PACKAGE",
];

/// A cargo started in the workspace's root, with the environment a person's shell would give it.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    forget(&mut command);
    command
}

/// Takes away what `cargo run` gave to this tool alone.
pub(crate) fn forget(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || INHERITED.contains(&name_text.as_ref()) {
            command.env_remove(&name);
        }
    }
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    command.get_args().fold(name, |line, argument| line + " " + &argument.to_string_lossy())
}

/// Runs the command with its output shown, and says whether it ended well.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    eprintln!("$ {}", line(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    Ok(status.success())
}

/// Runs the command with its output shown; a bad end is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    if succeeds(command)? { Ok(()) } else { bail!("`{}` failed", line(command)) }
}

/// Runs the command and returns what it wrote to its standard output; a bad end is an error that shows the other output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot start `{}`", line(command)))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    bail!("`{}` failed:\n{}", line(command), String::from_utf8_lossy(&output.stderr).trim_end())
}

/// Whether the command can be started and ends well; its output is not shown.
pub(crate) fn is_fine(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_bare_name_and_the_arguments() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["test", "--workspace"]);
        assert_eq!(line(&command), "cargo test --workspace");
    }

    #[test]
    fn a_missing_program_fails_and_a_failing_one_shows_its_output() {
        assert!(!is_fine(&mut Command::new("no-such-program-here")));
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().ends_with("why"), "{error}");
    }
}

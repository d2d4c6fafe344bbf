//! The build of the tests: checks and runs share its packages, features and compiler, so that nothing is compiled twice.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::{Package, Workspace};

/// clippy's compiler. It generates code as `rustc` does, so that one build finds the lints and makes the tests.
const LINTING_COMPILER: &str = "clippy-driver";
/// Names the compiler of the workspace's own crates, for cargo.
const COMPILER_AT: &str = "RUSTC_WORKSPACE_WRAPPER";
/// Chooses between clippy's compiler and `rustc`.
const COMPILER: &str = "xtask/compiler.sh";
/// Names clippy's compiler, for [`COMPILER`].
const LINTING_COMPILER_AT: &str = "LINTING_COMPILER";

/// Names the argument that programs are linked with, for [`COMPILER`].
const PROGRAM_ARGUMENT_AT: &str = "PROGRAM_ARGUMENT";
/// A program with a fixed address starts in half the time, and the tests start ten thousand: nothing in it is relocated.
const FIXED_ADDRESS: &str =
    if cfg!(all(target_os = "linux", target_env = "gnu")) { "-Clink-arg=-no-pie" } else { "" };

/// The targets that have tests. There are none in docs, and rustdoc reads each crate again to learn that.
pub(crate) const ALL_TARGETS: &str = "--tests";

/// Adds the packages, features and compiler of the tests to a command of cargo: of all crates, or of one.
pub(crate) fn choose(workspace: &Workspace, only: Option<&str>, command: &mut Command) -> Result<()> {
    match only {
        Some(name) if workspace.members().any(|package| package.name == *name) => {
            command.args(["--package", name]);
        }
        Some(name) => bail!("there is no crate `{name}` in the workspace"),
        None => {
            command.arg("--workspace");
        }
    }
    let wanted = |package: &&Package| only.is_none_or(|name| name == package.name);
    let features = testing_features(workspace.members().filter(wanted));
    if !features.is_empty() {
        command.arg("--features").arg(features.join(","));
    }
    if let Some(compiler) = linting_compiler() {
        command
            .env(COMPILER_AT, workspace.root.join(COMPILER))
            .env(LINTING_COMPILER_AT, compiler)
            .env(PROGRAM_ARGUMENT_AT, FIXED_ADDRESS);
    }
    Ok(())
}

/// Where clippy's compiler is, beside the cargo that runs; without clippy the tests are built by `rustc`.
pub(crate) fn linting_compiler() -> Option<PathBuf> {
    let compiler = PathBuf::from(env::var_os("CARGO")?).with_file_name(LINTING_COMPILER);
    compiler.exists().then_some(compiler)
}

/// A member's `testing` feature, as `--features` takes it, for each member named that has one.
fn testing_features<'a>(members: impl Iterator<Item = &'a Package>) -> Vec<String> {
    members
        .filter(|package| package.features.contains_key("testing"))
        .map(|package| format!("{}/testing", package.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::package;

    #[test]
    fn features_are_those_of_the_crates_that_have_them() {
        let mut testing = package("a");
        testing.features.insert("testing".to_owned(), Vec::new());
        assert_eq!(testing_features([testing, package("b")].iter()), ["a/testing"]);
    }
}

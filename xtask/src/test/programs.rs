//! The test programs that cargo has built, as its messages name them.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workspace::Package;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TestProgram {
    pub(super) executable: PathBuf,
    /// The folder of its package, in which it runs.
    pub(super) folder: PathBuf,
    /// Its source, from the workspace's root.
    pub(super) source: PathBuf,
}

/// A line of `--message-format=json`, as far as it is needed here.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// The programs in the messages of a build. Those that take longest come first: of the crates that are made of most others, and
/// of a crate those that test it from outside.
pub(super) fn built(messages: &str, root: &Path, members: &[&Package]) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("cannot read what cargo built")?;
        programs.extend(program(message, root));
    }
    let dependencies = |program: &TestProgram| {
        let package = members.iter().find(|package| package.folder() == program.folder);
        package.map_or(0, |package| package.dependencies.len())
    };
    programs.sort_by_key(|program| {
        let is_unit = program.source.iter().any(|folder| folder == "src");
        (Reverse(dependencies(program)), is_unit, program.source.clone())
    });
    Ok(programs)
}

fn program(message: Message, root: &Path) -> Option<TestProgram> {
    let folder = message.manifest_path?.parent()?.to_owned();
    let source = message.target?.src_path;
    let source = source.strip_prefix(root).map_or_else(|_| source.clone(), Path::to_owned);
    let executable = message.executable?;
    message.profile?.test.then_some(TestProgram { executable, folder, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up;

    #[test]
    fn programs_of_tests_are_found_in_the_messages_of_cargo() {
        let line = |package: &str, source: &str, test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/nowhere/{package}/Cargo.toml","target":{{"src_path":"/nowhere/{package}/{source}"}},"profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let messages = [
            line("small", "tests/it/main.rs", true, "\"/t/it-1\""),
            line("large", "src/lib.rs", false, "null"),
            line("large", "src/main.rs", false, "\"/t/large\""),
            line("large", "src/main.rs", true, "\"/t/large-2\""),
            line("large", "tests/it/main.rs", true, "\"/t/it-3\""),
            r#"{"reason":"build-script-executed","package_id":"other"}"#.to_owned(),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let mut large = made_up::package("large", None);
        large.dependencies = vec![made_up::inside("small", None)];
        let small = made_up::package("small", None);
        let programs = built(&messages.join("\n"), Path::new("/nowhere"), &[&small, &large]).unwrap();
        let named: Vec<_> = programs.iter().map(|one| one.executable.to_str().unwrap()).collect();
        assert_eq!(named, ["/t/it-3", "/t/large-2", "/t/it-1"]);
        assert_eq!(programs[0].source, Path::new("large/tests/it/main.rs"));
        assert_eq!(programs[0].folder, Path::new("/nowhere/large"));
    }
}

//! What the doctor asks people to type is there: each command of this program, and nothing unheard of beside them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::book;

/// What a finding may name beside this program: tools of the system.
const TOOLS: [&str; 10] =
    ["chmod", "chown", "df", "du", "getent", "journalctl", "kill", "sudo", "systemctl", "timedatectl"];

/// The sources of the doctor and of its survey, tests left out.
fn sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> = ["doctor/src", "legacy-survey/src"].map(|name| crates.join(name)).into();
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let text = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("a source");
        text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
    };
    files.iter().map(text).collect()
}

/// The texts in quotes of a source; good enough for texts without quotes in them.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// A text with something in the place of what is filled in.
fn filled(text: &str) -> String {
    let mut whole = String::new();
    for (at, part) in text.split(['{', '}']).enumerate() {
        whole.push_str(if at % 2 == 0 { part } else { "main" });
    }
    whole
}

#[test]
fn every_command_of_this_program_that_a_finding_names_is_there() {
    let mut seen = Vec::new();
    for source in sources() {
        for text in texts(&source) {
            let alone = Some(text)
                .filter(|text| text.starts_with("switchboard ") || text.starts_with("sudo switchboard "))
                .map(str::to_owned);
            let inside = text.split('`').skip(1).step_by(2).filter(|part| part.starts_with("switchboard "));
            for line in alone.into_iter().chain(inside.map(str::to_owned)) {
                let line = filled(&line);
                assert_eq!(book::judge(&line), None, "{line}");
                seen.push(line);
            }
        }
    }
    assert!(seen.len() > 12, "{seen:?}");
}

#[test]
fn a_finding_names_no_other_program_than_those_of_the_system() {
    let mut seen = 0;
    for source in sources() {
        for call in ["Fix::command(", "Fix::command_and("] {
            for rest in source.split(call).skip(1) {
                // A command that is handed over was judged where it was made.
                let made_here =
                    rest.trim_start().trim_start_matches("format!(").trim_start().starts_with('"');
                let Some(command) = rest.split('"').nth(1).filter(|_| made_here) else { continue };
                let program = command.split(' ').next().unwrap_or_default();
                assert!(program == "switchboard" || TOOLS.contains(&program), "{command}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} commands were found");
}

//! What the pages tell people to type: each command and each option of it is there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary;

/// Asks the program for its help, once for each command.
#[derive(Default)]
struct Helps(HashMap<Vec<String>, String>);

impl Helps {
    fn of(&mut self, command: &[String]) -> &str {
        self.0.entry(command.to_vec()).or_insert_with(|| {
            let output = Command::new(binary()).args(command).arg("--help").output().expect("runs");
            assert!(output.status.success(), "{command:?} has no help");
            String::from_utf8(output.stdout).expect("UTF-8")
        })
    }
}

/// The commands below one, as its help lists them.
fn below(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What goes on in a second line is indented deeper than a name.
    let named = lines.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next()).collect()
}

/// What is wrong with a command line after `switchboard`.
fn wrong(helps: &mut Helps, typed: &[&str]) -> Option<String> {
    let mut command = Vec::new();
    let mut words = typed.iter().peekable();
    loop {
        let known = below(helps.of(&command)).into_iter().map(str::to_owned).collect::<Vec<_>>();
        match words.peek() {
            Some(word) if known.iter().any(|name| name == *word) => command.push((*words.next()?).to_owned()),
            Some(word) if !known.is_empty() && !word.starts_with('-') => {
                return Some(format!("there is no `{word}` after {command:?}"));
            }
            _ => break,
        }
    }
    let help = helps.of(&command);
    let options = words.filter(|word| word.starts_with("--") && **word != "--");
    let names = options.map(|word| word.split('=').next().unwrap_or(word));
    let has = |name: &str| {
        help.split(|letter: char| letter.is_whitespace() || ",[]=".contains(letter)).any(|word| word == name)
    };
    names.filter(|name| !has(name)).map(|name| format!("{command:?} has no {name}")).next()
}

/// What is wrong with a line that calls this program; nothing if it is one and can be typed.
pub(crate) fn judge(line: &str) -> Option<String> {
    let Some(arguments) = arguments(line) else { return Some("does not call it".to_owned()) };
    wrong(&mut Helps::default(), &arguments)
}

/// The command lines of a page: what stands in a block after `$ ` or alone, and what stands between backticks.
fn typed(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push(line.trim().trim_start_matches("$ ").to_owned());
        } else {
            lines.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    lines
}

/// The words after the program's name, up to where the shell takes over. None if the line does not call it.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let mut words = line.split_whitespace();
    let program = |word: &str| word == "switchboard" || word.ends_with("/switchboard");
    let mut first = words.next()?;
    if first == "sudo" {
        first = words.next()?;
        if first == "-u" {
            first = words.nth(1)?;
        }
    }
    if !program(first) {
        return None;
    }
    let ends = |word: &&str| word.starts_with(['#', '|', '>', '<', '&', ';', '…']);
    Some(words.take_while(|word| !ends(word)).map(|word| word.trim_end_matches([';', ')'])).collect())
}

/// All pages people read.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("docs")];
    let mut found: Vec<_> =
        std::fs::read_dir(&root).expect("the root").map(|entry| entry.expect("reads").path()).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("reads").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

#[test]
fn every_command_on_a_page_is_there() {
    let mut helps = Helps::default();
    let mut findings = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for line in typed(&text) {
            let Some(arguments) = arguments(&line) else { continue };
            seen += 1;
            if let Some(wrong) = wrong(&mut helps, &arguments) {
                findings.push(format!("{}: `{line}`: {wrong}", page.file_name().expect("a name").display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} commands were found");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn what_is_not_there_is_found() {
    let mut helps = Helps::default();
    let mut judge = |line: &str| wrong(&mut helps, &arguments(line).expect("a command"));
    assert_eq!(judge("switchboard up --sandbox"), None);
    assert_eq!(judge("sudo -u switchboard /usr/bin/switchboard key create n8n --scope send | tee key"), None);
    assert!(judge("switchboard account fly").is_some());
    assert!(judge("switchboard up --sand").is_some());
    assert!(arguments("cargo run -- up").is_none());
}

/// What stands in the blocks of commands, comments left out.
fn commands_of(readme: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(readme);
    let text = std::fs::read_to_string(path).expect("a readme");
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines);
    lines.map(|line| line.split("  # ").next().unwrap_or(line).trim_end().to_owned()).collect()
}

#[test]
fn the_readme_is_the_same_in_both_languages() {
    let (english, russian) = (commands_of("README.md"), commands_of("README.ru.md"));
    assert!(english.len() > 20, "{english:?}");
    assert_eq!(english, russian);
}

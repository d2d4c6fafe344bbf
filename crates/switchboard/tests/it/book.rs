//! What the pages ask people to type: each command and each option of it is there.

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
            let mut help = Command::new(binary());
            // As wide as on a wide terminal.
            help.args(command).arg("--help").env_remove("COLUMNS");
            let output = help.output().expect("runs");
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
    judged(&mut Helps::default(), line)
}

fn judged(helps: &mut Helps, line: &str) -> Option<String> {
    let calls = calls(line);
    if calls.is_empty() {
        return Some("does not call it".to_owned());
    }
    calls.iter().find_map(|arguments| wrong(helps, arguments))
}

/// The command lines of a page: what is in a block after `$ ` or alone, and what is between backticks.
pub(crate) fn typed(text: &str) -> Vec<String> {
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

/// The words of a line as a shell parts them, quotes and all.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut quoted, mut begun) = (Vec::new(), None, None);
    for (at, letter) in line.char_indices() {
        match (letter, quoted) {
            ('"' | '\'', None) => quoted = Some(letter),
            (letter, Some(quote)) if letter == quote => quoted = None,
            _ => {}
        }
        if quoted.is_none() && letter.is_whitespace() {
            words.extend(begun.take().map(|begun| &line[begun..at]));
        } else if begun.is_none() {
            begun = Some(at);
        }
    }
    words.extend(begun.map(|begun| &line[begun..]));
    words
}

/// Whether a word sets a variable for what follows, as `NAME=value` does.
fn sets_a_variable(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The words after the program's name for each time that a line calls it, up to where the shell takes over.
fn calls(line: &str) -> Vec<Vec<&str>> {
    let words = words(line);
    let spoken = words.split(|word| word.starts_with('#')).next().unwrap_or_default();
    spoken.split(|word| ["|", "||", "&&", "&", ";"].contains(word)).filter_map(arguments).collect()
}

/// The words after the program's name in one command of a line. None if that is not this program.
fn arguments<'a>(command: &[&'a str]) -> Option<Vec<&'a str>> {
    // Also as a unit names it: `ExecStart=/usr/bin/switchboard up`.
    let program = |word: &str| word == "switchboard" || word.ends_with("/switchboard");
    let mut words = command.iter().copied().skip_while(|word| sets_a_variable(word) && !program(word));
    let mut first = words.next()?;
    if first == "sudo" {
        first = words.next()?;
        if first == "-u" {
            first = words.nth(1)?;
        }
        while sets_a_variable(first) {
            first = words.next()?;
        }
    }
    if !program(first) {
        return None;
    }
    let ends = |word: &&str| word.starts_with(['>', '<', '…']);
    Some(words.take_while(|word| !ends(word)).map(|word| word.trim_end_matches([';', ')'])).collect())
}

/// All pages people read.
pub(crate) fn pages() -> Vec<PathBuf> {
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
            for arguments in calls(&line) {
                seen += 1;
                if let Some(wrong) = wrong(&mut helps, &arguments) {
                    findings.push(format!("{}: `{line}`: {wrong}", page.display()));
                }
            }
        }
    }
    assert!(seen > 20, "only {seen} commands were found");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn a_missing_command_is_found() {
    let mut helps = Helps::default();
    let mut judge = |line: &str| judged(&mut helps, line);
    assert_eq!(judge("switchboard up --sandbox"), None);
    assert_eq!(judge("sudo -u switchboard /usr/bin/switchboard key create n8n --scope send | tee key"), None);
    assert_eq!(judge("KEY=\"$(cat a.key)\" switchboard restore a.tar.gz # then --force"), None);
    assert_eq!(judge("pass show switchboard/anna | switchboard user add anna"), None);
    assert_eq!(judge("switchboard logs --grep 'a | b; --fly' > lines"), None);
    for line in [
        "switchboard account fly",
        "switchboard up --sand",
        "KEY=\"$(cat a.key)\" switchboard account fly",
        "sudo KEY=a switchboard up --sand",
        "ExecStart=/usr/bin/switchboard up --sand",
        "write-the-report | switchboard sent @client_1 -",
        "switchboard key list | switchboard key revoked -",
        "systemctl stop switchboard && switchboard backup make",
    ] {
        assert!(judge(line).is_some_and(|wrong| wrong != "does not call it"), "{line}");
    }
    for line in ["cargo run -- up", "pass show switchboard/anna", "KEY=switchboard up"] {
        assert_eq!(judge(line).as_deref(), Some("does not call it"), "{line}");
    }
}

/// All commands that have none below them, each by its words.
fn leaves(helps: &mut Helps, command: &[String]) -> Vec<Vec<String>> {
    let below: Vec<String> = below(helps.of(command)).into_iter().map(str::to_owned).collect();
    if below.is_empty() {
        return vec![command.to_vec()];
    }
    let named = below.into_iter().filter(|name| name != "help");
    named.flat_map(|name| leaves(helps, &[command, &[name]].concat())).collect()
}

/// A part of a help: the lines below its heading, up to an empty one.
fn part<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let below = help.lines().skip_while(|line| *line != heading).skip(1);
    below.take_while(|line| !line.is_empty()).collect()
}

/// What is missing on the page of a command that a page of a manual has.
fn missing(helps: &mut Helps, command: &[String]) -> Vec<String> {
    let help = helps.of(command).to_owned();
    let mut missing = Vec::new();
    let first = help.lines().next().unwrap_or_default();
    if !first.starts_with(char::is_uppercase) || first.split_whitespace().count() < 2 {
        missing.push(format!("it does not begin with a sentence: {first:?}"));
    }
    let usage = format!("Usage: switchboard {}", command.join(" "));
    if !help.lines().any(|line| line == usage || line.starts_with(&format!("{usage} "))) {
        missing.push("it does not say how it is used".to_owned());
    }
    // What it means is on the same line, or deeper on the next.
    for heading in ["Arguments:", "Options:"] {
        let lines = part(&help, heading);
        for (place, line) in lines.iter().enumerate() {
            let named = line.trim_start();
            let deeper = |next: &&str| next.len() - next.trim_start().len() > 8;
            if line.len() - named.len() <= 6
                && !named.contains("  ")
                && !lines.get(place + 1).is_some_and(deeper)
            {
                missing.push(format!("nothing is said of {named}"));
            }
        }
    }
    let joined = help.replace("\\\n", " ");
    let examples = [part(&joined, "Examples:"), part(&joined, "Example:")].concat();
    let mut own = false;
    for line in examples {
        missing.extend(judged(helps, line).map(|wrong| format!("`{}`: {wrong}", line.trim())));
        own |= calls(line)
            .iter()
            .any(|words| words.starts_with(&command.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    if !own {
        missing.push("it has no example of its own".to_owned());
    }
    missing
}

#[test]
fn each_commands_help_reads_like_a_page_of_a_manual() {
    let mut helps = Helps::default();
    let leaves = leaves(&mut helps, &[]);
    assert!(leaves.len() > 50, "only {leaves:?} were found");
    let mut findings = Vec::new();
    for command in &leaves {
        let missing = missing(&mut helps, command);
        findings.extend(missing.iter().map(|missing| format!("{}: {missing}", command.join(" "))));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// What is in the blocks of commands, comments left out.
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

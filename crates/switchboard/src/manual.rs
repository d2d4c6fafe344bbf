//! Every command's help reads like a page of the manual: it has examples, and each of them can be typed.

use clap::{Command, CommandFactory};

use crate::Arguments;

/// The headings above the examples of a page.
const HEADINGS: [&str; 2] = ["Examples:", "Example:"];

/// A command of the tree with the words that lead to it.
fn pages(command: &Command, words: &[String], pages: &mut Vec<(Vec<String>, String)>) {
    for below in command.get_subcommands() {
        let words = [words, &[below.get_name().to_owned()]].concat();
        let after = below.get_after_help().map(ToString::to_string).unwrap_or_default();
        pages.push((words.clone(), after));
        self::pages(below, &words, pages);
    }
}

fn all() -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    pages(&Arguments::command(), &[], &mut found);
    found
}

/// The lines below the heading, up to an empty one. One that ends with a backslash goes on in the next.
fn examples(page: &str) -> Vec<String> {
    let page = page.replace("\\\n", "");
    let lines = page.lines().skip_while(|line| !HEADINGS.contains(line)).skip(1);
    lines.take_while(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()).collect()
}

/// The words of a line as a shell would hand them on; quotes keep words together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quoted) = (String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '"' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => {
                word.push(letter);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// What the program gets of a line: from its name to where the shell takes over. An id that is cut short stands for a whole
/// one.
fn call(line: &str) -> Vec<String> {
    let from = words(line).into_iter().skip_while(|word| word != "switchboard");
    let own = from.take_while(|word| !["|", ">"].contains(&word.as_str()) && !word.starts_with('#'));
    let whole = |word: String| match word.strip_suffix("01…").or_else(|| word.strip_suffix("01...")) {
        Some(prefix) if prefix.ends_with('_') => format!("{prefix}01{}", "0".repeat(24)),
        _ => word,
    };
    own.map(whole).collect()
}

#[test]
fn every_command_has_examples_of_itself() {
    let pages = all();
    assert!(pages.len() > 50, "only {} commands were found", pages.len());
    let wrong = pages.iter().filter(|(words, page)| {
        let of_it = |line: &String| {
            call(line).iter().skip(1).zip(words.iter()).filter(|(a, b)| a == b).count() == words.len()
        };
        !examples(page).iter().any(of_it)
    });
    let wrong: Vec<_> = wrong.map(|(words, _)| words.join(" ")).collect();
    assert!(wrong.is_empty(), "no example of its own: {wrong:#?}");
}

#[test]
fn every_example_can_be_typed() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (_, page) in all() {
        for line in examples(&page) {
            seen += 1;
            if let Err(error) = Arguments::command().try_get_matches_from(call(&line)) {
                wrong.push(format!("{line}\n  {}", error.to_string().lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(seen > 80, "only {seen} examples were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_example_that_cannot_be_typed_is_found() {
    let parses = |line: &str| Arguments::command().try_get_matches_from(call(line)).is_ok();
    assert!(parses("pass show x | switchboard user add anna --role operator | tee log"));
    assert!(parses("switchboard failed show fail_01… # the first"));
    assert!(!parses("switchboard account fly"));
    assert!(!parses("switchboard account list --sandbox"));
    assert!(!parses("switchboard failed show the-first"));
    assert_eq!(
        call("A=… switchboard send @client_1 \"Good morning\" | jq"),
        ["switchboard", "send", "@client_1", "Good morning"]
    );
    assert_eq!(examples("Text.\n\nExamples:\n  one\n  two \\\n  2\n\nThree"), ["one", "two   2"]);
}

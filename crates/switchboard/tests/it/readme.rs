//! The README's tour, typed as written. It needs the usual ports, as its reader does.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::binary;

/// A command of the tour and the answer printed under it, in which `…` stands for anything.
struct Typed {
    command: String,
    answer: String,
}

/// The commands of the section "A minute's tour".
fn tour() -> Vec<Typed> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).expect("the README");
    let section = text.split("## A minute's tour").nth(1).expect("the tour").split("\n## ").next();
    let mut typed: Vec<Typed> = Vec::new();
    let mut inside = false;
    let mut goes_on = false;
    for line in section.expect("its end").lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            goes_on = false;
        } else if let Some(command) = line.strip_prefix("$ ") {
            typed.push(Typed { command: command.to_owned(), answer: String::new() });
            goes_on = line.ends_with('\\');
        } else if let Some(last) = typed.last_mut() {
            let place = if goes_on { &mut last.command } else { &mut last.answer };
            place.push('\n');
            place.push_str(line);
            goes_on = goes_on && line.ends_with('\\');
        }
    }
    typed
}

/// Whether the fragments between the `…` stand in the text, in order.
fn matches(expected: &str, got: &str) -> bool {
    let mut rest = got;
    expected.split('…').map(str::trim).all(|fragment| match rest.find(fragment) {
        Some(place) => {
            rest = &rest[place + fragment.len()..];
            true
        }
        None => false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_answers_as_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("output");
    let file = std::fs::File::create(&output).expect("a file");
    let mut program = Command::new(binary())
        .args(["up", "--sandbox"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stderr(file.try_clone().expect("clones"))
        .stdout(file)
        .spawn()
        .expect("starts");
    let printed = || std::fs::read_to_string(&output).expect("reads");
    let key = loop {
        let printed = printed();
        if let Some(line) = printed.lines().find(|line| line.trim_start().starts_with("export KEY=")) {
            break line.trim().to_owned();
        }
        assert!(program.try_wait().expect("waits").is_none(), "it ended:\n{printed}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    // A reader is slower than this; the accounts are ready by the time of the first command.
    while !printed().contains("all dialogs are read") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut last_id = String::new();
    for Typed { command, answer } in tour() {
        let command = command.replace("msg_…", &last_id);
        let ran = Command::new("bash").args(["-c", &format!("{key}\n{command}")]).output().expect("bash");
        let got = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "{command}\n{got}");
        assert!(matches(&answer, &got), "{command}\nanswers\n{got}\nnot\n{answer}\n{}", printed());
        if let Some(place) = got.find("msg_") {
            last_id = got[place..].chars().take(30).collect();
        }
    }
    Command::new("kill").args(["-s", "INT", &program.id().to_string()]).status().expect("kill");
    let ended = tokio::task::spawn_blocking(move || program.wait()).await.expect("waits").expect("ends");
    assert_eq!(ended.code(), Some(0), "Ctrl+C ends it well");
}

//! Sentences in the source of other crates, for tests that every one has its Russian words.

use std::fs;
use std::path::Path;

/// Literals of more than one word in these files and folders, without their tests; `{name}` and `{}` as they are written.
pub(in crate::words) fn sentences_in(places: &[&Path]) -> Vec<String> {
    let mut found = Vec::new();
    for place in places {
        look(place, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn look(place: &Path, found: &mut Vec<String>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).expect("a folder") {
            look(&entry.expect("an entry").path(), found);
        }
        return;
    }
    let is_test = place.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("tests"));
    if is_test || place.extension().is_none_or(|extension| extension != "rs") {
        return;
    }
    let text = fs::read_to_string(place).expect("a source file");
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.starts_with("#[schema") && !line.contains("tracing::")
    });
    let code: Vec<_> = lines.collect();
    found.extend(literals(&code.join("\n")).into_iter().filter(|text| is_sentence(text)));
}

/// What is between quotation marks.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Raw literals are commands, which are not translated.
    let mut plain = String::new();
    for (number, piece) in code.replace("'\"'", "' '").split("r#\"").enumerate() {
        plain.push_str(if number == 0 {
            piece
        } else {
            piece.split_once("\"#").map_or("", |(_, rest)| rest)
        });
    }
    let mut letters = plain.chars().collect::<Vec<_>>().into_iter();
    while let Some(letter) = letters.next() {
        if letter != '"' {
            continue;
        }
        let mut text = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => break,
                '\\' => match letters.next() {
                    Some('\n') => {
                        let rest =
                            letters.as_slice().iter().take_while(|letter| letter.is_whitespace()).count();
                        letters.by_ref().take(rest).for_each(drop);
                    }
                    Some('n') => text.push('\n'),
                    Some(escaped) => text.push(escaped),
                    None => {}
                },
                letter => text.push(letter),
            }
        }
        found.push(text);
    }
    found
}

/// Whether it is a sentence that people read, and not a command, a request or a part that is joined to another one.
fn is_sentence(text: &str) -> bool {
    const COMMANDS: [&str; 12] = [
        "switchboard ",
        "sudo ",
        "systemctl ",
        "kill ",
        "chmod ",
        "chown ",
        "du ",
        "df ",
        "getent ",
        "journalctl ",
        "timedatectl ",
        "curl ",
    ];
    let has_words =
        text.split(' ').filter(|word| word.chars().filter(char::is_ascii_lowercase).count() > 1).count() > 1;
    has_words
        && !text.starts_with([' ', ',', ';'])
        && !text.contains("HTTP/1.1")
        && !COMMANDS.iter().any(|command| text.starts_with(command))
}

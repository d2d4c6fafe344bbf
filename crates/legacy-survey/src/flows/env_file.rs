//! A `.env` file, read as the programs do that load such files. Pure.

use std::path::PathBuf;

use domain::SecretText;
use domain::secret::ExposeSecret;

/// The most variables of one file.
const MOST: usize = 1000;

/// A file with its variables, in their order.
#[derive(Debug)]
pub struct EnvFile {
    pub path: PathBuf,
    pub variables: Vec<Variable>,
    /// The numbers of the lines that are neither a variable nor a comment, and of those after the last variable that is read.
    pub left_lines: Vec<usize>,
    /// Whether it is the database of a control panel, read as such a file.
    pub is_panel: bool,
}

/// A variable. What it holds may be a secret, so it is never printed by accident.
#[derive(Debug)]
pub struct Variable {
    pub name: String,
    value: SecretText,
}

impl Variable {
    pub(crate) fn value(&self) -> &str {
        self.value.expose_secret()
    }

    /// What it holds, to be put where secrets are kept.
    pub const fn secret(&self) -> &SecretText {
        &self.value
    }
}

impl EnvFile {
    /// Reads the text of a file: `NAME=value` with or without `export`, quotes and comments. Other lines are left out; of a
    /// variable that comes twice the last one counts.
    pub fn read(path: PathBuf, text: &str) -> Self {
        let mut file = Self { path, variables: Vec::new(), left_lines: Vec::new(), is_panel: false };
        for (line, number) in text.lines().zip(1..) {
            let is_comment = line.trim_start_matches('\u{feff}').trim_start().starts_with('#');
            match assignment(line) {
                Some((name, value)) if file.variables.len() < MOST => file.add(name, value),
                _ if line.trim().is_empty() || is_comment => {}
                _ => file.left_lines.push(number),
            }
        }
        file
    }

    /// The database of a control panel.
    pub(super) fn of_panel(path: PathBuf) -> Self {
        Self { path, variables: Vec::new(), left_lines: Vec::new(), is_panel: true }
    }

    /// Adds a variable in the place of one with its name.
    pub(super) fn add(&mut self, name: &str, value: String) {
        self.variables.retain(|before| before.name != name);
        self.variables.push(Variable { name: name.to_owned(), value: value.into() });
    }
}

fn assignment(line: &str) -> Option<(&str, String)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    // Libraries that load such files take names that a shell does not, such as 2FA_PASSWORD.
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    is_name.then(|| (name, unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split('\'').next().unwrap_or_default().to_owned();
    }
    let Some(rest) = value.strip_prefix('"') else {
        let end = value.find(" #").unwrap_or(value.len());
        return value.get(..end).unwrap_or_default().trim_end().to_owned();
    };
    let (mut text, mut letters) = (String::new(), rest.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            // Only these are escapes there; a backslash of an expression stays.
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some(quoted @ ('"' | '\\' | '$')) => text.push(quoted),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let file = EnvFile::read("x.env".into(), text);
        file.variables.iter().map(|one| (one.name.clone(), one.value().to_owned())).collect()
    }

    #[test]
    fn values_are_read_as_those_programs_read_them() {
        for (line, value) in [
            ("A=b", "b"),
            ("export A = b c # told", "b c"),
            ("A='b # c' # told", "b # c"),
            (r#"A="b \"c\" \d+\n" # told"#, "b \"c\" \\d+\n"),
            ("\u{feff}A=b#c", "b#c"),
            ("A=", ""),
        ] {
            assert_eq!(read(line), [("A".to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(read("# A=1\n[section]\nA B=3\n=4\nno sign"), []);
        assert_eq!(read("2FA_PASSWORD=a"), [("2FA_PASSWORD".to_owned(), "a".to_owned())]);
        let file = EnvFile::read("x.env".into(), "# A=1\n\n[section]\nA=1\n  # b\nA B=3\nno sign");
        assert_eq!(file.left_lines, [3, 6, 7], "each line is accounted for");
        assert_eq!(read("A=1\nB=2\nA=3"), [("B".into(), "2".into()), ("A".into(), "3".into())]);
    }

    #[test]
    fn printing_a_file_shows_no_value() {
        let file = EnvFile::read("x.env".into(), "A=planted");
        assert!(!format!("{file:?}").contains("planted"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = read(&text);
        }
    }
}

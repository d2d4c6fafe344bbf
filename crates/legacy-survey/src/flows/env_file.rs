//! A `.env` file, read as the programs do that load such files. Pure.

use std::path::PathBuf;

use domain::SecretText;
use domain::secret::ExposeSecret;

/// The most variables of one file.
const MOST: usize = 1000;

/// The longest value with those of other variables in it, in bytes.
const LONGEST: usize = 1 << 16;

/// A file with its variables, in their order.
#[derive(Debug)]
pub struct EnvFile {
    pub path: PathBuf,
    pub variables: Vec<Variable>,
    /// The numbers of the lines that are neither a variable nor a comment, and of those after the last variable that is read.
    pub left_lines: Vec<usize>,
    /// Variables that come more than once with different values: the last one counts.
    pub repeated: Vec<String>,
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
    /// Reads the text of a file: `NAME=value` with or without `export`, quotes and comments. A quoted value may go over several
    /// lines, and `${NAME}` is the value of a variable above. Other lines are left out; of a variable that comes twice the last
    /// one counts.
    pub fn read(path: PathBuf, text: &str) -> Self {
        let mut file = Self::empty(path, false);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let (mut rest, mut number) = (text.as_str(), 1);
        while !rest.is_empty() {
            let line = rest.split('\n').next().unwrap_or_default();
            let plain = line.trim_start_matches('\u{feff}').trim();
            let read = assignment(rest).filter(|_| file.variables.len() < MOST);
            let taken = if let Some((name, value, taken)) = read {
                let value = file.filled(value);
                file.add(name, value);
                taken
            } else {
                if !plain.is_empty() && !plain.starts_with('#') {
                    file.left_lines.push(number);
                }
                line.len()
            };
            let (read, left) = rest.split_at(taken.min(rest.len()));
            number += read.matches('\n').count() + 1;
            rest = left.strip_prefix('\n').unwrap_or(left);
        }
        file
    }

    /// The database of a control panel.
    pub(super) fn of_panel(path: PathBuf) -> Self {
        Self::empty(path, true)
    }

    const fn empty(path: PathBuf, is_panel: bool) -> Self {
        Self { path, variables: Vec::new(), left_lines: Vec::new(), repeated: Vec::new(), is_panel }
    }

    /// Adds a variable in the place of one with its name.
    pub(super) fn add(&mut self, name: &str, value: String) {
        let is_other = |before: &Variable| before.name == name && before.value() != value;
        if self.variables.iter().any(is_other) && !self.repeated.iter().any(|known| known == name) {
            self.repeated.push(name.to_owned());
        }
        self.variables.retain(|before| before.name != name);
        self.variables.push(Variable { name: name.to_owned(), value: value.into() });
    }

    /// A value with those of other variables in it. What no variable above is called stays as it is written, and so does a
    /// value that would become too long.
    fn filled(&self, value: String) -> String {
        let mut parts = value.split("${");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let named = part.split_once('}');
            match named.and_then(|(name, _)| self.variables.iter().find(|one| one.name == name)).zip(named) {
                Some((one, (_, after))) => filled.extend([one.value(), after]),
                None => filled.extend(["${", part]),
            }
            if filled.len() > LONGEST {
                return value;
            }
        }
        filled
    }
}

/// The variable that a text begins with, its value, and how many bytes of the text it takes.
fn assignment(text: &str) -> Option<(&str, String, usize)> {
    let line = text.split('\n').next()?;
    let (before, after) = line.split_once('=')?;
    let name = before.trim_start_matches('\u{feff}').trim();
    let exported = name.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
    let name = exported.unwrap_or(name).trim_start();
    // Libraries that load such files take names that a shell does not, such as 2FA_PASSWORD.
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if !is_name {
        return None;
    }
    let begin = before.len() + 1 + (after.len() - after.trim_start().len());
    let value = text.get(begin..)?;
    match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => {
            let (value, length) = quoted(value.get(1..)?, quote)?;
            let end = begin + 1 + length;
            let left = text.get(end..)?.split('\n').next()?;
            // What follows is a comment, or the line is none that is understood.
            let is_whole = left.trim().is_empty() || left.trim_start().starts_with('#');
            is_whole.then(|| (name, value, end + left.len()))
        }
        None => Some((name, plain(after), line.len())),
    }
}

/// A value without quotes, which a comment ends.
fn plain(value: &str) -> String {
    let begins = |(at, _): &(usize, &str)| *at > 0 && value[..*at].ends_with(char::is_whitespace);
    let end = value.match_indices('#').find(begins).map_or(value.len(), |(at, _)| at);
    value[..end].trim().to_owned()
}

/// What is before the closing quote, and how many bytes there are with it.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Some((value, at + 1)),
            // Only these are escapes; a backslash of an expression stays.
            '\\' => match letters.next()?.1 {
                'n' if quote == '"' => value.push('\n'),
                escaped if escaped == quote || escaped == '\\' || (escaped == '$' && quote == '"') => {
                    value.push(escaped);
                }
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
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
            ("A= # told", ""),
            ("A=b\t# told", "b"),
            ("export\t A =\t'it\\'s'", "it's"),
            ("A=\"one\ntwo=2\n# three\" # told", "one\ntwo=2\n# three"),
            ("A='\\d+'\r", "\\d+"),
            ("A=b\r\n\r\n", "b"),
            ("A=${HOME}/x", "${HOME}/x"),
            ("A=${HOME", "${HOME"),
        ] {
            assert_eq!(read(line), [("A".to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(read("# A=1\n[section]\nA B=3\n=4\nno sign"), []);
        assert_eq!(read("2FA_PASSWORD=a"), [("2FA_PASSWORD".to_owned(), "a".to_owned())]);
        let file = EnvFile::read("x.env".into(), "# A=1\n\n[section]\nA=1\n  # b\nA B=3\nno sign");
        assert_eq!(file.left_lines, [3, 6, 7], "each line is accounted for");
        // A quote without an end, and words behind one, are no values: a part of a secret is none.
        let file = EnvFile::read("x.env".into(), "A=\"b\nB='c' d\r\nC=\"e\nf\"\r\ng\n");
        assert_eq!((file.left_lines.as_slice(), file.variables.len()), (&[1, 2, 5][..], 1));
        assert_eq!(read("A=1\nB=2\nA=3"), [("B".into(), "2".into()), ("A".into(), "3".into())]);
        let file = EnvFile::read("x.env".into(), "A=1\nB=2\nA=3\nA=1\nB=2");
        assert_eq!(file.repeated, ["A"], "the last one counts, which is said");
        let values = read("A=1\nB=${A}-${A}${C}\nC='x${B}'");
        assert_eq!(values[1..], [("B".into(), "1-1${C}".into()), ("C".into(), "x1-1${C}".into())]);
        let doubled = (1..100).fold("A0=ab\n".to_owned(), |text, number| {
            format!("{text}A{number}=${{A{}}}${{A{0}}}\n", number - 1)
        });
        assert!(read(&doubled).iter().all(|(_, value)| value.len() <= LONGEST));
    }

    #[test]
    fn printing_a_file_shows_no_value() {
        let file = EnvFile::read("x.env".into(), "A=planted");
        assert!(!format!("{file:?}").contains("planted"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A-Z='\"$ {}#\\\\\n\r\u{feff}é]{0,80}") {
            let _ = read(&text);
        }
    }
}

//! What the program says on its standard output. Nobody reading it is no reason to stop.

use std::fmt;
use std::io::{self, Write};

use serde_json::Value;

use crate::plain_json;

/// Writes a line. A reader that went away, as `head` does, has seen what it wanted.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Like `println!`, for a reader who may leave.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes JSON over several lines, for people as for programs. A terminal shows all of it and obeys nothing in it.
pub(crate) fn say_json(value: &Value) {
    line(format_args!("{}", plain_json::plain(format!("{value:#}"))));
}

/// The same on one line, for programs that read line by line.
pub(crate) fn say_json_line(value: &Value) {
    line(format_args!("{}", plain_json::plain(value.to_string())));
}

/// A text of several lines, maybe a stranger's: a terminal obeys nothing of it but the ends of lines.
pub(crate) fn plain(text: &str) -> String {
    text.split('\n').map(|line| logs::escaped(line).to_string()).collect::<Vec<_>>().join("\n")
}

/// An error with its causes, each said once.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_but_the_ends_of_lines() {
        assert_eq!(plain("a\u{1b}[31m\nb\u{202e}\n"), "a\\u{1b}[31m\nb\\u{202e}\n");
    }

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let cause = || anyhow::anyhow!("no rights");
        assert_eq!(
            explain(&cause().context("cannot read x: no rights; check it")),
            "cannot read x: no rights; check it"
        );
        assert_eq!(explain(&cause().context("cannot read x")), "cannot read x: no rights");
    }
}
